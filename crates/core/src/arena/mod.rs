//! The shared memory of one recording: a control page and slices, each with one ring.
//!
//! The arena is one sparse mapping that no disk knows (`memfd_create`; POSIX shared memory, unlinked at once,
//! where there is none). Every process of the recorded tree takes a *slice* of it: a header page and a ring.
//! Forked children inherit the mapping, so a program that has closed every descriptor records on; pages that
//! nobody touches cost nothing, and those of a finished slice are given back.
//!
//! A process has one ring, not one for each thread: whoever writes holds the GIL, so the order of the ring *is*
//! the order in which things happened, across threads, and a generator that wanders between threads needs no
//! merging by time. A `THREAD` record says when the writer changes.
//!
//! A slice is `FREE`, then `RESERVED` (before a fork, for the child to come), then `LIVE`, then `DONE`; the
//! helper makes it `FREE` again when it has drained it. A child claims its slice in the first moment of its life,
//! so that the helper knows whom to wait for; a slice that nobody claimed can be withdrawn.

mod clock;
mod memory;
mod reserve;
mod ring;

use std::io;
use std::mem::size_of;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};

pub use clock::{Clock, monotonic_ns};
pub use memory::anonymous_file;
pub use reserve::Ticket;
pub use ring::{AHEAD, Corrupt, Reader, Take, Writer, fetch};

use clock::wall_ns;

/// Bytes of one ring. Small, so that what waits in it is young and stays in the processor's cache.
pub const RING_SIZE: usize = 2 * 1024 * 1024;
const PAGE: usize = 4096;
const SLICE_SIZE: usize = PAGE + RING_SIZE;
/// As many processes can record at once; fewer where the address space is limited.
const SLICES: [usize; 3] = [256, 32, 4];
const MAGIC: u64 = 0x7369_6d61_7431_0001;

/// States of a slice.
pub mod state {
    pub const FREE: u32 = 0;
    pub const RESERVED: u32 = 1;
    pub const LIVE: u32 = 2;
    pub const DONE: u32 = 3;
}

/// States of the helper.
pub mod helper_state {
    pub const STARTING: u32 = 0;
    pub const READY: u32 = 1;
    /// Every ring is drained; the trace is being finished.
    pub const CLOSING: u32 = 2;
    pub const CLOSED: u32 = 3;
    /// It gave up: [`Control::error`] says why. What was written up to there stays readable.
    pub const FAILED: u32 = 4;
}

/// The first page of the arena.
#[repr(C)]
pub struct Control {
    magic: AtomicU64,
    pub slices: AtomicU32,
    pub clock: AtomicU32,
    /// Ticks, monotonic nanoseconds and wall clock (nanoseconds since 1970) of the start, taken together.
    pub start_ticks: AtomicU64,
    pub start_ns: AtomicU64,
    pub start_wall_ns: AtomicU64,
    /// Parts are numbered in the order in which processes take slices.
    pub next_part: AtomicU32,
    /// Processes that found no free slice and went on unrecorded.
    pub unrecorded: AtomicU32,
    pub helper_pid: AtomicI32,
    pub helper_state: AtomicU32,
    /// The helper counts it up on every round, at least ten times a second.
    pub heartbeat: AtomicU64,
    error_length: AtomicU32,
    error: [u8; 1024],
}

/// The first page of a slice.
#[repr(C)]
pub struct Slice {
    pub state: AtomicU32,
    pub pid: AtomicI32,
    pub part: AtomicU32,
    /// The part that forked or started this one; [`wire::NONE_ID`] for the first.
    pub parent: AtomicU32,
    /// Ticks when the process joined.
    pub joined: AtomicU64,
    /// Bytes ever written; the writer's.
    head: AtomicU64,
    /// Keeps the two counters on cache lines of their own.
    _apart: [u64; 8],
    /// Bytes ever read; the helper's.
    tail: AtomicU64,
    /// While it is reserved: how often it was given back before, and (low half) the child that claimed it, or 0.
    claim: AtomicU64,
    /// While it is reserved: the fork that it was reserved for is over.
    forked: AtomicU32,
    command_length: AtomicU32,
    command: [u8; 2048],
}

const _: () = assert!(size_of::<Control>() <= PAGE && size_of::<Slice>() <= PAGE);

