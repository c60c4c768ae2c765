//! The loop of the helper: who records, what they have published, and when it is over.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::clock::Time;
use super::config::Config;
use super::intake::Intake;
use super::nap::Nap;
use super::output::Output;
use super::part::Part;
use super::policy::Policy;
use super::process::{Watch, ignore_signals, keep_memory};
use super::reserved::Reserved;
use crate::arena::{Arena, Reader, helper_state, monotonic_ns, state};
use crate::trace::metadata::{self, Moment};
use crate::trace::segment::{create, lock};
use crate::trace::writer::Writer;

/// Takes room on the disk for the last metadata: on a full disk they could not say what happened.
const ROOM: &str = ".room";
const ROOM_BYTES: usize = 64 * 1024;

const LOCK: &str = "recording.lock";
/// How often all slices are looked at when nothing points to a change.
const SCAN: Duration = Duration::from_millis(100);
/// If nobody has joined by then, and the starter is gone, nobody will.
const NOBODY: Duration = Duration::from_secs(10);

/// Drains the arena and writes the trace until nobody records any more. 0 when the trace is complete.
pub fn run(arena: Arena, config: Config) -> i32 {
    ignore_signals();
    keep_memory();
    let mut helper = Helper::new(&arena, config);
    helper.record();
    helper.close()
}

/// A slice that is being drained.
struct Source<'a> {
    slice: usize,
    reader: Reader<'a>,
    watch: Watch,
    /// None: its records are not read any more (damaged, or nothing is written).
    part: Option<Part>,
}

struct Helper<'a> {
    arena: &'a Arena,
    directory: PathBuf,
    known: Map<String, Value>,
    time: Time,
    started: Instant,
    /// Who started the recording, if it said so.
    starter: Option<Watch>,
    /// Held while the trace is written, so that others can see that it is.
    lock: Option<File>,
    /// None: the trace could not even be begun.
    output: Option<Output>,
    failed: Option<String>,
    sources: Vec<Source<'a>>,
    reserved: Vec<Reserved>,
    /// Processes that have joined so far.
    seen: u32,
    scanned: Instant,
    /// Of processes that are done.
    calls: i64,
    threads: usize,
}

