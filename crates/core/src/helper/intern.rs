//! The distinct values of a segment, by their bytes.
//!
//! Most of what finding a value costs is waiting for memory. So each value is announced some records before it is
//! asked for ([`Interner::announce`]): by then the places where it may stand are in the processor's cache.

use crate::arena::{AHEAD, fetch};

/// A segment ends when it holds so many distinct values.
pub const MAX_VALUES: usize = 448 * 1024;
/// Or so many words of them.
pub const MAX_WORDS: usize = 2 * 1024 * 1024;

/// Half-way between the announcement of a value and its use its words are fetched.
const MOST_AHEAD: usize = 2 * AHEAD;
/// Stands for the hash of a record without a value.
const NONE: u64 = 0;

/// What stands before a value among the words: its number and length, its owner, and how many events carried it. Beside
/// the value itself, so that finding one looks at one place in memory.
const HEAD: usize = 3;
const OWNER: usize = 1;
const USES: usize = 2;
/// Words that one line of the processor's cache holds.
const LINE: usize = 8;
const FIRST_SLOTS: usize = 16 * 1024;

/// Finds out whether a value was met before in its segment. Values are compared whole, never by hash alone.
pub struct Interner {
    /// A table with open addressing: the upper half of a value's hash, and where its words begin; 0 for none.
    slots: Vec<u64>,
    /// Where each value begins among the words.
    offsets: Vec<u32>,
    words: Vec<u64>,
    /// Hashes of the values that were announced, in turn; of how many records that was told, and how many of these were
    /// taken.
    announced: [u64; MOST_AHEAD],
    newest: usize,
    taken: usize,
    current: u64,
}

impl Interner {
    pub fn new() -> Interner {
        Interner {
            slots: vec![0; FIRST_SLOTS],
            offsets: Vec::new(),
            words: vec![0],
            announced: [NONE; MOST_AHEAD],
            newest: 0,
            taken: 0,
            current: NONE,
        }
    }

    /// Says what a record brings that will be taken soon: the owner of a value and the value, or none.
    #[inline]
    pub fn announce(&mut self, value: Option<(u64, &[u64])>) {
        let hash = value.map_or(NONE, |(owner, value)| hash(owner, value));
        fetch(self.slots.as_ptr().wrapping_add(self.place(hash)));
        self.announced[self.newest % MOST_AHEAD] = hash;
        self.newest += 1;
        let sooner = self.announced[self.newest.wrapping_sub(AHEAD / 2) % MOST_AHEAD];
        let likely = self.words.as_ptr().wrapping_add(self.slots[self.place(sooner)] as u32 as usize);
        fetch(likely);
        fetch(likely.wrapping_add(LINE));
    }

    /// The record that was announced longest ago is taken now.
    #[inline]
    pub fn next(&mut self) {
        self.current = if self.taken < self.newest { self.announced[self.taken % MOST_AHEAD] } else { NONE };
        self.taken = (self.taken + 1).min(self.newest);
    }

    /// What was announced will not be taken.
    pub fn forget(&mut self) {
        self.taken = self.newest;
    }

    /// The number of the value of the present record, and whether it is new. `owner` says whose definitions its bytes
    /// refer to.
    #[inline]
    pub fn number(&mut self, owner: u64, value: &[u64]) -> (u32, bool) {
        let hash = if self.current == NONE { hash(owner, value) } else { self.current };
        let mut place = self.place(hash);
        loop {
            let slot = self.slots[place];
            if slot == 0 {
                return (self.insert(hash, place, owner, value), true);
            }
            if slot >> 32 == hash >> 32 {
                let kept = &mut self.words[slot as u32 as usize..];
                let length = (kept[0] >> 32) as usize;
                if kept[OWNER] == owner && length == value.len() && same(&kept[HEAD..HEAD + length], value) {
                    kept[USES] += 1;
                    return (kept[0] as u32, false);
                }
            }
            place = (place + 1) & (self.slots.len() - 1);
        }
    }

    #[inline]
    fn place(&self, hash: u64) -> usize {
        (hash >> 32) as usize & (self.slots.len() - 1)
    }

