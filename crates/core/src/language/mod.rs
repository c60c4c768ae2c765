//! Regular languages: is everything that one pattern matches also matched by another?
//!
//! Every answer is a proof, found on the automata of both. Where that takes too much work there is no answer.

mod build;
mod symbols;
mod words;

pub use build::Step;

use rustc_hash::{FxHashMap, FxHashSet};
use symbols::Symbols;

/// Code points, in order and apart.
pub type Ranges = Vec<(u32, u32)>;

const LAST: u32 = 0x10_ffff;
const DOT: u32 = '.' as u32;
const NEWLINE: u32 = '\n' as u32;
/// Pairs of states that a proof may visit, and edges that it may walk.
const MAX_PAIRS: usize = 10_000;
const MAX_WALKED: usize = 2_000_000;

/// An automaton without steps that consume nothing. The first state is where it begins.
#[derive(Clone, Debug)]
pub struct Language {
    states: Vec<State>,
    classes: Vec<Ranges>,
}

#[derive(Clone, Debug, Default)]
struct State {
    /// Class and target.
    edges: Vec<(u32, u32)>,
    accepts: bool,
}

pub fn complement(ranges: &[(u32, u32)]) -> Ranges {
    let mut made = Vec::new();
    let mut next = 0;
    for &(start, end) in ranges {
        if next < start {
            made.push((next, start - 1));
        }
        next = end + 1;
    }
    if next <= LAST {
        made.push((next, LAST));
    }
    made
}

pub fn sorted(mut ranges: Ranges) -> Ranges {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let joins = next.0 <= kept.1.saturating_add(1);
        if joins {
            kept.1 = kept.1.max(next.1);
        }
        joins
    });
    ranges
}

fn contains(ranges: &[(u32, u32)], code: u32) -> bool {
    let after = ranges.partition_point(|&(start, _)| start <= code);
    after > 0 && code <= ranges[after - 1].1
}

impl Language {
    /// All texts.
    pub fn everything() -> Language {
        let states = vec![State { edges: vec![(0, 0)], accepts: true }];
        Language { states, classes: vec![vec![(0, LAST)]] }
    }

    /// One text and nothing else.
    pub fn literal(text: &str) -> Option<Language> {
        let codes = text.chars().map(u32::from).enumerate();
        let mut steps: Vec<Step> =
            codes.map(|(at, code)| Step::Consume(vec![(code, code)], at + 1)).collect();
        steps.push(Step::Accept);
        Language::new(&steps)
    }

    fn class(&mut self, ranges: Ranges) -> u32 {
        self.classes.push(ranges);
        self.classes.len() as u32 - 1
    }

    fn goes_by_dot(&self, state: &State) -> impl Iterator<Item = &State> {
        let by_dot = state.edges.iter().filter(|&&(class, _)| contains(&self.classes[class as usize], DOT));
        by_dot.map(|&(_, target)| &self.states[target as usize])
    }

    /// The dotted names that a regex selects: those that match, also with a dot behind them, and those that have a
    /// beginning that ends in a dot and matches.
    pub fn dotted(mut self) -> Language {
        let ends: Vec<bool> =
            self.states.iter().map(|state| self.goes_by_dot(state).any(|target| target.accepts)).collect();
        let all = self.class(vec![(0, LAST)]);
        let dot = self.class(vec![(DOT, DOT)]);
        let below = self.states.len() as u32;
        for (state, ends) in self.states.iter_mut().zip(ends) {
            if ends {
                state.accepts = true;
                state.edges.push((dot, below));
            }
        }
        self.states.push(State { edges: vec![(all, below)], accepts: true });
        self
    }

    /// The names that stand before a dot and something more in a word of this language.
    pub fn owners(&self) -> Language {
        let mut leads: Vec<bool> = self.states.iter().map(|state| state.accepts).collect();
        let mut more = vec![false; leads.len()];
        let mut changed = true;
        while std::mem::take(&mut changed) {
            for (index, state) in self.states.iter().enumerate().rev() {
                if !more[index] && state.edges.iter().any(|&(_, target)| leads[target as usize]) {
                    (more[index], leads[index], changed) = (true, true, true);
                }
            }
        }
        let mut made = self.clone();
        for (index, state) in self.states.iter().enumerate() {
            let by_dot = |&&(class, _): &&(u32, u32)| contains(&self.classes[class as usize], DOT);
            made.states[index].accepts = state.edges.iter().filter(by_dot).any(|&(_, to)| more[to as usize]);
        }
        made
    }

