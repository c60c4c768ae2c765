//! Recording, seen from Python. What the functions mean stands in `_core.pyi`.

mod decide;
mod describe;
mod events;
mod exceptions;
mod fork;
mod launch;
mod names;
mod out;
mod session;
mod tasks;
mod types;
mod values;

use std::sync::atomic::Ordering;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyRuntimeError};
use pyo3::ffi as py_ffi;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use tamis_core::arena::{Arena, Clock, helper_state};
use tamis_core::wire;

use crate::ffi;
use crate::policy::{Namer, Policy};
use session::Plan;
use values::{Limits, MAX_STRING};

/// What is recorded, and how much of it.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Options {
    depth: u32,
    receiver: u32,
    items: usize,
    string: usize,
    bytes: usize,
    values: bool,
    by_slot: bool,
    home: String,
    own: Vec<String>,
    command: String,
}

fn plan(policy: &Bound<'_, Policy>, namer: Py<Namer>, options: Options) -> Plan {
    let limits = Limits {
        depth: options.depth.min(16),
        receiver: options.receiver.min(16),
        items: options.items.min(1000),
        string: options.string.min(MAX_STRING),
        bytes: options.bytes,
    };
    Plan {
        policy: policy.get().inner.clone(),
        types_namer: namer.clone_ref(policy.py()),
        namer,
        home: options.home,
        own: options.own,
        limits,
        capture_values: options.values,
        by_slot: options.by_slot && layout_known(),
        command: options.command,
    }
}

#[pyfunction]
pub fn layout_known() -> bool {
    // SAFETY: asks a constant.
    unsafe { ffi::tamis_layout_known() != 0 }
}

#[pyfunction]
pub fn is_recording() -> bool {
    // SAFETY: a function of a module has the GIL.
    unsafe { !session::recorder().is_null() }
}

/// A recording that this process began or joined: keeps the arena after the recorder is gone.
#[pyclass(module = "tamis._core")]
pub struct Recording {
    arena: Option<Arena>,
}

#[pymethods]
impl Recording {
    #[staticmethod]
    fn begin(
        policy: &Bound<'_, Policy>,
        namer: Py<Namer>,
        options: Options,
        config: &[u8],
        command: Vec<String>,
    ) -> PyResult<Recording> {
        refuse_second()?;
        let (arena, fd) = Arena::create(Clock::best())?;
        let begun = launch::launch(&arena, fd, config, &command).map_err(PyOSError::new_err).and_then(|()| {
            // SAFETY: the GIL is held, and there is no recorder.
            unsafe { session::begin(arena, wire::NONE_ID, plan(policy, namer, options)) }
                .map_err(PyRuntimeError::new_err)
        });
        // SAFETY: a descriptor of ours. The mapping stays: the program's descriptors are those of a plain run.
        unsafe { libc::close(fd) };
        begun.map(|()| Recording { arena: None })
    }

    #[staticmethod]
    fn join(
        fd: i32,
        parent: u32,
        policy: &Bound<'_, Policy>,
        namer: Py<Namer>,
        options: Options,
    ) -> PyResult<Recording> {
        refuse_second()?;
        let arena = Arena::open(fd)?;
        // SAFETY: the GIL is held, and there is no recorder.
        unsafe { session::begin(arena, parent, plan(policy, namer, options)) }
            .map_err(PyRuntimeError::new_err)?;
        Ok(Recording { arena: None })
    }

    fn finish(&mut self, how: u32, status: Option<i32>) {
        // SAFETY: the GIL is held.
        if let Some(arena) = unsafe { session::finish(how, status) } {
            self.arena = Some(arena);
        }
    }

    fn wait(&self, py: Python<'_>, patience: f64) -> (&'static str, String) {
        let Some(arena) = &self.arena else { return ("gone", String::new()) };
        let patience = Duration::try_from_secs_f64(patience).unwrap_or(Duration::MAX);
        let state = py.detach(|| session::wait_until_closed(arena, patience));
        (state, arena.error())
    }

    /// (pid of the helper, this process's part), for a process that is to join; None without a recording.
    #[staticmethod]
    fn token() -> Option<(i32, u32)> {
        // SAFETY: the GIL is held.
        let this = unsafe { session::recorder().as_ref() }?;
        Some((this.arena.control().helper_pid.load(Ordering::Relaxed), this.writer.part))
    }
}

fn refuse_second() -> PyResult<()> {
    if is_recording() {
        Err(PyRuntimeError::new_err("this process is being recorded already"))
    } else {
        Ok(())
    }
}

#[pyfunction]
pub fn before_fork() {
    // SAFETY: the GIL is held.
    unsafe { fork::before_fork() }
}

