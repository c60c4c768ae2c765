//! Which rules may match a text, and where: one look for the clues of all of them.

use std::collections::BTreeMap;
use std::ops::Range;

use std::sync::{PoisonError, RwLock};

use rustc_hash::FxHashMap;

use super::grams::Grams;
use super::rule::Rule;
use crate::pyregex::Clues;

/// More names than that are not remembered.
const MOST_NAMES: usize = 10_000;

/// More bytes than that are found everywhere.
const FEW: usize = 48;

/// By rule, where in a text its clues are.
pub(super) type Places = BTreeMap<usize, Vec<Range<usize>>>;

#[derive(Debug)]
pub(super) struct Gate {
    /// Rules that any text may match, in order.
    always: Vec<usize>,
    /// Those of a text that is not ASCII: they may match for another letter than one of their clue's, too.
    beyond_ascii: Vec<usize>,
    grams: Grams,
    runs: Vec<Run>,
    /// Of what all runs are made together, if that is little.
    any_run: Option<Run>,
    /// Where no run is longer than this, no rule asks for it.
    longest_run: usize,
    names: RwLock<FxHashMap<String, bool>>,
    /// What goes on from a name into its value is not seen in the name.
    always_quoted: bool,
}

/// Runs of the same bytes.
#[derive(Debug)]
struct Run {
    bytes: Box<[bool; 256]>,
    /// The least number of bytes, and the rules that want so many.
    least: usize,
    rules: Vec<(usize, usize)>,
}

impl Gate {
    pub fn new(rules: &[Rule]) -> Gate {
        let (mut always, mut beyond_ascii) = (Vec::new(), Vec::new());
        let (mut clues, mut runs) = (Vec::new(), Vec::<Run>::new());
        for (rule, clue) in rules.iter().map(|rule| &rule.clues).enumerate() {
            match clue {
                None => {
                    always.push(rule);
                    beyond_ascii.push(rule);
                }
                Some(Clues::Run { bytes, least }) => {
                    let known = runs.iter().position(|run| run.bytes == *bytes).unwrap_or(runs.len());
                    if known == runs.len() {
                        runs.push(Run { bytes: bytes.clone(), least: *least, rules: Vec::new() });
                    }
                    runs[known].least = runs[known].least.min(*least);
                    runs[known].rules.push((*least, rule));
                }
                Some(Clues::Texts { any_of, .. }) => {
                    if any_of.iter().any(|clue| clue.beyond_ascii) {
                        beyond_ascii.push(rule);
                    }
                    clues.extend(any_of.iter().map(|clue| (rule, clue.clone())));
                }
            }
        }
        let longest_run = runs.iter().flat_map(|run| &run.rules).map(|&(least, _)| least).max().unwrap_or(0);
        let (grams, names) = (Grams::new(clues), RwLock::default());
        let signs = |run: &Run| run.bytes[usize::from(b'"')] && run.bytes[usize::from(b':')];
        let always_quoted = grams.want_quotes() || runs.iter().any(signs);
        let any_run = Run::of_any(&runs);
        Gate { always, beyond_ascii, grams, runs, any_run, longest_run, names, always_quoted }
    }

    /// The rules that are asked of all of a text, whatever is in it.
    pub fn always(&self, ascii: bool) -> &[usize] {
        if ascii { &self.always } else { &self.beyond_ascii }
    }

    /// Whether the name of a value may be of interest where it stands in quotes, as JSON has it. Names come again and
    /// again, and are remembered.
    pub fn wants_quoted(&self, name: &str) -> bool {
        if let Some(&known) = self.names.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return known;
        }
        let wants = self.always_quoted || self.grams.are_in(&format!("\"{name}\": \""));
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() < MOST_NAMES {
            names.insert(name.to_owned(), wants);
        }
        wants
    }

    /// How far from a change it may have made a place.
    pub fn reach(&self) -> usize {
        self.grams.reach().max(self.longest_run)
    }

    /// Adds the places in this part of a text.
    pub fn look(&self, text: &str, part: Range<usize>, places: &mut Places) {
        let bytes = text.as_bytes();
        self.grams.look(bytes, part.clone(), |rule, start, end| {
            places.entry(rule).or_default().push(start..end);
        });
        let Some(any) = &self.any_run else {
            return self.runs.iter().for_each(|run| run.look(bytes, part.clone(), places));
        };
        // A run of any of them is seldom, and only in it one looks for each.
        runs(bytes, part, &any.bytes, any.least, |start, end| {
            self.runs.iter().for_each(|run| run.look(bytes, start..end, places));
        });
    }
}

impl Run {
    /// What is in every run of these. None: it is not worth a look.
    fn of_any(runs: &[Run]) -> Option<Run> {
        let bytes: [bool; 256] = std::array::from_fn(|byte| runs.iter().any(|run| run.bytes[byte]));
        let least = runs.iter().map(|run| run.least).min()?;
        let few = bytes.iter().filter(|&&is_one| is_one).count() <= FEW;
        (runs.len() > 1 && few).then(|| Run { bytes: Box::new(bytes), least, rules: Vec::new() })
    }

    fn look(&self, text: &[u8], part: Range<usize>, places: &mut Places) {
        runs(text, part, &self.bytes, self.least, |start, end| {
            for &(least, rule) in &self.rules {
                if end - start >= least {
                    places.entry(rule).or_default().push(start..end);
                }
            }
        });
    }
}

/// Tells the runs of these bytes that begin in a part, each whole. The last of the bytes that would be a run is looked
/// at first, so that most are never looked at.
fn runs(
    text: &[u8],
    part: Range<usize>,
    bytes: &[bool; 256],
    least: usize,
    mut found: impl FnMut(usize, usize),
) {
    let is_one = |byte: &u8| bytes[usize::from(*byte)];
    let mut from = part.start;
    while let Some(next) = text.get(from..from + least).filter(|_| from < part.end) {
        // What stands behind the last other byte may still become a run.
        if let Some(other) = next.iter().rposition(|byte| !is_one(byte)) {
            from += other + 1;
            continue;
        }
        let start = from - text[..from].iter().rev().take_while(|byte| is_one(byte)).count();
        let more = text[from + least..].iter().take_while(|byte| is_one(byte)).count();
        let end = from + least + more;
        found(start, end);
        from = end;
    }
}
