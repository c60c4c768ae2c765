//! The callbacks of `sys.monitoring`, named after their events. Each begins with the verdict that was made once
//! for the code object; code that is skipped answers `DISABLE` where the event allows it.
//!
//! The events of exceptions (`RAISE`, `RERAISE`, `EXCEPTION_HANDLED`, `PY_UNWIND`, `PY_THROW`) can be neither local
//! nor disabled: answering `DISABLE` there raises into the program. They return at once for skipped code.

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;

use pyo3::ffi::{self as py, Py_ssize_t, PyObject, PyThreadState};
use tamis_core::wire::{flag, header, kind, tag};

use super::decide::CodeInfo;
use super::exceptions::{exception, made_by_compiler};
use super::fork::FORKED;
use super::out::{Out, Restart};
use super::session::{Recorder, emit, recorder};
use crate::ffi;

/// `sys.monitoring.DISABLE`, kept for good.
pub static mut DISABLE: *mut PyObject = std::ptr::null_mut();

/// What Python wants called before `multiprocessing` starts a process afresh; kept for good.
pub static mut ON_SPAWN: *mut PyObject = std::ptr::null_mut();

pub type Args = *mut *mut PyObject;

/// What an event happened in.
pub struct Scene {
    pub thread: *mut PyThreadState,
    pub info: *mut CodeInfo,
    frame: *mut c_void,
    /// The slots of the frame; null where they cannot be read.
    slots: *mut *mut PyObject,
}

/// The scene of an event in traced code.
///
/// # Safety
/// The GIL is held and `code` is the code object of the event. This holds for all functions of this file.
#[inline(always)]
pub unsafe fn scene(code: *mut PyObject) -> Option<Scene> {
    // SAFETY: as for this function.
    unsafe {
        if FORKED.load(Ordering::Relaxed) {
            return None;
        }
        let mut this = recorder().as_mut()?;
        let mut at = MaybeUninit::uninit();
        ffi::tamis_scene(code, this.extra_index, at.as_mut_ptr());
        let at = at.assume_init();
        let info = this.info(code, &at);
        if this.spawns {
            this.spawns = false;
            call_on_spawn();
            this = recorder().as_mut()?;
        }
        if !(*info).traced {
            // Its definition goes out all the same: the trace says what was skipped, and why.
            if !this.values.types.pending.is_empty() {
                emit(|_, _| Ok(0));
            }
            return None;
        }
        this.on_thread(at.thread, at.id);
        if this.values.by_slot && !at.frame.is_null() {
            return Some(Scene { thread: at.thread, info, frame: at.frame, slots: at.locals });
        }
        let frame = ffi::tamis_public_frame(code);
        Some(Scene { thread: at.thread, info, frame, slots: std::ptr::null_mut() })
    }
}

#[cold]
unsafe fn call_on_spawn() {
    // SAFETY: the GIL is held, and no error is set when an event is reported.
    unsafe {
        if !ON_SPAWN.is_null() {
            let done = py::PyObject_CallNoArgs(ON_SPAWN);
            if done.is_null() {
                py::PyErr_WriteUnraisable(ON_SPAWN);
            }
            py::Py_XDECREF(done);
        }
    }
}

pub unsafe fn none() -> *mut PyObject {
    // SAFETY: None is immortal from 3.12 on, but the rules of references cost nothing.
    unsafe {
        let none = py::Py_None();
        py::Py_INCREF(none);
        none
    }
}

/// The answer to an event that can be disabled, in code that is not recorded.
unsafe fn skipped() -> *mut PyObject {
    // SAFETY: set before the first callback can run; while there is no recorder, nothing is disabled for a later
    // one either, because that begins with `restart_events`.
    unsafe {
        if FORKED.load(Ordering::Relaxed) {
            return none();
        }
        let disable = DISABLE;
        py::Py_INCREF(disable);
        disable
    }
}

/// The words that every record of an event in a frame begins with.
#[inline(always)]
pub unsafe fn begin(this: &mut Recorder, place: *mut u64, scene: &Scene) {
    // SAFETY: the place has room; the header is written last, when the length is known.
    unsafe {
        place.add(1).write(this.clock.ticks());
        place.add(2).write(scene.frame as u64);
    }
    this.values.begin();
}

/// The task word of a coroutine that begins or goes on: where it was written, and the flag that says so.
#[inline(always)]
unsafe fn task(this: &mut Recorder, place: *mut u64, info: &CodeInfo) -> (usize, u8) {
    if !info.coroutine {
        return (3, 0);
    }
    // SAFETY: the place has room.
    unsafe { place.add(3).write(this.tasks.current()) };
    (4, flag::TASK)
}

