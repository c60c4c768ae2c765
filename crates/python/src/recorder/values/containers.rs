//! Texts, numbers and containers.

use pyo3::ffi::{self as py, Py_ssize_t, PyObject};
use tamis_core::wire::tag;

use super::{Done, MAX_TEXTS, Values, attr_act};
use crate::ffi;
use crate::recorder::out::{Act, Out, Restart};
use crate::recorder::types::Base;

impl Values {
    pub(super) unsafe fn string(&self, out: &mut Out, object: *mut PyObject) {
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

    pub(super) unsafe fn byte_string(&self, out: &mut Out, object: *mut PyObject) {
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
    pub(super) unsafe fn container(
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
        let length = unsafe { length(object, base) }.unwrap_or(0);
        if depth == 0 || out.full() {
            // SAFETY: as for this function.
            let (_, id) = unsafe { self.type_of(object)? };
            out.tag(tag::CONTAINER);
            out.u32(id);
            out.count(length);
            return Ok(());
        }
        out.tag(match base {
            Base::List => tag::LIST,
            Base::Tuple => tag::TUPLE,
            Base::Dict => tag::DICT,
            Base::Set => tag::SET,
            _ => tag::FROZENSET,
        });
        let kept = length.min(self.limits.items);
        out.count(length);
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

    pub(super) unsafe fn items(
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

    pub(super) unsafe fn members(
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

    pub(super) unsafe fn entries(
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
    pub(super) unsafe fn key(
        &mut self,
        out: &mut Out,
        key: *mut PyObject,
        attrs: u32,
    ) -> Result<Act, Restart> {
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
                self.other_key(out, key, attrs)?;
            }
            Ok(self.key_act(key, attrs))
        }
    }

    pub(super) unsafe fn key_act(&mut self, key: *mut PyObject, attrs: u32) -> Act {
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
}

pub(super) unsafe fn int(out: &mut Out, object: *mut PyObject) {
    let (mut number, mut overflow) = (0, 0);
    // SAFETY: an int, or of a subclass; its digits are read, `__index__` is not asked.
    unsafe {
        if ffi::tamis_small(object, &mut number) == 0 {
            number = py::PyLong_AsLongLongAndOverflow(object, &mut overflow);
        }
        if overflow == 0 {
            if let Ok(number) = i8::try_from(number) {
                out.raw([tag::INT8, number as u8]);
            } else if let Ok(number) = i16::try_from(number) {
                let [low, high] = number.to_le_bytes();
                out.raw([tag::INT16, low, high]);
            } else if let Ok(number) = i32::try_from(number) {
                out.tag(tag::INT32);
                out.raw(number.to_le_bytes());
            } else {
                out.tag(tag::INT64);
                out.raw(number.to_le_bytes());
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

/// How many items a container holds; none for what is no container.
///
/// # Safety
/// The object is of the type that `base` says, or of a subclass, whose code is not asked.
#[inline]
pub(super) unsafe fn length(object: *mut PyObject, base: Base) -> Option<usize> {
    // SAFETY: as for this function.
    let length = unsafe {
        match base {
            Base::List | Base::Tuple => py::Py_SIZE(object),
            Base::Dict => (*object.cast::<py::PyDictObject>()).ma_used,
            Base::Set | Base::Frozenset => py::PySet_Size(object),
            Base::None | Base::Str | Base::Int | Base::Bytes | Base::Float => return None,
        }
    };
    Some(length as usize)
}
