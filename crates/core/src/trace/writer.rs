//! The thread that writes: it takes batches of rows, and puts each into Parquet and, when they are not complete
//! soon enough, into the tails.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arrow_array::ArrayRef;
use arrow_schema::SchemaRef;

use super::rows::{self, Code, Events, Process, Redaction, Values};
use super::schema::{CODE, EVENTS, PROCESSES, REDACTIONS, VALUES};
use super::segment::{Abandoned, Complete, Segment, failure};
use super::tail::Tail;

/// How long rows may be in Parquet alone, whose file is not complete: with the time that they wait before, less
/// than the quarter of a second that may be lost.
const TAIL_DELAY: Duration = Duration::from_millis(100);

/// What the helper has gathered since it last handed something over; all of one segment.
#[derive(Default)]
pub struct Batch {
    pub segment: i32,
    pub events: Events,
    pub values: Values,
    pub redactions: Vec<Redaction>,
    pub code: Vec<Code>,
    pub processes: Vec<Process>,
    /// The segment is complete.
    pub seal: bool,
}

/// The writing thread, seen from the helper.
pub struct Writer {
    batches: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Writer {
    pub fn start(directory: &Path) -> io::Result<Writer> {
        let (batches, received) = sync_channel(2);
        let mut files = Files::create(directory)?;
        let thread = std::thread::Builder::new()
            .name("tamis-writer".into())
            .spawn(move || files.write_all(&received).inspect_err(|_| files.abandon()))?;
        Ok(Writer { batches: Some(batches), thread: Some(thread) })
    }

    /// Hands a batch over; while the thread is behind, `waiting` is called again and again. An error is what
    /// stopped the thread.
    pub fn send(&mut self, mut batch: Batch, mut waiting: impl FnMut()) -> io::Result<()> {
        let Some(batches) = &self.batches else { return Ok(()) };
        loop {
            match batches.try_send(batch) {
                Ok(()) => return Ok(()),
                Err(TrySendError::Full(returned)) => batch = returned,
                Err(TrySendError::Disconnected(_)) => return self.close(waiting),
            }
            waiting();
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Ends the thread when it has written everything; the files are complete then.
    pub fn close(&mut self, mut waiting: impl FnMut()) -> io::Result<()> {
        self.batches = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        while !thread.is_finished() {
            waiting();
            std::thread::sleep(Duration::from_millis(1));
        }
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread stopped unexpectedly")))
    }
}

struct Schemas {
    events: SchemaRef,
    values: SchemaRef,
    redactions: SchemaRef,
    code: SchemaRef,
    processes: SchemaRef,
}

/// The three files of a segment.
struct Open {
    number: i32,
    events: Segment,
    values: Segment,
    redactions: Segment,
}

/// The thread that puts complete files in place, in their order.
struct Placer {
    files: Option<SyncSender<Complete>>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Placer {
    fn start() -> io::Result<Placer> {
        let (files, received) = sync_channel::<Complete>(24);
        let thread = std::thread::Builder::new()
            .name("tamis-placer".into())
            .spawn(move || received.into_iter().try_for_each(Complete::put_in_place))?;
        Ok(Placer { files: Some(files), thread: Some(thread) })
    }

    fn put(&mut self, file: Complete) -> io::Result<()> {
        match &self.files {
            Some(files) if files.send(file).is_ok() => Ok(()),
            _ => self.finish(),
        }
    }

    /// Waits until all are in their places; an error is what stopped it.
    fn finish(&mut self) -> io::Result<()> {
        self.files = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        thread
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the thread that names files stopped unexpectedly")))
    }
}

struct Files {
    placer: Placer,
    directory: PathBuf,
    schemas: Schemas,
    kinds: ArrayRef,
    open: Option<Open>,
    code: Option<Segment>,
    processes_tail: Option<Tail>,
    processes: BTreeMap<i32, Process>,
}

impl Files {
    fn create(directory: &Path) -> io::Result<Files> {
        let schemas = Schemas {
            events: EVENTS.arrow(),
            values: VALUES.arrow(),
            redactions: REDACTIONS.arrow(),
            code: CODE.arrow(),
            processes: PROCESSES.arrow(),
        };
        let code = Segment::create(directory, "code", "tail-code", &schemas.code)?;
        let tail = Tail::create(&directory.join("tail-processes.arrows"), &schemas.processes)?;
        let mut files = Files {
            placer: Placer::start()?,
            directory: directory.to_owned(),
            schemas,
            kinds: rows::kinds(),
            open: None,
            code: Some(code),
            processes_tail: Some(tail),
            processes: BTreeMap::new(),
        };
        // A trace without events has its tables too.
        files.open(0)?;
        Ok(files)
    }

    fn write_all(&mut self, batches: &Receiver<Batch>) -> io::Result<()> {
        loop {
            match batches.recv_timeout(TAIL_DELAY / 2) {
                Ok(batch) => self.write(batch)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            self.write_tails()?;
        }
        self.seal()?;
        if let Some(code) = self.code.take() {
            self.placer.put(code.complete()?)?;
        }
        let Some(tail) = self.processes_tail.take() else { return self.placer.finish() };
        let schema = &self.schemas.processes;
        let mut last = Segment::with_tail(&self.directory, "processes", tail, schema)?;
        let processes: Vec<Process> = self.processes.values().cloned().collect();
        let rows = rows::processes(&processes, schema).map_err(failure)?;
        match last.write(rows) {
            Ok(()) => self.placer.put(last.complete()?)?,
            Err(error) => {
                last.abandon().save();
                return Err(error);
            }
        }
        self.placer.finish()
    }

    /// What others refer to is written before them: code and values before events.
    fn write(&mut self, batch: Batch) -> io::Result<()> {
        if !batch.code.is_empty()
            && let Some(code) = &mut self.code
        {
            code.write(rows::code(&batch.code, &self.schemas.code).map_err(failure)?)?;
            code.write_tail(Duration::ZERO)?;
        }
        if !batch.processes.is_empty()
            && let Some(tail) = &mut self.processes_tail
        {
            tail.write(&rows::processes(&batch.processes, &self.schemas.processes).map_err(failure)?)?;
            self.processes.extend(batch.processes.into_iter().map(|row| (row.part, row)));
        }
        let number = batch.segment;
        if !batch.values.ends.is_empty() {
            let rows = batch.values.batch(&self.schemas.values, number).map_err(failure)?;
            self.open(number)?.values.write(rows)?;
        }
        if !batch.redactions.is_empty() {
            let rows =
                rows::redactions(&batch.redactions, &self.schemas.redactions, number).map_err(failure)?;
            self.open(number)?.redactions.write(rows)?;
        }
        if !batch.events.is_empty() {
            let rows = batch.events.batch(&self.schemas.events, number, &self.kinds).map_err(failure)?;
            self.open(number)?.events.write(rows)?;
        }
        if batch.seal { self.seal() } else { Ok(()) }
    }

    /// The rows that have waited long enough; what others refer to first.
    fn write_tails(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.values.write_tail(TAIL_DELAY)?;
        open.redactions.write_tail(TAIL_DELAY)?;
        open.events.write_tail(TAIL_DELAY)
    }

    fn open(&mut self, number: i32) -> io::Result<&mut Open> {
        if self.open.as_ref().is_none_or(|open| open.number != number) {
            self.seal()?;
        }
        match &mut self.open {
            Some(open) => Ok(open),
            none => {
                let create = |table: &str, schema: &SchemaRef| {
                    let name = format!("{table}-{number:04}");
                    Segment::create(&self.directory, &name, &format!("tail-{number:04}-{table}"), schema)
                };
                Ok(none.insert(Open {
                    number,
                    events: create("events", &self.schemas.events)?,
                    values: create("values", &self.schemas.values)?,
                    redactions: create("redactions", &self.schemas.redactions)?,
                }))
            }
        }
    }

    /// Events last: where they are in Parquet, what they refer to is too.
    fn seal(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        // One by one, so that a failure half-way leaves the tails of the rest.
        let others = open.values.complete().and_then(|values| Ok((values, open.redactions.complete()?)));
        match others {
            Ok((values, redactions)) => {
                let events = open.events.complete()?;
                [values, redactions, events].into_iter().try_for_each(|file| self.placer.put(file))
            }
            Err(error) => {
                open.events.abandon().save();
                Err(error)
            }
        }
    }

    /// After a failure: gives the room of unfinished files back. The tails have their rows.
    fn abandon(&mut self) {
        let open = self.open.take().map(|open| [open.values, open.redactions, open.events]);
        let segments = self.code.take().into_iter().chain(open.into_iter().flatten());
        // First the room of all, then what others refer to, and events last.
        let abandoned: Vec<Abandoned> = segments.map(Segment::abandon).collect();
        abandoned.into_iter().for_each(Abandoned::save);
    }
}
