//! What every match of a pattern holds: one of a few texts, with what may stand around them, or a long run of few
//! characters. Where a text has none of that, there is no match.

use std::sync::Arc;

use super::around::{Around, Clue, Surroundings};
use super::ast::{Case, Greed, Node, Set, SetItem};
use super::bytes::{Characters, Known, bits_of};
use super::case;
use super::parse::Parsed;

/// More alternatives than that are no help.
const MOST: usize = 64;
/// A longer text is hardly rarer.
const LONG: usize = 8;
/// Shorter runs are everywhere.
const LEAST_RUN: u64 = 8;

/// What is in every match.
#[derive(Clone, Debug)]
pub enum Clues {
    Texts {
        any_of: Vec<Clue>,
        /// A match begins with one of them.
        first: bool,
    },
    /// So many bytes of these and no others, one after the other.
    Run { bytes: Box<[bool; 256]>, least: usize },
}

pub(super) fn clues(parsed: &Parsed) -> Option<Clues> {
    let mut finder = Finder::default();
    let around = Around::whole();
    let found = finder.required(&parsed.body, &around);
    if found.as_ref().is_none_or(|found| shortest(found) < 3)
        && let Some((bytes, least)) = run(&parsed.body)
    {
        return Some(Clues::Run { bytes, least });
    }
    let (folded, beyond_ascii) = (finder.folded, finder.beyond_ascii);
    let found = found?;
    let first = found.iter().all(|found| found.around.is_nothing_before);
    // Texts at one place have the same around them.
    let mut last: Option<(Around, Arc<Surroundings>)> = None;
    let mut any_of = Vec::with_capacity(found.len());
    for Found { text, around, .. } in found {
        let same = last.take().filter(|(known, _)| known.is_same(&around));
        let made = same.map_or_else(|| around.made(&finder.known), |(_, made)| made);
        any_of.push(Clue { text, folded, beyond_ascii, around: made.clone() });
        last = Some((around, made));
    }
    Some(Clues::Texts { any_of, first })
}

struct Found<'a> {
    text: String,
    around: Around<'a>,
    /// How seldom a text has what stands around it, in bits.
    near: f64,
}

fn shortest(found: &[Found]) -> usize {
    found.iter().map(|found| found.text.len()).min().unwrap_or(0)
}

#[derive(Default)]
struct Finder {
    folded: bool,
    beyond_ascii: bool,
    known: Known,
}

impl Finder {
    /// The best choice of texts for a sequence.
    fn required<'a>(&mut self, items: &'a [Node], around: &Around<'a>) -> Option<Vec<Found<'a>>> {
        let mut best: Option<Vec<Found>> = None;
        let (mut run, mut start) = (vec![String::new()], 0);
        for (index, item) in items.iter().enumerate() {
            let exact = self.exact(item).filter(|exact| exact.len() * run.len() <= MOST);
            match exact {
                Some(exact) => run = product(&run, &exact),
                None => {
                    let texts = std::mem::replace(&mut run, vec![String::new()]);
                    self.keep(
                        &mut best,
                        self.placed(texts, &around.inside(&items[..start], &items[index..])),
                    );
                    start = index + 1;
                    let here = around.inside(&items[..index], &items[index + 1..]);
                    if let Some(inner) = self.inside(item, &here) {
                        self.keep(&mut best, inner);
                    }
                    // What the item ends with is not known.
                }
            }
        }
        self.keep(&mut best, self.placed(run, &around.inside(&items[..start], &[])));
        best.filter(|best| best.iter().all(|found| !found.text.is_empty()))
    }

    /// Texts that all stand at one place.
    fn placed<'a>(&self, texts: Vec<String>, around: &Around<'a>) -> Vec<Found<'a>> {
        let mut near = 0.0;
        if texts.iter().all(|text| text.len() >= 3) {
            let (before, after) = around.windows(&self.known);
            near = before.bits() + after.bits();
        }
        texts.into_iter().map(|text| Found { text, around: around.clone(), near }).collect()
    }

    /// Keeps the texts that are rarer, with what stands around them.
    fn keep<'a>(&self, best: &mut Option<Vec<Found<'a>>>, other: Vec<Found<'a>>) {
        if best.as_ref().is_none_or(|best| self.rarity(&other) > self.rarity(best)) {
            *best = Some(other);
        }
    }

    /// How seldom one of them is found in a text, in bits.
    fn rarity(&self, found: &[Found]) -> f64 {
        if shortest(found) == 0 {
            return 0.0;
        }
        let often = found.iter().map(|found| {
            let text: f64 = found.text.bytes().take(LONG).map(bits_of).sum();
            if found.text.len() < 3 {
                // What joins words: each is rare among letters, and all of them are everywhere.
                return (-text / 2.0).exp2();
            }
            // What stands around is looked at where the text was found, which costs more.
            (-text - 0.25 * found.near).exp2()
        });
        -often.sum::<f64>().log2()
    }

    /// What an item that is no fixed text holds in any case.
    fn inside<'a>(&mut self, item: &'a Node, around: &Around<'a>) -> Option<Vec<Found<'a>>> {
        match item {
            Node::Group { body, .. } | Node::Atomic(body) => self.required(body, around),
            // Other rounds may stand around it.
            Node::Repeat(repeat) if repeat.min > 0 => self.required(&repeat.body, &Around::default()),
            Node::Branch(branches) => {
                let mut all = Vec::new();
                for branch in branches {
                    all.extend(self.required(branch, around)?);
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
            // It is there, or it is not.
            Node::Repeat(repeat) if (repeat.min, repeat.max) == (0, Some(1)) => {
                let mut all = self.exact_sequence(&repeat.body)?;
                all.push(String::new());
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

/// The part of a sequence that is the rarest run: the longer it is and the fewer characters it has, the better.
fn run(items: &[Node]) -> Option<(Box<[bool; 256]>, usize)> {
    if let [Node::Group { body, .. }] = items {
        return run(body);
    }
    let parts: Vec<(Characters, u64)> =
        items.iter().map(|item| (Characters::of(item, Characters::ALL), item.width().min)).collect();
    let mut best: Option<(f64, Characters, u64)> = None;
    for from in 0..parts.len() {
        let (mut all, mut least) = (Characters::default(), 0);
        for &(characters, width) in &parts[from..] {
            all = all.or(characters);
            least += width;
            let count = all.ascii.count_ones() + if all.beyond { 64 } else { 0 };
            let worth = least as f64 * (7.0 - f64::from(count.max(1)).log2());
            if least >= LEAST_RUN && best.as_ref().is_none_or(|(other, ..)| worth > *other) {
                best = Some((worth, all, least));
            }
        }
    }
    best.filter(|(worth, ..)| *worth > 0.0)
        .map(|(_, all, least)| (all.bytes(), usize::try_from(least.min(1 << 12)).unwrap_or(1 << 12)))
}
