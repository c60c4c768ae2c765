//! Selectors: `kind:[match:]pattern`, parsed and compiled.

use super::glob::{self, Flavour, Glob};
use super::names::{ObjectName, ScopeNames};
use super::regex::{Exhausted, NameRegex};
use super::selector_parts::{Parts, SelectorError, split, suggestion, without_dots};
use crate::language::Language;

/// What a scope rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Package,
    File,
    Object,
    Origin,
}

pub(super) const SCOPE_KINDS: &[(&str, ScopeKind)] = &[
    ("pkg", ScopeKind::Package),
    ("file", ScopeKind::File),
    ("obj", ScopeKind::Object),
    ("origin", ScopeKind::Origin),
];

/// A set of value kinds: a parameter is matched by `arg` and by `local` patterns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Kinds(u8);

impl Kinds {
    pub const LOCAL: Kinds = Kinds(1);
    pub const GLOBAL: Kinds = Kinds(2);
    pub const ARG: Kinds = Kinds(4);
    pub const RET: Kinds = Kinds(8);
    pub const ATTR: Kinds = Kinds(16);
    pub const TYPE: Kinds = Kinds(32);

    pub const fn union(self, other: Kinds) -> Kinds {
        Kinds(self.0 | other.0)
    }

    pub const fn intersects(self, other: Kinds) -> bool {
        self.0 & other.0 != 0
    }

    pub fn from_name(name: &str) -> Option<Kinds> {
        VALUE_KINDS.iter().find(|&&(known, _)| known == name).map(|&(_, kind)| kind)
    }
}

pub(super) const VALUE_KINDS: &[(&str, Kinds)] = &[
    ("local", Kinds::LOCAL),
    ("global", Kinds::GLOBAL),
    ("arg", Kinds::ARG),
    ("ret", Kinds::RET),
    ("attr", Kinds::ATTR),
    ("type", Kinds::TYPE),
];

