//! Reads values where the interpreter keeps them. Nothing of the program runs: no `__repr__`, no property, no
//! `__getattr__`, no hook of a metaclass; no dictionary is made of an instance's values, no string keeps a copy.

use pyo3::ffi::{self as py, Py_ssize_t, PyObject, PyTypeObject};
use rustc_hash::FxHashMap;
use tamis_core::policy::{Policy, ScopeVerdict};
use tamis_core::wire::{tag, unread, value_kind};

use super::decide::act_of;
use super::out::{Act, Action, Out, Restart};
use super::types::{Base, Class, TypeInfo, Types};
use crate::ffi;

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

/// The attribute patterns that apply in some scopes, and what they said so far.
struct AttrSet {
    scope: ScopeVerdict,
    any: bool,
    by_key: FxHashMap<usize, Act>,
    by_text: FxHashMap<String, Act>,
    by_shape: FxHashMap<u32, Box<[Act]>>,
}

/// Texts of keys whose verdict is remembered, for each set of patterns.
const MAX_TEXTS: usize = 1 << 14;

pub struct Values {
    pub types: Types,
    pub limits: Limits,
    /// Objects and frames are read by slot.
    pub by_slot: bool,
    policy: Policy,
    sets: Vec<AttrSet>,
    set_numbers: FxHashMap<u32, u32>,
    /// The containers that are being read, outermost first.
    holders: Vec<*mut PyObject>,
}

type Done = Result<(), Restart>;

