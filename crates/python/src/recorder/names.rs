//! What code is called: by its module, and by the class that it was made for. Nothing of the program is asked for it.

use pyo3::ffi::{self as py, PyObject, PyThreadState};

use super::session::Recorder;
use crate::ffi;

impl Recorder {
    /// File, qualified name and module of a method that `dataclasses` made from text: those of its class, so that
    /// rules about the class and its file hold for it. None: it is no such method, or nobody knows whose it is.
    ///
    /// # Safety
    /// `object` is a live code object and `code` what it holds; the GIL is held.
    pub unsafe fn made_for_class(
        &self,
        thread: *mut PyThreadState,
        object: *mut PyObject,
        code: &ffi::Code,
        file: &str,
        qualname: &str,
    ) -> Option<(String, String, String)> {
        let method = qualname.strip_prefix("__create_fn__.<locals>.")?;
        if file != "<string>" || thread.is_null() || code.arguments < 1 || !self.values.by_slot {
            return None;
        }
        // SAFETY: as for this file; a method that begins has its receiver in the first slot.
        unsafe {
            let mut slots = std::ptr::null_mut();
            let frame = ffi::tamis_frame(thread, object, &mut slots);
            let cell = *py::PyBytes_AsString(code.kinds).cast::<u8>() & ffi::FAST_CELL != 0;
            if frame.is_null() || slots.is_null() || (*slots).is_null() || cell {
                return None;
            }
            let class = class_with(*slots, method, object)?;
            let module = entry((*class).tp_dict, "__module__");
            if module.is_null() || py::PyUnicode_CheckExact(module) == 0 {
                return None;
            }
            let module = ffi::string(module);
            let name = ffi::string((*class.cast::<py::PyHeapTypeObject>()).ht_qualname);
            Some((module_file(&module)?, format!("{name}.{method}"), module))
        }
    }

    /// The module that was loaded from a file, for code whose globals do not say: looked for once.
    ///
    /// # Safety
    /// The GIL is held.
    pub unsafe fn module_of_file(&mut self, file: &str) -> Option<String> {
        if let Some(known) = self.modules_of_files.get(file) {
            return known.clone();
        }
        let (mut position, mut name, mut module) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        let mut found = None;
        // SAFETY: the modules are a dictionary that does not change meanwhile; those that are modules have one.
        unsafe {
            let modules = py::PyImport_GetModuleDict();
            while found.is_none() && py::PyDict_Next(modules, &mut position, &mut name, &mut module) != 0 {
                if py::PyModule_CheckExact(module) == 0 || py::PyUnicode_CheckExact(name) == 0 {
                    continue;
                }
                let origin = entry(py::PyModule_GetDict(module), "__file__");
                if !origin.is_null() && py::PyUnicode_CheckExact(origin) != 0 && ffi::string(origin) == file {
                    found = Some(ffi::string(name));
                }
            }
        }
        self.modules_of_files.insert(file.to_owned(), found.clone());
        found
    }
}

/// The class of an object, or the nearest that it is derived from, that has a method of this name, if possible the
/// one of this code; nothing of the program is asked for it.
///
/// # Safety
/// A live object; the GIL is held.
unsafe fn class_with(
    object: *mut PyObject,
    method: &str,
    code: *mut PyObject,
) -> Option<*mut py::PyTypeObject> {
    let mut first = None;
    // SAFETY: classes in an order of resolution are types; those that are made by a program have a dictionary.
    unsafe {
        let order = (*py::Py_TYPE(object)).tp_mro;
        if order.is_null() || py::PyTuple_CheckExact(order) == 0 {
            return None;
        }
        for index in 0..py::PyTuple_Size(order) {
            let class = py::PyTuple_GetItem(order, index).cast::<py::PyTypeObject>();
            if py::PyType_HasFeature(class, py::Py_TPFLAGS_HEAPTYPE) == 0 || (*class).tp_dict.is_null() {
                continue;
            }
            let found = entry((*class).tp_dict, method);
            if found.is_null() || py::PyFunction_Check(found) == 0 {
                continue;
            }
            if py::PyFunction_GetCode(found) == code {
                return Some(class);
            }
            first = first.or(Some(class));
        }
    }
    first
}

/// `__spec__.name`, else `__name__`, of a module's globals; nothing of the program is asked for it.
///
/// # Safety
/// Globals of a frame, or null; the GIL is held.
pub unsafe fn runtime_module(globals: *mut PyObject) -> Option<String> {
    if globals.is_null() {
        return None;
    }
    // SAFETY: the globals of a frame are a dictionary.
    unsafe {
        let text = |value: *mut PyObject| {
            (!value.is_null() && py::PyUnicode_Check(value) != 0).then(|| ffi::string(value))
        };
        let spec = entry(globals, "__spec__");
        if !spec.is_null() && spec != py::Py_None() {
            let (mut count, mut dict) = (0, std::ptr::null_mut());
            let values = ffi::tamis_instance(spec, &mut count, &mut dict);
            let of = py::Py_TYPE(spec);
            let name = if values.is_null() {
                if dict.is_null() || py::PyDict_Check(dict) == 0 { None } else { text(entry(dict, "name")) }
            } else {
                (0..count)
                    .find(|&index| ffi::is_text(ffi::tamis_shared_key(of, index), "name"))
                    .and_then(|index| text(*values.offset(index)))
            };
            if name.is_some() {
                return name;
            }
        }
        text(entry(globals, "__name__"))
    }
}

/// The file of a loaded module, as the module says; nothing of the program is asked for it.
///
/// # Safety
/// The GIL is held.
pub unsafe fn module_file(module: &str) -> Option<String> {
    // SAFETY: the modules are a dictionary, and what is a module has one.
    unsafe {
        let module = entry(py::PyImport_GetModuleDict(), module);
        if module.is_null() || py::PyModule_Check(module) == 0 {
            return None;
        }
        let file = entry(py::PyModule_GetDict(module), "__file__");
        (!file.is_null() && py::PyUnicode_CheckExact(file) != 0).then(|| ffi::string(file))
    }
}

/// An entry of a dictionary under a text; no key is asked for its hash or equality.
unsafe fn entry(dict: *mut PyObject, wanted: &str) -> *mut PyObject {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: a live dictionary that does not change meanwhile. `__name__` and `__spec__` are among the first.
    unsafe {
        while py::PyDict_Next(dict, &mut position, &mut key, &mut value) != 0 {
            if py::PyUnicode_CheckExact(key) != 0 && ffi::is_text(key, wanted) {
                return value;
            }
        }
    }
    std::ptr::null_mut()
}
