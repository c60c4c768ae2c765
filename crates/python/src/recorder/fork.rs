//! A forked child records as a part of its own.

use std::cell::Cell;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use tamis_core::arena::{Ticket, helper_state};

use super::session::{RECORDER, recorder};

/// This process is a forked child that has not begun a part of its own yet. Until then the recorder that it has
/// a copy of writes to its parent's ring, and nothing may be recorded: other hooks run before ours. Set by the
/// system's own fork hook, before any Python code.
pub static FORKED: AtomicBool = AtomicBool::new(false);

/// A slice that is kept for the child of a fork that is under way in this thread.
#[derive(Clone, Copy)]
struct Kept {
    /// Which recording the slice is of: another may have begun meanwhile.
    epoch: u32,
    ticket: Ticket,
}

thread_local! {
    static KEPT: Cell<Option<Kept>> = const { Cell::new(None) };
    /// In a child: the slice that it has claimed.
    static CLAIMED: Cell<Option<usize>> = const { Cell::new(None) };
}

/// In the child, called by the system: claims the slice. From here on the helper waits for this process, and for
/// no longer than it lives.
extern "C" fn in_child() {
    FORKED.store(true, Ordering::Relaxed);
    // SAFETY: a slice is kept by this thread only while Python forks in it, and Python forks with the GIL held; so
    // nobody else was using the recorder. Nothing is allocated and no lock is taken.
    let claimed = KEPT.take().and_then(|kept| unsafe {
        let this = RECORDER.as_ref().filter(|this| this.epoch == kept.epoch)?;
        this.arena.claim(kept.ticket).then_some(kept.ticket.index)
    });
    CLAIMED.set(claimed);
}

/// In the parent, called by the system, also when there is no child.
extern "C" fn in_parent() {
    // SAFETY: as above.
    unsafe { let_go(KEPT.take()) };
}

/// The slice is the child's, or nobody's.
///
/// # Safety
/// The GIL is held.
unsafe fn let_go(kept: Option<Kept>) {
    let Some(kept) = kept else { return };
    // SAFETY: as for this function.
    if let Some(this) = unsafe { RECORDER.as_ref() }
        && this.epoch == kept.epoch
    {
        this.arena.set_forked(kept.ticket.index);
    }
}

/// Has the system tell of forks, and says that this process is none.
pub fn watch() {
    static HOOK: Once = Once::new();
    // SAFETY: the hooks touch atomics and thread-locals without destructors only, and this module is never
    // unloaded.
    HOOK.call_once(|| unsafe {
        libc::pthread_atfork(None, Some(in_parent), Some(in_child));
    });
    FORKED.store(false, Ordering::Relaxed);
}

/// Before a fork: keeps a slice for the child.
///
/// # Safety
/// The GIL is held. This holds for the next function too.
pub unsafe fn before_fork() {
    // SAFETY: as for this function.
    unsafe {
        // Of a fork that was given up, or one that a hook of the program is in the middle of.
        let_go(KEPT.take());
        if let Some(this) = recorder().as_ref() {
            let slice = this.arena.reserve_if_free(this.writer.part);
            KEPT.set(slice.map(|slice| Kept { epoch: this.epoch, ticket: this.arena.ticket(slice) }));
        }
    }
}

/// After a fork, in the child: a part of its own begins. Otherwise, why this process is not recorded.
pub unsafe fn after_fork_in_child(command: &str) -> Option<&'static str> {
    // SAFETY: as for the function before; the parent's writer, of which this process has a copy, is not used again.
    unsafe {
        FORKED.store(false, Ordering::Relaxed);
        let this = recorder().as_mut()?;
        let index = match CLAIMED.take() {
            Some(index) => Some(index),
            // None was free then, or it was withdrawn because this process was not let run for long.
            None if this.arena.control().helper_state.load(Ordering::Acquire) < helper_state::CLOSING => {
                this.arena.reserve(this.writer.part)
            }
            None => {
                RECORDER = std::ptr::null_mut();
                return Some("the trace is closed");
            }
        };
        let Some(index) = index else {
            // The slice that this process has a copy of is its parent's: it must not be marked as done.
            RECORDER = std::ptr::null_mut();
            return Some("too many processes record into this trace");
        };
        // The writer that this process has a copy of is its parent's: nothing is said of its end.
        this.writer = this.arena.join(index, command);
        this.values.types.pending.clear();
        this.values.types.generation += 1;
        this.threads.clear();
        this.thread = (0, 0);
        None
    }
}
