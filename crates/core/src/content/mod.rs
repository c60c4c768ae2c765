//! Content rules: what must not be kept in any text, and what stands in its place.
//!
//! Rules run one after the other, in the order of their file, each on what the one before left. [`Rules::redact`]
//! gives exactly that, and does not run what cannot match: a rule is asked only where a text is that each of its
//! matches holds.

mod digits;
mod edits;
mod encoded;
mod escapes;
mod flat;
mod gate;
mod grams;
mod json;
mod layers;
mod manual;
mod names;
mod paths;
mod protected;
mod record;
mod rule;
mod runs;
mod spots;
mod stream;
mod template;
mod validate;
mod windows;

pub use manual::{Fit, Manual};
pub use paths::FieldPath;
pub use record::Way;
pub use rule::{Kind, Problem, Spec};
pub use spots::{Spot, at};
pub use stream::{Format, Place, Stream};
pub use validate::Validator;

use crate::pyregex::LONGEST;
use edits::Edits;
use gate::{Gate, Places};
use layers::Ask;
use rule::{Found, Replacement, Rule};
use std::ops::Range;

/// What takes the place of a text on which a rule took too much work.
pub const UNDECIDED: &str = "<REDACTED>";

/// So many bytes of a long text are changed together.
const WINDOW: usize = 512 << 10;

/// Rules that are ready to be applied: immutable, and free to be shared between threads.
#[derive(Debug)]
pub struct Rules {
    rules: Vec<Rule>,
    gate: Gate,
    /// Some are for certain fields of documents.
    has_fields: bool,
}

/// A place that a rule changed, in bytes of the text as it was before any rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Index of the rule.
    pub rule: u32,
    pub start: usize,
    pub end: usize,
    /// A bound of work or length was hit here, and what the rule would have found is not known.
    pub undecided: bool,
}

/// How rules are applied.
#[derive(Clone, Copy)]
pub struct How<'a> {
    /// The rules that are, by their index.
    pub asked: &'a dyn Fn(usize) -> bool,
    /// What is encoded in a text is redacted, too.
    pub decode: bool,
    /// Rules for fields are asked of texts, too, which have none.
    pub fields_in_text: bool,
    /// The fields of the rules in this document, if they are others than their own.
    pub fields: Option<&'a Fields>,
}

/// For each rule, by its index: where in documents of one kind it is asked.
#[derive(Debug)]
pub struct Fields {
    places: Vec<Asked>,
    has_paths: bool,
}

#[derive(Debug)]
enum Asked {
    Everywhere,
    /// Nowhere, if there are none.
    At(Vec<FieldPath>),
}

impl Fields {
    /// For each rule the paths of its fields; None: it is asked everywhere.
    pub fn new(rules: Vec<Option<Vec<FieldPath>>>) -> Fields {
        let has_paths = rules.iter().flatten().any(|paths| !paths.is_empty());
        let places = rules.into_iter().map(|paths| paths.map_or(Asked::Everywhere, Asked::At)).collect();
        Fields { places, has_paths }
    }
}

/// A text after the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted {
    pub text: String,
    /// In the order in which they were made.
    pub hits: Vec<Hit>,
}

/// What came of the rules.
#[derive(Default)]
struct Applied {
    /// None: nothing changed.
    edits: Option<Edits>,
    hits: Vec<Hit>,
    /// Where in the first text matches were, those that did not count among them.
    matches: Vec<(usize, usize)>,
}

impl Applied {
    fn redacted(self) -> Option<Redacted> {
        self.edits.map(|edits| Redacted { text: edits.into_text(), hits: self.hits })
    }

    /// Changes the text as it is now; `hits` say why.
    fn change(&mut self, text: &str, changes: &[Replacement], hits: Vec<Hit>) {
        if !changes.is_empty() {
            self.edits.get_or_insert_with(|| Edits::new(text)).replace(changes);
            self.hits.extend(hits);
        }
    }

