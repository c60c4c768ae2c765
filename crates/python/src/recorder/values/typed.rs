//! Patterns that speak of the types of values: decided once for a type and a set of patterns.

use pyo3::ffi::{self as py, PyObject};
use tamis_core::wire::value_kind;

use super::Values;
use crate::recorder::decide::act_of;
use crate::recorder::describe::names_of;
use crate::recorder::names::module_file;
use crate::recorder::out::{Act, Action, Out, Restart};

impl Values {
    /// What the type patterns want of a value.
    ///
    /// # Safety
    /// `object` is alive and the GIL is held. This holds for all functions of this file.
    pub(super) unsafe fn type_act(&mut self, object: *mut PyObject, attrs: u32) -> Result<Act, Restart> {
        if !self.sets[attrs as usize].typed {
            return Ok(Act::ALLOW);
        }
        // SAFETY: as for this function.
        let (_, id) = unsafe { self.type_of(object)? };
        if let Some(&act) = self.sets[attrs as usize].by_type.get(&id) {
            return Ok(act);
        }
        let namer = &self.namer.get().inner;
        let modules = |module: &str| {
            // SAFETY: the GIL is held.
            let file = unsafe { module_file(module) };
            file.map_or_else(Vec::new, |file| namer.names(&file, Some(module), "").modules)
        };
        // SAFETY: the type of a live object.
        let (names, bases) = unsafe { names_of(py::Py_TYPE(object), modules) };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
        let set = &mut self.sets[attrs as usize];
        let verdict = set.scope.of_type(&self.policy, &names, &bases);
        let act = verdict.map_or(Act::ALLOW, |verdict| act_of(&verdict, value_kind::TYPE));
        set.by_type.insert(id, act);
        Ok(act)
    }

    /// Writes a key that is no plain text. A key is never missing: one that is to be dropped is redacted.
    pub(super) unsafe fn other_key(&mut self, out: &mut Out, key: *mut PyObject, attrs: u32) -> super::Done {
        // SAFETY: as for this function.
        unsafe {
            if self.typed {
                let act = self.type_act(key, attrs)?;
                if act.action == Action::Drop {
                    return self.marker(out, key, &Act { action: Action::Redact, ..act });
                }
            }
            self.value(out, key, 0, attrs)
        }
    }
}