impl Values {
    pub fn new(policy: Policy, limits: Limits, by_slot: bool) -> Values {
        Values {
            types: Types::new(),
            limits,
            by_slot,
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
                by_key: FxHashMap::default(),
                by_text: FxHashMap::default(),
                by_shape: FxHashMap::default(),
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

    unsafe fn string(&self, out: &mut Out, object: *mut PyObject) {
        let mut text = ffi::Text { data: std::ptr::null(), length: 0, width: 1, ascii: 0 };
        // SAFETY: a string; `data` holds `length` code points of `width` bytes, and what is kept is bounded.
        unsafe {
            ffi::tamis_text(object, &mut text);
            let length = text.length as usize;
            let bound = if out.full() { 0 } else { self.limits.string };
            if text.ascii != 0 && length <= 255.min(bound) {
                out.raw([tag::STR_ASCII, length as u8]);
                return out.bytes(text.data, length);
            }
            let kept = length.min(bound);
            out.tag(match text.width {
                1 => tag::STR_1,
                2 => tag::STR_2,
                _ => tag::STR_4,
            });
            out.count(length);
            out.count(kept);
            out.bytes(text.data, kept * text.width as usize);
        }
    }

    unsafe fn byte_string(&self, out: &mut Out, object: *mut PyObject) {
        // SAFETY: a bytes or bytearray object.
        unsafe {
            let array = py::PyByteArray_Check(object) != 0;
            let (data, length) = if array {
                (py::PyByteArray_AsString(object), py::PyByteArray_Size(object))
            } else {
                (py::PyBytes_AsString(object), py::PyBytes_Size(object))
            };
            let kept = (length as usize).min(if out.full() { 0 } else { self.limits.string });
            out.tag(if array { tag::BYTEARRAY } else { tag::BYTES });
            out.count(length as usize);
            out.count(kept);
            out.bytes(data.cast(), kept);
        }
    }

    /// A list, tuple, set, frozenset or dict, or what an object has of one that it extends.
    unsafe fn container(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        depth: u32,
        attrs: u32,
        base: Base,
    ) -> Done {
        if let Some(above) = self.holders.iter().rev().position(|&holder| holder == object) {
            out.raw([tag::CYCLE, (above + 1).min(255) as u8]);
            return Ok(());
        }
        // SAFETY: the object is of the type that `base` says, or of a subclass.
        let (length, tag) = unsafe {
            match base {
                Base::List => (py::Py_SIZE(object), tag::LIST),
                Base::Tuple => (py::Py_SIZE(object), tag::TUPLE),
                Base::Dict => ((*object.cast::<py::PyDictObject>()).ma_used, tag::DICT),
                Base::Set => (set_size(object), tag::SET),
                _ => (set_size(object), tag::FROZENSET),
            }
        };
        if depth == 0 || out.full() {
            // SAFETY: as for this function.
            let (_, id) = unsafe { self.type_of(object)? };
            out.tag(tag::CONTAINER);
            out.u32(id);
            out.u64(object as u64);
            out.count(length as usize);
            return Ok(());
        }
        let kept = (length as usize).min(self.limits.items);
        out.tag(tag);
        out.count(length as usize);
        out.count(kept);
        self.holders.push(object);
        // SAFETY: as above; nothing changes the container meanwhile, for the GIL is held and no code runs.
        let done = unsafe {
            match base {
                Base::Dict => self.entries(out, object, kept, depth, attrs),
                Base::Set | Base::Frozenset => self.members(out, object, kept, depth, attrs),
                _ => self.items(out, object, kept, depth, attrs, base == Base::List),
            }
        };
        self.holders.pop();
        done
    }

    unsafe fn items(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        kept: usize,
        depth: u32,
        attrs: u32,
        list: bool,
    ) -> Done {
        for index in 0..kept as Py_ssize_t {
            if out.full() {
                out.tag(tag::STOP);
                break;
            }
            // SAFETY: within the length that the object has.
            unsafe {
                let item = if list {
                    py::PyList_GET_ITEM(object, index)
                } else {
                    py::PyTuple_GET_ITEM(object, index)
                };
                if item.is_null() {
                    out.tag(tag::MISSING);
                } else {
                    self.value(out, item, depth - 1, attrs)?;
                }
            }
        }
        Ok(())
    }

    unsafe fn members(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        kept: usize,
        depth: u32,
        attrs: u32,
    ) -> Done {
        let (mut position, mut item) = (0, std::ptr::null_mut());
        for _ in 0..kept {
            // SAFETY: a set that does not change.
            unsafe {
                if out.full() || ffi::tamis_set_next(object, &mut position, &mut item) == 0 {
                    out.tag(tag::STOP);
                    break;
                }
                self.value(out, item, depth - 1, attrs)?;
            }
        }
        Ok(())
    }

    unsafe fn entries(
        &mut self,
        out: &mut Out,
        dict: *mut PyObject,
        kept: usize,
        depth: u32,
        attrs: u32,
    ) -> Done {
        let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
        for _ in 0..kept {
            // SAFETY: a dictionary that does not change.
            unsafe {
                if out.full() || py::PyDict_Next(dict, &mut position, &mut key, &mut value) == 0 {
                    out.tag(tag::STOP);
                    break;
                }
                let act = self.key(out, key, attrs)?;
                self.governed(out, value, &act, depth - 1, attrs)?;
            }
        }
        Ok(())
    }

    /// Writes a key and says what the attribute patterns want of its value.
    unsafe fn key(&mut self, out: &mut Out, key: *mut PyObject, attrs: u32) -> Result<Act, Restart> {
        // SAFETY: a live key.
        unsafe {
            if py::PyUnicode_CheckExact(key) != 0
                && let Some(id) = self.types.key(key)
            {
                if !self.types.pending.is_empty() {
                    return Err(Restart);
                }
                out.tag(tag::KEY);
                out.u32(id);
            } else {
                self.value(out, key, 0, attrs)?;
            }
            Ok(self.key_act(key, attrs))
        }
    }

    unsafe fn key_act(&mut self, key: *mut PyObject, attrs: u32) -> Act {
        let set = &mut self.sets[attrs as usize];
        if !set.any {
            return Act::ALLOW;
        }
        if let Some(&act) = set.by_key.get(&(key as usize)) {
            return act;
        }
        // SAFETY: a live key; strings and bytes are read as what they are.
        let text = unsafe {
            if py::PyUnicode_Check(key) != 0 {
                ffi::string(key)
            } else if py::PyBytes_Check(key) != 0 {
                let bytes: *const u8 = py::PyBytes_AsString(key).cast();
                let bytes = std::slice::from_raw_parts(bytes, py::PyBytes_Size(key) as usize);
                String::from_utf8_lossy(bytes).into_owned()
            } else {
                return Act::ALLOW;
            }
        };
        let kept = self.types.is_kept(key);
        if !kept && let Some(&act) = set.by_text.get(&text) {
            return act;
        }
        let act = attr_act(&self.policy, &set.scope, &text);
        if kept {
            set.by_key.insert(key as usize, act);
        } else {
            if set.by_text.len() >= MAX_TEXTS {
                set.by_text.clear();
            }
            set.by_text.insert(text, act);
        }
        act
    }

    #[inline(always)]
    fn field_act(&mut self, shape: u32, index: usize, attrs: u32) -> Act {
        let set = &mut self.sets[attrs as usize];
        if !set.any {
            return Act::ALLOW;
        }
        if let Some(acts) = set.by_shape.get(&shape) {
            return acts[index];
        }
        let names = self.types.shape_names(shape);
        let acts: Box<[Act]> = names.iter().map(|name| attr_act(&self.policy, &set.scope, name)).collect();
        let act = acts[index];
        set.by_shape.insert(shape, acts);
        act
    }

    unsafe fn other(&mut self, out: &mut Out, object: *mut PyObject, depth: u32, attrs: u32) -> Done {
        // SAFETY: a live object; each reader is for the type that `describe` found.
        unsafe {
            let (info, id) = self.type_of(object)?;
            match (*info).class {
                Class::Object => return self.object(out, object, info, depth, attrs),
                Class::NamedTuple => return self.named_tuple(out, object, info, depth, attrs),
                Class::Exception => return self.exception(out, object, info, depth, attrs),
                Class::Set => return self.container(out, object, depth, attrs, Base::Set),
                Class::Frozenset => return self.container(out, object, depth, attrs, Base::Frozenset),
                Class::Bytes | Class::Bytearray => self.byte_string(out, object),
                Class::Complex => {
                    out.tag(tag::COMPLEX);
                    let number = (*object.cast::<py::PyComplexObject>()).cval;
                    out.raw(number.real.to_le_bytes());
                    out.raw(number.imag.to_le_bytes());
                }
                Class::Ellipsis => out.tag(tag::ELLIPSIS),
                Class::NotImplemented => out.tag(tag::NOT_IMPLEMENTED),
                _ => match self.well_known(object, info, depth) {
                    Some(Known::Text(text)) => {
                        out.tag(tag::TEXT);
                        out.u32(id);
                        out.text(&text, self.limits.string);
                    }
                    Some(Known::Name(name)) => {
                        out.tag(tag::TEXT);
                        out.u32(id);
                        self.string(out, name);
                    }
                    None => return self.object(out, object, info, depth, attrs),
                },
            }
            Ok(())
        }
    }

    /// Types whose value is a short text.
    unsafe fn well_known(&mut self, object: *mut PyObject, info: *mut TypeInfo, depth: u32) -> Option<Known> {
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
                    let parts = (0..py::Py_SIZE(parts)).map(|index| {
                        let part = py::PyList_GET_ITEM(parts, index);
                        if py::PyUnicode_Check(part) != 0 { ffi::string(part) } else { String::new() }
                    });
                    let parts: Vec<String> = parts.collect();
                    let text = parts.join("/");
                    text.is_ascii().then_some(Known::Text(text))
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

    fn head(out: &mut Out, tag: u8, id: u32, object: *mut PyObject) {
        out.tag(tag);
        out.u32(id);
        out.u64(object as u64);
    }

    unsafe fn named_tuple(
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
            let shape = self.types.slot_shape(info);
            if !self.types.pending.is_empty() {
                return Err(Restart);
            }
            Self::head(out, tag::FIELDS, (*info).id, object);
            out.u32(shape);
            for index in 0..(*info).slots.len() {
                let place = index as Py_ssize_t;
                if out.full() || index >= self.limits.items {
                    out.tag(tag::STOP);
                    break;
                }
                if place >= py::Py_SIZE(object) {
                    out.tag(tag::MISSING);
                    continue;
                }
                let act = self.field_act(shape, index, attrs);
                self.governed(out, py::PyTuple_GET_ITEM(object, place), &act, depth - 1, attrs)?;
            }
            Ok(())
        }
    }

    /// Any other object: the builtin that it extends, its slots and its instance values.
    unsafe fn object(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        info: *mut TypeInfo,
        depth: u32,
        attrs: u32,
    ) -> Done {
        // SAFETY: as for this file; infos live as long as the recorder.
        unsafe {
            let base = (*info).base;
            if base == Base::None {
                return self.fields(out, object, info, depth, attrs);
            }
            Self::head(out, tag::EXTENDS, (*info).id, object);
            match base {
                Base::Str => self.string(out, object),
                Base::Int => int(out, object),
                Base::Bytes => self.byte_string(out, object),
                Base::Float => {
                    out.tag(tag::FLOAT);
                    out.raw((*object.cast::<py::PyFloatObject>()).ob_fval.to_le_bytes());
                }
                _ => self.container(out, object, depth, attrs, base)?,
            }
            let bare = depth == 0 || ((*info).slots.is_empty() && !(*info).has_dict) || !self.by_slot;
            if bare {
                out.tag(tag::MISSING);
                return Ok(());
            }
            self.holders.push(object);
            let done = self.fields(out, object, info, depth, attrs);
            self.holders.pop();
            done
        }
    }

    unsafe fn fields(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        info: *mut TypeInfo,
        depth: u32,
        attrs: u32,
    ) -> Done {
        // SAFETY: as for this file.
        unsafe {
            let id = (*info).id;
            let has_fields = (*info).has_dict || !(*info).slots.is_empty();
            if depth == 0 || out.full() || !has_fields || !self.by_slot {
                Self::head(out, tag::OBJECT, id, object);
                return Ok(());
            }
            let (mut count, mut dict) = (0, std::ptr::null_mut());
            let values = ffi::tamis_instance(object, &mut count, &mut dict);
            let slotted = !(*info).slots.is_empty();
            if !values.is_null() && !slotted {
                let shape = self.types.inline_shape(info, py::Py_TYPE(object), count);
                return self.shaped(out, object, id, shape, depth, attrs, |index| *values.add(index));
            }
            if slotted && values.is_null() && dict.is_null() {
                let shape = self.types.slot_shape(info);
                let slots = &raw const (*info).slots;
                let read = |index: usize| slot(object, (&(*slots))[index].1).unwrap_or(std::ptr::null_mut());
                return self.shaped(out, object, id, shape, depth, attrs, read);
            }
            self.mixed(out, object, info, depth, attrs, (values, count, dict), None)
        }
    }

    /// Fields whose names are a shape.
    #[allow(clippy::too_many_arguments)] // what a field needs, and nothing of it outlives the call
    #[inline(always)]
    unsafe fn shaped(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        id: u32,
        shape: u32,
        depth: u32,
        attrs: u32,
        read: impl Fn(usize) -> *mut PyObject,
    ) -> Done {
        if !self.types.pending.is_empty() {
            return Err(Restart);
        }
        Self::head(out, tag::FIELDS, id, object);
        out.u32(shape);
        for index in 0..self.types.shapes[shape as usize].names.len() {
            if out.full() || index >= self.limits.items {
                out.tag(tag::STOP);
                break;
            }
            let value = read(index);
            if value.is_null() {
                out.tag(tag::MISSING);
                continue;
            }
            let act = self.field_act(shape, index, attrs);
            // SAFETY: a live value of a live object.
            unsafe { self.governed(out, value, &act, depth - 1, attrs)? };
        }
        Ok(())
    }

    /// Fields that come from several places: slots, inline values, a dictionary; an exception's arguments first.
    #[allow(clippy::too_many_arguments)] // as above
    unsafe fn mixed(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        info: *mut TypeInfo,
        depth: u32,
        attrs: u32,
        (values, count, dict): (*mut *mut PyObject, Py_ssize_t, *mut PyObject),
        first: Option<(*mut PyObject, *mut PyObject)>,
    ) -> Done {
        // SAFETY: as for this file; nothing changes the object meanwhile.
        unsafe {
            let of = py::Py_TYPE(object);
            let mut fields: Vec<(*mut PyObject, *mut PyObject)> = first.into_iter().collect();
            let slots = (*info).slots.iter().filter_map(|&(name, place)| Some((name, slot(object, place)?)));
            fields.extend(slots);
            if !values.is_null() {
                let named = (0..count).map(|index| (ffi::tamis_shared_key(of, index), *values.offset(index)));
                fields.extend(named.filter(|(_, value)| !value.is_null()));
            }
            let mut total = fields.len();
            if !dict.is_null() && py::PyDict_Check(dict) != 0 {
                total += (*dict.cast::<py::PyDictObject>()).ma_used as usize;
                let (mut position, mut key, mut value) = (0, std::ptr::null_mut(), std::ptr::null_mut());
                while fields.len() < self.limits.items
                    && py::PyDict_Next(dict, &mut position, &mut key, &mut value) != 0
                {
                    fields.push((key, value));
                }
            }
            fields.truncate(self.limits.items);
            Self::head(out, tag::FIELDS_DYNAMIC, (*info).id, object);
            out.count(total);
            out.count(fields.len());
            for (key, value) in fields {
                if out.full() {
                    out.tag(tag::STOP);
                    break;
                }
                let act = self.key(out, key, attrs)?;
                self.governed(out, value, &act, depth - 1, attrs)?;
            }
            Ok(())
        }
    }

    /// An exception: its arguments, and what was set on it.
    unsafe fn exception(
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

enum Known {
    Text(String),
    Name(*mut PyObject),
}

fn attr_act(policy: &Policy, scope: &ScopeVerdict, name: &str) -> Act {
    scope.attr(policy, name).map_or(Act::ALLOW, |verdict| act_of(&verdict, value_kind::ATTRIBUTE))
}

/// What a slot holds.
unsafe fn slot(object: *mut PyObject, place: isize) -> Option<*mut PyObject> {
    // SAFETY: the type says that an object, or nothing, is kept at this place.
    let value = unsafe { *object.cast::<u8>().offset(place).cast::<*mut PyObject>() };
    (!value.is_null()).then_some(value)
}

unsafe fn set_size(object: *mut PyObject) -> Py_ssize_t {
    // SAFETY: a set or frozenset: no code of a subclass is asked.
    unsafe { py::PySet_Size(object) }
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

unsafe fn int(out: &mut Out, object: *mut PyObject) {
    let mut overflow = 0;
    // SAFETY: an int, or of a subclass; its digits are read, `__index__` is not asked.
    unsafe {
        let number = py::PyLong_AsLongLongAndOverflow(object, &mut overflow);
        if overflow == 0 {
            match i8::try_from(number) {
                Ok(small) => out.raw([tag::INT8, small as u8]),
                Err(_) => {
                    out.tag(tag::INT64);
                    out.raw(number.to_le_bytes());
                }
            }
            return;
        }
        let (mut bytes, mut bits, mut negative) = ([0u8; 128], 0, 0);
        let kept = ffi::tamis_long(object, bytes.as_mut_ptr(), 128, &mut bits, &mut negative);
        out.raw([tag::BIGINT, negative as u8]);
        out.u32(u32::try_from(bits).unwrap_or(u32::MAX));
        out.u16(kept as u16);
        out.bytes(bytes.as_ptr(), kept as usize);
    }
}
