//! Numbers for things that the program knows by address: objects and exceptions.

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use rustc_hash::FxHasher;

const RECENT: usize = 4096;
/// No key: addresses are not as high.
const NOTHING: u64 = u64::MAX;

/// Address → number, of bounded size: when the young generation is full, the old one is forgotten. A thing
/// that is forgotten and comes back gets a new number.
pub struct Numbers {
    /// What was asked for last, by a few bits of the key's hash: most objects are met again soon.
    recent: Box<[Recent]>,
    young: HashMap<u64, u32, BuildHasherDefault<FxHasher>>,
    old: HashMap<u64, u32, BuildHasherDefault<FxHasher>>,
    next: u32,
    /// How often `old` was forgotten.
    age: u32,
}

#[derive(Clone, Copy)]
struct Recent {
    key: u64,
    number: u32,
    /// The age at which it was among the young for certain.
    age: u32,
}

impl Numbers {
    pub fn new() -> Numbers {
        Numbers {
            recent: vec![Recent { key: NOTHING, number: 0, age: 0 }; RECENT].into(),
            young: HashMap::default(),
            old: HashMap::default(),
            next: 0,
            age: 0,
        }
    }

    /// The number of `key`; a new one when it has none, or when `fresh` asks for it.
    #[inline]
    pub fn number(&mut self, key: u64, fresh: bool, limit: usize) -> u32 {
        let place = (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as usize % RECENT;
        let recent = self.recent[place];
        if recent.key == key && !fresh {
            return recent.number;
        }
        // Nothing said that it was used while it stood here, and since then the young have become old.
        let unsure = recent.age != self.age && recent.key != NOTHING;
        if recent.key != key && unsure && !self.young.contains_key(&recent.key) {
            self.put(recent.key, recent.number, limit);
        }
        let number = self.look_up(key, fresh, limit);
        self.recent[place] = Recent { key, number, age: self.age };
        number
    }

    fn look_up(&mut self, key: u64, fresh: bool, limit: usize) -> u32 {
        if !fresh {
            if let Some(&number) = self.young.get(&key) {
                return number;
            }
            if let Some(&number) = self.old.get(&key) {
                self.put(key, number, limit);
                return number;
            }
        }
        let number = self.next;
        self.next += 1;
        self.put(key, number, limit);
        number
    }

    fn put(&mut self, key: u64, number: u32, limit: usize) {
        if self.young.len() >= limit {
            self.old = std::mem::take(&mut self.young);
            self.age = self.age.wrapping_add(1);
        }
        self.young.insert(key, number);
    }
}

/// The key of an object: its address, and its type, so that an object of another type at the address of one
/// that is gone has another number. Addresses are multiples of 8 below 2^47.
pub fn object_key(kind: u32, address: u64) -> u64 {
    (address >> 3) << 20 | u64::from(kind & 0xf_ffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number stays while its key is used; beyond the bound the longest unused are forgotten.
    #[test]
    fn bounded() {
        let mut numbers = Numbers::new();
        assert_eq!([5, 6, 5, 6].map(|key| numbers.number(key, false, 4)), [0, 1, 0, 1]);
        assert_eq!(numbers.number(5, true, 4), 2);
        // So many that none of those that were asked for last is among them.
        for key in 100..100 + 20 * RECENT as u64 {
            numbers.number(key, false, 4);
            assert_eq!(numbers.number(5, false, 4), 2);
            assert!(numbers.young.len() <= 4 && numbers.old.len() <= 4);
        }
        assert!(numbers.number(6, false, 4) > 2, "it was forgotten");
    }
}
