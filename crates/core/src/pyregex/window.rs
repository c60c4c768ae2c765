//! Which bytes may stand at the first few places of a part of a pattern.

use super::ast::Node;
use super::bytes::{Characters, Known};

/// So many places are looked at.
const PLACES: u32 = 8;
/// What is behind them.
const BEYOND: u16 = 1 << PLACES;

/// By byte, at which of the next (or previous) places it may stand, one bit each.
#[derive(Clone, Debug)]
pub(super) struct Window {
    allowed: Box<[u8; 256]>,
    /// So many places there are in any case.
    length: usize,
}

impl Window {
    /// Of sequences that stand one after the other; backwards from the end of what stands before a place, and then the
    /// sequence nearest to it comes first.
    pub fn of<'a>(sequences: impl Iterator<Item = &'a [Node]>, backwards: bool, known: &Known) -> Window {
        let mut walk = Walk { allowed: Box::new([0; 256]), backwards, known };
        let ends = sequences.fold(1, |starts, sequence| walk.sequence(sequence, starts));
        Window { allowed: walk.allowed, length: ends.trailing_zeros().min(PLACES) as usize }
    }

    /// How seldom a text has such bytes there, in bits.
    pub fn bits(&self) -> f64 {
        let printable =
            |place: usize| (0x20..0x80).filter(|&byte| self.allowed[byte] >> place & 1 == 1).count();
        (0..self.length).map(|place| (96.0 / printable(place).max(1) as f64).log2()).sum()
    }

    /// So many places there are in any case.
    pub fn length(&self) -> usize {
        self.length
    }

    /// The bytes that may stand at a place; None behind the last one.
    pub fn at(&self, place: usize) -> Option<impl Iterator<Item = u8> + '_> {
        let allowed = move |byte: &u8| self.allowed[usize::from(*byte)] >> place & 1 == 1;
        (place < self.length).then(|| (0..=u8::MAX).filter(allowed))
    }

    #[inline]
    pub fn fits_after(&self, text: &[u8], end: usize) -> bool {
        text.len() - end >= self.length
            && (0..self.length).all(|place| self.allowed[usize::from(text[end + place])] >> place & 1 == 1)
    }

    #[inline]
    pub fn fits_before(&self, text: &[u8], start: usize) -> bool {
        start >= self.length
            && (0..self.length)
                .all(|place| self.allowed[usize::from(text[start - 1 - place])] >> place & 1 == 1)
    }

    /// Whether these bytes may stand before the nearest places, which are not known, and behind others.
    pub fn fits_behind(&self, bytes: &[u8], unknown: usize) -> bool {
        (unknown..self.length).all(|place| match bytes.len().checked_sub(1 + place - unknown) {
            Some(at) => self.allowed[usize::from(bytes[at])] >> place & 1 == 1,
            None => true,
        })
    }
}

struct Walk<'a> {
    allowed: Box<[u8; 256]>,
    backwards: bool,
    known: &'a Known,
}

impl Walk<'_> {
    /// From the places where a sequence may begin to those where it may end.
    fn sequence(&mut self, items: &[Node], starts: u16) -> u16 {
        if self.backwards {
            items.iter().rev().fold(starts, |starts, item| self.node(item, starts))
        } else {
            items.iter().fold(starts, |starts, item| self.node(item, starts))
        }
    }

    fn node(&mut self, node: &Node, starts: u16) -> u16 {
        if starts & !BEYOND == 0 {
            return starts;
        }
        match node {
            Node::Literal { .. } | Node::Set(_) | Node::Any { .. } => {
                self.one(self.known.characters(node), starts)
            }
            Node::At(_) | Node::Look(_) => starts,
            Node::Group { body, .. } | Node::Atomic(body) => self.sequence(body, starts),
            Node::Branch(branches) => {
                branches.iter().fold(0, |ends, branch| ends | self.sequence(branch, starts))
            }
            Node::Conditional { yes, no, .. } => self.sequence(yes, starts) | self.sequence(no, starts),
            Node::Repeat(repeat) => {
                let mut ends = if repeat.min == 0 { starts } else { 0 };
                let mut now = starts;
                // After so many rounds each end is beyond the places, or the rounds may match nothing.
                for round in 1..=repeat.max.unwrap_or(u32::MAX).min(PLACES + 1) {
                    now = self.sequence(&repeat.body, now);
                    if round >= repeat.min {
                        ends |= now;
                    }
                }
                // Rounds that are left can only lead further.
                if repeat.min > PLACES + 1 { now | ends } else { ends }
            }
            // Whatever a group holds, which may be nothing.
            Node::Backref { .. } => {
                let lowest = starts & starts.wrapping_neg();
                let all = !(lowest - 1) & (BEYOND | (BEYOND - 1));
                for byte in self.allowed.iter_mut() {
                    *byte |= all as u8;
                }
                all
            }
        }
    }

    fn one(&mut self, characters: Characters, starts: u16) -> u16 {
        let step = |starts: u16, by: u32| {
            let moved = u32::from(starts) << by;
            let beyond = if moved >= u32::from(BEYOND) { BEYOND } else { 0 };
            moved as u16 & (BEYOND - 1) | beyond
        };
        let mut ends = 0;
        if characters.ascii != 0 {
            for byte in (0..0x80_usize).filter(|byte| characters.ascii >> byte & 1 == 1) {
                self.allowed[byte] |= starts as u8;
            }
            ends |= step(starts, 1);
        }
        if characters.beyond {
            // Two to four bytes of UTF-8.
            let places = (0..4).fold(0, |all, by| all | step(starts, by));
            for byte in &mut self.allowed[0x80..] {
                *byte |= places as u8;
            }
            ends |= step(starts, 2) | step(starts, 3) | step(starts, 4);
        }
        ends
    }
}
