//! What must stand near a place of a pattern, on one side of it: a sign, with little between.

use super::ast::Node;
use super::bytes::{Characters, Known};

/// A sign that is further away is not looked for.
pub const FAR: usize = 48;
/// More characters than that are no sign.
const SIGNS: u32 = 8;
/// The bit of the sign; those below are of what may stand before it.
const SIGN: u8 = 1 << 7;

/// Parts that may stand before a sign, in their order, and the sign: seen from the place, in either direction.
#[derive(Clone, Debug)]
pub(super) struct Near {
    /// By byte, in which of the parts it may be, one bit each.
    parts: Box<[u8; 256]>,
    /// So many bytes there may be before the sign.
    most: usize,
}

impl Near {
    /// Of sequences that stand one after the other; backwards, the nearest to the place comes first, too. None: no sign
    /// is near.
    pub fn of<'a>(
        sequences: impl Iterator<Item = &'a [Node]>,
        backwards: bool,
        known: &Known,
    ) -> Option<Near> {
        let mut near = Near { parts: Box::new([0; 256]), most: 0 };
        let mut walk = Walk { part: 1, backwards, known };
        for sequence in sequences {
            if near.add(sequence, &mut walk)? {
                return Some(near);
            }
        }
        None
    }

    /// Adds what a sequence may match, up to the sign: whether it has one. None: it would be too far away.
    fn add(&mut self, items: &[Node], walk: &mut Walk) -> Option<bool> {
        for item in walk.inward(items) {
            if let Node::Group { body, .. } | Node::Atomic(body) = item {
                if self.add(body, walk)? {
                    return Some(true);
                }
                continue;
            }
            let width = item.width();
            if width.max == 0 {
                continue;
            }
            if let Some(signs) = walk.edge(std::slice::from_ref(item)).filter(|signs| is_sign(*signs)) {
                self.allow(signs, SIGN);
                return Some(true);
            }
            let characters = walk.known.characters(item);
            self.allow(characters, walk.part);
            let bytes = if characters.beyond { 4 } else { 1 };
            self.most = self.most.saturating_add(usize::try_from(width.max).ok()?.saturating_mul(bytes));
            walk.part <<= 1;
            if self.most > FAR || walk.part == SIGN {
                return None;
            }
        }
        Some(false)
    }

    fn allow(&mut self, characters: Characters, bit: u8) {
        for (bits, _) in self.parts.iter_mut().zip(*characters.bytes()).filter(|(_, is_one)| *is_one) {
            *bits |= bit;
        }
    }

    /// Whether a byte may be one of those before the sign, or the sign.
    pub fn allows(&self, byte: u8) -> bool {
        self.parts[usize::from(byte)] != 0
    }

    /// Whether the sign may be among these bytes, of which the nearest to the place comes first.
    #[inline]
    pub fn fits<'a>(&self, bytes: impl Iterator<Item = &'a u8>) -> bool {
        // Of the parts, those in which the next byte may be: one may be left for a later one at any time.
        let mut left = u8::MAX;
        for &byte in bytes.take(self.most + 1) {
            let here = self.parts[usize::from(byte)] & left;
            if here & SIGN != 0 {
                return true;
            }
            if here == 0 {
                return false;
            }
            left = u8::MAX << here.trailing_zeros();
        }
        false
    }
}

fn is_sign(characters: Characters) -> bool {
    !characters.beyond && characters.ascii.count_ones() <= SIGNS
}

struct Walk<'a> {
    /// The bit of the next part.
    part: u8,
    backwards: bool,
    known: &'a Known,
}

impl Walk<'_> {
    /// Items in their order as seen from the place.
    fn inward<'a>(&self, items: &'a [Node]) -> impl Iterator<Item = &'a Node> + use<'a> {
        let (forwards, backwards) = if self.backwards { (&[][..], items) } else { (items, &[][..]) };
        forwards.iter().chain(backwards.iter().rev())
    }

    /// The characters of which the nearest one is. None: there may be none.
    fn edge(&self, items: &[Node]) -> Option<Characters> {
        let mut all = Characters::default();
        for item in self.inward(items) {
            let edge = match item {
                Node::Group { body, .. } | Node::Atomic(body) => self.edge(body),
                Node::Branch(branches) => branches
                    .iter()
                    .map(|branch| self.edge(branch))
                    .try_fold(Characters::default(), |sum, edge| Some(sum.or(edge?))),
                Node::Repeat(repeat) if repeat.min > 0 => self.edge(&repeat.body),
                _ if item.width().min > 0 => return Some(all.or(self.known.characters(item))),
                _ => None,
            };
            match edge {
                Some(edge) => return Some(all.or(edge)),
                None => all = all.or(self.known.characters(item)),
            }
        }
        None
    }
}
