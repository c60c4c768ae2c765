//! What is decided once for a code object, at its first event of any kind.

use pyo3::ffi::{self as py, PyObject, PyThreadState};
use rustc_hash::FxHashMap;
use tamis_core::policy::{self, Decider, Kinds, ValueVerdict};
use tamis_core::wire::{CodeDef, NONE_ID, code_flag, kind, value_kind};

use super::names::runtime_module;
use super::out::{Act, Action};
use super::session::Recorder;
use crate::ffi;

/// One parameter: where its value is, and what is done with it.
pub struct Argument {
    /// The slot holds a cell, and the value is inside.
    pub cell: bool,
    pub receiver: bool,
    pub act: Act,
    /// Its name, kept alive, for the public way.
    pub name: *mut PyObject,
}

/// The verdict on a code object, ready for the callbacks.
pub struct CodeInfo {
    pub id: u32,
    pub traced: bool,
    /// It may run as, or inside, an asyncio task of its own.
    pub coroutine: bool,
    pub arguments: Box<[Argument]>,
    /// For what leaves it: returned and yielded values, exceptions.
    pub leaves: Act,
    pub attrs: u32,
    def: CodeDef,
    defined: u32,
}

/// More parameters than that are not recorded; the count of the code's names tells.
const MAX_ARGUMENTS: usize = 1000;

const CO_GENERATOR: i32 = 0x20;
const CO_COROUTINE: i32 = 0x80;
const CO_ITERABLE_COROUTINE: i32 = 0x100;
const CO_ASYNC_GENERATOR: i32 = 0x200;

/// What makes two code objects the same for a recording: programs that call `exec` make ever new ones.
#[derive(PartialEq, Eq, Hash)]
pub struct CodeKey {
    file: String,
    module: Option<String>,
    qualname: String,
    first_line: i32,
    flags: i32,
    bytecode: u64,
    /// Functions that are made from text (the `__init__` of every dataclass) differ in nothing but these.
    parameters: Vec<String>,
}

pub type Interned = FxHashMap<CodeKey, u32>;

/// The act that a verdict asks for. `kind` is a kind of `wire::value_kind`.
pub fn act_of(verdict: &ValueVerdict, kind: u8) -> Act {
    let (rule, pattern) = match verdict.by {
        Decider::Pattern { rule, pattern } => (rule, pattern),
        Decider::Rule { rule } => (rule, NONE_ID),
        Decider::Default { .. } | Decider::Undecided => (NONE_ID, NONE_ID),
    };
    let action = match verdict.action {
        _ if verdict.by == Decider::Undecided => Action::Withhold,
        policy::Action::Allow => Action::Allow,
        policy::Action::Redact => Action::Redact,
        policy::Action::Drop => Action::Drop,
    };
    Act { action, kind, secret: verdict.secret, rule, pattern }
}

impl Recorder {
    /// The verdict on a code object that may be met for the first time.
    ///
    /// # Safety
    /// `code` is a live code object, `scene` what was read for it; the GIL is held.
    #[inline(always)]
    pub unsafe fn info(&mut self, code: *mut PyObject, scene: &ffi::Scene) -> *mut CodeInfo {
        let (stamp, thread) = (scene.extra as u64, scene.thread);
        if stamp >> 32 == u64::from(self.epoch) {
            let info = self.codes[stamp as u32 as usize];
            // SAFETY: infos live as long as the recorder.
            if unsafe { (*info).defined } == self.values.types.generation {
                return info;
            }
        }
        // SAFETY: as for this function.
        unsafe { self.info_slowly(code, stamp, ffi::tamis_frame_globals(thread, code), thread) }
    }

    /// The same for a code object that may not be the innermost; `globals` are those of a frame of it.
    ///
    /// # Safety
    /// Both are alive and the GIL is held.
    pub unsafe fn info_of(&mut self, code: *mut PyObject, globals: *mut PyObject) -> *mut CodeInfo {
        let mut extra = std::ptr::null_mut();
        // SAFETY: as for this function.
        unsafe {
            ffi::PyUnstable_Code_GetExtra(code, self.extra_index, &mut extra);
            self.info_slowly(code, extra as u64, globals, std::ptr::null_mut())
        }
    }