    /// Whether every word is a word of the other one. None: that takes too much work.
    pub fn is_within(&self, other: &Language) -> Option<bool> {
        let symbols = Symbols::new(self, other);
        let mut seen: FxHashSet<(u32, Vec<u32>)> = FxHashSet::default();
        let mut waiting = vec![(0, vec![0])];
        let mut walked = 0;
        while let Some((state, others)) = waiting.pop() {
            let from = &self.states[state as usize];
            if from.accepts && !others.iter().any(|&other_state| other.states[other_state as usize].accepts) {
                return Some(false);
            }
            let edges: usize = others.iter().map(|&state| other.states[state as usize].edges.len()).sum();
            // Where they lead with each symbol; many edges have the same.
            let mut steps: FxHashMap<u32, Vec<u32>> = FxHashMap::default();
            for &(class, target) in &from.edges {
                for symbol in symbols.of(class) {
                    walked += 1;
                    let next = steps.entry(symbol).or_insert_with(|| {
                        walked += edges;
                        other.step(&others, |class| symbols.other_has(class, symbol))
                    });
                    if walked > MAX_WALKED {
                        return None;
                    }
                    let pair = (target, next.clone());
                    if !seen.contains(&pair) {
                        seen.insert(pair.clone());
                        waiting.push(pair);
                    }
                }
            }
            if seen.len() > MAX_PAIRS {
                return None;
            }
        }
        Some(true)
    }

    fn step(&self, states: &[u32], accepts: impl Fn(u32) -> bool) -> Vec<u32> {
        let edges = states.iter().flat_map(|&state| &self.states[state as usize].edges);
        let mut next: Vec<u32> = edges.filter(|&&(class, _)| accepts(class)).map(|&(_, to)| to).collect();
        next.sort_unstable();
        next.dedup();
        next
    }

    /// Whether a text is a word of it.
    pub fn has(&self, text: &str) -> bool {
        let mut states = vec![0];
        let mut next = Vec::new();
        for code in text.chars().map(u32::from) {
            for &state in &states {
                for &(class, target) in &self.states[state as usize].edges {
                    if contains(&self.classes[class as usize], code) && !next.contains(&target) {
                        next.push(target);
                    }
                }
            }
            std::mem::swap(&mut states, &mut next);
            next.clear();
            if states.is_empty() {
                return false;
            }
        }
        states.iter().any(|&state| self.states[state as usize].accepts)
    }

