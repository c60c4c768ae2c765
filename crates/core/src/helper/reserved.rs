//! Slices that are kept for children to come, and what becomes of those that nobody comes for.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::process::Watch;
use crate::arena::{Arena, state};

/// So long after a fork, or after the end of who was about to fork, a child has begun to live.
const ORPHAN: Duration = Duration::from_secs(2);

/// A slice that is kept for a child to come.
pub struct Reserved {
    pub slice: usize,
    by: Watch,
    child: Option<Watch>,
    since: Option<Instant>,
}

impl Reserved {
    pub fn new(arena: &Arena, slice: usize) -> Reserved {
        Reserved { slice, by: Watch::new(arena.reserved_by(slice)), child: None, since: None }
    }

    /// Nobody comes any more: the slice was given back.
    pub fn given_back(&mut self, arena: &Arena) -> bool {
        if let Some(pid) = arena.claimed_by(self.slice) {
            let child = self.child.get_or_insert_with(|| Watch::new(pid));
            // Before it ended it may have joined.
            let died = child.gone_or_replaced()
                && arena.slice(self.slice).state.load(Ordering::Acquire) == state::RESERVED;
            if died {
                arena.release(self.slice);
            }
            return died;
        }
        if !arena.forked(self.slice) && !self.by.gone() {
            return false;
        }
        self.since.get_or_insert_with(Instant::now).elapsed() >= ORPHAN && arena.withdraw(self.slice)
    }
}
