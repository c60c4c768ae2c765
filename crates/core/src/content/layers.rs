//! Text in text: what is encoded is redacted decoded, the innermost first, and encoded again.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::edits::Edits;
use super::encoded::{self, escaped, unescaped};
use super::gate::Places;
use super::json::{self, Document, Kind};
use super::protected::is_protected;
use super::rule::Replacement;
use super::{Applied, Hit, Rules};

/// So many encodings within one another are resolved.
const DEPTH: usize = 10;
/// Numbers with fewer digits are no secrets.
const DIGITS: usize = 6;

type Asked<'a> = &'a dyn Fn(usize) -> bool;

impl Rules {
    /// Applies the rules to what stands behind `from`: to what is encoded in it, and then to itself.
    pub(super) fn clean(&self, text: &str, from: usize, depth: usize, asked: Asked) -> Applied {
        let mut applied = Applied::default();
        if depth < DEPTH {
            let (mut changes, mut hits) = (Vec::new(), Vec::new());
            for part in encoded::parts(text, from) {
                let inner = self.clean_inner(&part.text, depth + 1, asked);
                applied.matches.push((part.range.start, part.range.end));
                let Some(edits) = inner.edits else { continue };
                changes.extend(part.encoded(&edits));
                let Range { start, end } = part.range;
                hits.extend(inner.hits.into_iter().map(|hit| Hit { start, end, ..hit }));
            }
            applied.change(text, &changes, hits);
        }
        self.apply(text, from, asked, &mut applied);
        applied
    }

    /// A text that was encoded: it may be a document.
    fn clean_inner(&self, text: &str, depth: usize, asked: Asked) -> Applied {
        let document = if depth < DEPTH { self.clean_document(text, depth, asked) } else { None };
        document.unwrap_or_else(|| self.clean(text, 0, depth, asked))
    }

    /// Applies the rules to the keys and values of a document of JSON. None: it is no document.
    pub(super) fn clean_document(&self, text: &str, depth: usize, asked: Asked) -> Option<Applied> {
        let document = if json::is_like(text) { json::read(text)? } else { return None };
        let mut applied = Applied::default();
        let flat = Flat::of(text, &document, depth);
        let suspects = self.suspects(&flat.text);
        let (mut changes, mut hits) = (Vec::new(), Vec::new());
        let mut keys: Option<FxHashSet<(usize, String)>> = None;
        for (token, range) in document.tokens.iter().zip(&flat.tokens) {
            if !suspects.as_ref().is_none_or(|suspects| touches(suspects, range)) {
                continue;
            }
            let raw = &text[token.range.clone()];
            let Range { start, end } = token.range;
            let (said, places) = unescaped(raw);
            let name = token.key.map(|key| unescaped(&text[document.tokens[key].range.clone()]).0);
            let name = name.as_deref();
            let inner = match token.kind {
                Kind::Key => self.clean(&said, 0, depth + 1, asked),
                Kind::Number if raw.bytes().filter(u8::is_ascii_digit).count() < DIGITS => continue,
                _ if name.is_some_and(|name| is_protected(name, &said)) => continue,
                _ => self.clean_value(name, &said, depth + 1, asked),
            };
            let Some(edits) = inner.edits else { continue };
            hits.extend(inner.hits.into_iter().map(|hit| Hit { start, end, ..hit }));
            match token.kind {
                Kind::Text => {
                    let place = |at: usize| start + places.encoded(at);
                    changes.extend(
                        edits.changes().map(|(from, to, put)| ((place(from), place(to)), escaped(put))),
                    );
                }
                Kind::Number => changes.push(((start, end), format!("\"{}\"", escaped(edits.text())))),
                Kind::Key => {
                    let known = keys.get_or_insert_with(|| all_keys(text, &document));
                    let put = unique(known, token.holder, edits.text());
                    changes.push(((start, end), escaped(&put)));
                }
            }
        }
        applied.change(text, &changes, hits);
        Some(applied)
    }

