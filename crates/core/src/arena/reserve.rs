//! Slices that are kept for processes to come.

use std::sync::atomic::Ordering;

use super::{Arena, state};

/// A child's right to a slice. It is void once the slice was withdrawn, whoever has it then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub index: usize,
    round: u32,
}

impl Arena {
    /// Takes a free slice for a process to come (a forked child, or this one). `None` when all are taken, which
    /// is counted: the process goes unrecorded.
    pub fn reserve(&self, parent: u32) -> Option<usize> {
        let found = self.reserve_if_free(parent);
        if found.is_none() {
            self.control().unrecorded.fetch_add(1, Ordering::Relaxed);
        }
        found
    }

    /// As [`Arena::reserve`], and nothing is counted.
    pub fn reserve_if_free(&self, parent: u32) -> Option<usize> {
        let found = (0..self.slices()).find(|&index| {
            let slice = self.slice(index);
            slice
                .state
                .compare_exchange(state::FREE, state::RESERVED, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
        })?;
        let slice = self.slice(found);
        slice.parent.store(parent, Ordering::Relaxed);
        slice.pid.store(0, Ordering::Relaxed);
        // SAFETY: `getpid` cannot fail.
        slice.joined.store(unsafe { libc::getpid() } as u64, Ordering::Relaxed);
        Some(found)
    }

    /// While a slice is reserved: the process that reserved it.
    pub fn reserved_by(&self, index: usize) -> i32 {
        self.slice(index).joined.load(Ordering::Relaxed) as i32
    }

    /// What a child claims the slice by that was reserved for it.
    pub fn ticket(&self, index: usize) -> Ticket {
        Ticket { index, round: (self.slice(index).claim.load(Ordering::Relaxed) >> 32) as u32 }
    }

    /// Says that the slice is this process's. False: it was withdrawn. Only this may be done in a child that the
    /// system has just forked, where nothing may be allocated or locked.
    pub fn claim(&self, ticket: Ticket) -> bool {
        let free = u64::from(ticket.round) << 32;
        // SAFETY: `getpid` cannot fail.
        let claimed = free | u64::from(unsafe { libc::getpid() } as u32);
        let claim = &self.slice(ticket.index).claim;
        claim.compare_exchange(free, claimed, Ordering::AcqRel, Ordering::Relaxed).is_ok()
    }

    /// While a slice is reserved: the child that claimed it.
    pub fn claimed_by(&self, index: usize) -> Option<i32> {
        Some(self.slice(index).claim.load(Ordering::Acquire) as u32 as i32).filter(|&pid| pid > 0)
    }

    /// Says that the fork is over which a slice was reserved for, whether there is a child now or not.
    pub fn set_forked(&self, index: usize) {
        self.slice(index).forked.store(1, Ordering::Release);
    }

    pub fn forked(&self, index: usize) -> bool {
        self.slice(index).forked.load(Ordering::Acquire) != 0
    }

    /// Gives a reserved slice back that nobody has claimed. False: a child has, after all.
    pub fn withdraw(&self, index: usize) -> bool {
        let slice = self.slice(index);
        let free = slice.claim.load(Ordering::Relaxed) >> 32 << 32;
        let next = free.wrapping_add(1 << 32);
        let withdrawn = slice.claim.compare_exchange(free, next, Ordering::AcqRel, Ordering::Relaxed).is_ok();
        if withdrawn {
            slice.forked.store(0, Ordering::Relaxed);
            slice.state.store(state::FREE, Ordering::Release);
        }
        withdrawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arena::Clock;

    /// A slice is the child's that claimed it, or it is withdrawn; a ticket from before is void then, also when
    /// the slice is reserved again.
    #[test]
    fn slices_are_claimed_or_withdrawn() {
        let (arena, _fd) = Arena::create(Clock::Nanoseconds).unwrap();
        let index = arena.reserve(0).unwrap();
        let late = arena.ticket(index);
        assert_eq!((arena.claimed_by(index), arena.forked(index)), (None, false));
        arena.set_forked(index);
        assert!(arena.forked(index));
        assert!(arena.withdraw(index));
        assert_eq!(arena.reserve(0), Some(index));
        assert!(!arena.forked(index));
        assert!(!arena.claim(late));
        let ticket = arena.ticket(index);
        assert!(arena.claim(ticket));
        assert_eq!(arena.claimed_by(index), Some(std::process::id() as i32));
        assert!(!arena.withdraw(index));
        arena.join(index, "").finish();
        arena.release(index);
        assert_eq!(arena.reserve(0), Some(index));
        assert!(!arena.claim(ticket));
        assert_eq!(arena.claimed_by(index), None);
    }
}