#[pyfunction]
pub fn after_fork_in_child(command: &str) -> Option<&'static str> {
    // SAFETY: the GIL is held.
    unsafe { fork::after_fork_in_child(command) }
}

#[pyfunction]
pub fn callbacks<'py>(
    py: Python<'py>,
    disable: Py<PyAny>,
    compiler_handlers: (u8, u8),
) -> PyResult<Bound<'py, PyDict>> {
    for (place, opcode) in
        exceptions::COMPILER_HANDLERS.iter().zip([compiler_handlers.0, compiler_handlers.1])
    {
        place.store(opcode, Ordering::Relaxed);
    }
    let made = PyDict::new(py);
    for (name, function) in events::CALLBACKS {
        let definition = Box::leak(Box::new(py_ffi::PyMethodDef {
            ml_name: name.as_ptr(),
            ml_meth: py_ffi::PyMethodDefPointer { PyCFunctionFast: function },
            ml_flags: py_ffi::METH_FASTCALL,
            ml_doc: std::ptr::null(),
        }));
        // SAFETY: the definition lives for good; the GIL is held.
        let function = unsafe {
            events::DISABLE = disable.clone_ref(py).into_ptr();
            let function = py_ffi::PyCFunction_NewEx(definition, std::ptr::null_mut(), std::ptr::null_mut());
            Bound::from_owned_ptr_or_err(py, function)?
        };
        made.set_item(name.to_str().unwrap_or_default(), function)?;
    }
    Ok(made)
}

/// Says what is to be called when the code is met that starts processes afresh for `multiprocessing`.
#[pyfunction]
pub fn on_spawn(hook: Py<PyAny>) {
    // SAFETY: the GIL is held.
    unsafe { events::ON_SPAWN = hook.into_ptr() };
}

/// What the running function's first `count` slots hold, read the way a recording reads them.
#[pyfunction]
pub fn peek_slots<'py>(
    py: Python<'py>,
    code: &Bound<'py, PyAny>,
    count: usize,
) -> Vec<Option<Bound<'py, PyAny>>> {
    let mut slots = std::ptr::null_mut();
    // SAFETY: the GIL is held; the caller passes the code of the function that runs, and at most as many slots as
    // it has. Cells are opened as the callbacks open them.
    unsafe {
        let mut id = 0;
        if ffi::tamis_frame(ffi::tamis_thread(&mut id), code.as_ptr(), &mut slots).is_null() {
            return Vec::new();
        }
        let read = |index| {
            let value = *slots.add(index);
            let value = if !value.is_null() && py_ffi::PyCell_Check(value) != 0 {
                (*value.cast::<py_ffi::PyCellObject>()).ob_ref
            } else {
                value
            };
            Bound::from_borrowed_ptr_or_opt(py, value)
        };
        (0..count).map(read).collect()
    }
}

/// The values that an instance keeps inline, by name, read the way a recording reads them.
#[pyfunction]
pub fn peek_fields<'py>(py: Python<'py>, object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyDict>>> {
    let fields = PyDict::new(py);
    // SAFETY: the GIL is held; names and values are borrowed from a live object.
    unsafe {
        let (mut count, mut dict) = (0, std::ptr::null_mut());
        let values = ffi::tamis_instance(object.as_ptr(), &mut count, &mut dict);
        if values.is_null() {
            return Ok(None);
        }
        for index in 0..count {
            let name = ffi::tamis_shared_key(py_ffi::Py_TYPE(object.as_ptr()), index);
            if let Some(value) = Bound::from_borrowed_ptr_or_opt(py, *values.offset(index)) {
                fields.set_item(Bound::from_borrowed_ptr(py, name), value)?;
            }
        }
    }
    Ok(Some(fields))
}

#[pyfunction]
pub fn run_helper(py: Python<'_>, arena_fd: i32, config_fd: i32) -> PyResult<i32> {
    use std::io::Read;
    use std::os::fd::FromRawFd;
    let arena = Arena::open(arena_fd)?;
    let mut config = Vec::new();
    // SAFETY: the descriptor was made for this process alone.
    unsafe { std::fs::File::from_raw_fd(config_fd) }.read_to_end(&mut config)?;
    py.detach(|| {
        let config = match serde_json::from_slice(&config) {
            Ok(config) => config,
            Err(error) => {
                arena.set_error(&format!("the helper was not told what to do: {error}"));
                arena.control().helper_state.store(helper_state::FAILED, Ordering::Release);
                return Ok(1);
            }
        };
        Ok(tamis_core::helper::run(arena, config))
    })
}