impl<'a> Helper<'a> {
    fn new(arena: &'a Arena, mut config: Config) -> Helper<'a> {
        let policy = Policy::new(&mut config);
        let mut helper = Helper {
            arena,
            directory: config.trace,
            known: config.metadata,
            time: Time::new(arena),
            started: Instant::now(),
            starter: config.starter.map(Watch::new),
            lock: None,
            output: None,
            failed: None,
            sources: Vec::new(),
            reserved: Vec::new(),
            seen: 0,
            scanned: Instant::now(),
            calls: 0,
            threads: 0,
        };
        // SAFETY: `getpid` cannot fail.
        arena.control().helper_pid.store(unsafe { libc::getpid() }, Ordering::Relaxed);
        let begun = lock(&helper.directory.join(LOCK)).and_then(|lock| {
            helper.lock = Some(lock);
            create(&helper.directory.join(ROOM))?.write_all(&[b' '; ROOM_BYTES])?;
            helper.output = Some(Output::new(Writer::start(&helper.directory)?, policy));
            helper.write_metadata(metadata::state::RECORDING)
        });
        match begun {
            Ok(()) => helper.say(helper_state::READY),
            Err(error) => helper.fail(&error),
        }
        helper
    }

    fn say(&self, state: u32) {
        self.arena.control().helper_state.store(state, Ordering::Release);
    }

    /// Nothing is written from now on, but rings are drained: nobody must wait.
    fn fail(&mut self, error: &io::Error) {
        if self.failed.is_some() {
            return;
        }
        let message = format!("could not write the trace: {error}");
        self.arena.set_error(&message);
        self.failed = Some(message);
        self.say(helper_state::FAILED);
        for source in &mut self.sources {
            source.part = None;
        }
    }

    fn record(&mut self) {
        let mut nap = Nap::new();
        loop {
            self.arena.control().heartbeat.fetch_add(1, Ordering::Relaxed);
            self.time.correct();
            self.scan();
            let read = self.drain();
            let arena = self.arena;
            if let Some(output) = &mut self.output {
                output.flush_old(|| beat(arena));
            }
            self.look_for_failure();
            if self.over() {
                return;
            }
            nap.after(read);
        }
    }

    fn look_for_failure(&mut self) {
        if self.failed.is_some() {
            return;
        }
        let error = self.output.as_ref().and_then(Output::failed).map(|error| match error.raw_os_error() {
            Some(code) => io::Error::from_raw_os_error(code),
            None => io::Error::other(error.to_string()),
        });
        if let Some(error) = error {
            self.fail(&error);
        }
    }

    /// Nobody records, nobody is about to, and somebody did, or nobody ever will.
    fn over(&mut self) -> bool {
        if !self.sources.is_empty() || !self.reserved.is_empty() {
            return false;
        }
        // Somebody may have joined since the last look.
        self.scanned = Instant::now() - SCAN;
        self.scan();
        if !self.sources.is_empty() || !self.reserved.is_empty() {
            return false;
        }
        let waiting = self.starter.as_mut().is_some_and(|starter| !starter.gone());
        self.seen > 0 || (self.started.elapsed() >= NOBODY && !waiting)
    }

    /// Looks for slices that were reserved or joined. Joining counts up, so most rounds need not look at all.
    fn scan(&mut self) {
        let joined = self.arena.control().next_part.load(Ordering::Acquire);
        if joined == self.seen && self.scanned.elapsed() < SCAN {
            return;
        }
        self.scanned = Instant::now();
        for slice in 0..self.arena.slices() {
            match self.arena.slice(slice).state.load(Ordering::Acquire) {
                state::RESERVED => self.keep(slice),
                state::LIVE | state::DONE => self.join(slice),
                _ => self.reserved.retain(|reserved| reserved.slice != slice),
            }
        }
    }

    fn keep(&mut self, slice: usize) {
        let arena = self.arena;
        match self.reserved.iter().position(|reserved| reserved.slice == slice) {
            None => self.reserved.push(Reserved::new(arena, slice)),
            Some(index) => {
                if self.reserved[index].given_back(arena) {
                    self.reserved.swap_remove(index);
                }
            }
        }
    }

    fn join(&mut self, slice: usize) {
        self.reserved.retain(|reserved| reserved.slice != slice);
        if self.sources.iter().any(|source| source.slice == slice) {
            return;
        }
        self.seen += 1;
        let shared = self.arena.slice(slice);
        let joined = self.time.ns(shared.joined.load(Ordering::Relaxed));
        let (number, parent) = (shared.part.load(Ordering::Relaxed), shared.parent.load(Ordering::Relaxed));
        let part = match (&mut self.output, &self.failed) {
            (Some(output), None) => {
                let part = Part::new(number, parent, self.arena.command(slice), joined);
                output.process(part.process.clone());
                Some(part)
            }
            _ => None,
        };
        let watch = Watch::new(shared.pid.load(Ordering::Relaxed));
        self.sources.push(Source { slice, reader: self.arena.reader(slice), watch, part });
    }

    /// Reads what was published; returns how many records that were.
    fn drain(&mut self) -> usize {
        let mut all = 0;
        let mut index = 0;
        while index < self.sources.len() {
            let slice = self.sources[index].slice;
            // Asked before reading: what was published up to here is read below in any case.
            let done = self.arena.slice(slice).state.load(Ordering::Acquire) == state::DONE;
            let ended = done || self.sources[index].watch.gone();
            let read = self.read(index);
            all += read;
            let source = &mut self.sources[index];
            if read > 0 {
                source.watch.heard();
            }
            if ended || (read == 0 && source.watch.gone_or_replaced()) {
                self.read(index);
                self.leave(index);
            } else {
                index += 1;
            }
        }
        all
    }

    fn read(&mut self, index: usize) -> usize {
        let parts = self.sources.len();
        let source = &mut self.sources[index];
        let (Some(part), Some(output)) = (&mut source.part, &mut self.output) else {
            source.reader.discard();
            return 0;
        };
        let (arena, time) = (self.arena, &self.time);
        let read = source.reader.drain(&mut Intake { part, time, parts, output, arena });
        match read {
            Ok(records) => records,
            Err(_corrupt) => {
                // Nothing after it can be trusted to be a record.
                output.forget();
                output.corrupt += 1;
                self.finish_part(index);
                0
            }
        }
    }

    fn finish_part(&mut self, index: usize) {
        if let (Some(mut part), Some(output)) = (self.sources[index].part.take(), &mut self.output) {
            part.finish(self.time.now(), output);
            self.calls += part.calls();
            self.threads += part.threads();
        }
    }

    /// A process records no more: its slice is free for another.
    fn leave(&mut self, index: usize) {
        self.finish_part(index);
        let source = self.sources.swap_remove(index);
        self.arena.release(source.slice);
    }

    fn close(&mut self) -> i32 {
        let arena = self.arena;
        if self.failed.is_none() {
            self.say(helper_state::CLOSING);
            // Only who waits for the trace reads it; without it the trace is closed just the same.
            let _ = self.write_metadata(metadata::state::CLOSING);
        }
        if let Some(output) = &mut self.output {
            output.close(|| beat(arena));
        }
        self.look_for_failure();
        let _ = std::fs::remove_file(self.directory.join(ROOM));
        let closed = if self.failed.is_none() {
            self.write_metadata(metadata::state::CLOSED)
        } else {
            // If the disk is full all the same, the state stays `recording` without anybody who holds the lock,
            // which readers understand too.
            let _ = self.write_metadata(metadata::state::FAILED);
            Ok(())
        };
        if let Err(error) = closed {
            self.fail(&error);
        }
        if self.lock.take().is_some() {
            let _ = std::fs::remove_file(self.directory.join(LOCK));
        }
        if self.failed.is_some() {
            return 1;
        }
        self.say(helper_state::CLOSED);
        0
    }

    fn write_metadata(&self, state: &'static str) -> io::Result<()> {
        let control = self.arena.control();
        let Some(output) = &self.output else { return Ok(()) };
        let unrecorded = control.unrecorded.load(Ordering::Relaxed);
        metadata::write(
            &self.directory,
            &self.known,
            Moment {
                state,
                error: self.failed.as_deref(),
                started: control.start_wall_ns.load(Ordering::Relaxed),
                duration_ns: monotonic_ns().saturating_sub(control.start_ns.load(Ordering::Relaxed)) as i64,
                counters: output.counters(self.calls, self.threads, self.seen as usize, unrecorded),
                trace_filter: output.policy.describe(),
            },
        )
    }
}

/// The helper lives and works.
pub fn beat(arena: &Arena) {
    arena.control().heartbeat.fetch_add(1, Ordering::Relaxed);
}
