//! Which asyncio task runs. Asked for only where a coroutine begins or goes on: whatever it calls is in the same
//! task, which the helper knows.

use pyo3::ffi::{self as py, PyObject};
use rustc_hash::FxHashMap;

use super::session::Kept;
use crate::ffi;

#[derive(Default)]
pub struct Tasks {
    /// `_asyncio._get_running_loop` and `_asyncio.current_task`, once the program has imported them.
    functions: Option<(Kept, Kept)>,
    /// Number of a task, and a weak reference that tells whether it still is the one at this address.
    numbers: FxHashMap<usize, (u64, Kept)>,
    count: u64,
    /// How many tasks are known before those that are gone are forgotten; 0 before the first.
    bound: usize,
}

/// The least bound. It doubles with the tasks that live, so that a sweep is paid for by as many new tasks.
const SWEEP: usize = 4096;

impl Tasks {
    /// The number of the task that runs in this thread, from 1; 0 for none.
    ///
    /// # Safety
    /// The GIL is held and no error is set.
    pub unsafe fn current(&mut self) -> u64 {
        // SAFETY: as for this function; the functions are written in C and ask nothing of the program.
        unsafe {
            if self.functions.is_none() {
                self.functions = find();
            }
            let Some((running_loop, current_task)) = &self.functions else { return 0 };
            let event_loop = py::PyObject_CallNoArgs(running_loop.0);
            if event_loop.is_null() || event_loop == py::Py_None() {
                py::PyErr_Clear();
                return 0;
            }
            let task = py::PyObject_CallOneArg(current_task.0, event_loop);
            py::Py_DECREF(event_loop);
            if task.is_null() {
                py::PyErr_Clear();
                return 0;
            }
            // The task is running: something else keeps it.
            py::Py_DECREF(task);
            if task == py::Py_None() { 0 } else { self.number(task) }
        }
    }

    unsafe fn number(&mut self, task: *mut PyObject) -> u64 {
        // SAFETY: as for `current`.
        unsafe {
            if let Some((number, reference)) = self.numbers.get(&(task as usize))
                && ffi::weakref_target(reference.0) == task
            {
                return *number;
            }
            if self.numbers.len() >= self.bound.max(SWEEP) {
                self.numbers.retain(|&address, (_, reference)| {
                    ffi::weakref_target(reference.0) == address as *mut PyObject
                });
                self.bound = 2 * self.numbers.len();
            }
            let reference = py::PyWeakref_NewRef(task, std::ptr::null_mut());
            if reference.is_null() {
                py::PyErr_Clear();
                return 0;
            }
            self.count += 1;
            self.numbers.insert(task as usize, (self.count, Kept(reference)));
            self.count
        }
    }
}

/// The functions, if the program has imported asyncio.
unsafe fn find() -> Option<(Kept, Kept)> {
    // SAFETY: the GIL is held; `sys.modules` holds a module of the interpreter's own under this name.
    unsafe {
        let modules = py::PyImport_GetModuleDict();
        let module = py::PyDict_GetItemString(modules, c"_asyncio".as_ptr());
        if module.is_null() || py::PyModule_CheckExact(module) == 0 {
            return None;
        }
        let dict = py::PyModule_GetDict(module);
        let running_loop = py::PyDict_GetItemString(dict, c"_get_running_loop".as_ptr());
        let current_task = py::PyDict_GetItemString(dict, c"current_task".as_ptr());
        if running_loop.is_null() || current_task.is_null() {
            return None;
        }
        py::Py_INCREF(running_loop);
        py::Py_INCREF(current_task);
        Some((Kept(running_loop), Kept(current_task)))
    }
}