/// A mapping of the arena. Processes that fork share it.
pub struct Arena {
    base: *mut u8,
    length: usize,
}

// SAFETY: all shared fields are atomics; ring bytes are handed over by `head` (release) and `tail` (release).
unsafe impl Send for Arena {}
// SAFETY: as above.
unsafe impl Sync for Arena {}

impl Arena {
    /// Makes an arena and maps it. The descriptor is the caller's to pass on and to close.
    pub fn create(clock: Clock) -> io::Result<(Arena, i32)> {
        let fd = anonymous_file()?;
        let mut failure = io::Error::from(io::ErrorKind::OutOfMemory);
        for slices in SLICES {
            match Arena::sized(fd, slices) {
                Ok(arena) => {
                    let control = arena.control();
                    control.slices.store(slices as u32, Ordering::Relaxed);
                    control.clock.store(clock as u32, Ordering::Relaxed);
                    control.start_ticks.store(clock.ticks(), Ordering::Relaxed);
                    control.start_ns.store(monotonic_ns(), Ordering::Relaxed);
                    control.start_wall_ns.store(wall_ns(), Ordering::Relaxed);
                    control.magic.store(MAGIC, Ordering::Release);
                    return Ok((arena, fd));
                }
                Err(error) => failure = error,
            }
        }
        // SAFETY: the descriptor is ours and nobody else has it yet.
        unsafe { libc::close(fd) };
        Err(failure)
    }

