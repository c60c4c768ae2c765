//! All that a document of JSON says, as one text, so that one look tells where rules may be at work.

use std::ops::Range;

use super::encoded::unescaped;
use super::gate::{Gate, Places};
use super::json::{self, Document, Kind, Token};
use super::layers::DEPTH;
use super::protected::is_protected;
use crate::pyregex::boundary;

/// All that a document says, line after line.
pub(super) struct Flat<'a> {
    pub text: String,
    pub tokens: Vec<Line>,
    gate: &'a Gate,
}

/// Where a token stands: its lines, with its name and with that in quotes, and those of the document in it.
pub(super) struct Line {
    pub whole: Range<usize>,
    /// The key, or the value behind its name.
    pub itself: Range<usize>,
    /// Its name in quotes, with the beginning of it.
    pub quoted: Option<Range<usize>>,
}

impl<'a> Flat<'a> {
    pub fn of(text: &str, document: &Document, depth: usize, gate: &'a Gate) -> Flat<'a> {
        let mut flat = Flat { text: String::with_capacity(text.len() * 5 / 4), tokens: Vec::new(), gate };
        flat.add(text, document, depth, true);
        flat
    }

    /// The lines of documents in the values too; `outer`: it is the document that the tokens are of.
    fn add(&mut self, text: &str, document: &Document, depth: usize, outer: bool) {
        let mut start = self.text.len();
        for (index, token) in document.tokens.iter().enumerate() {
            // A key stands before its value, which comes next.
            if document.tokens.get(index + 1).is_some_and(|next| next.key == Some(index)) {
                if outer {
                    self.tokens.push(Line { whole: start..start, itself: start..start, quoted: None });
                }
                continue;
            }
            if let Some(key) = token.key {
                self.say(text, &document.tokens[key]);
                self.text.push_str(": ");
            }
            let value = self.text.len();
            self.say(text, token);
            let name = start..value.saturating_sub(2).max(start);
            if token.key.is_some() && is_protected(&self.text[name.clone()], &self.text[value..]) {
                // Its name only.
                self.text.truncate(name.end);
            }
            let said = self.text.len();
            let mut end = said;
            // What wants a newline behind a value finds none there; what wants a quote may.
            self.text.push_str("\"\n");
            let mut quoted = None;
            let is_wanted = |name: &str| token.key.is_some() && self.gate.wants_quoted(name);
            if said >= value && is_wanted(&self.text[name.clone()]) {
                // The name as JSON has it, with so much of the value as stands near it.
                let first = boundary(&self.text, value + self.gate.reach()).min(said);
                let beginning = self.text[value..first].to_owned();
                let name = self.text[name.clone()].to_owned();
                let start = self.text.len();
                self.text.extend(["\"", &name, "\": \"", &beginning]);
                quoted = Some(start..self.text.len());
                self.text.push_str("\"\n");
                end = self.text.len();
            }
            if said >= value
                && token.kind == Kind::Text
                && depth + 1 < DEPTH
                && json::is_like(&self.text[value..said])
            {
                let inner = self.text[value..said].to_owned();
                if let Some(document) = json::read(&inner) {
                    self.add(&inner, &document, depth + 1, false);
                    end = self.text.len();
                }
            }
            if outer {
                if let Some(key) = self.tokens.last_mut().filter(|key| key.whole.start == start) {
                    key.whole.end = end;
                    key.itself.end = name.end;
                }
                self.tokens.push(Line { whole: start..end, itself: value.min(said)..said, quoted });
            }
            start = self.text.len();
        }
    }

    fn say(&mut self, text: &str, token: &Token) {
        let raw = &text[token.range.clone()];
        if token.escaped {
            self.text.push_str(&unescaped(raw).0);
        } else {
            self.text.push_str(raw);
        }
    }
}

/// What may be of interest in a text.
pub(super) struct Suspects {
    /// Clues of rules, in order.
    pub places: Vec<(usize, Range<usize>)>,
    /// What is encoded, in order and apart.
    pub encoded: Vec<Range<usize>>,
    /// The length of the longest place.
    pub longest: usize,
}

impl Suspects {
    pub fn touch(&self, part: &Range<usize>) -> bool {
        self.within(part).next().is_some() || self.encoded_in(part)
    }

    pub fn within<'a>(&'a self, part: &'a Range<usize>) -> impl Iterator<Item = &'a (usize, Range<usize>)> {
        let first = self.places.partition_point(|(_, place)| place.start + self.longest <= part.start);
        let behind = self.places[first..].iter().take_while(|(_, place)| place.start < part.end);
        behind.filter(|(_, place)| part.start < place.end)
    }

    pub fn encoded_in(&self, part: &Range<usize>) -> bool {
        let first = self.encoded.partition_point(|encoded| encoded.end <= part.start);
        self.encoded.get(first).is_some_and(|encoded| encoded.start < part.end)
    }

    /// The places of a value behind its name; in quotes, if its name may be of interest so.
    pub fn places_of(&self, line: &Line, before: &str, quoted: bool) -> Places {
        let Range { start, end } = line.itself;
        if !quoted {
            return self.places_in(start - before.len().min(start)..end);
        }
        let mut places = Places::new();
        for (rule, place) in self.within(&line.itself) {
            let shifted = |at: usize| at.clamp(start, end) - start + before.len();
            places.entry(*rule).or_default().push(shifted(place.start)..shifted(place.end));
        }
        if let Some(quoted) = &line.quoted {
            for (rule, found) in self.places_in(quoted.clone()) {
                places.entry(rule).or_default().extend(found);
            }
        }
        places
    }

    /// The places in a part, as places of that part alone.
    pub fn places_in(&self, part: Range<usize>) -> Places {
        let mut places = Places::new();
        for (rule, place) in self.within(&part) {
            // Of a run that goes on behind it, the part in it may be one.
            let (start, end) = (place.start.max(part.start), place.end.min(part.end));
            places.entry(*rule).or_default().push(start - part.start..end - part.start);
        }
        places
    }
}
