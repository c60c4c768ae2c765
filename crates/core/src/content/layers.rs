//! Text in text: what is encoded is redacted decoded, the innermost first, and encoded again.

use std::ops::Range;

use rustc_hash::FxHashSet;

use super::edits::Edits;
use super::encoded::{self, escaped, unescaped};
use super::flat::{Flat, Line, Suspects};
use super::gate::Places;
use super::json::{self, Document, Kind, Token};
use super::paths::Step;
use super::protected::is_protected;
use super::rule::Replacement;
use super::{Applied, Asked, Hit, How, Rules};

/// So many encodings within one another are resolved.
pub(super) const DEPTH: usize = 10;
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
        if !(ask.how.asked)(rule) {
            return false;
        }
        let fields = match ask.how.fields.map(|fields| fields.places.get(rule)) {
            Some(Some(Asked::At(paths))) => paths,
            Some(_) => return true,
            None if self.rules[rule].fields.is_empty() => return true,
            None => &self.rules[rule].fields,
        };
        match &ask.way {
            Some(way) => fields.iter().any(|path| path.leads_to(way)),
            None => ask.how.fields_in_text,
        }
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
        // In a document, a value in quotes is a quotation.
        let is_like = json::is_like(text) || depth == 0 && json::is_single(text);
        let document = if is_like { json::read(text)? } else { return None };
        let outer = ask.way.clone().unwrap_or_default();
        let mut applied = Applied::default();
        let flat = Flat::of(text, &document, depth, &self.gate);
        let suspects = self.suspects(&flat.text);
        let (mut changes, mut hits) = (Vec::new(), Vec::new());
        let mut keys: Option<FxHashSet<(usize, String)>> = None;
        for (index, (token, line)) in document.tokens.iter().zip(&flat.tokens).enumerate() {
            if !suspects.as_ref().is_none_or(|suspects| suspects.touch(&line.whole)) {
                continue;
            }
            let known = suspects.as_ref().filter(|suspects| !suspects.encoded_in(&line.whole));
            let known = known.map(|known| (known, line));
            if token.kind == Kind::Key
                && known.is_some_and(|(known, line)| known.within(&line.itself).next().is_none())
            {
                continue;
            }
            let raw = &text[token.range.clone()];
            let Range { start, end } = token.range;
            let (said, places) = unescaped(raw);
            let called = |key: &Token| unescaped(&text[key.range.clone()]).0;
            let name = token.key.map(|key| called(&document.tokens[key]));
            let name = name.as_deref();
            let mut way = outer.clone();
            if ask.how.fields.map_or(self.has_fields, |fields| fields.has_paths) {
                way.extend(document.way(index, called));
            }
            let ask = &Ask { way: Some(way), ..*ask };
            let inner = match token.kind {
                Kind::Key => self.clean_known(&said, depth + 1, ask, known),
                Kind::Number if raw.bytes().filter(u8::is_ascii_digit).count() < DIGITS => continue,
                _ if name.is_some_and(|name| is_protected(name, &said)) => continue,
                _ => self.clean_value(name, &said, depth + 1, ask, known),
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

    /// A key or a value, alone. `known`: where it stands in a text of which the places are known.
    fn clean_known(&self, said: &str, depth: usize, ask: &Ask, known: Option<(&Suspects, &Line)>) -> Applied {
        let Some((suspects, line)) = known else { return self.clean(said, 0, depth, ask) };
        let mut applied = Applied::default();
        let places = suspects.places_in(line.itself.clone());
        self.apply_at(said, 0, &|rule| self.asks(ask, rule), &|_, _| true, &mut applied, places);
        applied
    }

    /// A value, alone and behind its name, so that rules for assignments see it.
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
        let mut applied = self.clean_known(said, depth, ask, known);
        let Some(name) = name else { return applied };
        // As YAML has it, and as JSON and programs do.
        let views = [(format!("{name}: "), ""), (format!("\"{name}\": \""), "\"")];
        for (before, after) in views {
            let known = known.filter(|_| applied.edits.is_none());
            let places = known.map(|(suspects, line)| suspects.places_of(line, &before, !after.is_empty()));
            if places.as_ref().is_some_and(Places::is_empty) {
                continue;
            }
            let now = applied.edits.as_ref().map_or(said, Edits::text);
            let value = before.len()..before.len() + now.len();
            let assigned = [&before, now, after].concat();
            // What a rule has put in is not for that rule again, if the name has no part in it.
            let counts = |rule: usize, (from, to): (usize, usize)| {
                let Some(edits) = applied.edits.as_ref().filter(|_| value.start <= from && to <= value.end)
                else {
                    return true;
                };
                let (from, to) = edits.origin((from - value.start, to - value.start));
                let is_it = |hit: &Hit| hit.rule as usize == rule && hit.start <= from && to <= hit.end;
                !applied.hits.iter().any(is_it)
            };
            let mut seen = Applied::default();
            let places = places.unwrap_or_else(|| self.places(&assigned));
            self.apply_at(&assigned, 0, &asked, &counts, &mut seen, places);
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
