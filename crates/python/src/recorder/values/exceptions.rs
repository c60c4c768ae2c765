//! Exceptions as values: what they hold, if they have left nothing whose results are covered.

use pyo3::ffi::{self as py, PyObject};
use tamis_core::wire::{tag, value_kind};

use super::{Done, Values};
use crate::ffi;
use crate::recorder::out::{Act, Action, Out};
use crate::recorder::types::TypeInfo;

impl Values {
    /// What is done with an exception wherever it is met: what is said of results of the functions that it has left
    /// is said of it, too.
    unsafe fn left(&self, exception: *mut PyObject) -> Act {
        const FAR: usize = 1024;
        let Some(leaves) = &self.leaves else { return Act::ALLOW };
        // SAFETY: as for this file; a traceback keeps what it is chained to.
        let mut at = unsafe { ffi::tamis_exception_traceback(exception) };
        for _ in 0..FAR {
            if at.is_null() {
                return Act::ALLOW;
            }
            // SAFETY: as above.
            let code = unsafe { ffi::tamis_traceback_code(at, &mut std::ptr::null_mut()) };
            // SAFETY: a traceback's code.
            match unsafe { leaves.of(code) } {
                Some(act) if act.action != Action::Allow => return *act,
                Some(_) => {}
                None => break,
            }
            // SAFETY: as above.
            at = unsafe { ffi::tamis_traceback_next(at) };
        }
        // Nobody looked at the rest, or at what ran before the recording.
        Act { action: Action::Withhold, kind: value_kind::RETURN, ..Act::ALLOW }
    }

    /// An exception: its arguments, and what was set on it.
    pub(super) unsafe fn exception(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        info: *mut TypeInfo,
        depth: u32,
        attrs: u32,
    ) -> Done {
        // SAFETY: as for this file.
        unsafe {
            if depth == 0 || out.full() {
                Self::head(out, tag::OBJECT, (*info).id, object);
                return Ok(());
            }
            let act = self.left(object);
            if act.action != Action::Allow {
                return self.marker(out, object, &act);
            }
            let args = ffi::tamis_exception_args(object);
            let name = py::PyUnicode_InternFromString(c"args".as_ptr());
            if name.is_null() {
                py::PyErr_Clear();
            }
            let first = (!args.is_null() && !name.is_null()).then_some((name, args));
            let (mut count, mut dict) = (0, std::ptr::null_mut());
            let values = ffi::tamis_instance(object, &mut count, &mut dict);
            // One level more than other objects have: the arguments of an exception are what it says.
            let done = self.mixed(out, object, info, depth + 1, attrs, (values, count, dict), first);
            py::Py_XDECREF(name);
            done
        }
    }
}