    fn sized(fd: i32, slices: usize) -> io::Result<Arena> {
        let length = PAGE + slices * SLICE_SIZE;
        // SAFETY: `fd` is an open descriptor of ours.
        if unsafe { libc::ftruncate(fd, length as libc::off_t) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Arena::map(fd, length)
    }

    /// Maps the arena that another process made. The descriptor may be closed afterwards.
    pub fn open(fd: i32) -> io::Result<Arena> {
        // SAFETY: an all-zero `stat` is a valid value to be overwritten.
        let mut stat: libc::stat = unsafe { std::mem::zeroed() };
        // SAFETY: `stat` is a valid place for the answer.
        if unsafe { libc::fstat(fd, &mut stat) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let length = stat.st_size as usize;
        if length < PAGE + SLICE_SIZE {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not the memory of a recording"));
        }
        let arena = Arena::map(fd, length)?;
        let told = arena.control().slices.load(Ordering::Relaxed) as usize;
        let fits = PAGE + told * SLICE_SIZE == length;
        if arena.control().magic.load(Ordering::Acquire) != MAGIC || !fits {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not the memory of a recording"));
        }
        Ok(arena)
    }

    fn map(fd: i32, length: usize) -> io::Result<Arena> {
        #[cfg(target_os = "linux")]
        let flags = libc::MAP_SHARED | libc::MAP_NORESERVE;
        #[cfg(not(target_os = "linux"))]
        let flags = libc::MAP_SHARED;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping at a place of the kernel's choice.
        let base = unsafe { libc::mmap(std::ptr::null_mut(), length, access, flags, fd, 0) };
        if base == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        #[cfg(target_os = "linux")]
        // SAFETY: the range was mapped just now. Core dumps must not hold what waits in the rings.
        unsafe {
            libc::madvise(base, length, libc::MADV_DONTDUMP)
        };
        Ok(Arena { base: base.cast(), length })
    }

    pub fn control(&self) -> &Control {
        // SAFETY: the first page of the mapping, which lives as long as `self`; all its shared fields are atomic.
        unsafe { &*self.base.cast() }
    }

    /// How many there are, from the mapping's own length: the recorded program could write over the control
    /// page, and must not lead anybody out of the mapping.
    pub fn slices(&self) -> usize {
        (self.length - PAGE) / SLICE_SIZE
    }

    pub fn slice(&self, index: usize) -> &Slice {
        assert!(index < self.slices());
        // SAFETY: inside the mapping, as asserted; page-aligned.
        unsafe { &*self.base.add(PAGE + index * SLICE_SIZE).cast() }
    }

    fn ring(&self, index: usize) -> *mut u8 {
        assert!(index < self.slices());
        // SAFETY: inside the mapping, as asserted.
        unsafe { self.base.add(PAGE + index * SLICE_SIZE + PAGE) }
    }

    pub fn clock(&self) -> Clock {
        match self.control().clock.load(Ordering::Relaxed) {
            1 => Clock::Tsc,
            _ => Clock::Nanoseconds,
        }
    }

    /// Begins to write to a reserved slice, as the calling process.
    pub fn join(&self, index: usize, command: &str) -> Writer {
        let slice = self.slice(index);
        let part = self.control().next_part.fetch_add(1, Ordering::Relaxed);
        slice.part.store(part, Ordering::Relaxed);
        slice.joined.store(self.clock().ticks(), Ordering::Relaxed);
        let mut kept = command.len().min(slice.command.len());
        while !command.is_char_boundary(kept) {
            kept -= 1;
        }
        // SAFETY: the slice is reserved for this process alone, and the helper reads the text only once it is
        // LIVE; `kept` fits.
        unsafe {
            let place = slice.command.as_ptr().cast_mut();
            place.copy_from_nonoverlapping(command.as_ptr(), kept);
        }
        slice.command_length.store(kept as u32, Ordering::Relaxed);
        // SAFETY: `getpid` cannot fail.
        slice.pid.store(unsafe { libc::getpid() }, Ordering::Relaxed);
        slice.head.store(0, Ordering::Relaxed);
        slice.tail.store(0, Ordering::Relaxed);
        slice.state.store(state::LIVE, Ordering::Release);
        Writer::new(self.ring(index), slice, part)
    }

    /// What a live slice's process runs.
    pub fn command(&self, index: usize) -> String {
        let slice = self.slice(index);
        let length = slice.command_length.load(Ordering::Relaxed) as usize;
        // SAFETY: the text is written before the slice becomes LIVE and not changed after.
        let bytes =
            unsafe { std::slice::from_raw_parts(slice.command.as_ptr(), length.min(slice.command.len())) };
        String::from_utf8_lossy(bytes).into_owned()
    }

    /// The helper's end of a slice's ring.
    pub fn reader(&self, index: usize) -> Reader<'_> {
        let slice = self.slice(index);
        Reader::new(self.ring(index), slice)
    }

    /// Gives a drained slice back, its pages too.
    pub fn release(&self, index: usize) {
        #[cfg(target_os = "linux")]
        // SAFETY: the ring's pages lie inside the mapping and hold nothing that is still needed.
        unsafe {
            libc::madvise(self.ring(index).cast(), RING_SIZE, libc::MADV_REMOVE)
        };
        let slice = self.slice(index);
        let rounds = slice.claim.load(Ordering::Relaxed) >> 32;
        slice.claim.store(rounds.wrapping_add(1) << 32, Ordering::Relaxed);
        slice.forked.store(0, Ordering::Relaxed);
        slice.state.store(state::FREE, Ordering::Release);
    }

    /// Says why the helper gave up (cut to what fits).
    pub fn set_error(&self, message: &str) {
        let control = self.control();
        let mut kept = message.len().min(control.error.len());
        while !message.is_char_boundary(kept) {
            kept -= 1;
        }
        // SAFETY: only the helper writes here, and readers look only after `helper_state` says FAILED.
        unsafe { control.error.as_ptr().cast_mut().copy_from_nonoverlapping(message.as_ptr(), kept) };
        control.error_length.store(kept as u32, Ordering::Release);
    }

    pub fn error(&self) -> String {
        let control = self.control();
        let length = control.error_length.load(Ordering::Acquire) as usize;
        String::from_utf8_lossy(&control.error[..length.min(control.error.len())]).into_owned()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours; writers and readers borrow from it or are told to outlive nothing.
        unsafe { libc::munmap(self.base.cast(), self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Slices are handed out once, given back, and run out with a count of those who got none.
    #[test]
    fn slices_run_out_and_come_back() {
        let (arena, _fd) = Arena::create(Clock::Nanoseconds).unwrap();
        for index in 0..arena.slices() {
            assert_eq!(arena.reserve(0), Some(index));
        }
        assert_eq!(arena.reserve(0), None);
        assert_eq!(arena.control().unrecorded.load(Ordering::Relaxed), 1);
        arena.join(3, "").finish();
        assert_eq!(arena.slice(3).state.load(Ordering::Relaxed), state::DONE);
        arena.release(3);
        assert_eq!(arena.reserve(0), Some(3));
    }
}
