//! Text in text: what is encoded is redacted decoded, the innermost first, and encoded again.

use std::ops::Range;

use crate::pyregex::boundary;
use rustc_hash::FxHashSet;

use super::edits::Edits;
use super::encoded::{self, escaped, unescaped};
use super::gate::{Gate, Places};
use super::json::{self, Document, Kind, Token};
use super::paths::Step;
use super::protected::is_protected;
use super::rule::Replacement;
use super::{Applied, Hit, How, Rules};

/// So many encodings within one another are resolved.
const DEPTH: usize = 10;
/// So much of a value is looked at with its name in quotes: more than stands around any clue.
const BEGINNING: usize = 24;
/// Numbers with fewer digits are no secrets.
const DIGITS: usize = 6;

/// Which rules are asked, and of what.
#[derive(Clone)]
pub(super) struct Ask<'a> {
    pub how: How<'a>,
    /// The way to a value of a document; None: it is no document.
    pub way: Option<Vec<Step>>,
}

impl Rules {
    /// Whether a rule is asked: one for fields only of these, if there are any.
    fn asks(&self, ask: &Ask, rule: usize) -> bool {
        let fields = &self.rules[rule].fields;
        (ask.how.asked)(rule)
            && (fields.is_empty()
                || match &ask.way {
                    Some(way) => fields.iter().any(|path| path.leads_to(way)),
                    None => ask.how.fields_in_text,
                })
    }

    /// Applies the rules to what stands behind `from`: to what is encoded in it, and then to itself.
    pub(super) fn clean(&self, text: &str, from: usize, depth: usize, ask: &Ask) -> Applied {
        let mut applied = Applied::default();
        if depth < DEPTH {
            let (mut changes, mut hits) = (Vec::new(), Vec::new());
            for part in encoded::parts(text, from) {
                let inner = self.clean_inner(&part.text, depth + 1, ask);
                applied.matches.push((part.range.start, part.range.end));
                let Some(edits) = inner.edits else { continue };
                changes.extend(part.encoded(&edits));
                let Range { start, end } = part.range;
                hits.extend(inner.hits.into_iter().map(|hit| Hit { start, end, ..hit }));
            }
            applied.change(text, &changes, hits);
        }
        self.apply(text, from, &|rule| self.asks(ask, rule), &mut applied);
        applied
    }

    /// A text that was encoded: it may be a document.
    fn clean_inner(&self, text: &str, depth: usize, ask: &Ask) -> Applied {
        let document = if depth < DEPTH { self.clean_document(text, depth, ask) } else { None };
        document.unwrap_or_else(|| self.clean(text, 0, depth, ask))
    }

