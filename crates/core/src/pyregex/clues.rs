//! What every match of a pattern holds: one of a few texts, with what may stand around them, or a long run of few
//! characters. Where a text has none of that, there is no match.

use std::ptr;
use std::sync::Arc;

use super::ast::{Case, Greed, Node, Set, SetItem, Width};
use super::bytes::{Characters, Known, bits_of};
use super::case;
use super::near::Near;
use super::parse::Parsed;
use super::window::Window;

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

/// A text in ASCII, and the bytes that may stand around it.
#[derive(Clone, Debug)]
pub struct Clue {
    /// In lower case if `folded`.
    pub text: String,
    /// It is to be looked for without regard to case.
    pub folded: bool,
    /// Characters that are not ASCII may stand for letters of it (the Kelvin sign for `k`).
    pub beyond_ascii: bool,
    around: Arc<Surroundings>,
}

/// What may stand around a text.
#[derive(Debug)]
struct Surroundings {
    before: Window,
    after: Window,
    sign_before: Option<Near>,
    sign_after: Option<Near>,
}

impl Clue {
    /// Whether a match may hold what stands at this place of a text, which is the clue's in any case.
    #[inline]
    pub fn fits(&self, text: &[u8], start: usize, end: usize) -> bool {
        let Surroundings { before, after, sign_before, sign_after } = &*self.around;
        (self.folded || &text[start..end] == self.text.as_bytes())
            && after.fits_after(text, end)
            && before.fits_before(text, start)
            && sign_after.as_ref().is_none_or(|sign| sign.fits(text[end..].iter()))
            && sign_before.as_ref().is_none_or(|sign| sign.fits(text[..start].iter().rev()))
    }

    /// Whether a quote may be wanted before it, where a name without quotes has none.
    pub fn wants_quote(&self) -> bool {
        let only_signs =
            |bytes: Vec<u8>| bytes.contains(&b'"') && !bytes.iter().any(u8::is_ascii_alphanumeric);
        (0..).map_while(|place| self.ahead(place)).any(|bytes| only_signs(bytes.collect()))
    }

    /// The bytes that may stand so many places behind it; None where there need not be one.
    pub fn behind(&self, place: usize) -> Option<impl Iterator<Item = u8> + '_> {
        self.around.after.at(place)
    }

    /// The bytes that may stand so many places before it, the nearest is 0.
    pub fn ahead(&self, place: usize) -> Option<impl Iterator<Item = u8> + '_> {
        self.around.before.at(place)
    }
}

pub(super) fn clues(parsed: &Parsed) -> Option<Clues> {
    let mut finder = Finder::default();
    let around = Around { is_nothing_before: true, ..Around::default() };
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

/// What stands before and after a place in the pattern, from the outside to the inside.
#[derive(Clone, Default)]
struct Around<'a> {
    before: Vec<&'a [Node]>,
    after: Vec<&'a [Node]>,
    /// Nothing that has a width stands before it.
    is_nothing_before: bool,
}

impl<'a> Around<'a> {
    fn inside(&self, before: &'a [Node], after: &'a [Node]) -> Around<'a> {
        let mut around = self.clone();
        around.is_nothing_before &= Width::of(before).max == 0;
        around.before.push(before);
        around.after.push(after);
        around
    }

    fn is_same(&self, other: &Around) -> bool {
        let same = |mine: &[&[Node]], others: &[&[Node]]| {
            mine.len() == others.len() && mine.iter().zip(others).all(|(mine, other)| ptr::eq(*mine, *other))
        };
        same(&self.before, &other.before) && same(&self.after, &other.after)
    }

    fn made(&self, known: &Known) -> Arc<Surroundings> {
        let (before, after) = self.windows(known);
        let sign_before = Near::of(self.before.iter().rev().copied(), true, known);
        let sign_after = Near::of(self.after.iter().rev().copied(), false, known);
        Arc::new(Surroundings { before, after, sign_before, sign_after })
    }

    fn windows(&self, known: &Known) -> (Window, Window) {
        let before = Window::of(self.before.iter().rev().copied(), true, known);
        (before, Window::of(self.after.iter().rev().copied(), false, known))
    }
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
