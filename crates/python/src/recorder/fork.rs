//! A forked child records as a part of its own.

use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use super::session::{RECORDER, recorder};

/// This process is a forked child that has not begun a part of its own yet. Until then the recorder that it has
/// a copy of writes to its parent's ring, and nothing may be recorded: other hooks run before ours. Set by the
/// system's own fork hook, before any Python code.
pub static FORKED: AtomicBool = AtomicBool::new(false);

extern "C" fn mark_as_forked() {
    FORKED.store(true, Ordering::Relaxed);
}

/// Has the system tell of forks, and says that this process is none.
pub fn watch() {
    static HOOK: Once = Once::new();
    // SAFETY: the hook stores one atomic, and this module is never unloaded.
    HOOK.call_once(|| unsafe {
        libc::pthread_atfork(None, None, Some(mark_as_forked));
    });
    FORKED.store(false, Ordering::Relaxed);
}

/// Before a fork: keeps a slice for the child.
///
/// # Safety
/// The GIL is held. This holds for the next two functions too.
pub unsafe fn before_fork() {
    // SAFETY: as for this function.
    if let Some(this) = unsafe { recorder().as_mut() } {
        this.reserved.push(this.arena.reserve(this.writer.part));
    }
}

/// After a fork, in the parent: the slice is the child's now.
pub unsafe fn after_fork_in_parent() {
    // SAFETY: as for this function.
    if let Some(this) = unsafe { recorder().as_mut() } {
        this.reserved.pop();
    }
}

/// After a fork, in the child: a part of its own begins. False when there is no room for it, and the child is
/// not recorded.
pub unsafe fn after_fork_in_child(command: &str) -> bool {
    // SAFETY: as for this function; the parent's writer, of which this process has a copy, is not used again.
    unsafe {
        FORKED.store(false, Ordering::Relaxed);
        let Some(this) = recorder().as_mut() else { return true };
        let Some(index) = this.reserved.pop().flatten() else {
            // The slice that this process has a copy of is its parent's: it must not be marked as done.
            RECORDER = std::ptr::null_mut();
            return false;
        };
        this.reserved.clear();
        // The writer that this process has a copy of is its parent's: nothing is said of its end.
        this.writer = this.arena.join(index, command);
        this.values.types.pending.clear();
        this.values.types.generation += 1;
        this.threads.clear();
        this.thread = (0, 0);
        true
    }
}
