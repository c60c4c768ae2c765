//! What is known of the types, keys and shapes that the values of this process are made of. Each is described to
//! the helper once, by a definition, and referred to by number from then on.

use std::collections::VecDeque;

use pyo3::ffi::{self as py, Py_ssize_t, PyObject, PyTypeObject};
use rustc_hash::FxHashMap;
use tamis_core::wire::{self, kind};

use super::describe::describe;
use crate::ffi;

/// How objects of a type are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    Complex,
    Bytes,
    Bytearray,
    Set,
    Frozenset,
    Ellipsis,
    NotImplemented,
    /// A class.
    Type,
    /// A function or bound method.
    Function,
    /// A module; what is in it is the program's, not the value's.
    Module,
    /// `datetime`, `date`, `time`, `timedelta` of the C implementation.
    Moment(i32),
    /// A type of the standard library, written in C, whose text is its value (`Decimal`).
    Printed,
    Uuid,
    /// A path of `pathlib`: the place of its parts among the slots.
    Path(isize),
    /// A member of an enumeration.
    Enum,
    NamedTuple,
    Exception,
    /// Anything else: what it extends, and its fields.
    Object,
}

/// A builtin that a class extends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    None,
    Str,
    Int,
    Float,
    Bytes,
    List,
    Tuple,
    Dict,
    Set,
    Frozenset,
}

pub struct TypeInfo {
    pub id: u32,
    pub class: Class,
    pub base: Base,
    /// Slots of the class and its bases: name (kept alive) and place.
    pub slots: Vec<(*mut PyObject, isize)>,
    /// Whether instances can have a dictionary or inline values.
    pub has_dict: bool,
    /// The shape of the inline values, for the number of names that the type knew then.
    pub shape: Option<(Py_ssize_t, u32)>,
    /// The shape of the slots, or of the fields of a named tuple.
    pub slot_shape: Option<u32>,
    pub name: String,
    /// Says whether the type still lives: its address alone may be another's.
    pub alive: *mut PyObject,
    pub defined: u32,
}

/// The names of fields, in order; the objects are kept alive.
pub struct Shape {
    pub names: Vec<*mut PyObject>,
    texts: Vec<String>,
    defined: u32,
}

struct Key {
    id: u32,
    text: String,
    defined: u32,
}

const FRONT: usize = 256;
/// Interned keys that are remembered; beyond it keys are spelled out.
const MAX_KEYS: usize = 1 << 16;

pub struct Types {
    by_address: FxHashMap<usize, *mut TypeInfo>,
    /// The types met last, by a hash of their address.
    front: [(usize, *mut TypeInfo); FRONT],
    count: u32,
    pub shapes: Vec<Shape>,
    keys: FxHashMap<usize, Key>,
    /// Definitions that wait for their place in the ring: kind, id, body.
    pub pending: VecDeque<(u8, u32, Vec<u8>)>,
    /// Counts up when everything must be defined anew (in a forked child).
    pub generation: u32,
}

impl Types {
    pub fn new() -> Types {
        Types {
            by_address: FxHashMap::default(),
            front: [(0, std::ptr::null_mut()); FRONT],
            count: 0,
            shapes: Vec::new(),
            keys: FxHashMap::default(),
            pending: VecDeque::new(),
            generation: 1,
        }
    }

    /// What is known of a type; learns it at first sight. Afterwards `pending` may hold a definition.
    ///
    /// # Safety
    /// `of` is a live type and the GIL is held. The answer lives as long as `self`.
    #[inline(always)]
    pub unsafe fn info(&mut self, of: *mut PyTypeObject) -> *mut TypeInfo {
        let (address, info) = self.front[(of as usize >> 4) % FRONT];
        if address == of as usize {
            // SAFETY: infos live as long as `self`.
            let known = unsafe { &*info };
            // SAFETY: `alive` is a weak reference of ours.
            let lives = known.alive.is_null() || unsafe { ffi::weakref_target(known.alive) } == of.cast();
            if known.defined == self.generation && lives {
                return info;
            }
        }
        // SAFETY: as for this function.
        unsafe { self.info_slowly(of) }
    }

    #[cold]
    unsafe fn info_slowly(&mut self, of: *mut PyTypeObject) -> *mut TypeInfo {
        let known = self.by_address.get(&(of as usize)).copied().filter(|&info| {
            // SAFETY: infos live as long as `self`, and `alive` is a weak reference of ours.
            unsafe { (*info).alive.is_null() || ffi::weakref_target((*info).alive) == of.cast() }
        });
        let info = known.unwrap_or_else(|| {
            self.count += 1;
            // SAFETY: as for this function.
            let info = Box::into_raw(Box::new(unsafe { describe(of, self.count) }));
            self.by_address.insert(of as usize, info);
            info
        });
        self.front[(of as usize >> 4) % FRONT] = (of as usize, info);
        // SAFETY: infos live as long as `self`.
        let found = unsafe { &mut *info };
        if found.defined != self.generation {
            found.defined = self.generation;
            let mut body = Vec::new();
            wire::put_str(&mut body, &found.name);
            self.pending.push_back((kind::DEF_TYPE, found.id, body));
        }
        info
    }

