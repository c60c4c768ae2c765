//! Objects: their type and identity, and the fields that they keep in slots, inline or in a dictionary.

use pyo3::ffi::{self as py, Py_ssize_t, PyObject};
use tamis_core::wire::{self, tag};

use super::containers::{int, length};
use super::known::Known;
use super::{Done, Values, attr_act};
use crate::ffi;
use crate::recorder::out::{Act, Out, Restart};
use crate::recorder::types::{Base, Class, TypeInfo};

impl Values {
    pub(super) unsafe fn other(
        &mut self,
        out: &mut Out,
        object: *mut PyObject,
        depth: u32,
        attrs: u32,
    ) -> Done {
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

    #[inline(always)]
    pub(super) fn head(out: &mut Out, tag: u8, id: u32, object: *mut PyObject) {
        out.tag(tag);
        match wire::object::word(id, object as u64) {
            Some(word) => out.u64(word),
            None => {
                out.u64(wire::object::LONG);
                out.u32(id);
                out.u64(object as u64);
            }
        }
    }

    pub(super) unsafe fn named_tuple(
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
            let acts = self.field_acts(shape, attrs);
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
                self.field(out, py::PyTuple_GET_ITEM(object, place), acts, index, depth - 1, attrs)?;
            }
            Ok(())
        }
    }

    /// Any other object: the builtin that it extends, its slots and its instance values.
    pub(super) unsafe fn object(
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
            if depth == 0
                && let Some(length) = length(object, base)
            {
                Self::head(out, tag::SIZED, (*info).id, object);
                out.count(length);
                return Ok(());
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
            if bare || out.full() {
                out.tag(if bare { tag::MISSING } else { tag::STOP });
                return Ok(());
            }
            self.holders.push(object);
            let done = self.fields(out, object, info, depth, attrs);
            self.holders.pop();
            done
        }
    }

    pub(super) unsafe fn fields(
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

    /// What the attribute patterns want of each field of a shape; null when there are none. The answer lives as
    /// long as `self`: entries are never removed.
    pub(super) fn field_acts(&mut self, shape: u32, attrs: u32) -> *const Act {
        let set = &mut self.sets[attrs as usize];
        if !set.any {
            return std::ptr::null();
        }
        if set.latest.0 == shape {
            return set.latest.1;
        }
        let acts = set.by_shape.entry(shape).or_insert_with(|| {
            let names = self.types.shape_names(shape).iter();
            names.map(|name| attr_act(&self.policy, &set.scope, name)).collect()
        });
        set.latest = (shape, acts.as_ptr());
        set.latest.1
    }

    /// A field, as the patterns say.
    #[inline(always)]
    pub(super) unsafe fn field(
        &mut self,
        out: &mut Out,
        value: *mut PyObject,
        acts: *const Act,
        index: usize,
        depth: u32,
        attrs: u32,
    ) -> Done {
        // SAFETY: there is an act for each field of the shape, if there are any.
        unsafe {
            if acts.is_null() {
                self.value(out, value, depth, attrs)
            } else {
                self.governed(out, value, &*acts.add(index), depth, attrs)
            }
        }
    }

    /// Fields whose names are a shape.
    #[allow(clippy::too_many_arguments)] // what a field needs, and nothing of it outlives the call
    #[inline(always)]
    pub(super) unsafe fn shaped(
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
        let acts = self.field_acts(shape, attrs);
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
            // SAFETY: a live value of a live object.
            unsafe { self.field(out, value, acts, index, depth - 1, attrs)? };
        }
        Ok(())
    }

    /// Fields that come from several places: slots, inline values, a dictionary; an exception's arguments first.
    #[allow(clippy::too_many_arguments)] // as above
    pub(super) unsafe fn mixed(
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
}

/// What a slot holds.
pub(super) unsafe fn slot(object: *mut PyObject, place: isize) -> Option<*mut PyObject> {
    // SAFETY: the type says that an object, or nothing, is kept at this place.
    let value = unsafe { *object.cast::<u8>().offset(place).cast::<*mut PyObject>() };
    (!value.is_null()).then_some(value)
}