    #[cold]
    unsafe fn info_slowly(
        &mut self,
        code: *mut PyObject,
        stamp: u64,
        globals: *mut PyObject,
        thread: *mut PyThreadState,
    ) -> *mut CodeInfo {
        let id = if stamp >> 32 == u64::from(self.epoch) {
            stamp as u32
        } else {
            // SAFETY: as for this function.
            let id = unsafe { self.intern(code, globals, thread) };
            let stamp = u64::from(self.epoch) << 32 | u64::from(id);
            // SAFETY: a live code object; the number that is kept in place of a pointer is never followed.
            unsafe { ffi::PyUnstable_Code_SetExtra(code, self.extra_index, stamp as *mut std::ffi::c_void) };
            id
        };
        let info = self.codes[id as usize];
        // SAFETY: infos live as long as the recorder.
        let found = unsafe { &mut *info };
        if found.defined != self.values.types.generation {
            found.defined = self.values.types.generation;
            let mut body = Vec::new();
            found.def.encode(&mut body);
            self.values.types.pending.push_back((kind::DEF_CODE, id, body));
        }
        info
    }

    /// `thread`: whose innermost frame may be running the code, or null.
    unsafe fn intern(
        &mut self,
        object: *mut PyObject,
        globals: *mut PyObject,
        thread: *mut PyThreadState,
    ) -> u32 {
        let mut code = std::mem::MaybeUninit::<ffi::Code>::uninit();
        // SAFETY: a live code object, which fills all of `code`; its names are strings.
        let (code, file, qualname, module) = unsafe {
            ffi::tamis_code(object, code.as_mut_ptr());
            let code = code.assume_init();
            let (file, qualname) = (ffi::string(code.filename), ffi::string(code.qualname));
            match self.made_for_class(thread, object, &code, &file, &qualname) {
                Some((file, qualname, module)) => (code, file, qualname, Some(module)),
                None => {
                    let module = runtime_module(globals);
                    let module = module.or_else(|| self.module_of_file(&file));
                    (code, file, qualname, module)
                }
            }
        };
        // SAFETY: as above.
        let bytecode = unsafe { hash_of_bytecode(object) };
        // SAFETY: the names of the slots are a tuple of strings, arguments first.
        let parameters = (0..(code.arguments as usize).min(MAX_ARGUMENTS))
            .map(|slot| unsafe { ffi::string(py::PyTuple_GetItem(code.names, slot as isize)) })
            .collect();
        let (first_line, flags) = (code.first_line, code.flags);
        let key = CodeKey { file, module, qualname, first_line, flags, bytecode, parameters };
        if let Some(&id) = self.interned.get(&key) {
            return id;
        }
        let starts = key.qualname == "Popen._launch";
        let modules = ["multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver"];
        self.spawns |= starts && modules.iter().any(|&module| key.module.as_deref() == Some(module));
        let id = self.codes.len() as u32;
        // SAFETY: as above.
        let info = unsafe { self.decide(id, &code, &key) };
        if let Some(leaves) = &mut self.values.leaves {
            leaves.acts.push(info.leaves);
        }
        self.codes.push(Box::into_raw(Box::new(info)));
        self.interned.insert(key, id);
        id
    }

