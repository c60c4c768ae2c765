//! What a piece of code is called: the names that scope selectors are compared with.

/// Where code comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Origin {
    Stdlib,
    ThirdParty,
    Project,
}

impl Origin {
    pub fn as_str(self) -> &'static str {
        match self {
            Origin::Stdlib => "stdlib",
            Origin::ThirdParty => "third-party",
            Origin::Project => "project",
        }
    }

    pub fn from_name(name: &str) -> Option<Origin> {
        [Origin::Stdlib, Origin::ThirdParty, Origin::Project]
            .into_iter()
            .find(|origin| origin.as_str() == name)
    }
}

/// `module.qualname` under one of the module's names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectName {
    pub name: String,
    /// Where the qualified name begins.
    start: usize,
}

impl ObjectName {
    /// The objects that this one is defined in, outermost first. `<locals>` is a place, not an object.
    pub fn outer(&self) -> impl Iterator<Item = &str> {
        self.name[self.start..]
            .match_indices('.')
            .map(|(dot, _)| &self.name[..self.start + dot])
            .filter(|outer| !outer.ends_with(".<locals>"))
    }
}

/// All names of one code object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeNames {
    /// Names of its module; a selector that matches one of them matches.
    pub modules: Vec<String>,
    /// Relative to the project root, or absolute for a file outside of it; `<string>` and the like as they are.
    pub file: String,
    /// None for code without a file.
    pub absolute: Option<String>,
    pub origin: Origin,
    pub qualname: String,
    /// One for each name of the module.
    pub objects: Vec<ObjectName>,
}

impl ScopeNames {
    pub fn new(
        modules: Vec<String>,
        file: String,
        absolute: Option<String>,
        origin: Origin,
        qualname: &str,
    ) -> ScopeNames {
        let objects = modules
            .iter()
            .map(|module| ObjectName { name: format!("{module}.{qualname}"), start: module.len() + 1 })
            .collect();
        ScopeNames { modules, file, absolute, origin, qualname: qualname.to_owned(), objects }
    }
}
