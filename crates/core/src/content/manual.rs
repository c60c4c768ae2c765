//! Places of a record that a person names, and what stands there after the rules.
//!
//! A place is kept by the way to its text and a span of characters of the text as it was before any rule. Where a rule
//! has changed what a person names, too, what the person wants stands for both: nothing of either comes back.

use std::ops::Range;

use super::encoded::{Places, escaped, unescaped};
use super::json::{self, Document, Kind, Step as Token, Token as Text};
use super::layers::DEPTH;
use super::paths::{FieldPath, Step};

/// One step to a text of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Name(String),
    Index(usize),
    /// A member of an object by its number, for a name that must not be kept.
    Member(usize),
}

/// A redaction by hand, of one place.
#[derive(Clone, Debug)]
pub struct Manual {
    pub way: Vec<Way>,
    /// The name of a member, not its value.
    pub is_key: bool,
    /// In characters; None: all of the text.
    pub span: Option<(usize, usize)>,
    /// Characters of the text when the span was taken: of another text, all is replaced.
    pub length: usize,
    pub put: String,
}

/// What became of a redaction by hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// There is no such place in the record.
    Lost,
    Exact,
    /// The text is another one now, and all of it was replaced.
    Whole,
}

/// A part of a text in a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Of a member of an object its name and number, of a value in a list its number.
    pub steps: Vec<(Option<String>, usize)>,
    pub is_key: bool,
    /// In characters of the text.
    pub start: usize,
    pub end: usize,
    /// Characters of all of the text.
    pub length: usize,
    /// What the part says.
    pub text: String,
}

/// A change by hand, in bytes of the record.
#[derive(Debug)]
pub(super) struct Change {
    /// Of which redaction.
    pub of: usize,
    pub range: (usize, usize),
    pub put: String,
    /// The value or key that it is in.
    pub token: (usize, usize),
    /// Of a key, by which it stays different from the others if nothing of it is left.
    number: Option<usize>,
}

/// A document, of which each key knows its number in its object.
struct Record<'a> {
    text: &'a str,
    document: Document,
    numbers: Vec<usize>,
}

/// A key or value of a document, decoded.
struct Leaf {
    said: String,
    places: Places,
}

impl Record<'_> {
    fn read(text: &str) -> Option<Record<'_>> {
        let document = if json::is_like(text) { json::read(text)? } else { return None };
        let mut counts = vec![0; document.holders.len().max(1)];
        let number = |token: &Text| {
            let number = counts[token.holder];
            counts[token.holder] += usize::from(token.kind == Kind::Key);
            number
        };
        let numbers = document.tokens.iter().map(number).collect();
        Some(Record { text, document, numbers })
    }

    fn raw(&self, token: &Text) -> &str {
        &self.text[token.range.clone()]
    }

    fn leaf(&self, token: &Text) -> Leaf {
        let (said, places) = unescaped(self.raw(token));
        Leaf { said, places }
    }

    fn name(&self, key: usize) -> String {
        unescaped(self.raw(&self.document.tokens[key])).0
    }

    fn steps(&self, token: usize) -> Vec<Token> {
        self.document.steps(token)
    }

    fn fits(&self, step: &Token, way: &Way) -> bool {
        match (step, way) {
            (Token::Key(key), Way::Name(name)) => self.name(*key) == *name,
            (Token::Key(key), Way::Member(number)) => self.numbers[*key] == *number,
            (Token::Index(index), Way::Index(wanted)) => index == wanted,
            _ => false,
        }
    }

    fn told(&self, steps: &[Token]) -> Vec<(Option<String>, usize)> {
        let told = |step: &Token| match step {
            Token::Key(key) => (Some(self.name(*key)), self.numbers[*key]),
            Token::Index(index) => (None, *index),
        };
        steps.iter().map(told).collect()
    }
}

/// What the redactions change in a record, in order, and what became of each.
pub(super) fn changes(record: &str, manual: &[Manual]) -> (Vec<Change>, Vec<Fit>) {
    let mut fits = vec![Fit::Lost; manual.len()];
    let wanted: Vec<_> = manual.iter().enumerate().map(|(index, it)| (index, it.way.as_slice())).collect();
    let mut found = within(record, &wanted, manual, 0, &mut fits).unwrap_or_default();
    found.sort_unstable_by_key(|change| (change.range.0, change.of));
    (found, fits)
}