    /// Whether there is a word of both. None: that takes too much work.
    pub fn meets(&self, other: &Language) -> Option<bool> {
        let symbols = Symbols::new(self, other);
        let mut seen = FxHashSet::from_iter([(0, 0)]);
        let mut waiting = vec![(0, 0)];
        let mut walked = 0;
        while let Some((a, b)) = waiting.pop() {
            let (from, beside) = (&self.states[a as usize], &other.states[b as usize]);
            if from.accepts && beside.accepts {
                return Some(true);
            }
            walked += 1 + from.edges.len() * beside.edges.len();
            if walked > MAX_WALKED {
                return None;
            }
            for &(class, target) in &from.edges {
                for &(with, to) in &beside.edges {
                    let common = symbols.of(class).any(|symbol| symbols.other_has(with, symbol));
                    if common && seen.insert((target, to)) {
                        waiting.push((target, to));
                    }
                }
            }
        }
        Some(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::glob_language_for_tests as glob;
    use crate::pyregex::{Flags, Regex};
    use proptest::prelude::*;

    fn regex(pattern: &str) -> Language {
        Regex::new(pattern, Flags::default()).unwrap().language().unwrap()
    }

    /// A language holds the texts that its pattern matches, whatever characters these are made of.
    #[test]
    fn languages_are_what_matches() {
        let patterns = [
            "a",
            r"a\.b",
            "(?i)k",
            "(?i)[a-z]",
            "(?i)[^k]",
            r"\w",
            r"\W",
            r"\d",
            r"\s",
            r"(?a)\w",
            "[^a]",
            ".",
            "(?s).",
            "(?i)ß",
            "(?i)[À-ß]",
            r"(?i)\w[ſ]?",
            "a|b|cd",
            "a{2,3}",
            "(a|b)*?c",
            "^a$",
            "a$",
            r"a\Z",
            "$",
            "^",
            r"(?i)İ",
            "a*b+",
            "(?:)",
            r"[\d_]",
            r"(?i)[\dk]",
        ];
        let mut texts: Vec<String> = (0..0x3000)
            .chain(0xfb00..0xfb10)
            .chain(0x1_0400..0x1_0430)
            .filter_map(char::from_u32)
            .map(String::from)
            .collect();
        texts.extend(
            ["", "a\n", "aa", "aaa", "abc", "abab", "aab", "\n", "a.b", "cd", "ccc"].map(String::from),
        );
        for pattern in patterns {
            let (compiled, language) = (Regex::new(pattern, Flags::default()).unwrap(), regex(pattern));
            for text in &texts {
                assert_eq!(language.has(text), compiled.is_full_match(text).unwrap(), "{pattern} {text:?}");
            }
        }
    }

    /// What is no regular language, or too large, has none.
    #[test]
    fn no_language() {
        for pattern in ["a(?=b)", r"(a)\1", "(?>a*)b", "a*+", r"\ba", "(?m)^a", "((a|b|c){40}){40}x{3000}"] {
            assert!(Regex::new(pattern, Flags::default()).unwrap().language().is_none(), "{pattern}");
        }
    }

    /// What would take hours takes no time, and has no answer.
    #[test]
    fn bounded_work() {
        let regexes = ["(?:a?){3000}", "(?:a|b?){300}", "(?:[a-z]?[0-9]?){200}"];
        let regexes = regexes.map(|pattern| Regex::new(pattern, Flags::default()).unwrap().language());
        for language in regexes.into_iter().flatten().chain([glob(&"{a,}".repeat(60), false)]) {
            assert!(language.is_within(&language) != Some(false));
            assert!(language.meets(&language) != Some(false));
            assert!(language.owners().example().is_none());
        }
    }

    /// Containment: proven where it holds, refused where it does not.
    #[test]
    fn containment() {
        let within = [
            (glob("a.b", false), glob("a.*", false)),
            (glob("a.*", false), glob("a*", false)),
            (glob("a.*", false), regex(r"a(\..*)?(?s:.*)")),
            (regex("a|b"), glob("[ab]", false)),
            (glob("a/*.py", true), glob("**/*.py", true)),
            (glob("a/**/*.py", true), glob("**/*.py", true)),
            (regex("(?i)abc"), regex("(?i)[a-c]*")),
            (glob("{a,b}.c", false), glob("?.c", false)),
            (regex(r"a\.").dotted(), glob("a.*", false)),
            (glob("a.*", false), regex(r"a\.").dotted()),
            (glob("a.b.*", false).owners(), glob("a.*", false)),
            (regex("a$"), regex("a\n?")),
            (regex("[^a]"), glob("?", false)),
        ];
        for (index, (a, b)) in within.iter().enumerate() {
            assert_eq!(a.is_within(b), Some(true), "{index}");
        }
        let outside = [
            (glob("a.*", false), glob("a.b", false)),
            (glob("a*", false), glob("a.*", false)),
            (glob("**/*.py", true), glob("*/*.py", true)),
            (regex("(?i)abc"), regex("[a-c]*")),
            (regex("[ab]"), regex("a")),
            (glob("a.b.*", false).owners(), glob("a.b.*", false)),
            (regex("a$\n?"), regex("a")),
            (glob("?", false), regex(".")),
        ];
        for (index, (a, b)) in outside.iter().enumerate() {
            assert_eq!(a.is_within(b), Some(false), "{index}");
        }
    }

    /// Whether two languages meet, and an example of each.
    #[test]
    fn meetings_and_examples() {
        assert_eq!(glob("*_key", false).meets(&glob("api_*", false)), Some(true));
        assert_eq!(glob("a.*", false).meets(&glob("b.*", false)), Some(false));
        assert_eq!(regex("[^a]").meets(&glob("a", false)), Some(false));
        assert_eq!(glob("{order_id,token}", false).words(9), ["order_id", "token"]);
        assert_eq!(regex("x_(id|token)").words(9), ["x_id", "x_token"]);
        assert_eq!(regex("(a|b)*c").words(1).len(), 1);
        assert!(regex("[ab]{9}|(c|d|e|f)*").words(200).len() <= 200);
        for (language, example) in
            [(glob("a.*", false), "a"), (regex("ab+c"), "abc"), (glob("?*", false), "x")]
        {
            assert_eq!(language.example().unwrap(), example);
        }
        assert_eq!(regex(r"a\Zb").example(), None);
        assert_eq!(Language::literal("é.b").unwrap().example().unwrap(), "é.b");
    }

    proptest! {
        /// Random globs: what is proven of two patterns holds for random names.
        #[test]
        fn random_globs(a in "[ab.*?]{1,6}", b in "[ab.*?]{1,6}", name in "[abc.]{0,6}") {
            let (first, second) = (glob(&a, false), glob(&b, false));
            if first.is_within(&second) == Some(true) {
                prop_assert!(!first.has(&name) || second.has(&name));
            }
            prop_assert_eq!(first.has(&name), crate::policy::glob_matches_for_tests(&a, &name));
        }
    }
}
