//! The alphabet of two languages.

use super::{Language, contains};
use rustc_hash::FxHashSet;

/// The characters that two languages tell apart, one of each kind, by number.
pub(super) struct Symbols {
    /// For each class of the first language, the symbols in it.
    first: Vec<Vec<u32>>,
    /// For each class of the second one and symbol, whether it is in it.
    second: Vec<Vec<bool>>,
}

impl Symbols {
    pub fn new(first: &Language, second: &Language) -> Symbols {
        let classes = || first.classes.iter().chain(&second.classes);
        let mut starts: Vec<u32> =
            classes().flatten().flat_map(|&(start, end)| [start, end.saturating_add(1)]).collect();
        starts.push(0);
        starts.sort_unstable();
        starts.dedup();
        let mut kinds: FxHashSet<Vec<bool>> = FxHashSet::default();
        for code in starts {
            // Surrogates are in no text.
            if char::from_u32(code).is_some() || code == 0xd800 {
                kinds.insert(classes().map(|class| contains(class, code)).collect());
            }
        }
        let kinds: Vec<Vec<bool>> = kinds.into_iter().collect();
        let count = first.classes.len();
        let with = |class: usize| (0_u32..).zip(&kinds).filter(move |(_, kind)| kind[class]).map(|(s, _)| s);
        let second = (count..count + second.classes.len())
            .map(|class| kinds.iter().map(|kind| kind[class]).collect())
            .collect();
        let first = (0..count).map(|class| with(class).collect()).collect();
        Symbols { first, second }
    }

    pub fn of(&self, class: u32) -> impl Iterator<Item = u32> + '_ {
        self.first[class as usize].iter().copied()
    }

    pub fn other_has(&self, class: u32, symbol: u32) -> bool {
        self.second[class as usize][symbol as usize]
    }
}
