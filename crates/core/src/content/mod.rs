//! Content rules: what must not be kept in any text, and what stands in its place.
//!
//! Rules run one after the other, in the order of their file, each on what the one before left. [`Rules::redact`]
//! gives exactly that, and does not run what cannot match: a rule is asked only where a text is that each of its
//! matches holds.

mod edits;
mod gate;
mod rule;
mod template;
mod validate;

pub use rule::{Kind, Problem, Spec};
pub use validate::Validator;

use edits::Edits;
use gate::Gate;
use rule::Rule;

/// What takes the place of a text on which a rule took too much work.
pub const UNDECIDED: &str = "<REDACTED>";

/// Rules that are ready to be applied: immutable, and free to be shared between threads.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    gate: Gate,
}

/// A place that a rule changed, in bytes of the text as it was before any rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Index of the rule.
    pub rule: u32,
    pub start: usize,
    pub end: usize,
}

/// A text after the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub text: String,
    /// In the order in which they were made.
    pub hits: Vec<Hit>,
    /// The rule that took too much work, if one did: the whole text is redacted then.
    pub undecided: Option<u32>,
}

impl Rules {
    /// Makes rules ready. What is wrong is told by the index of the rule.
    pub fn new(specs: Vec<Spec>) -> Result<Rules, Vec<(usize, Problem)>> {
        let (mut rules, mut problems) = (Vec::new(), Vec::new());
        for (index, spec) in specs.into_iter().enumerate() {
            match Rule::new(spec) {
                Ok(rule) => rules.push(rule),
                Err(problem) => problems.push((index, problem)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let gate = Gate::new(&rules);
        Ok(Rules { rules, gate })
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Applies the rules that `asked` names, in their order; None if that changes nothing.
    pub fn redact(&self, text: &str, asked: impl Fn(usize) -> bool) -> Option<Redacted> {
        let mut likely = self.gate.look(text);
        let mut edits: Option<Edits> = None;
        let mut hits = Vec::new();
        let mut next = likely.next(0);
        while let Some(index) = next {
            next = likely.next(index + 1);
            if !asked(index) {
                continue;
            }
            let rule = &self.rules[index];
            let now = edits.as_ref().map_or(text, Edits::text);
            let Ok(found) = rule.find(now) else {
                return Some(self.give_up(text, index));
            };
            if found.is_empty() {
                continue;
            }
            let edited = edits.get_or_insert_with(|| Edits::new(text));
            for (start, end) in edited.replace(&found) {
                hits.push(Hit { rule: index as u32, start, end });
            }
            // What was put in may hold, or bring together, what a later rule looks for.
            likely = self.gate.look(edited.text());
            next = likely.next(index + 1);
        }
        edits.map(|edits| Redacted { text: edits.into_text(), hits, undecided: None })
    }

    fn give_up(&self, text: &str, rule: usize) -> Redacted {
        let hits = vec![Hit { rule: rule as u32, start: 0, end: text.len() }];
        Redacted { text: UNDECIDED.to_owned(), hits, undecided: Some(rule as u32) }
    }
}

#[cfg(test)]
mod tests;