pub(super) const ORIGINS: &[&str] = &["stdlib", "third-party", "project"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Matching {
    Glob,
    Regex,
    Literal,
}

/// A pattern, compiled for what it is compared with.
#[derive(Debug)]
pub(super) enum Matcher {
    Literal(Box<str>),
    Glob(Glob),
    Regex(NameRegex),
}

impl Matcher {
    /// Whether the whole name matches.
    pub fn is_match(&self, name: &str) -> Result<bool, Exhausted> {
        match self {
            Matcher::Literal(literal) => Ok(**literal == *name),
            Matcher::Glob(glob) => Ok(glob.is_match(name)),
            Matcher::Regex(regex) => regex.is_full_match(name),
        }
    }

    pub fn kind(&self) -> Matching {
        match self {
            Matcher::Literal(_) => Matching::Literal,
            Matcher::Glob(_) => Matching::Glob,
            Matcher::Regex(_) => Matching::Regex,
        }
    }

    /// All names that match as a whole; None where that cannot be said. `selector` is what this was made from.
    pub fn language(&self, selector: &str, path: bool) -> Option<Language> {
        match self {
            Matcher::Literal(literal) => Language::literal(literal),
            Matcher::Glob(_) => {
                let flavour = if path { Flavour::Path } else { Flavour::Name };
                glob::language(split(selector).1, flavour)
            }
            Matcher::Regex(regex) => regex.language(),
        }
    }

    /// Whether a dotted name matches: a regex may also match it with a dot behind, or a part of it that ends in
    /// a dot, and so select all that is below.
    fn selects_dotted(&self, name: &str) -> Result<bool, Exhausted> {
        let Matcher::Regex(regex) = self else { return self.is_match(name) };
        if !regex.may_select(name) {
            return Ok(false);
        }
        if regex.is_full_match(name)? || regex.is_full_match(&format!("{name}."))? {
            return Ok(true);
        }
        for (dot, _) in name.match_indices('.') {
            if regex.is_full_match(&name[..=dot])? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[derive(Debug)]
pub(super) struct ScopeSelector {
    pub kind: ScopeKind,
    pub matcher: Matcher,
    /// For files: compared with the absolute path of any file, wherever it lies.
    pub absolute: bool,
}

impl ScopeSelector {
    /// Whether it selects this very name: of a module, a file, an object or an origin, as its kind is.
    pub fn selects(&self, name: &str) -> bool {
        let matches = match self.kind {
            ScopeKind::Package | ScopeKind::Object => self.matcher.selects_dotted(name),
            ScopeKind::File | ScopeKind::Origin => self.matcher.is_match(name),
        };
        matches == Ok(true)
    }

    pub fn parse(text: &str) -> Result<ScopeSelector, SelectorError> {
        let parts = Parts::split(text, SCOPE_KINDS)?;
        let flavour = if parts.kind == ScopeKind::File { Flavour::Path } else { Flavour::Name };
        if parts.kind == ScopeKind::Origin && !ORIGINS.contains(&parts.pattern) {
            return Err(SelectorError {
                id: "unknown-value",
                characters: parts.pattern_span(),
                message: format!("there is no origin `{}`", parts.pattern),
                hint: Some(suggestion(parts.pattern, ORIGINS.iter().copied())),
            });
        }
        if parts.kind == ScopeKind::File
            && parts.matching != Matching::Regex
            && let Some(plain) = without_dots(parts.pattern)
        {
            return Err(SelectorError {
                id: "bad-selector",
                characters: parts.pattern_span(),
                message: "no file is called so: paths begin at the project root, without `.` and `..`"
                    .to_owned(),
                hint: (!plain.is_empty()).then(|| format!("write `{plain}`")),
            });
        }
        let absolute = parts.kind == ScopeKind::File
            && match parts.matching {
                Matching::Regex => parts.pattern.trim_start_matches(['^', '\\']).starts_with('/'),
                _ => parts.pattern.starts_with('/'),
            };
        Ok(ScopeSelector { kind: parts.kind, matcher: parts.compile(flavour)?, absolute })
    }

    /// Whether the selector covers this code.
    pub fn is_match(&self, names: &ScopeNames) -> Result<bool, Exhausted> {
        match self.kind {
            ScopeKind::Package => any(&names.modules, |module| self.matcher.selects_dotted(module)),
            ScopeKind::Origin => self.matcher.is_match(names.origin.as_str()),
            ScopeKind::File if self.absolute => match &names.absolute {
                Some(path) => self.matcher.is_match(path),
                None => Ok(false),
            },
            ScopeKind::File => self.matcher.is_match(&names.file),
            ScopeKind::Object => {
                for object in &names.objects {
                    if self.covers_object(object)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
        }
    }

    /// Whether the object or one that it is defined in matches.
    fn covers_object(&self, object: &ObjectName) -> Result<bool, Exhausted> {
        if let Matcher::Glob(glob) = &self.matcher {
            return Ok(glob.matches_prefix(&object.name, &object.ends));
        }
        if self.matcher.selects_dotted(&object.name)? {
            return Ok(true);
        }
        any(object.covering(), |outer| self.matcher.is_match(outer))
    }
}

fn any<I: IntoIterator<Item: AsRef<str>>>(
    names: I,
    mut matches: impl FnMut(&str) -> Result<bool, Exhausted>,
) -> Result<bool, Exhausted> {
    for name in names {
        if matches(name.as_ref())? {
            return Ok(true);
        }
    }
    Ok(false)
}

#[derive(Debug)]
pub(super) struct ValueSelector {
    pub kind: Kinds,
    pub matcher: Matcher,
}

impl ValueSelector {
    pub fn parse(text: &str) -> Result<ValueSelector, SelectorError> {
        let parts = Parts::split(text, VALUE_KINDS)?;
        Ok(ValueSelector { kind: parts.kind, matcher: parts.compile(Flavour::Name)? })
    }

    /// Whether the whole name matches.
    pub fn is_match(&self, name: &str) -> Result<bool, Exhausted> {
        self.matcher.is_match(name)
    }

    /// Whether an answer is worth remembering.
    pub fn is_costly(&self) -> bool {
        matches!(self.matcher, Matcher::Regex(_))
    }
}