    /// A value, alone and behind its name, so that rules for assignments see it.
    fn clean_value(&self, name: Option<&str>, said: &str, depth: usize, asked: Asked) -> Applied {
        if depth < DEPTH
            && let Some(applied) = self.clean_document(said, depth, asked)
        {
            return applied;
        }
        let mut applied = self.clean(said, 0, depth, asked);
        let Some(name) = name else { return applied };
        let mut assigned = format!("{name}: ");
        let value = assigned.len();
        assigned.push_str(applied.edits.as_ref().map_or(said, Edits::text));
        let mut seen = Applied::default();
        self.apply(&assigned, 0, asked, &mut seen);
        let Some(edits) = seen.edits else { return applied };
        let clipped = |(from, to, put): (usize, usize, &str)| -> Option<Replacement> {
            let before = &assigned[from.min(value)..value];
            // Only the value may change: what a rule puts in the place of the name is not for it.
            let put = put.strip_prefix(before).unwrap_or(put);
            (to > value).then(|| ((from.max(value) - value, to - value), put.to_owned()))
        };
        let changes: Vec<Replacement> = edits.changes().filter_map(clipped).collect();
        let hits = seen.hits.into_iter().filter(|hit| hit.end > value).collect();
        applied.change(said, &changes, hits);
        applied
    }

    /// Where in a text rules or encodings may be at work. None: everywhere.
    fn suspects(&self, text: &str) -> Option<Vec<Range<usize>>> {
        if !self.gate.always(text.is_ascii()).is_empty() {
            return None;
        }
        let mut places = Places::new();
        self.gate.look(text, 0..text.len(), &mut places);
        let mut all: Vec<Range<usize>> = places.into_values().flatten().collect();
        all.extend(encoded::parts(text, 0).into_iter().map(|part| part.range));
        all.sort_unstable_by_key(|place| place.start);
        // By their ends in order, too: each reaches as far as any before it.
        let mut furthest = 0;
        for place in &mut all {
            furthest = furthest.max(place.end);
            place.end = furthest;
        }
        Some(all)
    }
}

/// Whether any of these places may be in a part.
fn touches(places: &[Range<usize>], part: &Range<usize>) -> bool {
    let first = places.partition_point(|place| place.end <= part.start);
    places.get(first).is_some_and(|place| place.start < part.end)
}

/// All that a document says, line after line.
struct Flat {
    text: String,
    /// By token, its line or lines.
    tokens: Vec<Range<usize>>,
}

impl Flat {
    fn of(text: &str, document: &Document, depth: usize) -> Flat {
        let mut flat = Flat { text: String::with_capacity(text.len() * 5 / 4), tokens: Vec::new() };
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
                    self.tokens.push(start..start);
                }
                continue;
            }
            if let Some(key) = token.key {
                self.say(text, &document.tokens[key]);
                self.text.push_str(": ");
            }
            let value = self.text.len();
            self.say(text, token);
            let end = self.text.len();
            self.text.push('\n');
            if token.kind == Kind::Text && depth + 1 < DEPTH && json::is_like(&self.text[value..end]) {
                let inner = self.text[value..end].to_owned();
                if let Some(document) = json::read(&inner) {
                    self.add(&inner, &document, depth + 1, false);
                }
            }
            if outer {
                if let Some(key) = self.tokens.last_mut().filter(|key| key.start == start) {
                    key.end = self.text.len();
                }
                self.tokens.push(start..self.text.len());
            }
            start = self.text.len();
        }
    }

    fn say(&mut self, text: &str, token: &json::Token) {
        let raw = &text[token.range.clone()];
        if token.escaped {
            self.text.push_str(&unescaped(raw).0);
        } else {
            self.text.push_str(raw);
        }
    }
}

fn all_keys(text: &str, document: &Document) -> FxHashSet<(usize, String)> {
    let keys = document.tokens.iter().filter(|token| token.kind == Kind::Key);
    keys.map(|key| (key.holder, unescaped(&text[key.range.clone()]).0)).collect()
}

/// A new name for a key: numbered if the object has that name already.
fn unique(known: &mut FxHashSet<(usize, String)>, holder: usize, name: &str) -> String {
    let mut put = name.to_owned();
    let mut number = 1;
    while !known.insert((holder, put.clone())) {
        number += 1;
        put = format!("{name} ({number})");
    }
    put
}
