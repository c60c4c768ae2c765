//! Texts of which one is in every match of a pattern: where none of them is, there is no match.

use super::ast::{Case, Greed, Node, Set, SetItem};
use super::case;
use super::parse::Parsed;

/// More alternatives than that are no help.
const MOST: usize = 32;
/// A longer text is hardly rarer.
const LONG: usize = 8;

/// Texts in ASCII.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Literals {
    /// In lower case if `folded`.
    pub any_of: Vec<String>,
    /// They are to be looked for without regard to case.
    pub folded: bool,
    /// Characters that are not ASCII may stand for letters of theirs (the Kelvin sign for `k`).
    pub beyond_ascii: bool,
}

pub(super) fn literals(parsed: &Parsed) -> Option<Literals> {
    let mut finder = Finder::default();
    let any_of = finder.required(&parsed.body)?;
    Some(Literals { any_of, folded: finder.folded, beyond_ascii: finder.beyond_ascii })
}

#[derive(Default)]
struct Finder {
    folded: bool,
    beyond_ascii: bool,
}

impl Finder {
    /// The best choice of texts for a sequence.
    fn required(&mut self, items: &[Node]) -> Option<Vec<String>> {
        let mut best: Option<Vec<String>> = None;
        let mut run = vec![String::new()];
        for item in items {
            let exact = self.exact(item).filter(|exact| exact.len() * run.len() <= MOST);
            match exact {
                Some(exact) => run = product(&run, &exact),
                None => {
                    better(&mut best, std::mem::replace(&mut run, vec![String::new()]));
                    if let Some(inner) = self.inside(item) {
                        better(&mut best, inner);
                    }
                    // What the item ends with is not known.
                }
            }
        }
        better(&mut best, run);
        best.filter(|best| best.iter().all(|text| !text.is_empty()))
    }

    /// What an item that is no fixed text holds in any case.
    fn inside(&mut self, item: &Node) -> Option<Vec<String>> {
        match item {
            Node::Group { body, .. } | Node::Atomic(body) => self.required(body),
            Node::Repeat(repeat) if repeat.min > 0 => self.required(&repeat.body),
            Node::Branch(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    all.extend(self.required(branch)?);
                }
                (all.len() <= MOST).then_some(all)
            }
            _ => None,
        }
    }

    /// All texts that an item matches, if these are few.
    fn exact(&mut self, item: &Node) -> Option<Vec<String>> {
        match item {
            Node::Literal { code, negate: false, case } => self.letter(*code, *case).map(|text| vec![text]),
            Node::Set(set) => self.set(set),
            Node::At(_) | Node::Look(_) => Some(vec![String::new()]),
            Node::Group { body, .. } | Node::Atomic(body) => self.exact_sequence(body),
            Node::Branch(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    all.extend(self.exact_sequence(branch)?);
                }
                (all.len() <= MOST).then_some(all)
            }
            Node::Repeat(repeat) if repeat.max == Some(repeat.min) && repeat.greed != Greed::Possessive => {
                let body = self.exact_sequence(&repeat.body)?;
                let mut all = vec![String::new()];
                for _ in 0..repeat.min {
                    all = product(&all, &body);
                    if all.len() > MOST || all[0].len() > LONG {
                        return None;
                    }
                }
                Some(all)
            }
            _ => None,
        }
    }

    fn exact_sequence(&mut self, items: &[Node]) -> Option<Vec<String>> {
        let mut all = vec![String::new()];
        for item in items {
            all = product(&all, &self.exact(item)?);
            if all.len() > MOST {
                return None;
            }
        }
        Some(all)
    }

    fn set(&mut self, set: &Set) -> Option<Vec<String>> {
        if set.negate {
            return None;
        }
        let mut all = Vec::new();
        for item in &set.items {
            let (start, end) = match *item {
                SetItem::Literal(code) => (code, code),
                SetItem::Range(start, end) => (start, end),
                SetItem::Category(_) => return None,
            };
            if all.len() + (end - start) as usize > 4 {
                return None;
            }
            for code in start..=end {
                all.push(self.letter(code, set.case)?);
            }
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }

    fn letter(&mut self, code: u32, case: Case) -> Option<String> {
        let character = char::from_u32(code).filter(char::is_ascii)?;
        if case == Case::Exact || !case::is_cased(code, case) {
            return Some(character.to_string());
        }
        self.folded = true;
        self.beyond_ascii |= case == Case::Unicode && matches!(character, 'k' | 'K' | 's' | 'S' | 'i' | 'I');
        Some(character.to_ascii_lowercase().to_string())
    }
}

fn product(left: &[String], right: &[String]) -> Vec<String> {
    left.iter().flat_map(|left| right.iter().map(move |right| format!("{left}{right}"))).collect()
}

/// Keeps the texts that are rarer: the longer ones, then the fewer.
fn better(best: &mut Option<Vec<String>>, other: Vec<String>) {
    let worth = |texts: &[String]| {
        let shortest = texts.iter().map(String::len).min().unwrap_or(0);
        (shortest.min(LONG), usize::MAX - texts.len())
    };
    if best.as_ref().is_none_or(|best| worth(&other) > worth(best)) {
        *best = Some(other);
    }
}
