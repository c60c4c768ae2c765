//! Where a pattern matches, and what its groups capture.

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::meta;
use regex_automata::util::captures::Captures;
use regex_automata::{Anchored, Input};

use super::ast::Width;
use super::bytes::Characters;
use super::clues::{Clues, clues};
use super::parse::{Parsed, parse};
use super::program::Program;
use super::{Error, Flags, compile, language, linear, matcher};
use crate::language::Language;

/// No match is longer, in bytes.
pub const LONGEST: usize = 64 << 10;

/// Where a pattern matches, in bytes of the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    pub start: usize,
    pub end: usize,
    /// What the groups from 1 on have captured.
    pub groups: Vec<Option<(usize, usize)>>,
}

/// A bound of work or length was hit: of a match that begins here, nothing is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stopped {
    pub at: usize,
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
        let parsed = parse(pattern, flags)?;
        let program = compile::compile(&parsed, true)?;
        let mut names: Vec<(String, u32)> =
            parsed.names.iter().map(|(name, &group)| (name.clone(), group)).collect();
        names.sort_by_key(|(_, group)| *group);
        Ok(Finder { parsed, program, names, linear: Default::default() })
    }

    /// What is in every match; None if that is not known.
    pub fn clues(&self) -> Option<Clues> {
        clues(&self.parsed)
    }

    /// Whether it may match nothing.
    pub fn may_be_empty(&self) -> bool {
        Width::of(&self.parsed.body).min == 0
    }

    /// Matches are no longer than that, in bytes; a bit more than [`LONGEST`] where they would be.
    pub fn longest(&self) -> usize {
        // A character has up to four bytes.
        let width = Width::of(&self.parsed.body).max.saturating_mul(4);
        usize::try_from(width).unwrap_or(usize::MAX).min(LONGEST + 4)
    }

    /// Whether a match may hold a newline.
    pub fn crosses_lines(&self) -> bool {
        // What a group holds, it matched before.
        Characters::of_all(&self.parsed.body, Characters::default()).ascii >> b'\n' & 1 == 1
    }

    /// All that it matches; None where that cannot be said.
    pub fn language(&self) -> Option<Language> {
        language::language(&self.program)
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

    /// `re.finditer`: adds all matches in this part of a text, which do not overlap. Look-around sees the rest.
    ///
    /// When it stops early, it can be asked again for what is behind.
    pub fn find_all(&self, text: &str, range: Range<usize>, found: &mut Vec<Match>) -> Result<(), Stopped> {
        let mut from = range.start;
        // Piece by piece, so that neither the work for one match nor what is remembered grows with the text.
        while from <= range.end {
            let until = boundary(text, from.saturating_add(LONGEST)).min(range.end);
            let limit = boundary(text, until.saturating_add(LONGEST)).min(range.end);
            // A piece that ends where the part ends has the last place in it, too.
            let last = if until == range.end { until } else { until - 1 };
            let before = found.len();
            self.find_some(text, from..limit, last, found)?;
            if let Some(long) = found[before..].iter().position(|found| found.end - found.start > LONGEST) {
                let at = found[before + long].start;
                found.truncate(before + long);
                return Err(Stopped { at });
            }
            if until == range.end {
                break;
            }
            from = found[before..].last().map_or(until, |last| last.end.max(until));
        }
        Ok(())
    }

    /// Adds the match that begins right here and ends in this part, if there is one.
    pub fn find_at(&self, text: &str, range: Range<usize>, found: &mut Vec<Match>) -> Result<(), Stopped> {
        let (start, before) = (range.start, found.len());
        if let Some(engine) = self.linear(text[seen(text, &range)].is_ascii()) {
            let input = Input::new(text).span(range).anchored(Anchored::Yes);
            let mut captures = engine.create_captures();
            engine.search_captures(&input, &mut captures);
            found.extend(captures.is_match().then(|| spans(&captures, self.groups())));
        } else {
            matcher::find_all(&self.program, text, range, start, found)?;
            found.truncate(before + 1);
        }
        match found.get(before) {
            Some(long) if long.end - long.start > LONGEST => {
                found.truncate(before);
                Err(Stopped { at: start })
            }
            _ => Ok(()),
        }
    }

    /// The first match in this part.
    pub fn find_first(&self, text: &str, range: Range<usize>) -> Result<Option<Match>, Stopped> {
        let mut found = Vec::new();
        if let Some(engine) = self.linear(text[seen(text, &range)].is_ascii()) {
            let mut captures = engine.create_captures();
            engine.search_captures(&Input::new(text).span(range), &mut captures);
            found.extend(captures.is_match().then(|| spans(&captures, self.groups())));
        } else {
            self.find_all(text, range, &mut found)?;
        }
        match found.into_iter().next() {
            Some(long) if long.end - long.start > LONGEST => Err(Stopped { at: long.start }),
            first => Ok(first),
        }
    }

    /// Matches in this part that begin at `last` or before.
    fn find_some(
        &self,
        text: &str,
        range: Range<usize>,
        last: usize,
        found: &mut Vec<Match>,
    ) -> Result<(), Stopped> {
        if let Some(engine) = self.linear(text[seen(text, &range)].is_ascii()) {
            all_of(engine, text, range, last, self.groups(), found);
            return Ok(());
        }
        matcher::find_all(&self.program, text, range, last, found)
    }
}

/// The first place from here on where a character begins.
pub fn boundary(text: &str, at: usize) -> usize {
    (at..text.len()).find(|&at| text.is_char_boundary(at)).unwrap_or(text.len())
}

/// The last place up to here where a character begins.
pub fn boundary_before(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0)
}

/// What of a text is seen by a search in this part: a look around sees one character more.
fn seen(text: &str, range: &Range<usize>) -> Range<usize> {
    boundary_before(text, range.start.saturating_sub(4))..boundary(text, range.end + 4)
}

fn all_of(
    engine: &meta::Regex,
    text: &str,
    range: Range<usize>,
    last: usize,
    groups: usize,
    found: &mut Vec<Match>,
) {
    let input = Input::new(text).span(range);
    if groups == 0 {
        let spans = engine.find_iter(input).map(|found| found.range());
        let matches = spans.map(|span| Match { start: span.start, end: span.end, groups: Vec::new() });
        found.extend(matches.take_while(|found| found.start <= last));
        return;
    }
    let matches = engine.captures_iter(input).map(|captures| spans(&captures, groups));
    found.extend(matches.take_while(|found| found.start <= last));
}

fn spans(captures: &Captures, groups: usize) -> Match {
    let group = |group| captures.get_group(group).map(|span| (span.start, span.end));
    let whole = group(0).unwrap_or_default();
    Match { start: whole.0, end: whole.1, groups: (1..=groups).map(group).collect() }
}
