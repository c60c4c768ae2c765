//! The two ends of a ring. The writer owns `head`, the reader `tail`; what lies between them is the reader's.

use std::sync::atomic::Ordering;

use super::{RING_SIZE, Slice, state};
use crate::wire::{self, MAX_RECORD};

/// The recorded process's end of a ring. It must not outlive its [`super::Arena`], and only one thread may use it at a
/// time (the GIL sees to that).
pub struct Writer {
    ring: *mut u8,
    slice: *const Slice,
    head: u64,
    /// The head may not go beyond it: the tail when last looked at, and one ring.
    limit: u64,
    pub part: u32,
}

impl Writer {
    pub(super) fn new(ring: *mut u8, slice: &Slice, part: u32) -> Writer {
        Writer { ring, slice, head: 0, limit: RING_SIZE as u64, part }
    }

    /// A place for one record of up to [`MAX_RECORD`] bytes, or `None` while the ring is full.
    #[inline(always)]
    pub fn place(&mut self) -> Option<*mut u64> {
        let offset = self.head as usize % RING_SIZE;
        if self.head + MAX_RECORD as u64 <= self.limit && offset + MAX_RECORD <= RING_SIZE {
            // SAFETY: the offset lies inside the ring.
            return Some(unsafe { self.ring.add(offset) }.cast());
        }
        self.place_slowly()
    }

    #[cold]
    fn place_slowly(&mut self) -> Option<*mut u64> {
        // SAFETY: the arena outlives the writer.
        let slice = unsafe { &*self.slice };
        self.limit = slice.tail.load(Ordering::Acquire) + RING_SIZE as u64;
        let offset = self.head as usize % RING_SIZE;
        let left = RING_SIZE - offset;
        let skip = if left < MAX_RECORD { left } else { 0 };
        if self.head + (skip + MAX_RECORD) as u64 > self.limit {
            return None;
        }
        if skip > 0 {
            // SAFETY: inside the ring; `left` is a positive multiple of 8.
            unsafe { self.ring.add(offset).cast::<u64>().write(wire::header(wire::kind::PAD, 0, 1, 0)) };
            self.head += skip as u64;
            slice.head.store(self.head, Ordering::Release);
        }
        // SAFETY: inside the ring.
        Some(unsafe { self.ring.add(self.head as usize % RING_SIZE) }.cast())
    }

    /// At least a quarter of the ring is free.
    pub fn has_room(&self) -> bool {
        // SAFETY: the arena outlives the writer.
        let tail = unsafe { &*self.slice }.tail.load(Ordering::Acquire);
        self.head - tail <= RING_SIZE as u64 / 4 * 3
    }

    /// Publishes the record that was written at the last [`Writer::place`].
    #[inline(always)]
    pub fn publish(&mut self, words: usize) {
        self.head += words as u64 * 8;
        // SAFETY: the arena outlives the writer.
        unsafe { &*self.slice }.head.store(self.head, Ordering::Release);
    }

    /// The helper has read all that was published.
    pub fn drained(&self) -> bool {
        // SAFETY: the arena outlives the writer.
        unsafe { &*self.slice }.tail.load(Ordering::Acquire) == self.head
    }

    /// Says that nothing more will come.
    pub fn finish(self) {
        // SAFETY: the arena outlives the writer.
        unsafe { &*self.slice }.state.store(state::DONE, Ordering::Release);
    }
}

/// Who reads a ring.
pub trait Take {
    /// A record that is taken soon. Every record is announced once, in order.
    fn announce(&mut self, record: &[u64]);
    fn take(&mut self, record: &[u64]);
}

/// Records are announced so many before they are taken.
pub const AHEAD: usize = 16;
/// Words of the ring that are asked for before they are read: they come from another processor's cache.
const FETCH_AHEAD: usize = 128;

/// Asks for a place in memory, without waiting for it.
#[inline(always)]
pub fn fetch(place: *const u64) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint that reads nothing, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(place.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = place;
}

/// The helper's end of a ring.
pub struct Reader<'a> {
    ring: *const u8,
    slice: &'a Slice,
    tail: u64,
}

