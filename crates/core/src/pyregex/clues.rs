//! What every match of a pattern holds: one of a few texts, with what may stand around them, or a long run of few
//! characters. Where a text has none of that, there is no match.

use super::ast::{Case, Greed, Node, Set, SetItem};
use super::case;
use super::chars::{CharSet, Letter};
use super::parse::Parsed;
use super::window::Window;

/// More alternatives than that are no help.
const MOST: usize = 32;
/// A longer text is hardly rarer.
const LONG: usize = 8;
/// Shorter runs are everywhere.
const LEAST_RUN: u64 = 8;

/// What is in every match.
#[derive(Clone, Debug)]
pub enum Clues {
    Texts(Vec<Clue>),
    /// So many bytes of these and no others, one after the other.
    Run {
        bytes: Box<[bool; 256]>,
        least: usize,
    },
}

/// A text in ASCII, and the bytes that may stand around it.
#[derive(Clone, Debug)]
pub struct Clue {
    /// In lower case if `folded`.
    pub text: String,
    /// It is to be looked for without regard to case.
    pub folded: bool,
    /// Characters that are not ASCII may stand for letters of it (the Kelvin sign for `k`).
    pub beyond_ascii: bool,
    before: Window,
    after: Window,
}

impl Clue {
    /// Whether a match may hold what stands at this place of a text, which is the clue's in any case.
    #[inline]
    pub fn fits(&self, text: &[u8], start: usize, end: usize) -> bool {
        (self.folded || &text[start..end] == self.text.as_bytes())
            && self.after.fits_after(text, end)
            && self.before.fits_before(text, start)
    }
}

pub(super) fn clues(parsed: &Parsed) -> Option<Clues> {
    let mut finder = Finder::default();
    let found = finder.required(&parsed.body, &Around::default());
    let texts = found.as_ref().map_or(0, |found| shortest(found));
    if texts < 2
        && let Some((bytes, least)) = run(&parsed.body)
    {
        return Some(Clues::Run { bytes, least });
    }
    let (folded, beyond_ascii) = (finder.folded, finder.beyond_ascii);
    let clue = |found: Found| {
        let before = Window::of(found.around.before.iter().rev().copied(), true);
        let after = Window::of(found.around.after.iter().rev().copied(), false);
        Clue { text: found.text, folded, beyond_ascii, before, after }
    };
    Some(Clues::Texts(found?.into_iter().map(clue).collect()))
}

/// What stands before and after a place in the pattern, from the outside to the inside.
#[derive(Clone, Default)]
struct Around<'a> {
    before: Vec<&'a [Node]>,
    after: Vec<&'a [Node]>,
}

impl<'a> Around<'a> {
    fn inside(&self, before: &'a [Node], after: &'a [Node]) -> Around<'a> {
        let mut around = self.clone();
        around.before.push(before);
        around.after.push(after);
        around
    }
}

struct Found<'a> {
    text: String,
    around: Around<'a>,
}

fn shortest(found: &[Found]) -> usize {
    found.iter().map(|found| found.text.len()).min().unwrap_or(0)
}

#[derive(Default)]
struct Finder {
    folded: bool,
    beyond_ascii: bool,
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
                    better(&mut best, placed(texts, &around.inside(&items[..start], &items[index..])));
                    start = index + 1;
                    let here = around.inside(&items[..index], &items[index + 1..]);
                    if let Some(inner) = self.inside(item, &here) {
                        better(&mut best, inner);
                    }
                    // What the item ends with is not known.
                }
            }
        }
        better(&mut best, placed(run, &around.inside(&items[..start], &[])));
        best.filter(|best| best.iter().all(|found| !found.text.is_empty()))
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

fn placed<'a>(texts: Vec<String>, around: &Around<'a>) -> Vec<Found<'a>> {
    texts.into_iter().map(|text| Found { text, around: around.clone() }).collect()
}

/// Keeps the texts that are rarer: the longer ones, then the fewer.
fn better<'a>(best: &mut Option<Vec<Found<'a>>>, other: Vec<Found<'a>>) {
    let worth = |found: &[Found]| (shortest(found).min(LONG), usize::MAX - found.len());
    if best.as_ref().is_none_or(|best| worth(&other) > worth(best)) {
        *best = Some(other);
    }
}

/// The characters that a node may match: of ASCII, and whether there are others.
#[derive(Clone, Copy, Default)]
pub(super) struct Characters {
    pub ascii: u128,
    pub beyond: bool,
}

impl Characters {
    pub const ALL: Characters = Characters { ascii: u128::MAX, beyond: true };

    /// Those of a node that matches one character.
    pub fn of_one(node: &Node) -> Option<Characters> {
        Some(match node {
            Node::Literal { code, negate, case } => match Letter::of(*code, *negate, *case) {
                Letter::Forms(lower, same, case) => {
                    CharSet::of_letter(lower, same, *negate, case).characters()
                }
                Letter::Folded(lower) => CharSet::of_letter(lower, &[], false, *case).characters(),
                Letter::Exact(code) if code < 0x80 => Characters { ascii: 1 << code, beyond: false },
                Letter::Exact(_) => Characters { ascii: 0, beyond: true },
            },
            Node::Set(set) => CharSet::new(set).characters(),
            Node::Any { newline } => {
                Characters { ascii: if *newline { u128::MAX } else { !(1 << 10) }, beyond: true }
            }
            _ => return None,
        })
    }

    fn of_all(items: &[Node]) -> Characters {
        items.iter().fold(Characters::default(), |all, item| all.or(Characters::of(item)))
    }

    fn of(node: &Node) -> Characters {
        match node {
            Node::Literal { .. } | Node::Set(_) | Node::Any { .. } => {
                Characters::of_one(node).unwrap_or(Characters::ALL)
            }
            Node::At(_) | Node::Look(_) => Characters::default(),
            Node::Group { body, .. } | Node::Atomic(body) => Characters::of_all(body),
            Node::Repeat(repeat) => Characters::of_all(&repeat.body),
            Node::Branch(branches) => {
                branches.iter().fold(Characters::default(), |all, branch| all.or(Characters::of_all(branch)))
            }
            Node::Backref { .. } => Characters::ALL,
            Node::Conditional { yes, no, .. } => Characters::of_all(yes).or(Characters::of_all(no)),
        }
    }

    fn or(self, other: Characters) -> Characters {
        Characters { ascii: self.ascii | other.ascii, beyond: self.beyond | other.beyond }
    }

    /// By byte of UTF-8, whether it may be one of theirs.
    fn bytes(self) -> Box<[bool; 256]> {
        Box::new(std::array::from_fn(
            |byte| if byte < 0x80 { self.ascii >> byte & 1 == 1 } else { self.beyond },
        ))
    }
}

/// The part of a sequence that is the rarest run: the longer it is and the fewer characters it has, the better.
fn run(items: &[Node]) -> Option<(Box<[bool; 256]>, usize)> {
    if let [Node::Group { body, .. }] = items {
        return run(body);
    }
    let parts: Vec<(Characters, u64)> =
        items.iter().map(|item| (Characters::of(item), item.width().min)).collect();
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