    fn insert(&mut self, hash: u64, place: usize, owner: u64, value: &[u64]) -> u32 {
        let number = self.offsets.len() as u32;
        let offset = self.words.len() as u32;
        self.words.extend_from_slice(&[u64::from(number) | (value.len() as u64) << 32, owner, 1]);
        self.words.extend_from_slice(value);
        self.offsets.push(offset);
        self.slots[place] = hash >> 32 << 32 | u64::from(offset);
        if self.offsets.len() > self.slots.len() / 2 {
            self.grow();
        }
        number
    }

    #[cold]
    fn grow(&mut self) {
        let larger = vec![0; self.slots.len() * 2];
        for slot in std::mem::replace(&mut self.slots, larger).into_iter().filter(|&slot| slot != 0) {
            let mut place = self.place(slot);
            while self.slots[place] != 0 {
                place = (place + 1) & (self.slots.len() - 1);
            }
            self.slots[place] = slot;
        }
    }

    /// The bytes of a value, as they were first met.
    pub fn value(&self, number: u32) -> &[u64] {
        let kept = &self.words[self.offsets[number as usize] as usize..];
        &kept[HEAD..HEAD + (kept[0] >> 32) as usize]
    }

    /// How many events carried it.
    pub fn uses(&self, number: u32) -> u64 {
        self.words[self.offsets[number as usize] as usize + USES]
    }

    pub fn len(&self) -> usize {
        self.offsets.len()
    }

    pub fn is_full(&self) -> bool {
        self.offsets.len() >= MAX_VALUES || self.words.len() >= MAX_WORDS
    }

    /// Forgets the values; what was announced stays so.
    pub fn clear(&mut self) {
        self.slots.fill(0);
        self.offsets.clear();
        self.words.truncate(1);
    }
}

/// Its upper half is used: as a place and to tell values apart.
#[inline]
fn hash(owner: u64, value: &[u64]) -> u64 {
    const KEYS: [u64; 2] = [0xa076_1d64_78bd_642f, 0xe703_7ed1_a0b4_28db];
    let mut state = owner ^ value.len() as u64 ^ 0x9e37_79b9_7f4a_7c15;
    // Two words at a time: a product takes its time, whatever goes into it.
    let mut pairs = value.chunks_exact(2);
    for pair in &mut pairs {
        state = fold(state ^ pair[0] ^ KEYS[0], pair[1] ^ KEYS[1]);
    }
    let last = pairs.remainder().first().copied().unwrap_or(0);
    fold(state ^ last, 0xd6e8_feb8_6659_fd93)
}

/// For the few words of most values a loop is quicker than a call.
#[inline(always)]
fn same(left: &[u64], right: &[u64]) -> bool {
    left.iter().zip(right).fold(0, |all, (left, right)| all | (left ^ right)) == 0
}

#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(interner: &mut Interner, owner: u64, value: &[u64]) -> (u32, bool) {
        interner.announce(Some((owner, value)));
        interner.next();
        interner.number(owner, value)
    }

    /// Equal values have one number, different ones never do; the same bytes of another owner are another value.
    #[test]
    fn distinct() {
        let mut interner = Interner::new();
        for round in 0..2 {
            for index in 0..40_000u64 {
                let value = vec![index % 70; index as usize % 9 + index as usize / 4_200];
                let owner = index / 1_000;
                let (found, new) = number(&mut interner, owner, &value);
                assert_eq!(interner.value(found), value);
                assert!(round == 0 || !new);
            }
        }
        let before = interner.len();
        assert_eq!(number(&mut interner, 77, &[1]), (before as u32, true));
        assert_eq!(number(&mut interner, 78, &[1]), (before as u32 + 1, true));
        assert_eq!(number(&mut interner, 77, &[1]), (before as u32, false));
        assert_eq!(interner.uses(before as u32), 2);
    }

    /// Values that wait when a segment ends are found anew, in their order.
    #[test]
    fn announced_over_the_end_of_a_segment() {
        let mut interner = Interner::new();
        let values: Vec<[u64; 2]> = (0..200).map(|index| [index % 7, index % 3]).collect();
        for (index, value) in values.iter().enumerate() {
            interner.announce(Some((1, value)));
            if index % 50 == 20 {
                interner.clear();
            }
            if index >= AHEAD {
                interner.next();
                let (found, _) = interner.number(1, &values[index - AHEAD]);
                assert_eq!(interner.value(found), values[index - AHEAD]);
            }
        }
    }
}
