//! Which rules may match a text, and where: one look for the clues of all of them.

use std::collections::BTreeMap;
use std::ops::Range;

use std::sync::{PoisonError, RwLock};

use rustc_hash::FxHashMap;

use super::grams::Grams;
use super::rule::Rule;
use super::runs::{KINDS, Kinds, runs};
use crate::pyregex::Clues;

/// More names than that are not remembered.
const MOST_NAMES: usize = 10_000;

/// By rule, where in a text its clues are.
pub(super) type Places = BTreeMap<usize, Vec<Range<usize>>>;

#[derive(Debug)]
pub(super) struct Gate {
    /// Rules that any text may match, in order.
    always: Vec<usize>,
    /// Those of a text that is not ASCII: they may match for another letter than one of their clue's, too.
    beyond_ascii: Vec<usize>,
    grams: Grams,
    runs: Vec<Runs>,
    /// Where no run is longer than this, no rule asks for it.
    longest_run: usize,
    names: RwLock<FxHashMap<String, bool>>,
    /// What is in a value may depend on the quote before it, whatever its name.
    always_quoted: bool,
}

/// Runs of bytes of some kinds.
#[derive(Debug)]
struct Runs {
    of: Box<[u8; 256]>,
    least: Vec<usize>,
    /// By kind, the rules, each with the number of bytes that it wants.
    rules: Vec<Vec<(usize, usize)>>,
}

/// Runs of these bytes that rules want, each of so many.
type Wanted = (Box<[bool; 256]>, Vec<(usize, usize)>);

impl Gate {
    pub fn new(rules: &[Rule]) -> Gate {
        let (mut always, mut beyond_ascii) = (Vec::new(), Vec::new());
        let (mut clues, mut runs) = (Vec::new(), Vec::<Wanted>::new());
        for (rule, clue) in rules.iter().map(|rule| &rule.clues).enumerate() {
            match clue {
                None => {
                    always.push(rule);
                    beyond_ascii.push(rule);
                }
                Some(Clues::Run { bytes, least }) => {
                    match runs.iter_mut().find(|(known, _)| known == bytes) {
                        Some((_, rules)) => rules.push((*least, rule)),
                        None => runs.push((bytes.clone(), vec![(*least, rule)])),
                    }
                }
                Some(Clues::Texts { any_of, .. }) => {
                    if any_of.iter().any(|clue| clue.beyond_ascii) {
                        beyond_ascii.push(rule);
                    }
                    clues.extend(any_of.iter().map(|clue| (rule, clue.clone())));
                }
            }
        }
        let longest_run =
            runs.iter().flat_map(|(_, rules)| rules).map(|&(least, _)| least).max().unwrap_or(0);
        let (grams, names) = (Grams::new(clues), RwLock::default());
        let always_quoted = grams.want_quotes() || runs.iter().any(|(bytes, _)| bytes[usize::from(b'"')]);
        let runs = runs.chunks(KINDS).map(Runs::new).collect();
        Gate { always, beyond_ascii, grams, runs, longest_run, names, always_quoted }
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
        let wants = self.always_quoted || self.grams.want_quoted(name);
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
        self.runs.iter().for_each(|runs| runs.look(bytes, part.clone(), places));
    }
}

impl Runs {
    fn new(wanted: &[Wanted]) -> Runs {
        let mut of = Box::new([0; 256]);
        for (kind, (bytes, _)) in wanted.iter().enumerate() {
            for (bits, _) in of.iter_mut().zip(bytes.iter()).filter(|(_, is_one)| **is_one) {
                *bits |= 1 << kind;
            }
        }
        let least = |(_, rules): &Wanted| rules.iter().map(|&(least, _)| least).min().unwrap_or(0);
        let rules = wanted.iter().map(|(_, rules)| rules.clone()).collect();
        Runs { of, least: wanted.iter().map(least).collect(), rules }
    }

    fn look(&self, text: &[u8], part: Range<usize>, places: &mut Places) {
        runs(text, part, Kinds { of: &self.of, least: &self.least }, |kind, start, end| {
            for &(_, rule) in self.rules[kind].iter().filter(|&&(least, _)| end - start >= least) {
                places.entry(rule).or_default().push(start..end);
            }
        });
    }
}