    unsafe fn decide(&mut self, id: u32, code: &ffi::Code, key: &CodeKey) -> CodeInfo {
        let names = self.namer.get().inner.names(&key.file, key.module.as_deref(), &key.qualname);
        let mut scope = self.policy.scope(&names);
        // The recorder is no part of the program, whatever the filters say.
        scope.trace &= !self.own.iter().any(|own| key.file.starts_with(own.as_str()));
        let parameters = key.parameters.clone();
        // SAFETY: the names of the slots are a tuple of strings, and their kinds as many bytes.
        let slots: Vec<(*mut PyObject, u8)> = unsafe {
            let kinds: *const u8 = py::PyBytes_AsString(code.kinds).cast();
            (0..parameters.len())
                .map(|slot| (py::PyTuple_GetItem(code.names, slot as isize), *kinds.add(slot)))
                .collect()
        };
        let kinds = Kinds::ARG.union(Kinds::LOCAL);
        let capture = scope.trace && self.capture_values;
        let arguments = slots.iter().zip(&parameters).enumerate().filter(|_| capture).map(
            |(slot, (&(name, kind), text))| {
                let verdict = scope.value(&self.policy, kinds, &[text]);
                // SAFETY: a live string; the reference keeps it.
                unsafe { py::Py_INCREF(name) };
                let receiver =
                    slot == 0 && matches!(text.as_str(), "self" | "cls" | "mcs" | "mcls" | "metacls");
                let act = act_of(&verdict, value_kind::ARGUMENT);
                Argument { cell: kind & ffi::FAST_CELL != 0, receiver, act, name }
            },
        );
        let arguments = arguments.collect();
        let bare = key.qualname.rsplit('.').next().unwrap_or_default();
        let mut called: Vec<&str> = names.objects.iter().map(|object| object.name.as_str()).collect();
        called.extend([key.qualname.as_str(), bare]);
        let leaves = act_of(&scope.value(&self.policy, Kinds::RET, &called), value_kind::RETURN);
        let flag = |flag: i32, bit: u32| if code.flags & flag != 0 { bit } else { 0 };
        let rule = match scope.by {
            Decider::Rule { rule } | Decider::Pattern { rule, .. } => rule,
            Decider::Default { .. } | Decider::Undecided => NONE_ID,
        };
        let def = CodeDef {
            flags: if scope.trace { code_flag::TRACED } else { 0 }
                | if scope.undecided { code_flag::UNDECIDED } else { 0 }
                | flag(CO_GENERATOR, code_flag::GENERATOR)
                | flag(CO_COROUTINE, code_flag::COROUTINE)
                | flag(CO_ASYNC_GENERATOR, code_flag::ASYNC_GENERATOR),
            first_line: code.first_line.max(0) as u32,
            rule,
            module: names.modules.first().cloned().unwrap_or_default(),
            qualname: key.qualname.clone(),
            file: self.shown(&names.file),
            parameters,
        };
        let coroutine = code.flags & (CO_COROUTINE | CO_ITERABLE_COROUTINE | CO_ASYNC_GENERATOR) != 0;
        let attrs = self.values.attr_set(&scope);
        CodeInfo { id, traced: scope.trace, coroutine, arguments, leaves, attrs, def, defined: 0 }
    }

    /// A path without the name of the user in it.
    fn shown(&self, file: &str) -> String {
        match file.strip_prefix(&self.home) {
            Some(rest) if !self.home.is_empty() && rest.starts_with('/') => format!("~{rest}"),
            _ => file.to_owned(),
        }
    }
}

impl Drop for CodeInfo {
    fn drop(&mut self) {
        for argument in &self.arguments {
            // SAFETY: a recording ends with the GIL held; `decide` took this reference.
            unsafe { py::Py_DECREF(argument.name) };
        }
    }
}

unsafe fn hash_of_bytecode(code: *mut PyObject) -> u64 {
    use std::hash::Hasher;
    let mut hasher = rustc_hash::FxHasher::default();
    // SAFETY: a live code object; the bytes are a new object of ours.
    unsafe {
        let bytes = ffi::PyCode_GetCode(code);
        if bytes.is_null() {
            py::PyErr_Clear();
            return 0;
        }
        let data: *const u8 = py::PyBytes_AsString(bytes).cast();
        hasher.write(std::slice::from_raw_parts(data, py::PyBytes_Size(bytes) as usize));
        py::Py_DECREF(bytes);
    }
    hasher.finish()
}
