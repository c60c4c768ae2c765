//! From the steps of a pattern to an automaton in which each step consumes a character.

use super::{Language, NEWLINE, Ranges, State, contains};
use rustc_hash::{FxHashMap, FxHashSet};

/// Larger automata are not built.
const MAX_STATES: usize = 4_000;
const MAX_EDGES: usize = 100_000;

/// One step of a pattern; steps are called by their index.
pub enum Step {
    Consume(Ranges, usize),
    /// Goes on at each of these.
    Ways(Vec<usize>),
    /// Goes on at the beginning of the text, …
    Start(usize),
    /// … at its end, …
    End(usize),
    /// … at its end or before a newline that ends it.
    EndOrLastNewline(usize),
    Accept,
}

/// What may still come.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rest {
    Anything,
    Nothing,
    Newline,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Place {
    step: usize,
    /// Nothing has been consumed.
    fresh: bool,
    rest: Rest,
}

impl Language {
    /// The language of these steps, beginning with the first. None: it is too large.
    pub fn new(steps: &[Step]) -> Option<Language> {
        let mut made = Language { states: Vec::new(), classes: Vec::new() };
        let mut numbers: FxHashMap<Place, u32> = FxHashMap::default();
        let mut classes: FxHashMap<Ranges, u32> = FxHashMap::default();
        let first = Place { step: 0, fresh: true, rest: Rest::Anything };
        numbers.insert(first, 0);
        let mut places = vec![first];
        let (mut at, mut edges) = (0, 0);
        while let Some(&place) = places.get(at) {
            at += 1;
            let mut state = State::default();
            for place in closure(steps, place) {
                match steps.get(place.step)? {
                    Step::Accept => state.accepts |= place.rest != Rest::Newline,
                    Step::Consume(ranges, target) if place.rest != Rest::Nothing => {
                        let last = place.rest == Rest::Newline;
                        if last && !contains(ranges, NEWLINE) {
                            continue;
                        }
                        let (ranges, rest) = match last {
                            true => (vec![(NEWLINE, NEWLINE)], Rest::Nothing),
                            false => (ranges.clone(), Rest::Anything),
                        };
                        let next = classes.len() as u32;
                        let class = *classes.entry(ranges).or_insert(next);
                        let target = Place { step: *target, fresh: false, rest };
                        let next = numbers.len() as u32;
                        let number = *numbers.entry(target).or_insert_with(|| {
                            places.push(target);
                            next
                        });
                        state.edges.push((class, number));
                    }
                    _ => {}
                }
            }
            edges += state.edges.len();
            made.states.push(state);
            if places.len() > MAX_STATES || edges > MAX_EDGES {
                return None;
            }
        }
        made.classes = vec![Vec::new(); classes.len()];
        for (ranges, class) in classes {
            made.classes[class as usize] = ranges;
        }
        Some(made)
    }
}

fn closure(steps: &[Step], from: Place) -> Vec<Place> {
    let mut found = vec![from];
    let mut seen = FxHashSet::from_iter([from]);
    let mut at = 0;
    while let Some(&place) = found.get(at) {
        at += 1;
        let mut add = |step: usize, rest: Rest| {
            let next = Place { step, rest, ..place };
            if seen.insert(next) {
                found.push(next);
            }
        };
        match steps.get(place.step) {
            Some(Step::Ways(ways)) => ways.iter().for_each(|&way| add(way, place.rest)),
            Some(&Step::Start(next)) if place.fresh => add(next, place.rest),
            Some(&Step::End(next)) if place.rest != Rest::Newline => add(next, Rest::Nothing),
            Some(&Step::EndOrLastNewline(next)) => {
                if place.rest != Rest::Newline {
                    add(next, Rest::Nothing);
                }
                if place.rest != Rest::Nothing {
                    add(next, Rest::Newline);
                }
            }
            _ => {}
        }
    }
    found
}