impl<'a> Reader<'a> {
    pub(super) fn new(ring: *const u8, slice: &'a Slice) -> Reader<'a> {
        Reader { ring, slice, tail: slice.tail.load(Ordering::Relaxed) }
    }

    /// Hands each published record (whole, header included) to `taker`, up to those that were there when it was
    /// called; gives the room back as it goes. Returns how many there were.
    ///
    /// A record that cannot be one (the program wrote over the shared memory) ends the reading with an error.
    pub fn drain(&mut self, taker: &mut impl Take) -> Result<usize, Corrupt> {
        let head = self.slice.head.load(Ordering::Acquire);
        if head.wrapping_sub(self.tail) > RING_SIZE as u64 {
            return Err(Corrupt);
        }
        let (mut announced, mut ahead) = (self.tail, 0);
        let (mut records, mut given_back) = (0, self.tail);
        loop {
            // What cannot be a record is met again when the records before it are taken.
            while ahead < AHEAD
                && let Ok(Some(record)) = self.record(&mut announced, head)
            {
                fetch(record.as_ptr_range().end.wrapping_add(FETCH_AHEAD));
                taker.announce(record);
                ahead += 1;
            }
            let mut tail = self.tail;
            let Some(record) = self.record(&mut tail, head)? else { break };
            taker.take(record);
            (self.tail, ahead, records) = (tail, ahead.saturating_sub(1), records + 1);
            if self.tail - given_back >= (RING_SIZE / 16) as u64 {
                given_back = self.tail;
                self.slice.tail.store(self.tail, Ordering::Release);
            }
        }
        self.tail = head;
        self.slice.tail.store(self.tail, Ordering::Release);
        Ok(records)
    }

    /// The record at a place, which goes on behind it; none at the head.
    #[inline(always)]
    fn record(&self, at: &mut u64, head: u64) -> Result<Option<&[u64]>, Corrupt> {
        while *at < head {
            let offset = *at as usize % RING_SIZE;
            let left = (RING_SIZE - offset).min((head - *at) as usize) / 8;
            // SAFETY: inside the ring, 8-byte aligned; bytes before `head` are published and not written again
            // before `tail` passes them.
            let words = unsafe { std::slice::from_raw_parts(self.ring.add(offset).cast::<u64>(), left) };
            let header = wire::Header::parse(words.first().copied().ok_or(Corrupt)?);
            if header.kind == wire::kind::PAD {
                *at += (RING_SIZE - offset) as u64;
                continue;
            }
            if header.words < 2 || header.words > left {
                return Err(Corrupt);
            }
            *at += header.words as u64 * 8;
            return Ok(Some(&words[..header.words]));
        }
        Ok(None)
    }

    /// Gives back what was published without reading it, so that the program never waits for a helper that
    /// has stopped to write.
    pub fn discard(&mut self) {
        self.tail = self.slice.head.load(Ordering::Acquire);
        self.slice.tail.store(self.tail, Ordering::Release);
    }
}

/// The ring holds something that is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::{Arena, Clock};
    use crate::wire::{Header, header, kind};

    fn put(writer: &mut Writer, id: u32, words: usize) -> bool {
        let Some(place) = writer.place() else { return false };
        // SAFETY: `place` has room for MAX_RECORD bytes.
        unsafe {
            place.write(header(kind::CALL, 0, words, id));
            for word in 1..words {
                place.add(word).write(u64::from(id));
            }
        }
        writer.publish(words);
        true
    }

    /// Records carry their number, in the header and everywhere after it.
    #[derive(Default)]
    struct Taker {
        announced: u32,
        taken: u32,
    }

    impl Take for Taker {
        fn announce(&mut self, record: &[u64]) {
            assert_eq!(Header::parse(record[0]).id, self.announced);
            self.announced += 1;
        }

        fn take(&mut self, record: &[u64]) {
            assert_eq!(Header::parse(record[0]).id, self.taken);
            assert!(self.taken < self.announced);
            assert_eq!(record.len(), 2 + self.taken as usize % 97);
            assert!(record[1..].iter().all(|&word| word == u64::from(self.taken)));
            self.taken += 1;
        }
    }

    /// What one end writes the other reads, in order and whole, over many turns of the ring, and each is announced before;
    /// a full ring says so.
    #[test]
    fn ring_keeps_order_over_many_turns() {
        let (arena, fd) = Arena::create(Clock::best()).unwrap();
        let index = arena.reserve(wire::NONE_ID).unwrap();
        let mut writer = arena.join(index, "python häuser.py");
        assert_eq!(arena.command(index), "python häuser.py");
        let other = Arena::open(fd).unwrap();
        let mut reader = other.reader(index);
        let (mut written, mut taker) = (0u32, Taker::default());
        while written < 400_000 {
            while put(&mut writer, written, 2 + written as usize % 97) {
                written += 1;
            }
            reader.drain(&mut taker).unwrap();
        }
        assert_eq!((taker.announced, taker.taken), (written, written));
        assert!(writer.drained());
    }

    /// A record that cannot be one is an error, never a read beyond the ring.
    #[test]
    fn nonsense_is_refused() {
        let (arena, _fd) = Arena::create(Clock::Nanoseconds).unwrap();
        let index = arena.reserve(0).unwrap();
        let mut writer = arena.join(index, "");
        let place = writer.place().unwrap();
        // SAFETY: room for a record.
        unsafe { place.write(header(kind::CALL, 0, 9, 1)) };
        writer.publish(2);
        assert_eq!(arena.reader(index).drain(&mut Taker::default()), Err(Corrupt));
    }
}
