//! One rule: how its matches are found, and what takes their place.

use std::ops::Range;

use memchr::{memchr, memrchr};

use super::UNDECIDED;
use super::escapes::{ends_in_escape, escaped};
use super::paths::FieldPath;
use super::template::Template;
use super::validate::Validator;
use crate::pyregex::{Clues, Finder, Flags, LONGEST, Match, Stopped, boundary, boundary_before};

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
    /// In documents, it is asked of these fields only, if there are any.
    pub fields: Vec<String>,
    /// A word also begins behind a colour of a terminal, and behind a newline that is written as `\n`.
    pub behind_escapes: bool,
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
    /// Which of the paths, and at which of its characters.
    Field {
        index: usize,
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
    pub fields: Vec<FieldPath>,
    behind_escapes: bool,
    /// A match begins with its clue.
    begins: bool,
    /// Matches are no longer than that, …
    longest: usize,
    /// … and hold no newline.
    in_line: bool,
}

/// What takes the place of a part of a text.
pub(super) type Replacement = ((usize, usize), String);

/// A match.
#[derive(Debug)]
pub(super) struct Found {
    /// All that was matched.
    pub whole: (usize, usize),
    /// The next one begins here, or behind it.
    next: usize,
    /// None: it does not count.
    pub change: Option<Replacement>,
    /// A bound was hit: what is replaced is where it was hit.
    pub undecided: bool,
}

