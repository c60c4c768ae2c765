//! Starts a program with nothing below it on the stack (`csrc/program.c`). What the functions mean stands in
//! `_core.pyi`.

use std::ffi::{CString, c_char, c_int};

use pyo3::exceptions::PyValueError;
use pyo3::ffi::PyObject;
use pyo3::prelude::*;
use pyo3::types::{PyCode, PyDict, PyTuple};

unsafe extern "C" {
    fn tamis_run_file(descriptor: c_int, name: *const c_char, namespace: *mut PyObject) -> *mut PyObject;
    fn tamis_run_code(code: *mut PyObject, namespace: *mut PyObject) -> *mut PyObject;
    fn tamis_run_function(function: *mut PyObject, arguments: *mut PyObject) -> *mut PyObject;
    fn tamis_print_uncaught(error: *mut PyObject);
}

#[pyfunction]
pub fn run_file(descriptor: i32, name: Vec<u8>, namespace: &Bound<'_, PyDict>) -> PyResult<()> {
    let name = CString::new(name).map_err(|_| PyValueError::new_err("the name holds a NUL"))?;
    // SAFETY: the GIL is held, the name ends in NUL, and the result is an owned reference or an error is set.
    unsafe {
        let result = tamis_run_file(descriptor, name.as_ptr(), namespace.as_ptr());
        Bound::from_owned_ptr_or_err(namespace.py(), result).map(drop)
    }
}

#[pyfunction]
pub fn run_code(code: &Bound<'_, PyCode>, namespace: &Bound<'_, PyDict>) -> PyResult<()> {
    // SAFETY: the GIL is held, and the result is an owned reference or an error is set.
    unsafe {
        let result = tamis_run_code(code.as_ptr(), namespace.as_ptr());
        Bound::from_owned_ptr_or_err(namespace.py(), result).map(drop)
    }
}

#[pyfunction]
#[pyo3(signature = (function, *arguments))]
pub fn run_function(function: &Bound<'_, PyAny>, arguments: &Bound<'_, PyTuple>) -> PyResult<()> {
    // SAFETY: as above.
    unsafe {
        let result = tamis_run_function(function.as_ptr(), arguments.as_ptr());
        Bound::from_owned_ptr_or_err(function.py(), result).map(drop)
    }
}

#[pyfunction]
pub fn print_uncaught(error: &Bound<'_, PyAny>) {
    // SAFETY: the GIL is held and the object is an exception, of which a reference is given away.
    unsafe { tamis_print_uncaught(error.clone().into_ptr()) };
}
