//! What Python says about characters: its classes, and the sets of a pattern.

use std::sync::OnceLock;

use regex_syntax::hir::{Class, HirKind};

use crate::language::{complement, sorted};

use super::ast::{Case, Category, ClassKind, Set, SetItem};
use super::bytes::Characters;
use super::case::{SAME_LETTER, cased_between, is_cased, lower, lowered_to, same_letters, upper};

pub(super) type Ranges = Vec<(u32, u32)>;

/// The ranges of a class in the syntax of `regex_syntax`; the sources below are constants that parse.
fn ranges(source: &str) -> Ranges {
    match regex_syntax::parse(source).map(|hir| hir.into_kind()) {
        Ok(HirKind::Class(Class::Unicode(class))) => {
            class.ranges().iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn contains(ranges: &[(u32, u32)], code: u32) -> bool {
    let after = ranges.partition_point(|&(start, _)| start <= code);
    after > 0 && code <= ranges[after - 1].1
}

pub(super) fn is_word(code: u32, ascii: bool) -> bool {
    static WORD: OnceLock<Ranges> = OnceLock::new();
    if code < 0x80 {
        return (code as u8).is_ascii_alphanumeric() || code == 0x5f;
    }
    !ascii && contains(WORD.get_or_init(|| ranges(r"[\p{L}\p{N}_]")), code)
}

fn is_digit(code: u32, ascii: bool) -> bool {
    static DIGIT: OnceLock<Ranges> = OnceLock::new();
    if code < 0x80 {
        return (code as u8).is_ascii_digit();
    }
    !ascii && contains(DIGIT.get_or_init(|| ranges(r"\p{Nd}")), code)
}

fn is_space(code: u32, ascii: bool) -> bool {
    match code {
        0x09..=0x0d | 0x20 => true,
        0x1c..=0x1f | 0x85 | 0xa0 | 0x1680 | 0x2000..=0x200a | 0x2028 | 0x2029 | 0x202f | 0x205f | 0x3000 => {
            !ascii
        }
        _ => false,
    }
}

/// Whether Python takes the text for an identifier, which the name of a group must be.
pub(super) fn is_identifier(text: &str) -> bool {
    static START: OnceLock<Ranges> = OnceLock::new();
    static CONTINUE: OnceLock<Ranges> = OnceLock::new();
    let mut codes = text.chars().map(u32::from);
    let Some(first) = codes.next() else { return false };
    let starts = match first {
        0..0x80 => (first as u8).is_ascii_alphabetic() || first == 0x5f,
        _ => contains(START.get_or_init(|| ranges(r"\p{XID_Start}")), first),
    };
    starts
        && codes.all(|code| match code {
            0..0x80 => is_word(code, true),
            _ => contains(CONTINUE.get_or_init(|| ranges(r"\p{XID_Continue}")), code),
        })
}

impl Category {
    pub fn contains(&self, code: u32) -> bool {
        let inside = match self.kind {
            ClassKind::Digit => is_digit(code, self.ascii),
            ClassKind::Space => is_space(code, self.ascii),
            ClassKind::Word => is_word(code, self.ascii),
        };
        inside != self.negate
    }

    fn ranges(&self) -> Ranges {
        let class = match (self.kind, self.ascii) {
            (ClassKind::Digit, true) => "[0-9]",
            (ClassKind::Digit, false) => r"\p{Nd}",
            (ClassKind::Space, true) => r"[\t-\r ]",
            (ClassKind::Space, false) => {
                r"[\t-\r \x1c-\x1f\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]"
            }
            (ClassKind::Word, true) => "[0-9A-Z_a-z]",
            (ClassKind::Word, false) => r"[\p{L}\p{N}_]",
        };
        static WORD: OnceLock<Ranges> = OnceLock::new();
        let found = match (self.kind, self.ascii) {
            (ClassKind::Word, false) => WORD.get_or_init(|| sorted(ranges(class))).clone(),
            _ => sorted(ranges(class)),
        };
        if self.negate { complement(&found) } else { found }
    }
}

/// How a character of a pattern is compared.
pub(super) enum Letter {
    Exact(u32),
    /// What has this lower case.
    Folded(u32),
    /// It is in a set, or not in one: [`CharSet::of_letter`].
    Forms(u32, &'static [u32], Case),
}

impl Letter {
    pub fn of(code: u32, negate: bool, case: Case) -> Letter {
        let cased = is_cased(code, case);
        let lower = lower(code, case);
        let same = if case == Case::Unicode && cased { same_letters(lower) } else { &[] };
        if negate || !same.is_empty() {
            Letter::Forms(lower, same, if cased { case } else { Case::Exact })
        } else if cased {
            Letter::Folded(lower)
        } else {
            Letter::Exact(code)
        }
    }
}

/// A set made ready for matching.
#[derive(Debug)]
pub(super) struct CharSet {
    /// The answers for ASCII, one bit each.
    ascii: u128,
    negate: bool,
    /// `Exact` when nothing in the set has a case.
    case: Case,
    ranges: Ranges,
    /// Ranges beyond U+FFFF that are compared without case by trying the upper case too.
    folded: Ranges,
    categories: Vec<Category>,
}

impl CharSet {
    fn empty(negate: bool, case: Case) -> CharSet {
        CharSet { ascii: 0, negate, case, ranges: Vec::new(), folded: Vec::new(), categories: Vec::new() }
    }

    /// One letter, in lower case unless it is compared exactly, and what counts as the same.
    pub fn of_letter(letter: u32, same: &[u32], negate: bool, case: Case) -> CharSet {
        let mut made = CharSet::empty(negate, case);
        made.ranges.push((letter, letter));
        made.ranges.extend(same.iter().map(|&code| (code, code)));
        made.finish()
    }

    pub fn new(set: &Set) -> CharSet {
        let mut made = CharSet::empty(set.negate, Case::Exact);
        for item in &set.items {
            match *item {
                SetItem::Literal(code) => made.add_range(code, code, set.case, true),
                SetItem::Range(start, end) => made.add_range(start, end, set.case, false),
                SetItem::Category(category) => made.categories.push(category),
            }
        }
        made.finish()
    }

    fn finish(mut self) -> CharSet {
        self.ranges.sort_unstable();
        self.ranges.dedup_by(|next, kept| {
            let overlaps = next.0 <= kept.1.saturating_add(1);
            if overlaps {
                kept.1 = kept.1.max(next.1);
            }
            overlaps
        });
        self.ascii = (0..128).filter(|&code| self.look_up(code)).fold(0, |bits, code| bits | 1 << code);
        self
    }

    /// Adds the lower case of every character and what counts as the same letter, as `re` does.
    fn add_range(&mut self, start: u32, end: u32, case: Case, literal: bool) {
        if case == Case::Exact {
            self.ranges.push((start, end));
            return;
        }
        if end > 0xffff {
            self.case = case;
            // `re` does not lower a literal beyond U+FFFF in a set: its upper case then matches nothing.
            let kept = if literal { &mut self.ranges } else { &mut self.folded };
            kept.push((start, end));
        }
        let added = self.ranges.len();
        for code in cased_between(start, end.min(0xffff), case) {
            self.case = case;
            let lowered = lower(code, case);
            self.ranges.push((lowered, lowered));
        }
        if case == Case::Unicode {
            let letters = SAME_LETTER.iter().filter(|letters| {
                letters.iter().any(|&letter| contains_any(&self.ranges[added..], letter))
                    || letters.iter().any(|&letter| start <= letter && letter <= end.min(0xffff))
            });
            let same: Ranges = letters.flat_map(|letters| letters.iter().map(|&code| (code, code))).collect();
            self.ranges.extend(same);
        }
        // A character of the range that has a lower case stays in it: the text is lowered first, so that it
        // is never asked for.
        if start <= 0xffff {
            self.ranges.push((start, end.min(0xffff)));
        }
    }

    fn look_up(&self, code: u32) -> bool {
        let code = lower(code, self.case);
        let inside = contains(&self.ranges, code)
            || self.categories.iter().any(|category| category.contains(code))
            || (!self.folded.is_empty()
                && (contains_any(&self.folded, code) || contains_any(&self.folded, upper(code))));
        inside != self.negate
    }

    /// The letter, in lower case, if the set is the forms of one letter.
    pub fn letter(&self) -> Option<char> {
        let (&(first, end), _) = self.ranges.split_first()?;
        let one = self.case != Case::Exact && !self.negate && self.categories.is_empty() && first == end;
        let same =
            self.ranges.iter().all(|&(start, end)| start == end && same_letters(first).contains(&start));
        char::from_u32(first).filter(|_| one && same)
    }

    /// The characters of ASCII in the set, and whether there may be others.
    pub fn characters(&self) -> Characters {
        // U+0130 and the Kelvin sign have their lower case in ASCII.
        let forms = self.case == Case::Unicode && self.ascii & (1 << b'i' | 1 << b'k') != 0;
        let beyond = forms
            || self.negate
            || !self.folded.is_empty()
            || self.ranges.last().is_some_and(|&(_, end)| end >= 0x80)
            || self.categories.iter().any(|category| category.negate || !category.ascii);
        Characters { ascii: self.ascii, beyond }
    }

    /// The code points of the set. None for some rare sets beyond U+FFFF.
    pub fn ranges(&self) -> Option<Ranges> {
        if !self.folded.is_empty() {
            return None;
        }
        let mut all = self.ranges.clone();
        for category in &self.categories {
            all.extend(category.ranges());
        }
        let all = lowered_to(&sorted(all), self.case);
        Some(if self.negate { complement(&all) } else { all })
    }

    #[inline]
    pub fn contains(&self, code: u32) -> bool {
        if code < 0x80 { self.ascii >> code & 1 == 1 } else { self.look_up(code) }
    }
}

fn contains_any(ranges: &[(u32, u32)], code: u32) -> bool {
    ranges.iter().any(|&(start, end)| start <= code && code <= end)
}
