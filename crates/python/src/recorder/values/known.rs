//! Well-known types, whose value is a short text.

use pyo3::ffi::{self as py, Py_ssize_t, PyObject, PyTypeObject};

use super::Values;
use super::objects::slot;
use crate::ffi;
use crate::recorder::types::{Class, TypeInfo};

pub(super) enum Known {
    Text(String),
    Name(*mut PyObject),
}

impl Values {
    /// Types whose value is a short text.
    pub(super) unsafe fn well_known(
        &mut self,
        object: *mut PyObject,
        info: *mut TypeInfo,
        depth: u32,
    ) -> Option<Known> {
        // SAFETY: as for this file; slots are read where the type keeps them.
        unsafe {
            match (*info).class {
                Class::Function => {
                    let mut module = std::ptr::null_mut();
                    let name = ffi::tamis_function_qualname(object, &mut module);
                    (!name.is_null() && py::PyUnicode_Check(name) != 0).then_some(Known::Name(name))
                }
                Class::Type => {
                    let name = ffi::tamis_type_qualname(object.cast::<PyTypeObject>());
                    let plain = || std::ffi::CStr::from_ptr((*object.cast::<PyTypeObject>()).tp_name);
                    Some(if name.is_null() {
                        Known::Text(plain().to_string_lossy().into_owned())
                    } else {
                        Known::Name(name)
                    })
                }
                Class::Moment(which) => {
                    let mut text = [0u8; 64];
                    let length = ffi::tamis_moment(object, which, text.as_mut_ptr().cast(), 64);
                    Some(Known::Text(String::from_utf8_lossy(&text[..length as usize]).into_owned()))
                }
                Class::Printed => {
                    let text = py::PyObject_Str(object);
                    if text.is_null() {
                        py::PyErr_Clear();
                        return None;
                    }
                    let copy = ffi::string(text);
                    py::Py_DECREF(text);
                    Some(Known::Text(copy))
                }
                Class::Uuid => {
                    let number =
                        slot(object, (*info).slots.iter().find(|&&(n, _)| ffi::is_text(n, "int"))?.1)?;
                    if py::Py_TYPE(number) != &raw mut py::PyLong_Type {
                        return None;
                    }
                    let (mut bytes, mut bits, mut negative) = ([0u8; 17], 0, 0);
                    ffi::tamis_long(number, bytes.as_mut_ptr(), 17, &mut bits, &mut negative);
                    let mut kept = [0u8; 16];
                    kept.copy_from_slice(&bytes[..16]);
                    let hex = format!("{:032x}", u128::from_le_bytes(kept));
                    let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
                    Some(Known::Text(parts.join("-")))
                }
                Class::Path(place) => {
                    let parts = slot(object, place)?;
                    if depth == 0 || py::PyList_CheckExact(parts) == 0 {
                        return None;
                    }
                    let mut text = String::new();
                    for index in 0..py::Py_SIZE(parts) {
                        let part = py::PyList_GET_ITEM(parts, index);
                        let part =
                            if py::PyUnicode_Check(part) != 0 { ffi::string(part) } else { return None };
                        // As the path itself does when it is asked for its text.
                        if part.starts_with('/') {
                            text.clear();
                        } else if !(text.is_empty() || text.ends_with('/')) {
                            text.push('/');
                        }
                        text.push_str(&part);
                    }
                    Some(Known::Text(text))
                }
                Class::Module => {
                    let name = find_entry(py::PyModule_GetDict(object), "__name__")?;
                    (py::PyUnicode_CheckExact(name) != 0).then_some(Known::Name(name))
                }
                Class::Enum => {
                    let (mut count, mut dict) = (0, std::ptr::null_mut());
                    let values = ffi::tamis_instance(object, &mut count, &mut dict);
                    let name = if values.is_null() {
                        find_entry(dict, "_name_")
                    } else {
                        let of = py::Py_TYPE(object);
                        let named =
                            |&index: &Py_ssize_t| ffi::is_text(ffi::tamis_shared_key(of, index), "_name_");
                        (0..count).find(named).map(|index| *values.offset(index))
                    }?;
                    (!name.is_null() && py::PyUnicode_CheckExact(name) != 0).then_some(Known::Name(name))
                }
                _ => None,
            }
        }
    }
}

/// An entry of a dictionary whose keys are not asked for their equality.
unsafe fn find_entry(dict: *mut PyObject, wanted: &str) -> Option<*mut PyObject> {
    let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
    // SAFETY: a live dictionary, or none.
    unsafe {
        while !dict.is_null() && py::PyDict_Next(dict, &mut position, &mut key, &mut value) != 0 {
            if py::PyUnicode_CheckExact(key) != 0 && ffi::is_text(key, wanted) {
                return Some(value);
            }
        }
    }
    None
}
