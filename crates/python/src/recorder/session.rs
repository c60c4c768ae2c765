//! The recording of this process: what it holds, how it begins, waits and ends.
//!
//! There is at most one. All of it is guarded by the GIL: nothing here is touched without it, and whoever gives
//! it up (only [`wait_for_room`] and [`wait_until_closed`] do) looks anew for the recorder afterwards.

use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use pyo3::Py;
use pyo3::ffi::{self as py, PyObject, PyThreadState};
use rustc_hash::FxHashMap;
use tamis_core::arena::{Arena, Clock, Writer, helper_state, state};
use tamis_core::policy::Policy;
use tamis_core::wire::{self, MAX_RECORD, kind};

use super::decide::{CodeInfo, Interned};
use super::fork;
use super::tasks::Tasks;
use super::values::{Leaves, Limits, Values};
use crate::ffi;
use crate::policy::Namer;

pub struct Recorder {
    pub arena: Arena,
    pub writer: Writer,
    pub clock: Clock,
    /// Counts recordings of this process: verdicts of earlier ones are not believed.
    pub epoch: u32,
    pub extra_index: isize,
    pub policy: Policy,
    pub namer: Py<Namer>,
    pub home: String,
    /// What the files of Tamis itself begin with.
    pub own: Vec<String>,
    pub capture_values: bool,
    pub values: Values,
    pub codes: Vec<*mut CodeInfo>,
    pub interned: Interned,
    pub modules_of_files: FxHashMap<String, Option<String>>,
    /// The code has just been met that starts processes afresh.
    pub spawns: bool,
    pub tasks: Tasks,
    pub exceptions: super::exceptions::Flights,
    /// The thread that wrote last: its state's address and id.
    pub thread: (usize, u64),
    /// Numbers of threads, by id.
    pub threads: FxHashMap<u64, u32>,
}

/// The recorder of this process, or null. Guarded by the GIL.
pub static mut RECORDER: *mut Recorder = std::ptr::null_mut();
static EPOCH: AtomicU32 = AtomicU32::new(0);
/// Asked for once: an interpreter has few of them.
static EXTRA_INDEX: AtomicI32 = AtomicI32::new(-1);

/// The recorder of this process, or null.
///
/// # Safety
/// The GIL is held; the answer is good until it is given up.
#[inline(always)]
pub unsafe fn recorder() -> *mut Recorder {
    // SAFETY: guarded by the GIL.
    unsafe { RECORDER }
}

/// What a recording is made with.
pub struct Plan {
    pub policy: Policy,
    pub namer: Py<Namer>,
    /// The same one, for the types of values.
    pub types_namer: Py<Namer>,
    pub home: String,
    pub own: Vec<String>,
    pub limits: Limits,
    pub capture_values: bool,
    pub by_slot: bool,
    pub command: String,
}

/// Begins to record into a slice of the arena. `parent` is the part that started this process.
///
/// # Safety
/// The GIL is held and there is no recorder.
pub unsafe fn begin(arena: Arena, parent: u32, plan: Plan) -> Result<(), &'static str> {
    let index = arena.reserve(parent).ok_or("too many processes record into this trace at once")?;
    let mut extra_index = EXTRA_INDEX.load(Ordering::Relaxed);
    if extra_index < 0 {
        // SAFETY: the GIL is held; numbers are kept, which nobody need free.
        extra_index = unsafe { ffi::PyUnstable_Eval_RequestCodeExtraIndex(std::ptr::null()) } as i32;
        if extra_index < 0 {
            return Err("the interpreter has no room left for verdicts on code objects");
        }
        EXTRA_INDEX.store(extra_index, Ordering::Relaxed);
    }
    fork::watch();
    let writer = arena.join(index, &plan.command);
    let (epoch, extra_index) = (EPOCH.fetch_add(1, Ordering::Relaxed) + 1, extra_index as isize);
    let mut values = Values::new(plan.policy.clone(), plan.types_namer, plan.limits, plan.by_slot);
    values.leaves = Some(Leaves { epoch, index: extra_index, acts: Vec::new() });
    let recorder = Recorder {
        clock: arena.clock(),
        arena,
        writer,
        epoch,
        extra_index,
        values,
        policy: plan.policy,
        namer: plan.namer,
        home: plan.home,
        own: plan.own,
        capture_values: plan.capture_values,
        codes: Vec::new(),
        interned: FxHashMap::default(),
        modules_of_files: FxHashMap::default(),
        spawns: false,
        tasks: Tasks::default(),
        exceptions: Default::default(),
        thread: (0, 0),
        threads: FxHashMap::default(),
    };
    // SAFETY: guarded by the GIL.
    unsafe { RECORDER = Box::into_raw(Box::new(recorder)) };
    Ok(())
}

