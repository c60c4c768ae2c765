//! Regular expressions with the syntax and the meaning of Python 3.12's `re`, for text.
//!
//! A pattern is parsed as `re` parses it, with its errors, and matched by one engine that knows all of its
//! constructs. Where the outcome depends on places in pattern and text only, which is everything but references to
//! groups, conditions, and atomic groups together with loops that may consume nothing, the engine remembers which
//! places it has tried: its work is at most the size of the program times the length of the text. The rest runs
//! within a bound that is proportional to the length of the text, and says when it is hit.
//!
//! Differences that are meant: `\N{…}` and the flag `t` (deprecated in 3.12, gone in 3.13) are errors, nesting and
//! size are limited, and classes and case follow the Unicode version of this library, not of the interpreter.

mod ast;
mod case;
mod chars;
mod clues;
mod compile;
mod escapes;
mod groups;
mod inline_flags;
mod join;
mod language;
mod linear;
mod matcher;
mod memory;
mod parse;
mod program;
mod text;
mod tokens;
mod traits;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::OnceLock;

use regex_automata::Input;
use regex_automata::meta;
use regex_automata::util::captures::Captures;

use crate::language::Language;
pub use clues::{Clue, Clues};
use parse::Parsed;
use program::Program;

/// The flags that a pattern begins with; `(?i)` and the like add to them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    pub ignore_case: bool,
    pub multiline: bool,
    pub dotall: bool,
    pub verbose: bool,
    pub ascii: bool,
}

/// Why a pattern is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// In characters of the pattern.
    pub offset: usize,
    /// As Python words it, where Python has this error.
    pub message: String,
}

impl Error {
    fn new(offset: usize, message: impl Into<String>) -> Error {
        Error { offset, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at position {}", self.message, self.offset)
    }
}

impl std::error::Error for Error {}

/// The bound of work was hit before there was an answer. Whoever asked about a secret takes it for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exhausted;

impl fmt::Display for Exhausted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the pattern takes too much work on this text")
    }
}

impl std::error::Error for Exhausted {}

/// Where a pattern matches, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub start: usize,
    pub end: usize,
    /// What the groups from 1 on have captured.
    pub groups: Vec<Option<(usize, usize)>>,
}

/// A pattern to find in texts, and what its groups capture.
///
/// What an engine that never backtracks can run, it runs; it is made when it is needed first. The rest is for the
/// engine that knows everything.
#[derive(Debug)]
pub struct Finder {
    parsed: Parsed,
    program: Program,
    names: Vec<(String, u32)>,
    /// For texts in ASCII, and for all others.
    linear: [OnceLock<Option<meta::Regex>>; 2],
}

impl Finder {
    pub fn new(pattern: &str, flags: Flags) -> Result<Finder, Error> {
        let parsed = parse::parse(pattern, flags)?;
        let program = compile::compile(&parsed, true)?;
        let mut names: Vec<(String, u32)> =
            parsed.names.iter().map(|(name, &group)| (name.clone(), group)).collect();
        names.sort_by_key(|(_, group)| *group);
        Ok(Finder { parsed, program, names, linear: Default::default() })
    }

    /// What is in every match; None if that is not known.
    pub fn clues(&self) -> Option<Clues> {
        clues::clues(&self.parsed)
    }

    /// Whether it may match nothing.
    pub fn may_be_empty(&self) -> bool {
        ast::Width::of(&self.parsed.body).min == 0
    }

    fn linear(&self, ascii: bool) -> Option<&meta::Regex> {
        self.linear[usize::from(!ascii)].get_or_init(|| linear::engine(&self.parsed, ascii)).as_ref()
    }

    /// The names of its groups, and their numbers.
    pub fn names(&self) -> &[(String, u32)] {
        &self.names
    }

    /// How many groups it has.
    pub fn groups(&self) -> usize {
        self.program.groups as usize - 1
    }

    /// `re.finditer`: all matches that do not overlap.
    pub fn find_all(&self, text: &str) -> Result<Vec<Match>, Exhausted> {
        if let Some(engine) = self.linear(text.is_ascii()) {
            return Ok(all_of(engine, text, self.groups()));
        }
        let mut found: Vec<Match> = Vec::new();
        loop {
            // An empty match may follow another one at once, but not an empty one.
            let (from, not_empty) =
                found.last().map_or((0, false), |last| (last.end, last.start == last.end));
            match matcher::find(&self.program, text, from, not_empty)? {
                Some(next) => found.push(next),
                None => return Ok(found),
            }
        }
    }
}

fn all_of(engine: &meta::Regex, text: &str, groups: usize) -> Vec<Match> {
    let spans = |found: &Captures| {
        let group = |group| found.get_group(group).map(|span| (span.start, span.end));
        let whole = group(0).unwrap_or_default();
        Match { start: whole.0, end: whole.1, groups: (1..=groups).map(group).collect() }
    };
    if groups > 0 {
        return engine.captures_iter(Input::new(text)).map(|found| spans(&found)).collect();
    }
    let found = engine.find_iter(Input::new(text));
    found.map(|found| Match { start: found.start(), end: found.end(), groups: Vec::new() }).collect()
}

/// A compiled pattern: immutable, and free to be shared between threads.
#[derive(Debug)]
pub struct Regex {
    program: Program,
}

impl Regex {
    pub fn new(pattern: &str, flags: Flags) -> Result<Regex, Error> {
        let parsed = parse::parse(pattern, flags)?;
        Ok(Regex { program: compile::compile(&parsed, false)? })
    }

    /// `re.fullmatch`.
    pub fn is_full_match(&self, text: &str) -> Result<bool, Exhausted> {
        matcher::matches(&self.program, text, true)
    }

    /// What it matches as a whole, for questions about all texts at once; None where that cannot be said.
    pub fn language(&self) -> Option<Language> {
        language::language(&self.program)
    }

    /// What the pattern says when it is nothing but plain characters, with an anchor before them at most.
    pub fn plain_word(&self) -> Option<String> {
        language::plain_word(&self.program)
    }

    /// Whether it begins with an anchor, and whether it has one for the end anywhere.
    pub fn anchors(&self) -> (bool, bool) {
        language::anchors(&self.program)
    }

    /// `re.search`.
    pub fn is_match(&self, text: &str) -> Result<bool, Exhausted> {
        matcher::matches(&self.program, text, false)
    }
}
