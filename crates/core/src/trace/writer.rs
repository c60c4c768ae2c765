//! The thread that writes: it takes batches of rows, and puts each into Parquet and, when they are not complete
//! soon enough, into the tails.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;

use super::parquet::{EventsFile, ValuesFile};
use super::placer::Placer;
use super::rows::{self, Code, Events, Process, Redaction, Values};
use super::schema::{CODE, EVENTS, PROCESSES, REDACTIONS, VALUES};
use super::segment::{Abandoned, Encoder, Segment, failure};
use super::tail::Tail;

/// How long rows may be in Parquet alone, whose file is not complete: with the time that they wait before, less
/// than the quarter of a second that may be lost.
const TAIL_DELAY: Duration = Duration::from_millis(100);

/// Batches that may wait to be written.
const QUEUE: usize = 8;

/// As many batches as a segment may have in memory.
const MOST_USED: usize = 40;

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

/// Rows that are done with.
enum Used {
    Events(Events),
    Values(Values),
}

/// The writing thread, seen from the helper.
pub struct Writer {
    batches: Option<SyncSender<Batch>>,
    used: Receiver<Used>,
    /// Rows that were written, whose room is used again: fresh memory costs as much as what is done in it.
    events: Vec<Events>,
    values: Vec<Values>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Writer {
    pub fn start(directory: &Path) -> io::Result<Writer> {
        let (batches, received) = sync_channel(QUEUE);
        let (give_back, used) = channel();
        let mut files = Files::create(directory, give_back)?;
        let thread = std::thread::Builder::new()
            .name("tamis-writer".into())
            .spawn(move || files.write_all(&received).inspect_err(|_| files.abandon()))?;
        Ok(Writer { batches: Some(batches), used, events: vec![], values: vec![], thread: Some(thread) })
    }

    /// A batch of a segment, in the room of earlier ones where there is some.
    pub fn batch(&mut self, segment: i32, first_value: i32) -> Batch {
        for used in self.used.try_iter() {
            match used {
                Used::Events(events) if self.events.len() < MOST_USED => self.events.push(events),
                Used::Values(values) if self.values.len() < MOST_USED => self.values.push(values),
                _ => {}
            }
        }
        let events = self.events.pop().unwrap_or_default().emptied(segment);
        let values = self.values.pop().unwrap_or_default().emptied(segment, first_value);
        Batch { segment, events, values, ..Batch::default() }
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

/// The files of a segment.
struct Open {
    number: i32,
    events: Segment<EventsFile>,
    values: Segment<ValuesFile>,
    /// Where something was redacted or dropped; the first segment always has it.
    redactions: Option<Segment<Slow>>,
}

/// Tables that grow slowly.
type Slow = ArrowWriter<File>;

struct Files {
    placer: Placer,
    directory: PathBuf,
    schemas: Schemas,
    give_back: Sender<Used>,
    open: Option<Open>,
    code: Option<Segment<Slow>>,
    processes_tail: Option<Tail>,
    processes: BTreeMap<i32, Process>,
}

impl Files {
    fn create(directory: &Path, give_back: Sender<Used>) -> io::Result<Files> {
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
            give_back,
            open: None,
            code: Some(code),
            processes_tail: Some(tail),
            processes: BTreeMap::new(),
        };
        // A trace without events or redactions has their tables too.
        files.redactions(0)?;
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
            self.placer.put(code.complete()?.0)?;
        }
        let Some(tail) = self.processes_tail.take() else { return self.placer.finish() };
        let schema = &self.schemas.processes;
        let mut last = Segment::<Slow>::with_tail(&self.directory, "processes", tail, schema)?;
        let processes: Vec<Process> = self.processes.values().cloned().collect();
        let rows = rows::processes(&processes, schema).map_err(failure)?;
        match last.write(rows) {
            Ok(()) => self.placer.put(last.complete()?.0)?,
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
        if !batch.values.is_empty() {
            self.open(number)?.values.write(batch.values)?;
        }
        if !batch.redactions.is_empty() {
            let rows =
                rows::redactions(&batch.redactions, &self.schemas.redactions, number).map_err(failure)?;
            self.redactions(number)?.write(rows)?;
        }
        if !batch.events.is_empty() {
            self.open(number)?.events.write(batch.events)?;
        }
        if batch.seal { self.seal() } else { Ok(()) }
    }

    /// The rows that have waited long enough; what others refer to first.
    fn write_tails(&mut self) -> io::Result<()> {
        let Some(open) = &mut self.open else { return Ok(()) };
        open.values.write_tail(TAIL_DELAY)?;
        if let Some(redactions) = &mut open.redactions {
            redactions.write_tail(TAIL_DELAY)?;
        }
        open.events.write_tail(TAIL_DELAY)?;
        give_back(&self.give_back, open.events.done(), open.values.done());
        Ok(())
    }

    fn open(&mut self, number: i32) -> io::Result<&mut Open> {
        if self.open.as_ref().is_none_or(|open| open.number != number) {
            self.seal()?;
        }
        match &mut self.open {
            Some(open) => Ok(open),
            none => {
                let (directory, schemas) = (&self.directory, &self.schemas);
                Ok(none.insert(Open {
                    number,
                    events: numbered(directory, "events", number, &schemas.events)?,
                    values: numbered(directory, "values", number, &schemas.values)?,
                    redactions: None,
                }))
            }
        }
    }

    fn redactions(&mut self, number: i32) -> io::Result<&mut Segment<Slow>> {
        let (directory, schema) = (self.directory.clone(), self.schemas.redactions.clone());
        match &mut self.open(number)?.redactions {
            Some(redactions) => Ok(redactions),
            none => Ok(none.insert(numbered(&directory, "redactions", number, &schema)?)),
        }
    }

    /// Events last: where they are in Parquet, what they refer to is too. A failure half-way leaves the tails of the rest,
    /// and what is whole gets its name.
    fn seal(&mut self) -> io::Result<()> {
        let Some(open) = self.open.take() else { return Ok(()) };
        let redactions = open.redactions.map(|redactions| redactions.complete().map(|(file, _)| file));
        let values = open.values.complete().map(|(file, used)| {
            give_back(&self.give_back, None, used);
            file
        });
        let events = if values.is_ok() && redactions.as_ref().is_none_or(Result::is_ok) {
            Some(open.events.complete().map(|(file, used)| {
                give_back(&self.give_back, used, None);
                file
            }))
        } else {
            open.events.abandon().save();
            None
        };
        let files = [Some(values), redactions, events];
        let mut all = Ok(());
        for file in files.into_iter().flatten() {
            all = all.and(file.and_then(|file| self.placer.put(file)));
        }
        all
    }

    /// After a failure: gives the room of unfinished files back. The tails have their rows.
    fn abandon(&mut self) {
        // First the room of all, then what others refer to, and events last.
        let code = self.code.take().map(Segment::abandon);
        let open = self.open.take();
        let open = open.map(|open| {
            (open.values.abandon(), open.redactions.map(Segment::abandon), open.events.abandon())
        });
        if let Some(code) = code {
            code.save();
        }
        if let Some((values, redactions, events)) = open {
            values.save();
            redactions.into_iter().for_each(Abandoned::save);
            events.save();
        }
    }
}

fn numbered<E: Encoder>(
    directory: &Path,
    table: &str,
    number: i32,
    schema: &SchemaRef,
) -> io::Result<Segment<E>> {
    let (name, tail) = (format!("{table}-{number:04}"), format!("tail-{number:04}-{table}"));
    Segment::create(directory, &name, &tail, schema)
}

/// Nobody takes them when the helper is closing.
fn give_back(
    to: &Sender<Used>,
    events: impl IntoIterator<Item = Events>,
    values: impl IntoIterator<Item = Values>,
) {
    for events in events {
        let _ = to.send(Used::Events(events));
    }
    for values in values {
        let _ = to.send(Used::Values(values));
    }
}