impl Found {
    /// The same where its text is a part of another one.
    fn moved(mut self, by: usize) -> Found {
        let moved = |(start, end): (usize, usize)| (start + by, end + by);
        self.whole = moved(self.whole);
        self.next += by;
        self.change = self.change.map(|(span, put)| (moved(span), put));
        self
    }
}

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
        let field = |(index, path): (usize, &String)| {
            FieldPath::parse(path).map_err(|(message, offset)| Problem::Field { index, message, offset })
        };
        let fields = spec.fields.iter().enumerate().map(field).collect::<Result<_, _>>()?;
        let (clues, longest, in_line) = (finder.clues(), finder.longest(), !finder.crosses_lines());
        let begins = matches!(clues, Some(Clues::Texts { first: true, .. }));
        let (group, validator, behind_escapes) = (spec.group, spec.validator, spec.behind_escapes);
        Ok(Rule {
            finder,
            template,
            group,
            validator,
            clues,
            fields,
            behind_escapes,
            begins,
            longest,
            in_line,
        })
    }

    /// Whether it is proven to match all that another rule matches.
    pub fn covers(&self, other: &Rule) -> bool {
        self.group == 0
            && self.validator == Validator::None
            && match (self.finder.language(), other.finder.language()) {
                (Some(mine), Some(others)) => others.is_within(&mine) == Some(true),
                _ => false,
            }
    }

    /// All matches from a place on that do not overlap, in their order: those in the whole text, or those that hold
    /// one of these places.
    pub fn find(&self, text: &str, from: usize, places: Option<&[Range<usize>]>) -> Vec<Found> {
        let mut found = Vec::new();
        match places {
            Some(places) if self.begins => {
                for part in self.beginnings(text, places) {
                    if found.last().is_none_or(|last: &Found| last.next <= part.start) {
                        self.find_at(text, part, &mut found);
                    }
                }
            }
            Some(places) => {
                for part in self.parts(text, from, places) {
                    self.find_in(text, part, &mut found);
                }
            }
            // Line by line, a bound is hit by a line only.
            None if self.in_line => {
                let mut start = from;
                for line in text[from..].split_inclusive('\n') {
                    let end = start + line.len();
                    self.find_in(text, start..end - usize::from(line.ends_with('\n')), &mut found);
                    start = end;
                }
            }
            None => self.find_in(text, from..text.len(), &mut found),
        }
        found
    }

    /// Where matches that hold these places may be: in order, and apart from one another.
    fn parts(&self, text: &str, from: usize, places: &[Range<usize>]) -> Vec<Range<usize>> {
        let part = |place: &Range<usize>| {
            let mut start =
                boundary_before(text, (place.start + self.held(place)).saturating_sub(self.longest));
            if self.in_line {
                start = line_start(text, start, place.start);
            }
            start.min(place.start).max(from)..self.furthest(text, place)
        };
        let mut parts: Vec<Range<usize>> = places.iter().map(part).collect();
        parts.sort_unstable_by_key(|part| part.start);
        parts.dedup_by(|next, kept| {
            let joined = next.start <= kept.end;
            if joined {
                kept.end = kept.end.max(next.end);
            }
            joined
        });
        parts
    }

    /// So many bytes of a place are in a match: of a run, maybe not all.
    fn held(&self, place: &Range<usize>) -> usize {
        match self.clues {
            Some(Clues::Run { least, .. }) => least.min(place.len()),
            _ => place.len(),
        }
    }

    /// Where a match that holds this place ends at the latest.
    fn furthest(&self, text: &str, place: &Range<usize>) -> usize {
        let end = boundary(text, (place.end - self.held(place)).saturating_add(self.longest));
        if self.in_line { line_end(text, place.end, end).max(place.end) } else { end.max(place.end) }
    }

    /// Of matches that begin with these places, where they may be: in order.
    fn beginnings(&self, text: &str, places: &[Range<usize>]) -> Vec<Range<usize>> {
        let mut parts: Vec<Range<usize>> =
            places.iter().map(|place| place.start..self.furthest(text, place)).collect();
        parts.sort_unstable_by_key(|part| (part.start, part.end));
        parts.dedup();
        parts
    }

    fn find_at(&self, text: &str, part: Range<usize>, found: &mut Vec<Found>) {
        let mut matches = Vec::new();
        let mut outcome = self.finder.find_at(text, part.clone(), &mut matches);
        let mut shift = 0;
        if self.behind_escapes && outcome.is_ok() && matches.is_empty() && ends_in_escape(&text[..part.start])
        {
            // As if the text began here.
            shift = part.start;
            outcome = self.finder.find_at(&text[shift..], 0..part.len(), &mut matches);
        }
        if outcome.is_ok() {
            let judged = matches.iter().map(|matched| self.judged(&text[shift..], matched));
            found.extend(judged.map(|found| found.moved(shift)));
        } else {
            let from = found.last().map_or(0, |last| last.next);
            self.give_up(text, part.start, from, found);
        }
    }

    fn find_in(&self, text: &str, part: Range<usize>, found: &mut Vec<Found>) {
        if self.group > 0 {
            return self.find_groups_in(text, part, found);
        }
        let mut from = part.start;
        let mut matches = Vec::new();
        while from < part.end {
            let outcome = self.finder.find_all(text, from..part.end, &mut matches);
            found.extend(matches.drain(..).map(|matched| self.judged(text, &matched)));
            let Err(Stopped { at }) = outcome else { return };
            from = self.give_up(text, at, from, found);
        }
    }

    /// The same where a group is replaced: what stands behind it, as a space does between assignments, may be what the
    /// next match begins with.
    fn find_groups_in(&self, text: &str, part: Range<usize>, found: &mut Vec<Found>) {
        let mut from = part.start;
        while from < part.end {
            from = match self.finder.find_first(text, from..part.end) {
                Ok(None) => return,
                Ok(Some(matched)) => {
                    let judged = self.judged(text, &matched);
                    let next = judged.next;
                    found.push(judged);
                    next
                }
                Err(Stopped { at }) => self.give_up(text, at, from, found),
            };
        }
    }

    /// Redacts what is not known from a place on, and says where that ends. `from`: what is before stays.
    fn give_up(&self, text: &str, at: usize, from: usize, found: &mut Vec<Found>) -> usize {
        let (start, end) = self.undecided(text, at);
        // What was found there is a part of it.
        let mut start = start.max(from);
        while let Some(last) = found.pop_if(|last| last.next > start) {
            start = start.min(last.whole.0);
        }
        let change = Some(((start, end), UNDECIDED.to_owned()));
        found.push(Found { whole: (start, end), next: end, change, undecided: true });
        end
    }

    /// What is redacted where nothing is known of a match that begins here: the line, and no more than a match may be
    /// long.
    fn undecided(&self, text: &str, at: usize) -> (usize, usize) {
        let far = boundary(text, at.saturating_add(LONGEST));
        let end = if self.in_line { line_end(text, at, far) } else { far };
        let near = boundary_before(text, end.saturating_sub(LONGEST)).min(at);
        (line_start(text, near, at), end.max(boundary(text, at + 1)))
    }

    fn judged(&self, text: &str, matched: &Match) -> Found {
        let span = match self.group {
            0 => Some((matched.start, matched.end)),
            group => matched.groups[group - 1],
        };
        let counts = span.filter(|&(start, end)| self.validator.accepts(text, matched.start, start..end));
        let change = counts.map(|span| (span, self.template.expand(text, matched)));
        // An empty group must not be met for ever.
        let next = span.map_or(matched.end, |(_, end)| if end > matched.start { end } else { matched.end });
        Found { whole: (matched.start, matched.end), next, change, undecided: false }
    }
}

/// Where the line of a place begins, or the first place that counts.
fn line_start(text: &str, first: usize, at: usize) -> usize {
    let before = text.as_bytes().get(first..at).unwrap_or_default();
    memrchr(b'\n', before).map_or(first, |newline| first + newline + 1)
}

/// Where the line of a place ends, or the last place that counts.
fn line_end(text: &str, at: usize, last: usize) -> usize {
    let behind = text.as_bytes().get(at..last).unwrap_or_default();
    memchr(b'\n', behind).map_or(last, |newline| at + newline)
}
