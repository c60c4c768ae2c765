//! What a rule or a pattern selects, and proofs that another one selects all of it.

use super::super::file::{ParsedPattern, ParsedRule};
use super::super::selector::{Kinds, Matching, ScopeKind, ScopeSelector};
use super::super::selector_parts::split;
use crate::language::Language;
use std::cell::OnceCell;

/// A rule of the chain, with what is worked out about it when it is asked for.
pub(super) struct Scope<'a> {
    pub file: usize,
    pub rule: &'a ParsedRule,
    language: OnceCell<Option<Language>>,
    owners: OnceCell<Option<Language>>,
    example: OnceCell<Option<String>>,
    everything: OnceCell<bool>,
    pub patterns: Vec<Pattern<'a>>,
}

impl<'a> Scope<'a> {
    pub fn new(file: usize, rule: &'a ParsedRule) -> Scope<'a> {
        let infos = rule.info.patterns.iter().zip(&rule.patterns);
        Scope {
            file,
            rule,
            language: OnceCell::new(),
            owners: OnceCell::new(),
            example: OnceCell::new(),
            everything: OnceCell::new(),
            patterns: infos.map(|(info, parsed)| Pattern::new(&info.selector, parsed)).collect(),
        }
    }

    fn selector(&self) -> &ScopeSelector {
        &self.rule.selector
    }

    /// The names that it selects.
    pub fn language(&self) -> Option<&Language> {
        let make = || {
            let selector = self.selector();
            let language =
                selector.matcher.language(&self.rule.info.selector, selector.kind == ScopeKind::File)?;
            let dotted = matches!(selector.kind, ScopeKind::Package | ScopeKind::Object)
                && selector.matcher.kind() == Matching::Regex;
            Some(if dotted { language.dotted() } else { language })
        };
        self.language.get_or_init(make).as_ref()
    }

    fn example(&self) -> Option<&str> {
        self.example.get_or_init(|| self.language()?.example()).as_deref()
    }

    /// Whether it selects this very name.
    fn selects(&self, name: &str) -> bool {
        match self.language().filter(|_| self.selector().matcher.kind() == Matching::Regex) {
            // Knows all the forms of a name at once, and gives up at the first character that fits none.
            Some(language) => language.has(name),
            None => self.selector().selects(name),
        }
    }

    /// It selects all code there is.
    pub fn is_everything(&self) -> bool {
        let all = || {
            let selector = self.selector();
            let general =
                selector.kind == ScopeKind::Package || selector.kind == ScopeKind::File && !selector.absolute;
            general
                && ["", "x", "/a/b.c", "<x y>"].iter().all(|name| selector.selects(name))
                && self.language().is_some_and(|language| all_names().is_within(language) == Some(true))
        };
        *self.everything.get_or_init(all)
    }

    /// Whether it is proven to select everything that the other rule selects.
    pub fn covers(&self, other: &Scope) -> bool {
        if self.is_everything() {
            return true;
        }
        let (mine, others) = (self.selector(), other.selector());
        match (others.kind, mine.kind) {
            (ScopeKind::Object, ScopeKind::Package) => {
                let owners = || Some(other.language()?.owners());
                let owners = other.owners.get_or_init(owners).as_ref();
                self.holds(owners, owners.and_then(Language::example).as_deref())
            }
            (a, b) if a == b && mine.absolute == others.absolute => {
                self.holds(other.language(), other.example())
            }
            _ => false,
        }
    }

    fn holds(&self, language: Option<&Language>, example: Option<&str>) -> bool {
        // Most pairs have nothing to do with each other, and one name tells.
        let (Some(language), Some(example)) = (language, example) else { return false };
        self.selects(example) && self.language().is_some_and(|mine| language.is_within(mine) == Some(true))
    }
}

fn all_names() -> &'static Language {
    static ALL: std::sync::OnceLock<Language> = std::sync::OnceLock::new();
    ALL.get_or_init(Language::everything)
}

/// A value pattern.
pub(super) struct Pattern<'a> {
    pub parsed: &'a ParsedPattern,
    text: &'a str,
    language: OnceCell<Option<Language>>,
    example: OnceCell<Option<String>>,
}

impl<'a> Pattern<'a> {
    fn new(text: &'a str, parsed: &'a ParsedPattern) -> Pattern<'a> {
        Pattern { parsed, text, language: OnceCell::new(), example: OnceCell::new() }
    }

    pub fn kind(&self) -> Kinds {
        self.parsed.selector.kind
    }

    /// What stands behind the kind and the match type.
    pub fn body(&self) -> &'a str {
        split(self.text).1
    }

    pub fn matching(&self) -> Matching {
        self.parsed.selector.matcher.kind()
    }

    pub fn matches(&self, name: &str) -> bool {
        self.parsed.selector.is_match(name) == Ok(true)
    }

    pub fn language(&self) -> Option<&Language> {
        self.language.get_or_init(|| self.parsed.selector.matcher.language(self.text, false)).as_ref()
    }

    pub fn example(&self) -> Option<&str> {
        self.example.get_or_init(|| self.language()?.example()).as_deref()
    }

    /// Whether every value that the other pattern matches is proven to match this one too.
    pub fn covers(&self, other: &Pattern) -> bool {
        // A parameter is asked for as an argument and as a local.
        let kinds = self.kind() == other.kind() || (other.kind(), self.kind()) == (Kinds::ARG, Kinds::LOCAL);
        kinds
            && other.example().is_some_and(|example| self.matches(example))
            && other.language().is_some_and(|language| {
                self.language().is_some_and(|mine| language.is_within(mine) == Some(true))
            })
    }
}
