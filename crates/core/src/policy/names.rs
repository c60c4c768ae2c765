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
    /// Where the names of the objects end that it is defined in, outermost first, and of itself. `<locals>` is a
    /// place, not an object.
    pub(super) ends: Vec<usize>,
}

impl ObjectName {
    fn new(module: &str, qualname: &str) -> ObjectName {
        let name = format!("{module}.{qualname}");
        let start = module.len() + 1;
        let dots = qualname.match_indices('.').map(|(dot, _)| start + dot);
        let mut ends: Vec<usize> = dots.filter(|&end| !name[..end].ends_with(".<locals>")).collect();
        ends.push(name.len());
        ObjectName { name, ends }
    }

    /// The objects that it is defined in, outermost first, and itself.
    pub fn covering(&self) -> impl Iterator<Item = &str> {
        self.ends.iter().map(|&end| &self.name[..end])
    }
}

/// All names of one code object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeNames {
    /// Names of its module, never none; a selector that matches one of them matches.
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
        mut modules: Vec<String>,
        file: String,
        absolute: Option<String>,
        origin: Origin,
        qualname: &str,
    ) -> ScopeNames {
        if modules.is_empty() {
            // `pkg:*` is everything, code whose module has no name included.
            modules.push(String::new());
        }
        let objects = modules.iter().map(|module| ObjectName::new(module, qualname)).collect();
        ScopeNames { modules, file, absolute, origin, qualname: qualname.to_owned(), objects }
    }
}
