//! The distinct values of a segment, by their bytes.

use hashbrown::HashTable;

/// A segment ends when it holds so many distinct values: the table is as full then as it may be.
pub const MAX_VALUES: usize = 448 * 1024;
/// Or so many words of them.
pub const MAX_WORDS: usize = 2 * 1024 * 1024;

struct Entry {
    offset: u32,
    uses: u32,
}

/// What stands before a value among the words: its number and length, and its owner. Beside the value itself, so that
/// finding one looks at one place in memory.
const HEAD: usize = 2;

/// Finds out whether a value was met before in its segment. Values are compared whole, never by hash alone.
pub struct Interner {
    /// The upper half of a value's hash, and where its words begin.
    table: HashTable<(u32, u32)>,
    entries: Vec<Entry>,
    words: Vec<u64>,
}

impl Interner {
    pub fn new() -> Interner {
        Interner { table: HashTable::new(), entries: Vec::new(), words: Vec::new() }
    }

    /// The number of a value, and whether it is new. `owner` says whose definitions its bytes refer to.
    #[inline]
    pub fn number(&mut self, owner: u64, value: &[u64]) -> (u32, bool) {
        let hash = hash(owner, value);
        let short = (hash >> 32) as u32;
        let words = &self.words;
        let found = self.table.find(hash, |&(other, offset)| {
            other == short && {
                let kept = &words[offset as usize..];
                let length = (kept[0] >> 32) as usize;
                kept[1] == owner && length == value.len() && &kept[HEAD..HEAD + length] == value
            }
        });
        if let Some(&(_, offset)) = found {
            let number = words[offset as usize] as u32;
            self.entries[number as usize].uses += 1;
            return (number, false);
        }
        let number = self.entries.len() as u32;
        let offset = self.words.len() as u32;
        self.words.extend_from_slice(&[u64::from(number) | (value.len() as u64) << 32, owner]);
        self.words.extend_from_slice(value);
        self.entries.push(Entry { offset, uses: 1 });
        // The table's own hash keeps the upper half of a value's hash: that is enough to place it anew.
        self.table.insert_unique(hash, (short, offset), |&(short, _)| spread(short));
        (number, true)
    }

    /// The bytes of a value, as they were first met.
    pub fn value(&self, number: u32) -> &[u64] {
        let kept = &self.words[self.entries[number as usize].offset as usize..];
        &kept[HEAD..HEAD + (kept[0] >> 32) as usize]
    }

    /// How many events carried it.
    pub fn uses(&self, number: u32) -> u64 {
        u64::from(self.entries[number as usize].uses)
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_full(&self) -> bool {
        self.entries.len() >= MAX_VALUES || self.words.len() >= MAX_WORDS
    }

    pub fn clear(&mut self) {
        self.table.clear();
        self.entries.clear();
        self.words.clear();
    }
}

/// The hash of the table is made of 32 bits, so that it can be made again from what the table keeps.
fn hash(owner: u64, value: &[u64]) -> u64 {
    let mut state = fold(owner ^ 0x9e37_79b9_7f4a_7c15, 0xd6e8_feb8_6659_fd93);
    for &word in value {
        state = fold(state ^ word, 0xa076_1d64_78bd_642f);
    }
    spread((state ^ value.len() as u64) as u32)
}

fn spread(short: u32) -> u64 {
    // The table takes its place from the low bits and seven bits of tag from the top.
    u64::from(short) << 32 | u64::from(short.wrapping_mul(0x9e37_79b1))
}

#[inline(always)]
fn fold(left: u64, right: u64) -> u64 {
    let product = u128::from(left) * u128::from(right);
    product as u64 ^ (product >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equal values have one number, different ones never do; the same bytes of another owner are another value.
    #[test]
    fn distinct() {
        let mut interner = Interner::new();
        for round in 0..2 {
            for number in 0..5_000u64 {
                let value = vec![number % 70; number as usize % 9 + number as usize / 630];
                let owner = number / 1_000;
                let (found, new) = interner.number(owner, &value);
                assert_eq!(interner.value(found), value);
                assert!(round == 0 || !new);
            }
        }
        let before = interner.len();
        assert_eq!(interner.number(77, &[1]), (before as u32, true));
        assert_eq!(interner.number(78, &[1]), (before as u32 + 1, true));
        assert_eq!(interner.number(77, &[1]), (before as u32, false));
        assert_eq!(interner.uses(before as u32), 2);
    }
}
