//! Parts of texts in records: those to which paths lead, and those that rules would change.

use super::json::Kind;
use super::layers::DEPTH;
use super::paths::{FieldPath, Step};
use super::record::Record;

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

type Leads<'a> = &'a dyn Fn(&[(Option<String>, usize)]) -> bool;

fn each(
    text: &str,
    outer: &[(Option<String>, usize)],
    depth: usize,
    wanted: Leads<'_>,
    found: &mut Vec<Spot>,
) {
    let Some(record) = Some(text).filter(|_| depth < DEPTH).and_then(Record::read) else { return };
    for (index, token) in record.document.tokens.iter().enumerate() {
        if token.kind == Kind::Key {
            continue;
        }
        let steps = [outer, &record.told(index)].concat();
        let leaf = record.leaf(token);
        let length = leaf.length();
        let said = leaf.said;
        if wanted(&steps) {
            found.push(Spot { steps, is_key: false, start: 0, end: length, length, text: said });
        } else if token.kind == Kind::Text {
            each(&said, &steps, depth + 1, wanted, found);
        }
    }
}

/// The parts of texts in which ranges of bytes are, of a record or of documents in its texts; the ranges are in order.
pub(super) fn spots(record: &str, ranges: &[(usize, usize)]) -> Vec<Spot> {
    let mut found = Vec::new();
    spots_in(record, ranges, &[], 0, &mut found);
    found
}

/// Whether a text is a document that has all of the ranges in its texts.
fn spots_in(
    text: &str,
    ranges: &[(usize, usize)],
    outer: &[(Option<String>, usize)],
    depth: usize,
    found: &mut Vec<Spot>,
) -> bool {
    let Some(record) = Some(text).filter(|_| depth < DEPTH).and_then(Record::read) else { return false };
    let tokens = &record.document.tokens;
    let token_of = |&(from, to): &(usize, usize)| {
        let index = tokens.partition_point(|token| token.range.start <= from).checked_sub(1)?;
        (to <= tokens[index].range.end).then_some(index)
    };
    if depth > 0 && ranges.iter().any(|range| token_of(range).is_none()) {
        return false;
    }
    for part in ranges.chunk_by(|one, next| token_of(one) == token_of(next)) {
        let Some(index) = token_of(&part[0]) else { continue };
        let token = &tokens[index];
        let leaf = record.leaf(token);
        let decoded = |at: usize| leaf.places.decoded(at - token.range.start);
        let inner: Vec<_> = part.iter().map(|&(from, to)| (decoded(from), decoded(to))).collect();
        let steps = [outer, &record.told(index)].concat();
        if token.kind == Kind::Text && spots_in(&leaf.said, &inner, &steps, depth + 1, found) {
            continue;
        }
        found.extend(inner.into_iter().map(|(from, to)| Spot {
            steps: steps.clone(),
            is_key: token.kind == Kind::Key,
            start: leaf.character_of(from),
            end: leaf.character_of(to),
            length: leaf.length(),
            text: leaf.said[from..to].to_owned(),
        }));
    }
    true
}
