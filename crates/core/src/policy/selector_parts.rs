//! The text of a selector, `kind:[match:]pattern`, taken apart.

use super::glob::{Flavour, Glob};
use super::regex::NameRegex;
use super::selector::{Matcher, Matching};
use crate::diagnostics::{closest, one_of};
use std::ops::Range;

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

/// A selector taken apart.
pub(super) struct Parts<'a, K> {
    pub kind: K,
    pub matching: Matching,
    pub pattern: &'a str,
    /// Where the pattern begins, in characters.
    at: usize,
}

impl<'a, K: Copy> Parts<'a, K> {
    pub fn split(text: &'a str, kinds: &'static [(&'static str, K)]) -> Result<Parts<'a, K>, SelectorError> {
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

    pub fn pattern_span(&self) -> Range<usize> {
        self.at..self.at + self.pattern.chars().count()
    }

    pub fn compile(&self, flavour: Flavour) -> Result<Matcher, SelectorError> {
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

/// A path without the steps that name no folder; None if it has none of these.
pub(super) fn without_dots(path: &str) -> Option<String> {
    let (root, steps) = path.strip_prefix('/').map_or(("", path), |rest| ("/", rest));
    let plain: Vec<&str> = steps.split('/').filter(|step| !matches!(*step, "" | "." | "..")).collect();
    let mut plain = format!("{root}{}", plain.join("/"));
    if path.ends_with('/') {
        plain.push_str("/**");
    }
    (plain != path && !path.starts_with("//") && path != "/").then_some(plain)
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