    /// Changes the text where a rule has found something. Returns the changes.
    fn add(&mut self, text: &str, rule: usize, found: Vec<Found>) -> Vec<Replacement> {
        let wholes = found.iter().map(|found| found.whole);
        match &self.edits {
            Some(edits) => self.matches.extend(wholes.map(|whole| edits.origin(whole))),
            None => self.matches.extend(wholes),
        }
        let counted = || found.iter().filter(|found| found.change.is_some());
        let undecided: Vec<bool> = counted().map(|found| found.undecided).collect();
        let changes: Vec<Replacement> = found.into_iter().filter_map(|found| found.change).collect();
        if !changes.is_empty() {
            let edits = self.edits.get_or_insert_with(|| Edits::new(text));
            let origins = edits.replace(&changes).into_iter().zip(undecided);
            self.hits.extend(origins.map(|((start, end), undecided)| Hit {
                rule: rule as u32,
                start,
                end,
                undecided,
            }));
        }
        changes
    }
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
        let has_fields = rules.iter().any(|rule| !rule.fields.is_empty());
        Ok(Rules { rules, gate, has_fields })
    }

    /// Whether it is proven that all that a rule matches, another one does: which then leaves nothing to it.
    pub fn covered_by(&self, rule: usize, by: usize) -> bool {
        match (self.rules.get(rule), self.rules.get(by)) {
            (Some(rule), Some(by)) => by.covers(rule),
            _ => false,
        }
    }

    pub fn len(&self) -> usize {
        self.rules.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Applies rules, in their order; None if that changes nothing.
    ///
    /// A long text is taken in windows, so that neither memory nor work grows faster than it does.
    pub fn redact(&self, text: &str, how: &How) -> Option<Redacted> {
        if text.len() > WINDOW + LONGEST {
            return windows::redact(self, text, WINDOW, LONGEST, how);
        }
        self.apply_layers(text, 0, how).redacted()
    }

    /// The same for a document of JSON, of which keys and values are texts. None: it is none.
    pub fn redact_document(&self, text: &str, how: &How) -> Option<Option<Redacted>> {
        self.clean_document(text, 0, &Ask { how: *how, way: None }).map(Applied::redacted)
    }

    /// The same with what people redact by hand, which goes before the rules; their hits have the numbers behind those
    /// of the rules.
    pub fn redact_by_hand(
        &self,
        record: &str,
        how: &How,
        by_hand: &[Manual],
    ) -> (Option<Redacted>, Vec<Fit>) {
        let applied = self.clean_document(record, 0, &Ask { how: *how, way: None });
        let Some(applied) = applied else {
            return (self.redact(record, how), vec![Fit::Lost; by_hand.len()]);
        };
        let (changes, fits) = manual::changes(record, by_hand);
        if changes.is_empty() {
            return (applied.redacted(), fits);
        }
        let rules = applied.edits.iter().flat_map(Edits::changes);
        let text = manual::joined(record, rules, &changes);
        let mut hits = applied.hits;
        hits.extend(changes.iter().map(|change| Hit {
            rule: (self.rules.len() + change.of) as u32,
            start: change.token.0,
            end: change.token.1,
            undecided: false,
        }));
        (Some(Redacted { text, hits }), fits)
    }

    /// What the rules would change in a document of JSON.
    pub fn spots(&self, record: &str, how: &How) -> Vec<Spot> {
        let applied = self.clean_document(record, 0, &Ask { how: *how, way: None }).unwrap_or_default();
        let changes = applied.edits.iter().flat_map(Edits::changes);
        let ranges: Vec<_> = changes.map(|(from, to, _)| (from, to)).collect();
        spots::spots(record, &ranges)
    }

    fn apply_layers(&self, text: &str, from: usize, how: &How) -> Applied {
        if how.decode {
            return self.clean(text, from, 0, &Ask { how: *how, way: None });
        }
        let mut applied = Applied::default();
        let asked =
            |rule: usize| (how.asked)(rule) && (how.fields_in_text || self.rules[rule].fields.is_empty());
        self.apply(text, from, &asked, &mut applied);
        applied
    }

    /// Applies the rules to what stands behind `from`, after what was changed already.
    fn apply(&self, text: &str, from: usize, asked: &dyn Fn(usize) -> bool, applied: &mut Applied) {
        let mut places = Places::new();
        let now = applied.edits.as_ref().map_or(text, Edits::text);
        self.gate.look(now, from..now.len(), &mut places);
        self.apply_at(text, from, asked, &|_, _| true, applied, places);
    }

    /// Where in a text clues of rules are.
    fn places(&self, text: &str) -> Places {
        let mut places = Places::new();
        self.gate.look(text, 0..text.len(), &mut places);
        places
    }

    /// The same where the places are known. `counts`: whether what a rule found here, in the first text, does.
    fn apply_at(
        &self,
        text: &str,
        from: usize,
        asked: &dyn Fn(usize) -> bool,
        counts: &dyn Fn(usize, (usize, usize)) -> bool,
        applied: &mut Applied,
        mut places: Places,
    ) {
        let now = applied.edits.as_ref().map_or(text, Edits::text);
        let mut always = self.gate.always(now.is_ascii());
        let mut next = 0;
        loop {
            always = &always[always.partition_point(|&rule| rule < next)..];
            let likely = places.range(next..).next().map(|(&rule, _)| rule);
            let Some(index) = likely.into_iter().chain(always.first().copied()).min() else { break };
            next = index + 1;
            if !asked(index) {
                continue;
            }
            let here =
                if always.first() == Some(&index) { None } else { places.get(&index).map(Vec::as_slice) };
            let now = applied.edits.as_ref().map_or(text, Edits::text);
            let mut found = self.rules[index].find(now, from, here);
            let origin = |whole| applied.edits.as_ref().map_or(whole, |edits| edits.origin(whole));
            found.retain(|found| counts(index, origin(found.whole)));
            if found.is_empty() {
                continue;
            }
            let changes = applied.add(text, index, found);
            if let Some(edits) = applied.edits.as_ref().filter(|_| !changes.is_empty()) {
                // What was put in may hold, or bring together, what a later rule looks for.
                self.look_again(edits.text(), from, &changes, &mut places, next);
                always = self.gate.always(edits.text().is_ascii());
            }
        }
    }

    /// After these changes of the text before: where the clues of the rules from `next` on are now.
    fn look_again(&self, text: &str, from: usize, changes: &[Replacement], places: &mut Places, next: usize) {
        for places in places.range_mut(next..).map(|(_, places)| places) {
            moved(places, changes);
        }
        let mut ahead = 0;
        for ((start, end), put) in changes {
            let here = start.wrapping_add_signed(ahead);
            let reach = self.gate.reach();
            let part = here.saturating_sub(reach).max(from)..(here + put.len() + reach).min(text.len());
            self.gate.look(text, part, places);
            ahead += put.len() as isize - (end - start) as isize;
        }
        places.retain(|_, places| !places.is_empty());
    }
}

/// Moves places along with the text around them. Those that a change touches are taken out.
fn moved(places: &mut Vec<Range<usize>>, changes: &[Replacement]) {
    let mut sums = Vec::with_capacity(changes.len());
    let mut ahead = 0;
    for ((start, end), put) in changes {
        ahead += put.len() as isize - (end - start) as isize;
        sums.push(ahead);
    }
    places.retain_mut(|place| {
        let before = changes.partition_point(|((_, end), _)| *end <= place.start);
        if changes.get(before).is_some_and(|((start, _), _)| *start < place.end) {
            return false;
        }
        let ahead = before.checked_sub(1).map_or(0, |last| sums[last]);
        *place = place.start.wrapping_add_signed(ahead)..place.end.wrapping_add_signed(ahead);
        true
    });
}

#[cfg(test)]
mod tests;