impl Recorder {
    /// A new thread writes: says so before its first record.
    #[inline(always)]
    pub fn on_thread(&mut self, thread: *mut PyThreadState, id: u64) {
        if self.thread != (thread as usize, id) {
            self.thread = (thread as usize, id);
            let next = self.threads.len() as u32;
            let number = *self.threads.entry(id).or_insert(next);
            self.values.types.pending.push_back((kind::THREAD, number, Vec::new()));
        }
    }

    /// Writes a definition that waits, at `place`.
    unsafe fn define(&mut self, place: *mut u64) {
        let Some((kind, id, mut body)) = self.values.types.pending.pop_front() else { return };
        // Names are bounded by what fits a record; a longer one ends the definition's body early, which the
        // helper shows as a name that it does not know.
        body.truncate(MAX_RECORD - 64);
        let words = 2 + body.len().div_ceil(8);
        // SAFETY: the place has room for MAX_RECORD bytes.
        unsafe {
            place.write(wire::header(kind, 0, words, id));
            place.add(1).write(self.clock.ticks());
            place.add(words - 1).write(0);
            place.add(1).write(self.clock.ticks());
            place.add(2).cast::<u8>().copy_from_nonoverlapping(body.as_ptr(), body.len());
        }
        self.writer.publish(words);
    }
}

/// Writes one record: `write` fills the place and says how many words it used. It may be called again when a
/// definition has to come first. False when there is no recording (any more).
///
/// # Safety
/// The GIL is held; what `write` reads stays alive when it is given up for a while.
#[inline(always)]
pub unsafe fn emit(
    mut write: impl FnMut(&mut Recorder, *mut u64) -> Result<usize, super::out::Restart>,
) -> bool {
    // SAFETY: as for this function.
    unsafe {
        let mut recorder = recorder();
        loop {
            if recorder.is_null() {
                return false;
            }
            let this = &mut *recorder;
            let Some(place) = this.writer.place() else {
                if !wait_for_room() {
                    return false;
                }
                recorder = self::recorder();
                continue;
            };
            if !this.values.types.pending.is_empty() {
                this.define(place);
                continue;
            }
            if let Ok(words) = write(this, place) {
                this.writer.publish(words);
                return true;
            }
        }
    }
}

/// How long the program sleeps while its ring is full. The helper needs longer to empty it, so it never waits; and only a
/// sleep of this length makes the system let a thread of the helper run on the processor that the program leaves.
const FULL: Duration = Duration::from_millis(1);

/// Waits, without the GIL, until the ring has room. False when the recording is over: stopped meanwhile, or
/// given up because the helper died or failed.
#[cold]
unsafe fn wait_for_room() -> bool {
    // SAFETY: the GIL is held on entry and on return; the recorder is looked for anew whenever it was given up.
    unsafe {
        let epoch = (*recorder()).epoch;
        let mut beat = (0, Instant::now());
        loop {
            let released = py::PyEval_SaveThread();
            std::thread::sleep(FULL);
            py::PyEval_RestoreThread(released);
            let this = recorder();
            if this.is_null() || (*this).epoch != epoch {
                return false;
            }
            if (*this).writer.has_room() {
                return true;
            }
            let control = (*this).arena.control();
            let now = control.heartbeat.load(Ordering::Relaxed);
            if now != beat.0 {
                beat = (now, Instant::now());
            }
            let silent = beat.1.elapsed() > Duration::from_secs(2) && !helper_lives(&(*this).arena);
            if silent || control.helper_state.load(Ordering::Acquire) == helper_state::FAILED {
                give_up();
                return false;
            }
        }
    }
}

