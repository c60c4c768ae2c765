//! The calls that run or are suspended, by the address of their frame.

use std::hash::BuildHasherDefault;

use hashbrown::HashMap;
use rustc_hash::FxHasher;

/// As many as a stack of some depth fills; frames on it are multiples of 8 that follow one another.
const NEAR: usize = 4096;
/// No call. Not told by the frame: a damaged record may bring any address.
const NOBODY: u32 = u32::MAX;

/// Frame → call. A frame begins and ends at every call, so most have a place of their own, found without hashing;
/// what finds its place taken lies in a map.
pub struct Frames {
    near: Box<[(u64, u32)]>,
    far: HashMap<u64, u32, BuildHasherDefault<FxHasher>>,
}

impl Frames {
    pub fn new() -> Frames {
        Frames { near: vec![(0, NOBODY); NEAR].into(), far: HashMap::default() }
    }

    #[inline(always)]
    fn place(frame: u64) -> usize {
        (frame / 8) as usize % NEAR
    }

    #[inline(always)]
    pub fn get(&self, frame: u64) -> Option<u32> {
        let (near, call) = self.near[Self::place(frame)];
        if near == frame && call != NOBODY { Some(call) } else { self.far.get(&frame).copied() }
    }

    /// The frame is this call's; returns the call whose it was.
    #[inline(always)]
    pub fn insert(&mut self, frame: u64, call: u32) -> Option<u32> {
        let place = &mut self.near[Self::place(frame)];
        let (near, there) = *place;
        if there != NOBODY && near != frame {
            return self.far.insert(frame, call);
        }
        *place = (frame, call);
        match there {
            NOBODY if self.far.is_empty() => None,
            // It went far while its place was taken.
            NOBODY => self.far.remove(&frame),
            older => Some(older),
        }
    }

    #[inline(always)]
    pub fn remove(&mut self, frame: u64) {
        let place = &mut self.near[Self::place(frame)];
        if place.0 == frame && place.1 != NOBODY {
            place.1 = NOBODY;
        } else {
            self.far.remove(&frame);
        }
    }

    /// All calls, in no order.
    pub fn calls(&self) -> impl Iterator<Item = u32> {
        let near = self.near.iter().map(|place| place.1).filter(|&call| call != NOBODY);
        near.chain(self.far.values().copied())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    /// Frames of which many have the same place behave as those of a map.
    #[test]
    fn like_a_map() {
        let (mut frames, mut map) = (Frames::new(), HashMap::new());
        let mut random = 7u64;
        for call in 0..200_000u32 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let frame = (random >> 33) % 24 * 8 + (random >> 60) % 4 * (NEAR as u64 * 8) + u64::MAX / 2;
            if random >> 40 & 1 == 0 {
                assert_eq!(frames.insert(frame, call), map.insert(frame, call));
            } else {
                frames.remove(frame);
                map.remove(&frame);
            }
            assert_eq!(frames.get(frame), map.get(&frame).copied());
        }
        let mut calls: Vec<u32> = frames.calls().collect();
        let mut expected: Vec<u32> = map.into_values().collect();
        calls.sort_unstable();
        expected.sort_unstable();
        assert_eq!(calls, expected);
    }
}
