//! Places of a record that a person names, and what stands there after the rules.
//!
//! A place is kept by the way to its text and a span of characters of the text as it was before any rule. Where a rule
//! has changed what a person names, too, what the person wants stands for both: nothing of either comes back.

use std::collections::BTreeMap;
use std::ops::Range;

use super::encoded::escaped;
use super::json::{Kind, Token as Text};
use super::layers::DEPTH;
use super::record::{Leaf, Record, Way};

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

/// A redaction, and the rest of its way.
type Wanted<'a> = (usize, &'a [Way]);

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
    wanted: &[Wanted],
    manual: &[Manual],
    depth: usize,
    fits: &mut [Fit],
) -> Option<Vec<Change>> {
    let record = if depth < DEPTH { Record::read(text)? } else { return None };
    let members = record.members();
    let mut by_token: BTreeMap<usize, Vec<(Wanted, bool)>> = BTreeMap::new();
    for &(of, way) in wanted {
        for (token, used, is_it) in record.targets(&members, way) {
            by_token.entry(token).or_default().push(((of, &way[used..]), is_it));
        }
    }
    let mut found = Vec::new();
    for (index, wanted) in by_token {
        let token = &record.document.tokens[index];
        let leaf = record.leaf(token);
        let is_key = token.kind == Kind::Key;
        let number = is_key.then(|| record.numbers[index] + 1);
        let (here, deeper): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|((_, rest), _)| rest.is_empty());
        for ((of, _), is_it) in here {
            if manual[of].is_key == is_key && (is_it || !is_key) {
                let fit = fit(token, &leaf, &manual[of], is_it);
                found.push(change(token, &leaf, of, &manual[of], fit, number));
                fits[of] = if fits[of] == Fit::Whole { Fit::Whole } else { fit };
            }
        }
        if is_key || deeper.is_empty() {
            continue;
        }
        let deeper: Vec<Wanted> = deeper.into_iter().map(|(wanted, _)| wanted).collect();
        let inner = (token.kind == Kind::Text).then(|| within(&leaf.said, &deeper, manual, depth + 1, fits));
        match inner.flatten() {
            Some(inner) => found.extend(inner.into_iter().map(|inner| outward(token, &leaf, inner))),
            // The way went on into a document that is none any more.
            None => {
                for (of, _) in deeper {
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
    let same = is_it && (manual.span.is_none() || leaf.length() == manual.length);
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
            let place = |at: usize| start + leaf.places.encoded(leaf.byte_of(at));
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
