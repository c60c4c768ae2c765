//! Tells a new exception from one that is still on its way: `RAISE` fires in every frame that it passes.

use pyo3::ffi::PyObject;

use crate::ffi;

/// Where an exception was seen last: the head of its traceback then, what that led to, and its frame. Three
/// addresses, because each alone is soon another's: programs that raise in a loop get the same memory again.
type Place = (usize, usize, usize);

/// The exceptions seen last.
#[derive(Default)]
pub struct Flights {
    seen: [(usize, Place); 8],
    next: usize,
}

/// How far back in a traceback the place is looked for where the exception was seen before.
const FAR: usize = 64;

unsafe fn place(traceback: *mut PyObject) -> Place {
    // SAFETY: a live traceback.
    unsafe {
        let next = ffi::tamis_traceback_next(traceback);
        (traceback as usize, next as usize, ffi::tamis_traceback_frame(traceback) as usize)
    }
}

impl Flights {
    /// Whether this is the first time that the exception is met, in its present flight.
    ///
    /// # Safety
    /// `exception` is a live exception and the GIL is held.
    pub unsafe fn is_new(&mut self, exception: *mut PyObject) -> bool {
        // SAFETY: as for this function; a traceback keeps what it is chained to.
        unsafe {
            let head = ffi::tamis_exception_traceback(exception);
            if head.is_null() {
                return true;
            }
            let address = exception as usize;
            let known = self.seen.iter_mut().find(|known| known.0 == address);
            let mut at = ffi::tamis_traceback_next(head);
            let mut new = true;
            if let Some((_, before)) = &known {
                for _ in 0..FAR {
                    if at.is_null() {
                        break;
                    }
                    if place(at) == *before {
                        new = false;
                        break;
                    }
                    at = ffi::tamis_traceback_next(at);
                }
            }
            match known {
                Some(known) => known.1 = place(head),
                None => {
                    self.seen[self.next] = (address, place(head));
                    self.next = (self.next + 1) % self.seen.len();
                }
            }
            new
        }
    }
}
