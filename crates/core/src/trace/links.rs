//! Which calls of a process a reader chose: those below some, those above others.
//!
//! Calls are numbered in the order in which they started, so that a parent has a smaller number than its child.
//! For each call only the way to its parent is kept, some bytes of it.

/// Stands for no parent, and for a depth outside of what was chosen.
const NONE: u32 = u32::MAX;
const OUTSIDE: u16 = u16::MAX;

/// The calls of a process, from the first up to some call.
#[derive(Default)]
pub struct Links {
    /// How far before a call its parent is.
    parents: Vec<u32>,
    /// For each call that is chosen, or too deep below one: its depth below the outermost that is.
    depths: Vec<u16>,
    chosen: Bits,
    /// Not to be shown, though calls below it are chosen because of it.
    hidden: Bits,
    threads: Vec<u16>,
    limit: Option<u16>,
}

/// What is told of a call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub call: u64,
    pub parent: Option<u64>,
    pub thread: u16,
    /// It is chosen itself, not only by what is above it.
    pub matches: bool,
    pub shown: bool,
}

impl Links {
    /// Chooses the calls that match and all below them; with a limit, so many levels.
    pub fn new(limit: Option<u16>) -> Links {
        Links { limit, ..Links::default() }
    }

    /// How many numbers of calls are known.
    pub fn len(&self) -> u64 {
        self.parents.len() as u64
    }

    pub fn is_empty(&self) -> bool {
        self.parents.is_empty()
    }

    /// Adds the calls from [`Links::len`] up to `end`, in any order; others are passed over.
    pub fn extend(&mut self, end: u64, calls: impl IntoIterator<Item = Call>) {
        let (first, end) = (self.parents.len(), (end as usize).max(self.parents.len()));
        self.parents.resize(end, NONE);
        self.threads.resize(end, 0);
        self.depths.resize(end, OUTSIDE);
        self.chosen.resize(end);
        self.hidden.resize(end);
        let mut matching = Bits::default();
        matching.resize(end - first);
        for call in calls {
            let Some(index) = usize::try_from(call.call).ok().filter(|index| (first..end).contains(index))
            else {
                continue;
            };
            let before = call.parent.and_then(|parent| call.call.checked_sub(parent)).filter(|&way| way > 0);
            self.parents[index] = before.and_then(|way| u32::try_from(way).ok()).unwrap_or(NONE);
            self.threads[index] = call.thread;
            if call.matches {
                matching.set(index - first);
            }
            if !call.shown {
                self.hidden.set(index);
            }
        }
        for index in first..end {
            let above = self.parent(index).map_or(OUTSIDE, |parent| self.depths[parent]);
            let depth = match above {
                OUTSIDE if matching.get(index - first) => 0,
                OUTSIDE => OUTSIDE,
                depth => (depth + 1).min(OUTSIDE - 1),
            };
            self.depths[index] = depth;
            if depth != OUTSIDE && self.limit.is_none_or(|limit| depth < limit) {
                self.chosen.set(index);
            }
        }
    }

    /// Of the chosen calls, leaves these and the chosen ones that they were made from.
    pub fn narrow(&mut self, calls: impl IntoIterator<Item = u64>) {
        let mut kept = Bits::default();
        kept.resize(self.parents.len());
        for call in calls {
            let mut next = usize::try_from(call).ok().filter(|&index| index < self.parents.len());
            while let Some(index) = next.filter(|&index| self.chosen.get(index) && !kept.get(index)) {
                kept.set(index);
                next = self.parent(index);
            }
        }
        self.chosen = kept;
    }

    /// The next chosen calls of a thread from `first` on, in order; at most `count`.
    pub fn chosen(&self, first: u64, thread: u16, count: usize) -> Vec<u64> {
        let first = usize::try_from(first).unwrap_or(usize::MAX);
        let mut found = Vec::new();
        for word in first / 64..self.chosen.words.len() {
            let mut bits = self.chosen.words[word] & !self.hidden.words[word];
            if word == first / 64 {
                bits &= u64::MAX << (first % 64);
            }
            while bits != 0 && found.len() < count {
                let index = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                if self.threads[index] == thread {
                    found.push(index as u64);
                }
            }
            if found.len() == count {
                break;
            }
        }
        found
    }

    fn parent(&self, index: usize) -> Option<usize> {
        match self.parents[index] {
            NONE => None,
            way => index.checked_sub(way as usize),
        }
    }
}

#[derive(Default)]
struct Bits {
    words: Vec<u64>,
}

impl Bits {
    fn resize(&mut self, bits: usize) {
        self.words.resize(bits.div_ceil(64), 0);
    }

    fn set(&mut self, bit: usize) {
        self.words[bit / 64] |= 1 << (bit % 64);
    }

    fn get(&self, bit: usize) -> bool {
        self.words[bit / 64] >> (bit % 64) & 1 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(call: u64, parent: Option<u64>, matches: bool) -> Call {
        Call { call, parent, thread: 0, matches, shown: true }
    }

    /// 0 ─ 1 ─ 2 ─ 3, 1 ─ 4, 5 ─ 6; in two pieces, of which the first is out of order.
    fn links(matching: &[u64], limit: Option<u16>) -> Links {
        let parents = [None, Some(0), Some(1), Some(2), Some(1), None, Some(5)];
        let mut links = Links::new(limit);
        let all = |range: std::ops::Range<u64>| {
            range.map(|n| call(n, parents[n as usize], matching.contains(&n))).collect::<Vec<_>>()
        };
        links.extend(3, all(0..3).into_iter().rev());
        links.extend(7, all(3..7));
        links
    }

    /// What matches is chosen, with all that is below it, to the depth that counts from the outermost match.
    #[test]
    fn below() {
        let cases: [(&[u64], Option<u16>, &[u64]); 6] = [
            (&[2], None, &[2, 3]),
            (&[1], None, &[1, 2, 3, 4]),
            (&[1, 3], Some(2), &[1, 2, 4]),
            (&[1, 3], Some(1), &[1]),
            (&[0, 1, 2, 3, 4, 5, 6], Some(2), &[0, 1, 5, 6]),
            (&[], None, &[]),
        ];
        for (matching, limit, expected) in cases {
            assert_eq!(links(matching, limit).chosen(0, 0, 100), expected, "{matching:?} {limit:?}");
        }
    }

    /// Narrowed, the calls are left and those above them that were chosen.
    #[test]
    fn above() {
        let every: Vec<u64> = (0..7).collect();
        let mut all = links(&every, None);
        all.narrow([3, 6, 99]);
        assert_eq!(all.chosen(0, 0, 100), [0, 1, 2, 3, 5, 6]);
        let mut some = links(&[1], None);
        some.narrow([3, 6]);
        assert_eq!(some.chosen(0, 0, 100), [1, 2, 3]);
    }

    /// They come in pieces, and of one thread.
    #[test]
    fn pieces() {
        let mut links = Links::new(None);
        let each = |n: u64| Call {
            call: n,
            parent: None,
            thread: (n % 2) as u16,
            matches: true,
            shown: !n.is_multiple_of(3),
        };
        links.extend(200, (0..200).map(each));
        let odd: Vec<u64> = (0..200).filter(|&n: &u64| n % 2 == 1 && !n.is_multiple_of(3)).collect();
        assert_eq!(links.chosen(0, 1, 1000), odd);
        assert_eq!(links.chosen(odd[5], 1, 3), odd[5..8]);
        assert_eq!(links.chosen(200, 1, 3), [0u64; 0]);
        assert_eq!((links.len(), links.is_empty()), (200, false));
    }
}
