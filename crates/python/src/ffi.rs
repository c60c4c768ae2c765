//! What the C file offers (`csrc/frames.h` says what each does), and functions of the C API that pyo3 leaves out.

use std::ffi::{c_char, c_int, c_void};

use pyo3::ffi::{Py_ssize_t, PyMemberDef, PyObject, PyThreadState, PyTypeObject};

/// The parts of a code object that a recording asks for. All pointers are borrowed from it.
#[repr(C)]
pub struct Code {
    pub filename: *mut PyObject,
    pub qualname: *mut PyObject,
    pub name: *mut PyObject,
    pub names: *mut PyObject,
    pub kinds: *mut PyObject,
    pub flags: i32,
    pub first_line: i32,
    pub arguments: i32,
}

/// What a text is made of: `length` code points of `width` bytes.
#[repr(C)]
pub struct Text {
    pub data: *const u8,
    pub length: Py_ssize_t,
    pub width: i32,
    pub ascii: i32,
}

/// `struct tamis_scene` of the C file.
#[repr(C)]
pub struct Scene {
    pub thread: *mut PyThreadState,
    pub id: u64,
    pub extra: *mut c_void,
    pub frame: *mut c_void,
    pub locals: *mut *mut PyObject,
}

unsafe extern "C" {
    pub fn tamis_layout_known() -> c_int;
    pub fn tamis_thread(id: *mut u64) -> *mut PyThreadState;
    pub fn tamis_scene(code: *mut PyObject, index: Py_ssize_t, scene: *mut Scene);
    pub fn tamis_frame(
        thread: *mut PyThreadState,
        code: *mut PyObject,
        locals: *mut *mut *mut PyObject,
    ) -> *mut c_void;
    pub fn tamis_frame_globals(thread: *mut PyThreadState, code: *mut PyObject) -> *mut PyObject;
    pub fn tamis_instance(
        object: *mut PyObject,
        count: *mut Py_ssize_t,
        dict: *mut *mut PyObject,
    ) -> *mut *mut PyObject;
    pub fn tamis_shared_key(of: *mut PyTypeObject, index: Py_ssize_t) -> *mut PyObject;
    pub fn tamis_slots(of: *mut PyTypeObject, count: *mut Py_ssize_t) -> *mut PyMemberDef;
    pub fn tamis_public_frame(code: *mut PyObject) -> *mut c_void;
    pub fn tamis_public_local(name: *mut PyObject) -> *mut PyObject;
    pub fn tamis_set_next(set: *mut PyObject, position: *mut Py_ssize_t, key: *mut *mut PyObject) -> c_int;
    pub fn tamis_code(code: *mut PyObject, out: *mut Code);
    pub fn tamis_type_qualname(of: *mut PyTypeObject) -> *mut PyObject;
    pub fn tamis_type_dict(of: *mut PyTypeObject) -> *mut PyObject;
    pub fn tamis_function_qualname(object: *mut PyObject, module: *mut *mut PyObject) -> *mut PyObject;
    pub fn tamis_exception_args(exception: *mut PyObject) -> *mut PyObject;
    pub fn tamis_exception_traceback(exception: *mut PyObject) -> *mut PyObject;
    pub fn tamis_traceback_next(traceback: *mut PyObject) -> *mut PyObject;
    pub fn tamis_traceback_frame(traceback: *mut PyObject) -> *mut PyObject;
    pub fn tamis_traceback_code(traceback: *mut PyObject, globals: *mut *mut PyObject) -> *mut PyObject;
    pub fn tamis_stack(
        thread: *mut PyThreadState,
        codes: *mut *mut PyObject,
        globals: *mut *mut PyObject,
        room: c_int,
    ) -> c_int;
    pub fn tamis_is_interned(text: *mut PyObject) -> c_int;
    pub fn tamis_text(text: *mut PyObject, out: *mut Text);
    pub fn tamis_small(number: *mut PyObject, value: *mut i64) -> c_int;
    pub fn tamis_long(
        number: *mut PyObject,
        bytes: *mut u8,
        room: Py_ssize_t,
        bits: *mut u64,
        negative: *mut c_int,
    ) -> Py_ssize_t;
    pub fn tamis_moment(
        object: *mut PyObject,
        which: c_int,
        text: *mut c_char,
        room: Py_ssize_t,
    ) -> Py_ssize_t;

    pub static mut PyMethod_Type: PyTypeObject;
    pub fn PyCode_GetCode(code: *mut PyObject) -> *mut PyObject;
    pub fn PyUnstable_Eval_RequestCodeExtraIndex(free: *const c_void) -> Py_ssize_t;
    pub fn PyUnstable_Code_GetExtra(code: *mut PyObject, index: Py_ssize_t, extra: *mut *mut c_void)
    -> c_int;
    pub fn PyUnstable_Code_SetExtra(code: *mut PyObject, index: Py_ssize_t, extra: *mut c_void) -> c_int;
}

/// The slot of a variable holds a cell, and the value is inside (`CO_FAST_CELL`).
pub const FAST_CELL: u8 = 0x40;

/// A text as UTF-8; lone surrogates become `\udXXX` spelled out. Unlike `PyUnicode_AsUTF8` it leaves no copy in
/// the string.
///
/// # Safety
/// `object` is a `str` or of a subclass of it, and the GIL is held.
pub unsafe fn string(object: *mut PyObject) -> String {
    let mut text = Text { data: std::ptr::null(), length: 0, width: 1, ascii: 0 };
    // SAFETY: the caller says that it is a string.
    unsafe { tamis_text(object, &mut text) };
    let mut out = String::with_capacity(text.length as usize);
    for index in 0..text.length as usize {
        // SAFETY: `data` holds `length` code points of `width` bytes, aligned.
        let point = unsafe {
            match text.width {
                1 => u32::from(*text.data.add(index)),
                2 => u32::from(*text.data.cast::<u16>().add(index)),
                _ => *text.data.cast::<u32>().add(index),
            }
        };
        match char::from_u32(point) {
            Some(char) => out.push(char),
            None => out.push_str(&format!("\\u{point:04x}")),
        }
    }
    out
}

/// Whether a text is this ASCII one.
///
/// # Safety
/// As for [`string`].
pub unsafe fn is_text(object: *mut PyObject, wanted: &str) -> bool {
    let mut text = Text { data: std::ptr::null(), length: 0, width: 1, ascii: 0 };
    // SAFETY: the caller says that it is a string; an ASCII one holds `length` bytes.
    unsafe {
        tamis_text(object, &mut text);
        text.ascii != 0
            && text.length as usize == wanted.len()
            && std::slice::from_raw_parts(text.data, wanted.len()) == wanted.as_bytes()
    }
}

/// How a weak reference begins; `frames.c` checks it.
#[repr(C)]
struct WeakReference {
    base: PyObject,
    target: *mut PyObject,
}

/// What a weak reference refers to; None when that is gone.
///
/// # Safety
/// A live weak reference, and the GIL is held.
#[inline(always)]
pub unsafe fn weakref_target(reference: *mut PyObject) -> *mut PyObject {
    // SAFETY: as for this function; every weak reference begins like this.
    unsafe { (*reference.cast::<WeakReference>()).target }
}
