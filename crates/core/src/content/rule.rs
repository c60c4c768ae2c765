//! One rule: how its matches are found, and what takes their place.

use super::template::Template;
use super::validate::Validator;
use crate::pyregex::{Clues, Exhausted, Finder, Flags};

/// How a pattern is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Regex,
    /// A regex with a group `content`.
    Marker,
    /// This very text.
    Literal,
}

/// A rule as it stands in its file.
#[derive(Clone, Debug)]
pub struct Spec {
    pub kind: Kind,
    pub pattern: String,
    pub replacement: String,
    pub ignore_case: bool,
    pub dotall: bool,
    /// The group that is replaced; 0 for all of a match.
    pub group: usize,
    /// What that must be, for the match to count.
    pub validator: Validator,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Problem {
    /// At a character of the pattern.
    Pattern {
        message: String,
        offset: usize,
    },
    MatchesEmpty,
    MarkerWithoutContent,
    Replacement {
        message: String,
        offset: usize,
    },
}

#[derive(Debug)]
pub(super) struct Rule {
    finder: Finder,
    template: Template,
    group: usize,
    validator: Validator,
    pub clues: Option<Clues>,
}

/// A match, and what takes its place.
pub(super) type Replacement = ((usize, usize), String);

impl Rule {
    pub fn new(spec: Spec) -> Result<Rule, Problem> {
        let pattern = match spec.kind {
            Kind::Literal => escaped(&spec.pattern),
            Kind::Regex | Kind::Marker => spec.pattern,
        };
        let flags = Flags { ignore_case: spec.ignore_case, dotall: spec.dotall, ..Flags::default() };
        let finder = Finder::new(&pattern, flags)
            .map_err(|error| Problem::Pattern { message: error.message, offset: error.offset })?;
        if finder.may_be_empty() {
            return Err(Problem::MatchesEmpty);
        }
        if spec.kind == Kind::Marker && !finder.names().iter().any(|(name, _)| name == "content") {
            return Err(Problem::MarkerWithoutContent);
        }
        let template = Template::parse(&spec.replacement, &finder)
            .map_err(|(message, offset)| Problem::Replacement { message, offset })?;
        if spec.group > finder.groups() {
            let message = format!("invalid group reference {}", spec.group);
            return Err(Problem::Pattern { message, offset: 0 });
        }
        let clues = finder.clues();
        Ok(Rule { finder, template, group: spec.group, validator: spec.validator, clues })
    }

    /// All matches that do not overlap, in their order, each with its replacement.
    pub fn find(&self, text: &str) -> Result<Vec<Replacement>, Exhausted> {
        let mut replacements = Vec::new();
        for found in self.finder.find_all(text)? {
            let span = match self.group {
                0 => Some((found.start, found.end)),
                group => found.groups[group - 1],
            };
            if let Some((start, end)) = span
                && self.validator.accepts(&text[start..end])
            {
                replacements.push(((start, end), self.template.expand(text, &found)));
            }
        }
        Ok(replacements)
    }
}

/// A pattern that matches this text and no other.
fn escaped(text: &str) -> String {
    let special =
        |character: char| character.is_ascii() && !character.is_ascii_alphanumeric() && character != '_';
    text.chars()
        .flat_map(|character| special(character).then_some('\\').into_iter().chain([character]))
        .collect()
}