fn within(
    text: &str,
    wanted: &[(usize, &[Way])],
    manual: &[Manual],
    depth: usize,
    fits: &mut [Fit],
) -> Option<Vec<Change>> {
    let record = if depth < DEPTH { Record::read(text)? } else { return None };
    let mut found = Vec::new();
    for (index, token) in record.document.tokens.iter().enumerate() {
        let steps = record.steps(index);
        let here = |way: &[Way]| steps.iter().zip(way).all(|(step, way)| record.fits(step, way));
        let on_the_way: Vec<_> = wanted.iter().copied().filter(|(_, way)| here(way)).collect();
        if on_the_way.is_empty() {
            continue;
        }
        let is_key = token.kind == Kind::Key;
        let (ends, deeper): (Vec<_>, Vec<_>) =
            on_the_way.into_iter().partition(|(_, way)| way.len() <= steps.len());
        let leaf = record.leaf(token);
        let number = is_key.then(|| record.numbers[index] + 1);
        for (of, way) in ends.into_iter().filter(|(of, _)| manual[*of].is_key == is_key) {
            if !is_key || way.len() == steps.len() {
                let fit = fit(token, &leaf, &manual[of], way.len() == steps.len());
                found.push(change(token, &leaf, of, &manual[of], fit, number));
                fits[of] = if fits[of] == Fit::Whole { Fit::Whole } else { fit };
            }
        }
        if is_key || deeper.is_empty() {
            continue;
        }
        let rests: Vec<_> = deeper.iter().map(|(of, way)| (*of, &way[steps.len()..])).collect();
        let inner =
            if token.kind == Kind::Text { within(&leaf.said, &rests, manual, depth + 1, fits) } else { None };
        match inner {
            Some(inner) => found.extend(inner.into_iter().map(|inner| outward(token, &leaf, inner))),
            // The way went on into a document that is none any more.
            None => {
                for (of, _) in rests {
                    fits[of] = Fit::Whole;
                    found.push(change(token, &leaf, of, &manual[of], Fit::Whole, None));
                }
            }
        }
    }
    Some(found)
}

fn fit(token: &Text, leaf: &Leaf, manual: &Manual, is_it: bool) -> Fit {
    let is_whole = manual.span.is_none_or(|span| span == (0, manual.length));
    let same = is_it && (manual.span.is_none() || leaf.said.chars().count() == manual.length);
    if same && (is_whole || token.kind != Kind::Number) { Fit::Exact } else { Fit::Whole }
}

fn change(token: &Text, leaf: &Leaf, of: usize, manual: &Manual, fit: Fit, number: Option<usize>) -> Change {
    let Range { start, end } = token.range;
    let token_range = (start, end);
    let mut put = escaped(&manual.put);
    if token.kind == Kind::Number {
        put = format!("\"{put}\"");
        return Change { of, range: token_range, put, token: token_range, number };
    }
    let range = match manual.span.filter(|_| fit == Fit::Exact) {
        Some((first, last)) => {
            let place = |at: usize| start + leaf.places.encoded(byte_of(&leaf.said, at));
            (place(first), place(last))
        }
        None => token_range,
    };
    if range == token_range
        && let Some(number) = number
    {
        put = format!("{put} ({number})");
    }
    Change { of, range, put, token: token_range, number }
}

/// A change of a text that stands in another one.
fn outward(token: &Text, leaf: &Leaf, inner: Change) -> Change {
    let Range { start, end } = token.range;
    let place = |at: usize| start + leaf.places.encoded(at);
    Change {
        range: (place(inner.range.0), place(inner.range.1)),
        put: escaped(&inner.put),
        token: (start, end),
        ..inner
    }
}

fn byte_of(text: &str, character: usize) -> usize {
    text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
}

