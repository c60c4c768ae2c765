//! Selectors: `kind:[match:]pattern`, parsed and compiled.

use super::glob::{self, Flavour, Glob};
use super::names::{ObjectName, ScopeNames};
use super::regex::{Exhausted, NameRegex};
use crate::diagnostics::{closest, one_of};
use crate::language::Language;
use std::ops::Range;

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

const MATCH_TYPES: &[(&str, Matching)] =
    &[("glob", Matching::Glob), ("regex", Matching::Regex), ("literal", Matching::Literal)];

/// The kind of a selector that is right, and what stands behind kind and match type.
pub(super) fn split(selector: &str) -> (&str, &str) {
    let (kind, rest) = selector.split_once(':').unwrap_or(("", selector));
    let known = |(word, body): (&str, _)| MATCH_TYPES.iter().any(|&(name, _)| name == word).then_some(body);
    (kind, rest.split_once(':').and_then(known).unwrap_or(rest))
}

/// What is wrong with a selector, and with which of its characters.
#[derive(Debug)]
pub(super) struct SelectorError {
    pub id: &'static str,
    pub characters: Range<usize>,
    pub message: String,
    pub hint: Option<String>,
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

/// A selector taken apart.
struct Parts<'a, K> {
    kind: K,
    matching: Matching,
    pattern: &'a str,
    /// Where the pattern begins, in characters.
    at: usize,
}

impl<'a, K: Copy> Parts<'a, K> {
    fn split(text: &'a str, kinds: &'static [(&'static str, K)]) -> Result<Parts<'a, K>, SelectorError> {
        let names = || kinds.iter().map(|&(name, _)| name);
        let length = text.chars().count();
        let Some((word, rest)) = text.split_once(':') else {
            return Err(SelectorError {
                id: "bad-selector",
                characters: 0..length,
                message: format!("`{text}` does not say what kind of thing it selects"),
                hint: Some(format!("write `kind:pattern`, with the kind {}", one_of(names()))),
            });
        };
        let at = word.chars().count();
        let Some(&(_, kind)) = kinds.iter().find(|&&(name, _)| name == word) else {
            return Err(SelectorError {
                id: "unknown-kind",
                characters: 0..at,
                message: format!("unknown kind of selector `{word}`"),
                hint: Some(suggestion(word, names())),
            });
        };
        let (matching, pattern, at) = match rest.split_once(':') {
            None => (Matching::Glob, rest, at + 1),
            Some((word, pattern)) => {
                let characters = at + 1..at + 1 + word.chars().count();
                let next = characters.end + 1;
                match MATCH_TYPES.iter().find(|&&(name, _)| name == word) {
                    Some(&(_, matching)) => (matching, pattern, next),
                    None => return Err(unknown_match(word, rest, characters)),
                }
            }
        };
        if pattern.is_empty() {
            return Err(SelectorError {
                id: "bad-selector",
                characters: 0..length,
                message: "the pattern of the selector is empty".to_owned(),
                hint: Some("`*` selects everything".to_owned()),
            });
        }
        Ok(Parts { kind, matching, pattern, at })
    }

    fn pattern_span(&self) -> Range<usize> {
        self.at..self.at + self.pattern.chars().count()
    }

    fn compile(&self, flavour: Flavour) -> Result<Matcher, SelectorError> {
        let (id, offset, message) = match self.matching {
            Matching::Literal => return Ok(Matcher::Literal(self.pattern.into())),
            Matching::Glob => match Glob::new(self.pattern, flavour) {
                Ok(glob) => return Ok(Matcher::Glob(glob)),
                Err(error) => ("bad-glob", error.offset, format!("{} in this glob", error.message)),
            },
            Matching::Regex => match NameRegex::new(self.pattern) {
                Ok(regex) => return Ok(Matcher::Regex(regex)),
                Err(error) => {
                    ("bad-regex", error.offset, format!("bad regular expression: {}", error.message))
                }
            },
        };
        let end = self.pattern_span().end;
        let start = (self.at + offset).min(end.saturating_sub(1));
        let hint =
            (id == "bad-glob").then(|| "a match type of `literal` takes every character as it is".to_owned());
        Err(SelectorError { id, characters: start..start + 1, message, hint })
    }
}

fn unknown_match(word: &str, rest: &str, characters: Range<usize>) -> SelectorError {
    let names = || MATCH_TYPES.iter().map(|&(name, _)| name);
    let hint = match closest(word, names()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("one of {}; a pattern that holds a colon needs it: `glob:{rest}`", one_of(names())),
    };
    SelectorError {
        id: "unknown-match",
        characters,
        message: format!("unknown match type `{word}`"),
        hint: Some(hint),
    }
}

/// A hint for a word that should be one of these.
pub(super) fn suggestion<'a>(word: &str, candidates: impl Iterator<Item = &'a str> + Clone) -> String {
    match closest(word, candidates.clone()) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("one of {}", one_of(candidates)),
    }
}
