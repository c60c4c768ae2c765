//! The events of exceptions. `RAISE` fires in every frame that an exception passes: a new one is told from one that
//! is still on its way.

use std::ffi::c_int;
use std::sync::atomic::{AtomicU8, Ordering};

use pyo3::ffi::{self as py, PyObject};
use tamis_core::wire::kind as wire_kind;
use tamis_core::wire::{flag, header, value_kind};

use super::events::{Args, Scene, begin, none, scene};
use super::out::{Act, Action, Out};
use super::session::{Recorder, emit, recorder};
use crate::ffi;

/// Where an exception was seen last: the head of its traceback then, what that led to, and its frame. Three
/// addresses, because each alone is soon another's: programs that raise in a loop get the same memory again.
type Place = (usize, usize, usize);

/// The exceptions seen last.
#[derive(Default)]
pub struct Flights {
    seen: [(usize, Place); 8],
    next: usize,
    /// An exception without a traceback that has just been thrown into a generator: it is raised there next,
    /// or, where the generator had not begun, in the function that threw it. 0 for none.
    thrown: usize,
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
    /// Whether this is the first time that the exception is met, in its present flight. `code` is what it is met
    /// in.
    ///
    /// # Safety
    /// `exception` is a live exception and the GIL is held.
    pub unsafe fn is_new(&mut self, code: *mut PyObject, exception: *mut PyObject) -> bool {
        // SAFETY: as for this function; a traceback keeps what it is chained to.
        unsafe {
            let head = ffi::tamis_exception_traceback(exception);
            let address = exception as usize;
            let thrown = std::mem::replace(&mut self.thrown, if head.is_null() { address } else { 0 });
            if head.is_null() {
                return true;
            }
            let known = self.seen.iter_mut().find(|known| known.0 == address);
            // A function that catches it from C, at the end of an iteration, adds nothing to the traceback.
            let caught = ffi::tamis_traceback_code(head, &mut std::ptr::null_mut()) != code;
            let mut at = if caught { head } else { ffi::tamis_traceback_next(head) };
            let mut new = thrown != address;
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

/// Records an event of an exception: (code, offset, exception).
///
/// # Safety
/// As for the callbacks of [`super::events`]. This holds for the rest of this file.
pub unsafe fn exception(kind: u8, args: Args) -> *mut PyObject {
    // SAFETY: as for this file; no error is set when the interpreter reports one.
    unsafe {
        let (code, exception) = (*args, *args.add(2));
        let Some(scene) = scene(code) else { return none() };
        if kind == wire_kind::RAISE && ends_iteration(exception) {
            return none();
        }
        let offset = py::PyLong_AsLong(*args.add(1)) as c_int;
        let throw = kind == wire_kind::THROW;
        let new = matches!(kind, wire_kind::RAISE | wire_kind::THROW)
            && recorder().as_mut().is_some_and(|this| this.exceptions.is_new(code, exception));
        let line = if throw { 0 } else { line_at(code, offset) };
        emit(|this, place| {
            let info = &*scene.info;
            begin(this, place, &scene);
            place.add(3).write(exception as u64);
            let mut words = 4;
            if !throw {
                place.add(4).write(line);
                words = 5;
            }
            let mut flags = 0;
            if new {
                flags = flag::NEW;
                if this.capture_values {
                    flags |= flag::VALUE;
                    let act = this.act_on_exception(&scene, exception);
                    let mut out = Out::new(place, words, this.values.limits.bytes);
                    let depth = this.values.limits.depth;
                    this.values.governed(&mut out, exception, &act, depth, info.attrs)?;
                    words = out.finish();
                }
            }
            place.write(header(kind, flags, words, info.id));
            Ok(words)
        });
        none()
    }
}

impl Recorder {
    /// What is done with an exception that is seen for the first time. What leaves a function whose `ret` is
    /// redacted is covered: the functions that it has left already (skipped ones too), and those that it may
    /// still leave, for nobody knows yet where it will be handled.
    unsafe fn act_on_exception(&mut self, scene: &Scene, exception: *mut PyObject) -> Act {
        const FAR: usize = 1024;
        // SAFETY: as for this file; a traceback keeps what it is chained to, and frames that run what they run.
        unsafe {
            let own = (*scene.info).leaves;
            if own.action != Action::Allow {
                return own;
            }
            let (mut codes, mut globals) = ([std::ptr::null_mut(); FAR], [std::ptr::null_mut(); FAR]);
            let running =
                ffi::tamis_stack(scene.thread, codes.as_mut_ptr(), globals.as_mut_ptr(), FAR as c_int);
            let running = running as usize;
            for (&code, &globals) in codes.iter().zip(&globals).take(running) {
                let act = (*self.info_of(code, globals)).leaves;
                if act.action != Action::Allow {
                    return act;
                }
            }
            let mut at = ffi::tamis_exception_traceback(exception);
            for _ in 0..FAR - 1 {
                if at.is_null() && running < FAR {
                    return own;
                }
                if at.is_null() {
                    break;
                }
                let mut globals = std::ptr::null_mut();
                let code = ffi::tamis_traceback_code(at, &mut globals);
                let act = (*self.info_of(code, globals)).leaves;
                if act.action != Action::Allow {
                    return act;
                }
                at = ffi::tamis_traceback_next(at);
            }
            // Nobody looked at the rest.
            Act { action: Action::Withhold, kind: value_kind::RETURN, ..Act::ALLOW }
        }
    }
}

/// The line of an instruction; the first ones of a handler have none, and then it is that of what follows.
unsafe fn line_at(code: *mut PyObject, offset: c_int) -> u64 {
    const INSTRUCTIONS: c_int = 8;
    // SAFETY: a live code object; an offset beyond its end has no line either.
    let lines =
        (0..INSTRUCTIONS).map(|ahead| unsafe { py::PyCode_Addr2Line(code.cast(), offset + 2 * ahead) });
    lines.into_iter().find(|&line| line > 0).unwrap_or(0) as u64
}

/// Whether the exception only says to a `for` or `await` that an iterator written in C has come to its end: the
/// interpreter reports it, takes it at once and gives it no traceback.
unsafe fn ends_iteration(exception: *mut PyObject) -> bool {
    // SAFETY: as for this file.
    unsafe {
        py::Py_TYPE(exception).cast::<PyObject>() == py::PyExc_StopIteration
            && ffi::tamis_exception_traceback(exception).is_null()
    }
}

/// Opcodes of the handlers that nobody wrote: the ends of `async for`, `await` and `yield from`.
pub static COMPILER_HANDLERS: [AtomicU8; 2] = [AtomicU8::new(0), AtomicU8::new(0)];

/// Whether the handler takes the exception that says that an iteration is over, at the end of an `async for`, an
/// `await` or a `yield from`. (A handler for `with` or `finally` raises again at its end, which tells it apart.)
pub unsafe fn made_by_compiler(code: *mut PyObject, offset: *mut PyObject, exception: *mut PyObject) -> bool {
    // SAFETY: the types of the interpreter live for good; the bytecode is a new object of ours.
    unsafe {
        let of = py::Py_TYPE(exception).cast::<PyObject>();
        if of != py::PyExc_StopIteration && of != py::PyExc_StopAsyncIteration {
            return false;
        }
        let bytecode = ffi::PyCode_GetCode(code);
        if bytecode.is_null() {
            py::PyErr_Clear();
            return false;
        }
        let (offset, length) = (py::PyLong_AsLong(offset) as isize, py::PyBytes_Size(bytecode));
        let opcode = if (0..length).contains(&offset) {
            *py::PyBytes_AsString(bytecode).cast::<u8>().offset(offset)
        } else {
            0
        };
        py::Py_DECREF(bytecode);
        COMPILER_HANDLERS.iter().any(|known| known.load(Ordering::Relaxed) == opcode)
    }
}