    /// The shape of an instance's inline values.
    ///
    /// # Safety
    /// As for [`Types::info`]; `count` is what `tamis_instance` said of an instance.
    #[inline(always)]
    pub unsafe fn inline_shape(
        &mut self,
        info: *mut TypeInfo,
        of: *mut PyTypeObject,
        count: Py_ssize_t,
    ) -> u32 {
        // SAFETY: infos live as long as `self`.
        if let Some((known, shape)) = unsafe { (*info).shape }
            && known == count
            && self.shapes[shape as usize].defined == self.generation
        {
            return shape;
        }
        // SAFETY: the type knows so many names.
        let names = (0..count).map(|index| unsafe { ffi::tamis_shared_key(of, index) }).collect();
        // SAFETY: the names are strings, kept alive by the type until `shape_of` keeps them.
        let shape = unsafe { self.shape_of(names) };
        // SAFETY: as above.
        unsafe { (*info).shape = Some((count, shape)) };
        shape
    }

    /// The shape of the slots or named fields of a type.
    ///
    /// # Safety
    /// As for [`Types::info`].
    pub unsafe fn slot_shape(&mut self, info: *mut TypeInfo) -> u32 {
        // SAFETY: infos live as long as `self`.
        let info = unsafe { &mut *info };
        if let Some(shape) = info.slot_shape
            && self.shapes[shape as usize].defined == self.generation
        {
            return shape;
        }
        let names = info.slots.iter().map(|&(name, _)| name).collect();
        // SAFETY: names of slots are strings that the info keeps alive.
        let shape = unsafe { self.shape_of(names) };
        info.slot_shape = Some(shape);
        shape
    }

    /// # Safety
    /// `names` are live strings.
    unsafe fn shape_of(&mut self, names: Vec<*mut PyObject>) -> u32 {
        let id = self.shapes.len() as u32;
        // SAFETY: live strings; the reference keeps them.
        let texts = names.iter().map(|&name| unsafe {
            py::Py_INCREF(name);
            ffi::string(name)
        });
        let texts: Vec<String> = texts.collect();
        let mut body = Vec::new();
        wire::put_strs(&mut body, &texts);
        self.pending.push_back((kind::DEF_SHAPE, id, body));
        self.shapes.push(Shape { names, texts, defined: self.generation });
        id
    }

    pub fn shape_names(&self, shape: u32) -> &[String] {
        &self.shapes[shape as usize].texts
    }

    /// The number of an interned key; `None` when it is to be spelled out.
    ///
    /// # Safety
    /// `key` is a live string and the GIL is held.
    pub unsafe fn key(&mut self, key: *mut PyObject) -> Option<u32> {
        if let Some(known) = self.keys.get_mut(&(key as usize)) {
            if known.defined != self.generation {
                known.defined = self.generation;
                let mut body = Vec::new();
                wire::put_str(&mut body, &known.text);
                self.pending.push_back((kind::DEF_KEY, known.id, body));
            }
            return Some(known.id);
        }
        // SAFETY: a live string.
        let short = unsafe { py::PyUnicode_GetLength(key) } <= 100;
        // SAFETY: as above.
        if !short || self.keys.len() >= MAX_KEYS || unsafe { ffi::tamis_is_interned(key) } == 0 {
            return None;
        }
        let id = self.keys.len() as u32;
        // SAFETY: as above; the reference keeps it, so that its address stays its own.
        let text = unsafe {
            py::Py_INCREF(key);
            ffi::string(key)
        };
        let mut body = Vec::new();
        wire::put_str(&mut body, &text);
        self.pending.push_back((kind::DEF_KEY, id, body));
        self.keys.insert(key as usize, Key { id, text, defined: self.generation });
        Some(id)
    }

    /// Whether a key is one of those that are kept alive, so that its address says which text it is.
    pub fn is_kept(&self, key: *mut PyObject) -> bool {
        self.keys.contains_key(&(key as usize))
    }
}

impl Drop for Types {
    fn drop(&mut self) {
        // SAFETY: a recording ends with the GIL held; each object was kept by one reference of ours.
        unsafe {
            for &info in self.by_address.values() {
                let info = Box::from_raw(info);
                py::Py_XDECREF(info.alive);
                for &(name, _) in &info.slots {
                    py::Py_DECREF(name);
                }
            }
            for &name in self.shapes.iter().flat_map(|shape| &shape.names) {
                py::Py_DECREF(name);
            }
            for &key in self.keys.keys() {
                py::Py_DECREF(key as *mut PyObject);
            }
        }
    }
}
