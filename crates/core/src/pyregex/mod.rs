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

mod around;
mod ast;
mod bytes;
mod case;
mod chars;
mod clues;
mod compile;
mod escapes;
mod finder;
mod groups;
mod inline_flags;
mod join;
mod language;
mod linear;
mod matcher;
mod memory;
mod near;
mod parse;
mod program;
mod text;
mod tokens;
mod traits;
mod window;

#[cfg(test)]
mod tests;

use std::fmt;

use crate::language::Language;
pub use around::Clue;
pub use bytes::bits_of;
pub use clues::Clues;
pub use finder::{Finder, LONGEST, Match, Stopped, boundary, boundary_before};
pub use near::FAR;
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
