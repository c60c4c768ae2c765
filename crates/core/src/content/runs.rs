//! Runs of bytes of one kind.

use std::ops::Range;

/// So many kinds are looked for at once.
pub(super) const KINDS: usize = 8;
/// Kinds are told of blocks of so many bytes.
const BLOCK: usize = 4;

/// By byte, of which kinds it is, one bit each; and by kind, how many bytes are a run: at least seven.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kinds<'a> {
    pub of: &'a [u8; 256],
    pub least: &'a [usize],
}

/// Tells kind, start and end of the runs that begin in a part, each whole; those that begin before it, if as much as is
/// wanted of their kind is in it.
///
/// A run of eleven bytes holds two whole blocks, wherever it begins, and one of fifteen three: where these are not of
/// the same kind, nothing more is looked at.
pub(super) fn runs(text: &[u8], part: Range<usize>, kinds: Kinds, found: impl FnMut(usize, usize, usize)) {
    let Some(most) = kinds.least.iter().max().filter(|_| !part.is_empty()) else { return };
    let last = part.end.saturating_add(*most).min(text.len());
    let (mut one, mut two) = (0, 0);
    for (kind, &least) in kinds.least.iter().enumerate() {
        one |= u8::from(least < 3 * BLOCK - 1) << kind;
        two |= u8::from(least < 4 * BLOCK - 1) << kind;
    }
    let (first, end) = (part.start, part.end);
    let mut likely = Likely { text, end, kinds, done: [0; KINDS], found };
    let (mut before, mut further) = (0, 0);
    for (index, block) in text[first..last].as_chunks::<BLOCK>().0.iter().enumerate() {
        let here = block.iter().fold(u8::MAX, |here, &byte| here & kinds.of[usize::from(byte)]);
        let of = here & (before | one) & (further | two);
        (before, further) = (here, before);
        if of != 0 {
            likely.add(first + BLOCK * index, of);
        }
    }
}

/// Where there may be runs.
struct Likely<'a, F> {
    text: &'a [u8],
    /// Runs begin before that.
    end: usize,
    kinds: Kinds<'a>,
    /// By kind, where the last run ended.
    done: [usize; KINDS],
    found: F,
}

impl<F: FnMut(usize, usize, usize)> Likely<'_, F> {
    /// Runs of these kinds, one bit each, that this place may be in. Apart, so that it leaves the loop around it alone.
    #[inline(never)]
    fn add(&mut self, at: usize, mut of: u8) {
        while of != 0 {
            let kind = of.trailing_zeros() as usize;
            of &= of - 1;
            if at < self.done[kind] {
                continue;
            }
            let is_one = |byte: &&u8| self.kinds.of[usize::from(**byte)] >> kind & 1 == 1;
            let start = at - self.text[..at].iter().rev().take_while(is_one).count();
            let end = at + self.text[at..].iter().take_while(is_one).count();
            self.done[kind] = end;
            if end - start >= self.kinds.least[kind] && start < self.end {
                (self.found)(kind, start, end);
            }
        }
    }
}
