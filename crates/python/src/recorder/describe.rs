//! Looks at a type for the first time: its name, what it extends, its slots, and how its objects are read.

use std::ffi::CStr;

use pyo3::ffi::{self as py, PyObject, PyTypeObject};

use super::types::{Base, Class, TypeInfo};
use crate::ffi;

/// An entry of a type's own dictionary, found without asking a key for its hash or equality.
///
/// # Safety
/// `of` is a live type and the GIL is held. The answer is borrowed.
unsafe fn own_attribute(of: *mut PyTypeObject, wanted: &str) -> *mut PyObject {
    // SAFETY: as for this function; the dictionary does not change while it is walked.
    unsafe {
        let dict = ffi::tamis_type_dict(of);
        if dict.is_null() {
            return std::ptr::null_mut();
        }
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        while py::PyDict_Next(dict, &mut position, &mut key, &mut value) != 0 {
            if py::PyUnicode_CheckExact(key) != 0 && ffi::is_text(key, wanted) {
                return value;
            }
        }
        std::ptr::null_mut()
    }
}

/// `module.qualname` of a type.
unsafe fn type_name(of: *mut PyTypeObject) -> String {
    // SAFETY: a live type; its parts are read where it keeps them.
    unsafe {
        let plain = CStr::from_ptr((*of).tp_name).to_string_lossy().into_owned();
        let qualname = ffi::tamis_type_qualname(of);
        if qualname.is_null() {
            return plain;
        }
        let qualname = ffi::string(qualname);
        let module = own_attribute(of, "__module__");
        if !module.is_null() && py::PyUnicode_CheckExact(module) != 0 {
            let module = ffi::string(module);
            return if module == "builtins" { qualname } else { format!("{module}.{qualname}") };
        }
        match plain.rsplit_once('.') {
            Some((module, _)) => format!("{module}.{qualname}"),
            None => qualname,
        }
    }
}

/// Everything that a type is called, and everything that the types are called that it is derived from, `object`
/// aside. `modules` says what else a module is called.
///
/// # Safety
/// `of` is a live type and the GIL is held.
pub unsafe fn names_of(
    of: *mut PyTypeObject,
    modules: impl Fn(&str) -> Vec<String>,
) -> (Vec<String>, Vec<String>) {
    let (mut names, mut bases) = (Vec::new(), Vec::new());
    // SAFETY: a live type's resolution order is a tuple of types; the names of a type are read where it keeps them.
    unsafe {
        add_names(of, &modules, &mut names);
        let order = (*of).tp_mro;
        for index in 1..if order.is_null() { 0 } else { py::PyTuple_Size(order) } {
            let base: *mut PyTypeObject = py::PyTuple_GetItem(order, index).cast();
            if base != &raw mut py::PyBaseObject_Type {
                add_names(base, &modules, &mut bases);
            }
        }
    }
    (names, bases)
}

unsafe fn add_names(of: *mut PyTypeObject, modules: impl Fn(&str) -> Vec<String>, names: &mut Vec<String>) {
    // SAFETY: a live type.
    let (whole, qualname) = unsafe {
        let qualname = ffi::tamis_type_qualname(of);
        let whole = type_name(of);
        let bare = if qualname.is_null() { None } else { Some(ffi::string(qualname)) };
        (whole.clone(), bare.unwrap_or(whole))
    };
    match whole.strip_suffix(qualname.as_str()).and_then(|module| module.strip_suffix('.')) {
        Some(module) => names.extend(modules(module).iter().map(|module| format!("{module}.{qualname}"))),
        None => names.push(format!("builtins.{whole}")),
    }
    names.push(qualname.rsplit('.').next().unwrap_or_default().to_owned());
    names.push(qualname);
    names.push(whole);
}

/// Finds out how objects of a type are read.
///
/// # Safety
/// `of` is a live type and the GIL is held. This holds for all functions of this file.
pub unsafe fn describe(of: *mut PyTypeObject, id: u32) -> TypeInfo {
    // SAFETY: a live type, and the GIL is held; a weak reference to a type runs no code of the program.
    unsafe {
        let name = type_name(of);
        let alive = py::PyWeakref_NewRef(of.cast(), std::ptr::null_mut());
        if alive.is_null() {
            py::PyErr_Clear();
        }
        let (mut slots, fields) = (slots_of(of), own_attribute(of, "_fields"));
        let base = base_of(of);
        let class = class_of(of, &name, base, &slots, fields);
        if class == Class::NamedTuple {
            let places = 0..py::PyTuple_Size(fields);
            let named = places.map(|index| {
                let name = py::PyTuple_GetItem(fields, index);
                py::Py_INCREF(name);
                (name, index)
            });
            for (slot, _) in std::mem::replace(&mut slots, named.collect()) {
                py::Py_DECREF(slot);
            }
        }
        let has_dict = (*of).tp_dictoffset != 0 || (*of).tp_flags & py::Py_TPFLAGS_MANAGED_DICT != 0;
        TypeInfo { id, class, base, slots, has_dict, shape: None, slot_shape: None, name, alive, defined: 0 }
    }
}