/// Puts changes by hand and those of rules together; both are in order, and those of rules do not overlap.
pub(super) fn joined<'a>(
    record: &str,
    rules: impl Iterator<Item = (usize, usize, &'a str)>,
    by_hand: &[Change],
) -> String {
    let rules = rules.map(|(from, to, put)| (from, to, put, None));
    let by_hand = by_hand.iter().map(|it| (it.range.0, it.range.1, it.put.as_str(), Some(it)));
    let mut all: Vec<_> = rules.chain(by_hand).collect();
    all.sort_by_key(|(from, to, ..)| (*from, *to));
    let (mut out, mut done) = (String::with_capacity(record.len()), 0);
    let mut rest = all.as_slice();
    while let Some((&(from, mut to, ..), _)) = rest.split_first() {
        let mut count = 1;
        while let Some(&(next, end, ..)) = rest.get(count).filter(|(next, ..)| *next < to) {
            debug_assert!(next >= from);
            to = to.max(end);
            count += 1;
        }
        let (cluster, behind) = rest.split_at(count);
        out.push_str(&record[done..from]);
        // The redaction that was made last speaks for all.
        match cluster.iter().filter_map(|(.., change)| *change).max_by_key(|change| change.of) {
            Some(change) => {
                out.push_str(&change.put);
                if let Some(number) = change.number.filter(|_| count > 1 && change.range != change.token) {
                    out.push_str(&format!(" ({number})"));
                }
            }
            None => out.push_str(cluster[0].2),
        }
        done = to;
        rest = behind;
    }
    out.push_str(&record[done..]);
    out
}

/// The texts of a record, whole, to which paths lead; a text in which a document stands is not gone into, if a path
/// leads to itself.
pub fn at(record: &str, paths: &[FieldPath]) -> Vec<Spot> {
    let leads = |steps: &[(Option<String>, usize)]| {
        let step = |(name, number): &(Option<String>, usize)| match name {
            Some(name) => Step::Name(name.clone()),
            None => Step::Index(*number),
        };
        let steps: Vec<Step> = steps.iter().map(step).collect();
        paths.iter().any(|path| path.leads_to(&steps))
    };
    let mut found = Vec::new();
    each(record, &[], 0, &leads, &mut found);
    found
}

type Wanted<'a> = &'a dyn Fn(&[(Option<String>, usize)]) -> bool;

fn each(
    text: &str,
    outer: &[(Option<String>, usize)],
    depth: usize,
    wanted: Wanted<'_>,
    found: &mut Vec<Spot>,
) {
    let Some(record) = Some(text).filter(|_| depth < DEPTH).and_then(Record::read) else { return };
    for (index, token) in record.document.tokens.iter().enumerate() {
        if token.kind == Kind::Key {
            continue;
        }
        let steps = [outer, &record.told(&record.steps(index))].concat();
        let said = record.leaf(token).said;
        if wanted(&steps) {
            let length = said.chars().count();
            found.push(Spot { steps, is_key: false, start: 0, end: length, length, text: said });
        } else if token.kind == Kind::Text {
            each(&said, &steps, depth + 1, wanted, found);
        }
    }
}

/// The part of a text in which a range of bytes is, of a record or of a document in one of its texts.
pub(super) fn spot(record: &str, (from, to): (usize, usize)) -> Option<Spot> {
    inner_spot(record, (from, to), 0)
}

fn inner_spot(text: &str, (from, to): (usize, usize), depth: usize) -> Option<Spot> {
    let record = if depth < DEPTH { Record::read(text)? } else { return None };
    let tokens = &record.document.tokens;
    let index = tokens.partition_point(|token| token.range.start <= from).checked_sub(1)?;
    let token = tokens.get(index).filter(|token| to <= token.range.end)?;
    let steps = record.told(&record.steps(index));
    let leaf = record.leaf(token);
    let decoded = |at: usize| leaf.places.decoded(at - token.range.start);
    let range = decoded(from)..decoded(to);
    if token.kind == Kind::Text
        && let Some(inner) = inner_spot(&leaf.said, (range.start, range.end), depth + 1)
    {
        return Some(Spot { steps: [steps, inner.steps].concat(), ..inner });
    }
    let count = |text: &str| text.chars().count();
    Some(Spot {
        steps,
        is_key: token.kind == Kind::Key,
        start: count(&leaf.said[..range.start]),
        end: count(&leaf.said[..range.end]),
        length: count(&leaf.said),
        text: leaf.said[range].to_owned(),
    })
}
