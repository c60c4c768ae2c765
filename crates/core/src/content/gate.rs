//! Which rules may match a text at all: one look for the literals of all of them.

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::rule::Rule;

/// Rules, by their index.
#[derive(Clone, Debug)]
pub(super) struct Likely(Vec<u64>);

impl Likely {
    fn add(&mut self, rule: usize) {
        self.0[rule / 64] |= 1 << (rule % 64);
    }

    pub fn has(&self, rule: usize) -> bool {
        self.0[rule / 64] >> (rule % 64) & 1 == 1
    }
}

#[derive(Debug)]
pub(super) struct Gate {
    /// Rules that any text may match.
    always: Likely,
    /// Those that may match for another letter than one in ASCII.
    beyond_ascii: Vec<usize>,
    /// The literals as they stand, and those that are looked for in any case.
    exact: Option<Literals>,
    folded: Option<Literals>,
}

#[derive(Debug)]
struct Literals {
    automaton: AhoCorasick,
    /// By literal, its rule.
    rules: Vec<usize>,
}

impl Gate {
    pub fn new(rules: &[Rule]) -> Gate {
        let mut always = Likely(vec![0; rules.len().div_ceil(64)]);
        let (mut exact, mut folded, mut beyond_ascii) = (Vec::new(), Vec::new(), Vec::new());
        for (index, rule) in rules.iter().enumerate() {
            let Some(literals) = &rule.literals else {
                always.add(index);
                continue;
            };
            if literals.beyond_ascii {
                beyond_ascii.push(index);
            }
            let list = if literals.folded { &mut folded } else { &mut exact };
            list.extend(literals.any_of.iter().map(|text| (text.as_str(), index)));
        }
        let (exact, folded) = (Literals::new(&exact, false), Literals::new(&folded, true));
        match (exact, folded) {
            (Ok(exact), Ok(folded)) => Gate { always, beyond_ascii, exact, folded },
            _ => {
                // Too many to be looked for at once: every rule is asked.
                (0..rules.len()).for_each(|index| always.add(index));
                Gate { always, beyond_ascii: Vec::new(), exact: None, folded: None }
            }
        }
    }

    pub fn look(&self, text: &str) -> Likely {
        let mut likely = self.always.clone();
        if !self.beyond_ascii.is_empty() && !text.is_ascii() {
            self.beyond_ascii.iter().for_each(|&index| likely.add(index));
        }
        for literals in [&self.exact, &self.folded].into_iter().flatten() {
            for found in literals.automaton.find_overlapping_iter(text) {
                likely.add(literals.rules[found.pattern().as_usize()]);
            }
        }
        likely
    }
}

impl Literals {
    fn new(literals: &[(&str, usize)], folded: bool) -> Result<Option<Literals>, aho_corasick::BuildError> {
        if literals.is_empty() {
            return Ok(None);
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(folded)
            .kind(Some(AhoCorasickKind::DFA))
            .build(literals.iter().map(|(text, _)| text))?;
        Ok(Some(Literals { automaton, rules: literals.iter().map(|&(_, rule)| rule).collect() }))
    }
}