/// A class's slots and those of its bases that hold objects; the names of private ones are mangled.
unsafe fn slots_of(of: *mut PyTypeObject) -> Vec<(*mut PyObject, isize)> {
    const OBJECT: i32 = 6;
    const OBJECT_OR_UNSET: i32 = 16;
    let mut found = Vec::new();
    // SAFETY: a live type's resolution order is a tuple of types; member definitions live as long as their type.
    unsafe {
        let order = (*of).tp_mro;
        for index in 0..if order.is_null() { 0 } else { py::PyTuple_Size(order) } {
            let base: *mut PyTypeObject = py::PyTuple_GetItem(order, index).cast();
            let mut count = 0;
            let members = ffi::tamis_slots(base, &mut count);
            for index in 0..count {
                let member = &*members.offset(index);
                if member.name.is_null() {
                    break;
                }
                if member.type_code == OBJECT || member.type_code == OBJECT_OR_UNSET {
                    // Names of slots are interned, so this finds the string that is there; the info keeps it.
                    let name = py::PyUnicode_InternFromString(member.name);
                    if name.is_null() {
                        py::PyErr_Clear();
                        continue;
                    }
                    found.push((name, member.offset));
                }
            }
        }
    }
    found
}

unsafe fn base_of(of: *mut PyTypeObject) -> Base {
    // SAFETY: flags and the resolution order of a live type; builtin types are static.
    unsafe {
        let flags = (*of).tp_flags;
        let extends = |base: *mut PyTypeObject| of != base && py::PyType_IsSubtype(of, base) != 0;
        match () {
            () if flags & py::Py_TPFLAGS_LONG_SUBCLASS != 0 => Base::Int,
            () if flags & py::Py_TPFLAGS_UNICODE_SUBCLASS != 0 => Base::Str,
            () if flags & py::Py_TPFLAGS_BYTES_SUBCLASS != 0 => Base::Bytes,
            () if flags & py::Py_TPFLAGS_LIST_SUBCLASS != 0 => Base::List,
            () if flags & py::Py_TPFLAGS_TUPLE_SUBCLASS != 0 => Base::Tuple,
            () if flags & py::Py_TPFLAGS_DICT_SUBCLASS != 0 => Base::Dict,
            () if extends(&raw mut py::PyFloat_Type) => Base::Float,
            () if extends(&raw mut py::PySet_Type) => Base::Set,
            () if extends(&raw mut py::PyFrozenSet_Type) => Base::Frozenset,
            () => Base::None,
        }
    }
}

unsafe fn class_of(
    of: *mut PyTypeObject,
    name: &str,
    base: Base,
    slots: &[(*mut PyObject, isize)],
    fields: *mut PyObject,
) -> Class {
    // SAFETY: a live type; what is compared are addresses of static types, flags and names.
    unsafe {
        let exact = [
            (&raw mut py::PyComplex_Type, Class::Complex),
            (&raw mut py::PyBytes_Type, Class::Bytes),
            (&raw mut py::PyByteArray_Type, Class::Bytearray),
            (&raw mut py::PySet_Type, Class::Set),
            (&raw mut py::PyFrozenSet_Type, Class::Frozenset),
            (&raw mut py::PyEllipsis_Type, Class::Ellipsis),
            (py::Py_TYPE(py::Py_NotImplemented()), Class::NotImplemented),
            (&raw mut py::PyFunction_Type, Class::Function),
            (&raw mut ffi::PyMethod_Type, Class::Function),
            (&raw mut py::PyModule_Type, Class::Module),
        ];
        if let Some(&(_, class)) = exact.iter().find(|&&(known, _)| known == of) {
            return class;
        }
        let flags = (*of).tp_flags;
        if flags & py::Py_TPFLAGS_TYPE_SUBCLASS != 0 {
            return Class::Type;
        }
        if flags & py::Py_TPFLAGS_BASE_EXC_SUBCLASS != 0 {
            return Class::Exception;
        }
        let slot = |wanted: &str| {
            slots.iter().find(|&&(name, _)| ffi::is_text(name, wanted)).map(|&(_, place)| place)
        };
        if flags & py::Py_TPFLAGS_HEAPTYPE == 0 {
            let moments = ["datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta"];
            if let Some(which) = moments.iter().position(|&moment| moment == name) {
                return Class::Moment(which as i32);
            }
        }
        // Static on 3.12, made from a specification since: immutable in any case, unlike a class of this name.
        let fixed = flags & py::Py_TPFLAGS_HEAPTYPE == 0 || flags & py::Py_TPFLAGS_IMMUTABLETYPE != 0;
        if fixed && name == "decimal.Decimal" {
            return Class::Printed;
        }
        if name == "uuid.UUID" && slot("int").is_some() {
            return Class::Uuid;
        }
        if name.starts_with("pathlib.")
            && let Some(place) = slot("_raw_paths")
        {
            return Class::Path(place);
        }
        let meta = py::Py_TYPE(of.cast());
        if type_name(meta) == "enum.EnumType" {
            return Class::Enum;
        }
        let named = base == Base::Tuple
            && !fields.is_null()
            && py::PyTuple_CheckExact(fields) != 0
            && (0..py::PyTuple_Size(fields))
                .all(|index| py::PyUnicode_CheckExact(py::PyTuple_GetItem(fields, index)) != 0);
        if named { Class::NamedTuple } else { Class::Object }
    }
}