    /// Applies the rules to the keys and values of a document of JSON. None: it is no document.
    pub(super) fn clean_document(&self, text: &str, depth: usize, ask: &Ask) -> Option<Applied> {
        let document = if json::is_like(text) { json::read(text)? } else { return None };
        let outer = ask.way.clone().unwrap_or_default();
        let mut applied = Applied::default();
        let flat = Flat::of(text, &document, depth, &self.gate);
        let suspects = self.suspects(&flat.text);
        let (mut changes, mut hits) = (Vec::new(), Vec::new());
        let mut keys: Option<FxHashSet<(usize, String)>> = None;
        for (token, line) in document.tokens.iter().zip(&flat.tokens) {
            if !suspects.as_ref().is_none_or(|suspects| suspects.touch(&line.whole)) {
                continue;
            }
            let raw = &text[token.range.clone()];
            let Range { start, end } = token.range;
            let (said, places) = unescaped(raw);
            let called = |key: &Token| unescaped(&text[key.range.clone()]).0;
            let name = token.key.map(|key| called(&document.tokens[key]));
            let name = name.as_deref();
            let mut way = outer.clone();
            if self.has_fields {
                way.extend(document.way(token, called));
            }
            let ask = &Ask { way: Some(way), ..*ask };
            let inner = match token.kind {
                Kind::Key => self.clean(&said, 0, depth + 1, ask),
                Kind::Number if raw.bytes().filter(u8::is_ascii_digit).count() < DIGITS => continue,
                _ if name.is_some_and(|name| is_protected(name, &said)) => continue,
                _ => {
                    let known = suspects.as_ref().filter(|suspects| !suspects.encoded_in(&line.whole));
                    self.clean_value(name, &said, depth + 1, ask, known.map(|known| (known, line)))
                }
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

    /// A value, alone and behind its name, so that rules for assignments see it. `known`: where it stands in a text
    /// of which the places are known.
    fn clean_value(
        &self,
        name: Option<&str>,
        said: &str,
        depth: usize,
        ask: &Ask,
        known: Option<(&Suspects, &Line)>,
    ) -> Applied {
        if depth < DEPTH
            && let Some(applied) = self.clean_document(said, depth, ask)
        {
            return applied;
        }
        let asked = |rule: usize| self.asks(ask, rule);
        let mut applied = match known {
            Some((suspects, line)) => {
                let mut applied = Applied::default();
                let places = suspects.places_in(line.value..line.value + said.len());
                self.apply_at(said, 0, &asked, &mut applied, places);
                applied
            }
            None => self.clean(said, 0, depth, ask),
        };
        let Some(name) = name else { return applied };
        // As YAML has it, and as JSON and programs do.
        let views = [(format!("{name}: "), ""), (format!("\"{name}\": \""), "\"")];
        for (before, after) in views {
            let now = applied.edits.as_ref().map_or(said, Edits::text);
            let value = before.len()..before.len() + now.len();
            let assigned = [&before, now, after].concat();
            let mut seen = Applied::default();
            match known.filter(|_| applied.edits.is_none()) {
                Some((suspects, line)) => {
                    let places = suspects.places_of(line, &before, now, !after.is_empty());
                    self.apply_at(&assigned, 0, &asked, &mut seen, places);
                }
                None => self.apply(&assigned, 0, &asked, &mut seen),
            }
            let Some(edits) = seen.edits else { continue };
            let clipped = |(from, to, put): (usize, usize, &str)| -> Option<Replacement> {
                // Only the value may change: what a rule puts in the place of what is around it is not for it.
                let put = put.strip_prefix(&assigned[from.min(value.start)..value.start]).unwrap_or(put);
                let put = put.strip_suffix(&assigned[value.end..to.max(value.end)]).unwrap_or(put);
                let (from, to) = (from.max(value.start), to.min(value.end));
                (from < to).then(|| ((from - value.start, to - value.start), put.to_owned()))
            };
            let changes: Vec<Replacement> = edits.changes().filter_map(clipped).collect();
            let is_in = |hit: &Hit| value.start < hit.end && hit.start < value.end;
            applied.change(said, &changes, seen.hits.into_iter().filter(is_in).collect());
        }
        applied
    }

    /// Where in a text rules or encodings may be at work. None: everywhere.
    fn suspects(&self, text: &str) -> Option<Suspects> {
        if !self.gate.always(text.is_ascii()).is_empty() {
            return None;
        }
        let mut found = Places::new();
        self.gate.look(text, 0..text.len(), &mut found);
        let of_rule =
            |(rule, places): (usize, Vec<Range<usize>>)| places.into_iter().map(move |it| (rule, it));
        let mut places: Vec<(usize, Range<usize>)> = found.into_iter().flat_map(of_rule).collect();
        places.sort_unstable_by_key(|(rule, place)| (place.start, *rule));
        let encoded = encoded::parts(text, 0).into_iter().map(|part| part.range).collect();
        let longest = places.iter().map(|(_, place)| place.len()).max().unwrap_or(0);
        Some(Suspects { places, encoded, longest })
    }
}

/// What may be of interest in a text.
struct Suspects {
    /// Clues of rules, in order.
    places: Vec<(usize, Range<usize>)>,
    /// What is encoded, in order and apart.
    encoded: Vec<Range<usize>>,
    /// The length of the longest place.
    longest: usize,
}

impl Suspects {
    fn touch(&self, part: &Range<usize>) -> bool {
        self.within(part).next().is_some() || self.encoded_in(part)
    }

    fn within<'a>(&'a self, part: &'a Range<usize>) -> impl Iterator<Item = &'a (usize, Range<usize>)> {
        let first = self.places.partition_point(|(_, place)| place.start + self.longest <= part.start);
        let behind = self.places[first..].iter().take_while(|(_, place)| place.start < part.end);
        behind.filter(|(_, place)| part.start < place.end)
    }

    fn encoded_in(&self, part: &Range<usize>) -> bool {
        let first = self.encoded.partition_point(|encoded| encoded.end <= part.start);
        self.encoded.get(first).is_some_and(|encoded| encoded.start < part.end)
    }

    /// The places of a value behind its name; in quotes, if its name may be of interest so.
    fn places_of(&self, line: &Line, before: &str, value: &str, quoted: bool) -> Places {
        let (start, end) = (line.value - before.len().min(line.value), line.value + value.len());
        if !quoted {
            return self.places_in(start..end);
        }
        let mut places = Places::new();
        for (rule, place) in self.within(&(line.value..end)) {
            let shifted = |at: usize| at.clamp(line.value, end) - line.value + before.len();
            places.entry(*rule).or_default().push(shifted(place.start)..shifted(place.end));
        }
        if let Some(start) = line.quoted {
            let beginning = start..start + before.len() + value.len().min(BEGINNING);
            for (rule, found) in self.places_in(beginning) {
                places.entry(rule).or_default().extend(found);
            }
        }
        places
    }

    /// The places in a part, as places of that part alone.
    fn places_in(&self, part: Range<usize>) -> Places {
        let mut places = Places::new();
        for (rule, place) in self.within(&part) {
            // Of a run that goes on behind it, the part in it may be one.
            let (start, end) = (place.start.max(part.start), place.end.min(part.end));
            places.entry(*rule).or_default().push(start - part.start..end - part.start);
        }
        places
    }
}

/// All that a document says, line after line.
struct Flat<'a> {
    text: String,
    tokens: Vec<Line>,
    gate: &'a Gate,
}

/// Where a token stands: its lines, with its name and with that in quotes, and those of the document in it.
struct Line {
    whole: Range<usize>,
    /// Of a value, where it begins behind its name.
    value: usize,
    /// Where its name begins in quotes, with the beginning of it.
    quoted: Option<usize>,
}

impl<'a> Flat<'a> {
    fn of(text: &str, document: &Document, depth: usize, gate: &'a Gate) -> Flat<'a> {
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
                    self.tokens.push(Line { whole: start..start, value: start, quoted: None });
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
            self.text.push('\n');
            let mut quoted = None;
            if said >= value && token.key.is_some() && self.gate.wants_quoted(&self.text[name.clone()]) {
                // The name as JSON has it, with so much of the value as stands near it.
                let first = boundary(&self.text, value + BEGINNING).min(said);
                let beginning = self.text[value..first].to_owned();
                let name = self.text[name].to_owned();
                quoted = Some(self.text.len());
                self.text.extend(["\"", &name, "\": \""]);
                self.text.push_str(&beginning);
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
                }
                self.tokens.push(Line { whole: start..end, value, quoted });
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