unsafe extern "C" fn py_start(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: the interpreter calls with (code, offset).
    unsafe {
        let Some(scene) = scene(*args) else { return skipped() };
        emit(|this, place| {
            let info = &*scene.info;
            begin(this, place, &scene);
            let (used, mut flags) = task(this, place, info);
            let words = if this.capture_values && !info.arguments.is_empty() {
                flags |= flag::VALUE;
                arguments(this, place, used, &scene)?
            } else {
                used
            };
            place.write(header(kind::CALL, flags, words, info.id));
            Ok(words)
        });
        none()
    }
}

unsafe fn arguments(
    this: &mut Recorder,
    place: *mut u64,
    used: usize,
    scene: &Scene,
) -> Result<usize, Restart> {
    // SAFETY: as for this file; slots hold live objects or nothing.
    unsafe {
        let info = &*scene.info;
        let mut out = Out::new(place, used, this.values.limits.bytes);
        out.u16(info.arguments.len() as u16);
        for (index, argument) in info.arguments.iter().enumerate() {
            let limits = this.values.limits;
            let depth = if argument.receiver { limits.receiver } else { limits.depth };
            if scene.slots.is_null() {
                let value = ffi::tamis_public_local(argument.name);
                if value.is_null() {
                    out.tag(tag::MISSING);
                    continue;
                }
                let done = this.values.governed(&mut out, value, &argument.act, depth, info.attrs);
                // A frame's local is kept by the frame: this reference is not the last.
                py::Py_DECREF(value);
                done?;
                continue;
            }
            let mut value = *scene.slots.add(index);
            if argument.cell && !value.is_null() && py::PyCell_Check(value) != 0 {
                value = (*value.cast::<py::PyCellObject>()).ob_ref;
            }
            if value.is_null() {
                out.tag(tag::MISSING);
                continue;
            }
            this.values.governed(&mut out, value, &argument.act, depth, info.attrs)?;
        }
        Ok(out.finish())
    }
}

/// Return and yield: one value leaves.
#[inline(always)]
unsafe fn leaves(kind: u8, args: Args) -> *mut PyObject {
    // SAFETY: the interpreter calls with (code, offset, value).
    unsafe {
        let Some(scene) = scene(*args) else { return skipped() };
        let value = *args.add(2);
        emit(|this, place| {
            let info = &*scene.info;
            begin(this, place, &scene);
            let (words, flags) = if this.capture_values {
                let mut out = Out::new(place, 3, this.values.limits.bytes);
                let depth = this.values.limits.depth;
                this.values.governed(&mut out, value, &info.leaves, depth, info.attrs)?;
                (out.finish(), flag::VALUE)
            } else {
                (3, 0)
            };
            place.write(header(kind, flags, words, info.id));
            Ok(words)
        });
        none()
    }
}

unsafe extern "C" fn py_return(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { leaves(kind::RETURN, args) }
}

unsafe extern "C" fn py_yield(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { leaves(kind::YIELD, args) }
}

unsafe extern "C" fn py_resume(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: the interpreter calls with (code, offset).
    unsafe {
        let Some(scene) = scene(*args) else { return skipped() };
        emit(|this, place| {
            let info = &*scene.info;
            begin(this, place, &scene);
            let (words, flags) = task(this, place, info);
            place.write(header(kind::RESUME, flags, words, info.id));
            Ok(words)
        });
        none()
    }
}

unsafe extern "C" fn py_throw(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { exception(kind::THROW, args) }
}

unsafe extern "C" fn py_unwind(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { exception(kind::UNWIND, args) }
}

unsafe extern "C" fn raise(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { exception(kind::RAISE, args) }
}

unsafe extern "C" fn reraise(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe { exception(kind::RERAISE, args) }
}

unsafe extern "C" fn exception_handled(_: *mut PyObject, args: Args, _: Py_ssize_t) -> *mut PyObject {
    // SAFETY: as for this file.
    unsafe {
        if made_by_compiler(*args, *args.add(1), *args.add(2)) {
            return none();
        }
        exception(kind::HANDLED, args)
    }
}

/// The callbacks, by the names of their events.
pub const CALLBACKS: [(&std::ffi::CStr, py::PyCFunctionFast); 9] = [
    (c"PY_START", py_start),
    (c"PY_RETURN", py_return),
    (c"PY_YIELD", py_yield),
    (c"PY_RESUME", py_resume),
    (c"PY_THROW", py_throw),
    (c"PY_UNWIND", py_unwind),
    (c"RAISE", raise),
    (c"RERAISE", reraise),
    (c"EXCEPTION_HANDLED", exception_handled),
];
