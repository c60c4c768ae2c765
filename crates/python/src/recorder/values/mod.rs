//! Reads values where the interpreter keeps them. Nothing of the program runs: no `__repr__`, no property, no
//! `__getattr__`, no hook of a metaclass; no dictionary is made of an instance's values, no string keeps a copy.

mod containers;
mod exceptions;
mod known;
mod objects;
mod typed;

use pyo3::Py;
use pyo3::ffi::{self as py, PyObject};
use rustc_hash::FxHashMap;
use tamis_core::policy::{Policy, ScopeVerdict};
use tamis_core::wire::{tag, unread, value_kind};

use super::decide::act_of;
use super::out::{Act, Action, Out, Restart};
use super::types::{Base, TypeInfo, Types};
use crate::ffi;
use crate::policy::Namer;
use containers::int;

/// How much of a value is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Levels of fields and items that are shown of an argument.
    pub depth: u32,
    /// The same for the receiver (`self`, `cls`).
    pub receiver: u32,
    /// Items of a container, fields of an object.
    pub items: usize,
    /// Code points of a string, bytes of a bytes object.
    pub string: usize,
    /// Bytes of all values of one event, after which nothing more is begun.
    pub bytes: usize,
}

/// Longest string that an item may hold: see [`Out`].
pub const MAX_STRING: usize = 1000;

/// The attribute and type patterns that apply in some scopes, and what they said so far.
struct AttrSet {
    scope: ScopeVerdict,
    any: bool,
    typed: bool,
    by_type: FxHashMap<u32, Act>,
    by_key: FxHashMap<usize, Act>,
    by_text: FxHashMap<String, Act>,
    by_shape: FxHashMap<u32, Box<[Act]>>,
    /// The shape that was asked for last, and its acts.
    latest: (u32, *const Act),
}

/// Texts of keys whose verdict is remembered, for each set of patterns.
const MAX_TEXTS: usize = 1 << 14;

/// What was decided for what leaves each code object: exceptions show in their tracebacks which they have left.
pub struct Leaves {
    /// Which numbers that code objects keep are of this recording, and where they are kept.
    pub epoch: u32,
    pub index: isize,
    pub acts: Vec<Act>,
}

impl Leaves {
    /// None: the code object was never met.
    ///
    /// # Safety
    /// A live code object.
    unsafe fn of(&self, code: *mut PyObject) -> Option<&Act> {
        let mut extra = std::ptr::null_mut();
        // SAFETY: as for this function.
        unsafe { ffi::PyUnstable_Code_GetExtra(code, self.index, &mut extra) };
        let stamp = extra as u64;
        if stamp >> 32 == u64::from(self.epoch) { self.acts.get(stamp as u32 as usize) } else { None }
    }
}

pub struct Values {
    pub types: Types,
    /// None: values are read outside of a recording.
    pub leaves: Option<Leaves>,
    pub limits: Limits,
    /// Objects and frames are read by slot.
    pub by_slot: bool,
    policy: Policy,
    /// Whether any pattern of the policy speaks of types.
    typed: bool,
    namer: Py<Namer>,
    sets: Vec<AttrSet>,
    set_numbers: FxHashMap<u32, u32>,
    /// The containers that are being read, outermost first.
    holders: Vec<*mut PyObject>,
}

type Done = Result<(), Restart>;

impl Values {
    pub fn new(policy: Policy, namer: Py<Namer>, limits: Limits, by_slot: bool) -> Values {
        Values {
            types: Types::new(),
            leaves: None,
            limits,
            by_slot,
            typed: policy.has_type_patterns(),
            namer,
            policy,
            sets: Vec::new(),
            set_numbers: FxHashMap::default(),
            holders: Vec::new(),
        }
    }

    /// The number of the attribute patterns that apply in a scope, for [`Values::value`].
    pub fn attr_set(&mut self, scope: &ScopeVerdict) -> u32 {
        *self.set_numbers.entry(scope.attr_set()).or_insert_with(|| {
            let any = scope.has_attr_patterns();
            self.sets.push(AttrSet {
                scope: scope.clone(),
                any,
                typed: scope.has_type_patterns(),
                by_type: FxHashMap::default(),
                by_key: FxHashMap::default(),
                by_text: FxHashMap::default(),
                by_shape: FxHashMap::default(),
                latest: (u32::MAX, std::ptr::null()),
            });
            self.sets.len() as u32 - 1
        })
    }