/// Whether the helper is still there.
pub fn helper_lives(arena: &Arena) -> bool {
    let pid = arena.control().helper_pid.load(Ordering::Relaxed);
    // SAFETY: signal 0 only asks.
    let alive = pid > 0 && unsafe { libc::kill(pid, 0) } == 0;
    alive && !is_zombie(pid)
}

/// A helper that ended but that nobody has waited for (the program is its reaper, in a container) is gone.
fn is_zombie(pid: i32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with('Z')))
}

/// The helper died or failed: the program goes on unrecorded, and is told once.
unsafe fn give_up() {
    // SAFETY: the GIL is held.
    let this = unsafe { recorder() };
    if this.is_null() {
        return;
    }
    // SAFETY: not null, and guarded by the GIL.
    let arena = unsafe { &(*this).arena };
    let why = match arena.control().helper_state.load(Ordering::Acquire) {
        helper_state::FAILED => arena.error(),
        _ => "the process that writes the trace died".to_owned(),
    };
    let line = format!("tamis: {why}; the program goes on unrecorded\n");
    // SAFETY: plain bytes to a descriptor; what the program did to sys.stderr does not matter.
    unsafe {
        libc::write(2, line.as_ptr().cast(), line.len());
        discard();
    }
}

/// Ends this process's part: no record follows. The status is the process's exit status, if it is known.
///
/// # Safety
/// The GIL is held.
pub unsafe fn finish(how: u32, status: Option<i32>) -> Option<Arena> {
    // SAFETY: as for this function; the place has room for a record.
    unsafe {
        emit(|this, place| {
            place.write(wire::header(kind::END, 0, 3, how));
            place.add(1).write(this.clock.ticks());
            place.add(2).write(status.map_or(i64::MIN, i64::from) as u64);
            Ok(3)
        });
        discard()
    }
}

/// Forgets the recorder; its arena is the caller's.
unsafe fn discard() -> Option<Arena> {
    // SAFETY: the GIL is held; nobody else has the pointer.
    unsafe {
        let this = RECORDER;
        RECORDER = std::ptr::null_mut();
        if this.is_null() {
            return None;
        }
        let Recorder { arena, writer, codes, .. } = *Box::from_raw(this);
        for info in codes {
            drop(Box::from_raw(info));
        }
        writer.finish();
        Some(arena)
    }
}

/// Waits, without the GIL, until the trace is closed, unless other processes record. Returns what became of it, as
/// `Recording.wait` does.
pub fn wait_until_closed(arena: &Arena, patience: Duration) -> &'static str {
    let began = Instant::now();
    loop {
        let state = arena.control().helper_state.load(Ordering::Acquire);
        if let Some(over) = over(state) {
            return over;
        }
        if state == helper_state::READY && others_record(arena) {
            return "open";
        }
        if began.elapsed() > patience {
            return "busy";
        }
        let started = arena.control().helper_pid.load(Ordering::Relaxed) != 0;
        if (started || began.elapsed() > Duration::from_secs(10)) && !helper_lives(arena) {
            // It may have closed between the two looks.
            return over(arena.control().helper_state.load(Ordering::Acquire)).unwrap_or("died");
        }
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn over(state: u32) -> Option<&'static str> {
    match state {
        helper_state::CLOSED => Some("closed"),
        helper_state::FAILED => Some("failed"),
        _ => None,
    }
}

/// Whether a process records; this one has ended its part. A child that has only just been forked is not told yet.
fn others_record(arena: &Arena) -> bool {
    (0..arena.slices()).any(|index| arena.slice(index).state.load(Ordering::Acquire) == state::LIVE)
}

/// Keeps an object alive for as long as it is in a table of the recorder.
pub struct Kept(pub *mut PyObject);

impl Drop for Kept {
    fn drop(&mut self) {
        // SAFETY: a recording ends with the GIL held; the reference is ours.
        unsafe { py::Py_XDECREF(self.0) };
    }
}
