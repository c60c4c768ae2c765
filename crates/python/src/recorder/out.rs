//! Writes the bytes of values into a place of the ring.

use tamis_core::wire::{MAX_RECORD, NONE_ID, tag};

/// What is done with one value, and which rule says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Act {
    pub action: Action,
    /// A kind of `wire::value_kind`.
    pub kind: u8,
    pub secret: bool,
    pub rule: u32,
    pub pattern: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Allow,
    Redact,
    Drop,
    /// The policy gave no answer.
    Withhold,
}

impl Act {
    pub const ALLOW: Act =
        Act { action: Action::Allow, kind: 0, secret: false, rule: NONE_ID, pattern: NONE_ID };
}

/// A definition is wanted before the value can be written: it waits in the recorder, and the record begins anew.
pub struct Restart;

/// The rest of a record's place. Nobody checks every byte: items are bounded, and a holder asks [`Out::full`]
/// before each item, well before the place ends.
pub struct Out {
    at: *mut u8,
    start: *mut u8,
    soft_end: *mut u8,
}

impl Out {
    /// # Safety
    /// `place` has room for `MAX_RECORD` bytes, of which `used` words are written, and `budget` leaves the half
    /// of it free.
    #[inline(always)]
    pub unsafe fn new(place: *mut u64, used: usize, budget: usize) -> Out {
        // SAFETY: inside the place.
        let at = unsafe { place.add(used) }.cast::<u8>();
        // SAFETY: as above; the budget is bounded.
        Out { at, start: place.cast(), soft_end: unsafe { at.add(budget.min(MAX_RECORD / 2)) } }
    }

    /// The bytes that values may take are used up.
    #[inline(always)]
    pub fn full(&self) -> bool {
        self.at >= self.soft_end
    }

    #[inline(always)]
    pub fn raw<const N: usize>(&mut self, bytes: [u8; N]) {
        // SAFETY: see the type: there is room for bounded items.
        unsafe {
            self.at.cast::<[u8; N]>().write_unaligned(bytes);
            self.at = self.at.add(N);
        }
    }

    #[inline(always)]
    pub fn tag(&mut self, tag: u8) {
        self.raw([tag]);
    }

    #[inline(always)]
    pub fn u16(&mut self, number: u16) {
        self.raw(number.to_le_bytes());
    }

    #[inline(always)]
    pub fn u32(&mut self, number: u32) {
        self.raw(number.to_le_bytes());
    }

    #[inline(always)]
    pub fn u64(&mut self, number: u64) {
        self.raw(number.to_le_bytes());
    }

    /// # Safety
    /// `data` is readable for `length` bytes, and `length` is within the bounds of a string.
    #[inline(always)]
    pub unsafe fn bytes(&mut self, data: *const u8, length: usize) {
        // SAFETY: the caller's promise; room as above.
        unsafe {
            self.at.copy_from_nonoverlapping(data, length);
            self.at = self.at.add(length);
        }
    }

    /// Counts, which are cut to what a u32 holds.
    #[inline(always)]
    pub fn count(&mut self, number: usize) {
        self.u32(u32::try_from(number).unwrap_or(u32::MAX));
    }

    /// A text that was put together here, up to `bound` code points of it.
    pub fn text(&mut self, text: &str, bound: usize) {
        let length = text.chars().count();
        let kept = length.min(bound);
        self.tag(if text.is_ascii() { tag::STR_1 } else { tag::STR_4 });
        self.count(length);
        self.count(kept);
        for point in text.chars().take(kept) {
            if text.is_ascii() {
                self.tag(point as u8);
            } else {
                self.u32(point.into());
            }
        }
    }

    /// Pads to a whole word and says how many words the record has.
    #[inline(always)]
    pub fn finish(mut self) -> usize {
        let length = self.at as usize - self.start as usize;
        let padding = length.wrapping_neg() & 7;
        // SAFETY: as above; a whole word of zeros is written quicker than those that are wanted.
        unsafe { self.at.cast::<u64>().write_unaligned(0) };
        self.at = self.start;
        (length + padding) / 8
    }
}