    /// Begins a record's values.
    pub fn begin(&mut self) {
        self.holders.clear();
    }

    /// Number of a value's type; a definition may be waiting afterwards.
    unsafe fn type_of(&mut self, object: *mut PyObject) -> Result<(*mut TypeInfo, u32), Restart> {
        // SAFETY: a live object's type.
        let info = unsafe { self.types.info(py::Py_TYPE(object)) };
        if !self.types.pending.is_empty() {
            return Err(Restart);
        }
        // SAFETY: infos live as long as the recorder.
        Ok((info, unsafe { (*info).id }))
    }

    /// Writes a value as the verdict for it says.
    ///
    /// # Safety
    /// `object` is alive and the GIL is held. This holds for all functions of this file.
    #[inline(always)]
    pub unsafe fn governed(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        act: &Act,
        depth: u32,
        attrs: u32,
    ) -> Done {
        if act.action == Action::Allow {
            // SAFETY: as for this function.
            unsafe { self.value(out, object, depth, attrs) }
        } else {
            // SAFETY: as for this function.
            unsafe { self.marker(out, object, act) }
        }
    }

    #[cold]
    unsafe fn marker(&mut self, out: &mut Out, object: *mut PyObject, act: &Act) -> Done {
        if act.action == Action::Drop {
            out.tag(tag::DROPPED);
        } else {
            // SAFETY: as for this function.
            let (_, id) = unsafe { self.type_of(object)? };
            if act.action == Action::Withhold {
                out.tag(tag::UNREAD);
                out.u32(id);
                out.tag(unread::UNDECIDED);
                return Ok(());
            }
            out.tag(tag::REDACTED);
            out.tag(act.kind);
            out.tag(u8::from(act.secret));
            out.u32(act.rule);
            out.u32(act.pattern);
            out.u32(id);
            return Ok(());
        }
        out.tag(act.kind);
        out.tag(u8::from(act.secret));
        out.u32(act.rule);
        out.u32(act.pattern);
        Ok(())
    }

    /// Writes a value that may be captured; `depth` levels of what it holds are shown.
    pub unsafe fn value(&mut self, out: &mut Out, object: *mut PyObject, depth: u32, attrs: u32) -> Done {
        if self.typed {
            // SAFETY: as for this function.
            let act = unsafe { self.type_act(object, attrs)? };
            if act.action != Action::Allow {
                // SAFETY: as for this function.
                return unsafe { self.marker(out, object, &act) };
            }
        }
        // SAFETY: a live object; the addresses compared are those of static types and singletons; what is called
        // for a type is for objects of that very type.
        unsafe {
            let of = py::Py_TYPE(object);
            if of == &raw mut py::PyUnicode_Type {
                self.string(out, object);
            } else if object == py::Py_None() {
                out.tag(tag::NONE);
            } else if of == &raw mut py::PyLong_Type {
                int(out, object);
            } else if of == &raw mut py::PyBool_Type {
                out.tag(if object == py::Py_True() { tag::TRUE } else { tag::FALSE });
            } else if of == &raw mut py::PyFloat_Type {
                out.tag(tag::FLOAT);
                out.raw(py::PyFloat_AS_DOUBLE(object).to_le_bytes());
            } else if of == &raw mut py::PyList_Type {
                return self.container(out, object, depth, attrs, Base::List);
            } else if of == &raw mut py::PyTuple_Type {
                return self.container(out, object, depth, attrs, Base::Tuple);
            } else if of == &raw mut py::PyDict_Type {
                return self.container(out, object, depth, attrs, Base::Dict);
            } else {
                return self.other(out, object, depth, attrs);
            }
            Ok(())
        }
    }
}

fn attr_act(policy: &Policy, scope: &ScopeVerdict, name: &str) -> Act {
    scope.attr(policy, name).map_or(Act::ALLOW, |verdict| act_of(&verdict, value_kind::ATTRIBUTE))
}
