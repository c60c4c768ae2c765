//! Which rules may match a text at all: one look for the clues of all of them.

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};

use super::rule::Rule;
use crate::pyregex::{Clue, Clues};

/// Rules, by their index.
#[derive(Clone, Debug)]
pub(super) struct Likely(Vec<u64>);

impl Likely {
    fn none(rules: usize) -> Likely {
        Likely(vec![0; rules.div_ceil(64)])
    }

    fn add(&mut self, rule: usize) {
        self.0[rule / 64] |= 1 << (rule % 64);
    }

    pub fn has(&self, rule: usize) -> bool {
        self.0[rule / 64] >> (rule % 64) & 1 == 1
    }

    /// The first of them from this one on.
    pub fn next(&self, from: usize) -> Option<usize> {
        let (mut word, mut mask) = (from / 64, u64::MAX << (from % 64));
        while word < self.0.len() {
            let bits = self.0[word] & mask;
            if bits != 0 {
                return Some(word * 64 + bits.trailing_zeros() as usize);
            }
            (word, mask) = (word + 1, u64::MAX);
        }
        None
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    /// Rules that any text may match.
    always: Likely,
    /// Those that may match for another letter than one in ASCII.
    beyond_ascii: Vec<usize>,
    texts: Option<Texts>,
    runs: Vec<Run>,
}

/// The texts of all rules, looked for without regard to case.
#[derive(Debug)]
struct Texts {
    automaton: AhoCorasick,
    /// By text, where its clues are.
    clues: Vec<(u32, u32)>,
    all: Vec<(usize, Clue)>,
}

#[derive(Debug)]
struct Run {
    bytes: Box<[bool; 256]>,
    least: usize,
    rule: usize,
}

impl Gate {
    pub fn new(rules: &[Rule]) -> Gate {
        let mut always = Likely::none(rules.len());
        let (mut clues, mut runs, mut beyond_ascii) = (Vec::new(), Vec::new(), Vec::new());
        for (rule, clue) in rules.iter().map(|rule| &rule.clues).enumerate() {
            match clue {
                None => always.add(rule),
                Some(Clues::Run { bytes, least }) => {
                    runs.push(Run { bytes: bytes.clone(), least: *least, rule });
                }
                Some(Clues::Texts(texts)) => {
                    if texts.iter().any(|clue| clue.beyond_ascii) {
                        beyond_ascii.push(rule);
                    }
                    clues.extend(texts.iter().map(|clue| (rule, clue.clone())));
                }
            }
        }
        let texts = Texts::new(clues).unwrap_or_else(|_| {
            // Too many to be looked for at once: every rule is asked.
            (0..rules.len()).for_each(|rule| always.add(rule));
            None
        });
        Gate { always, beyond_ascii, texts, runs }
    }

    pub fn look(&self, text: &str) -> Likely {
        let mut likely = self.always.clone();
        if !self.beyond_ascii.is_empty() && !text.is_ascii() {
            self.beyond_ascii.iter().for_each(|&rule| likely.add(rule));
        }
        let text = text.as_bytes();
        for run in self.runs.iter().filter(|run| run.is_in(text)) {
            likely.add(run.rule);
        }
        if let Some(texts) = &self.texts {
            texts.look(text, &mut likely);
        }
        likely
    }
}

impl Run {
    /// Looks at every byte that no run can go around, and only then to its sides.
    fn is_in(&self, text: &[u8]) -> bool {
        let is_one = |byte: &u8| self.bytes[usize::from(*byte)];
        let mut at = self.least - 1;
        while let Some(byte) = text.get(at) {
            if !is_one(byte) {
                at += self.least;
                continue;
            }
            let before = text[..at].iter().rev().take_while(|byte| is_one(byte)).count();
            let after = text[at + 1..].iter().take_while(|byte| is_one(byte)).take(self.least).count();
            if before + 1 + after >= self.least {
                return true;
            }
            at += after + 1 + self.least;
        }
        false
    }
}

impl Texts {
    fn new(mut clues: Vec<(usize, Clue)>) -> Result<Option<Texts>, BuildError> {
        if clues.is_empty() {
            return Ok(None);
        }
        clues.sort_by_cached_key(|(_, clue)| clue.text.to_ascii_lowercase());
        let (mut texts, mut ranges) = (Vec::new(), Vec::<(u32, u32)>::new());
        for (index, (_, clue)) in (0..).zip(&clues) {
            let text = clue.text.to_ascii_lowercase();
            match ranges.last_mut().filter(|_| texts.last() == Some(&text)) {
                Some((_, end)) => *end = index + 1,
                None => {
                    texts.push(text);
                    ranges.push((index, index + 1));
                }
            }
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&texts)?;
        Ok(Some(Texts { automaton, clues: ranges, all: clues }))
    }

    fn look(&self, text: &[u8], likely: &mut Likely) {
        for found in self.automaton.find_overlapping_iter(text) {
            let (first, end) = self.clues[found.pattern().as_usize()];
            for (rule, clue) in &self.all[first as usize..end as usize] {
                if !likely.has(*rule) && clue.fits(text, found.start(), found.end()) {
                    likely.add(*rule);
                }
            }
        }
    }
}
