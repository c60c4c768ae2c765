//! Rows on their way out: the batch that is being filled, the segment it belongs to, and the counters.

use std::io;
use std::time::{Duration, Instant};

use hashbrown::HashMap;
use serde_json::{Value, json};

use super::ids::Numbers;
use super::intern::Interner;
use super::names::{Name, Names};
use super::policy::Policy;
use super::value::{Decoder, Found};
use crate::trace::rows::{Code, Process};
use crate::trace::schema::EVENT_KINDS;
use crate::trace::writer::{Batch, Writer};
use crate::wire::{CodeDef, code_flag};

/// Rows that go to the writing thread at once.
const BATCH_ROWS: usize = 8 * 1024;
const BATCH_JSON: usize = 512 * 1024;
/// No row waits longer for the tail.
const BATCH_AGE: Duration = Duration::from_millis(90);
/// A segment ends with the first of these.
const SEGMENT_ROWS: usize = 256 * 1024;
const SEGMENT_JSON: usize = 24 * 1024 * 1024;
/// Batches of a program that does little are small, and each costs its frame in the tail.
const SEGMENT_BATCHES: usize = 8 * 1024;

/// A redacted or dropped place, until the uses of its value are known.
struct Tally {
    value: u32,
    rule: u32,
    pattern: u32,
    kind: u8,
    dropped: bool,
}

/// What the parts of a recording share on the way to the writer.
pub struct Output {
    pub batch: Batch,
    pub policy: Policy,
    /// Values and records that could not be read.
    pub corrupt: u64,
    writer: Writer,
    /// The first thing that went wrong; from then on nothing is written.
    failed: Option<io::Error>,
    sent: Instant,
    interner: Interner,
    tallies: Vec<Tally>,
    found: Vec<Found>,
    segment: i32,
    /// Of the segment: rows and bytes of JSON that were handed over, and batches.
    rows: usize,
    json: usize,
    batches: usize,
    code: HashMap<CodeDef, i32>,
    values: u64,
    kinds: [u64; EVENT_KINDS.len()],
}

impl Output {
    pub fn new(writer: Writer, policy: Policy) -> Output {
        Output {
            batch: Batch::default(),
            policy,
            corrupt: 0,
            writer,
            failed: None,
            sent: Instant::now(),
            interner: Interner::new(),
            tallies: Vec::new(),
            found: Vec::new(),
            segment: 0,
            rows: 0,
            json: 0,
            batches: 0,
            code: HashMap::new(),
            values: 0,
            kinds: [0; EVENT_KINDS.len()],
        }
    }

    /// What the records bring that come next ([`Interner::announce`]).
    #[inline(always)]
    pub fn announce(&mut self, value: Option<(u64, &[u64])>) {
        self.interner.announce(value);
    }

    /// The next of the announced records is taken.
    #[inline(always)]
    pub fn next(&mut self) {
        self.interner.next();
    }

    /// A process's records end before those that were announced.
    pub fn forget(&mut self) {
        self.interner.forget();
    }

    /// The number of a value in the present segment. `parameters`: it is the arguments of a call.
    #[inline]
    pub fn value(
        &mut self,
        owner: u64,
        words: &[u64],
        parameters: Option<&[Name]>,
        names: &Names,
        ids: &mut Numbers,
        id_limit: usize,
    ) -> i32 {
        let (number, new) = self.interner.number(owner, words);
        if new {
            self.decode(number, parameters, names, ids, id_limit);
        }
        number as i32
    }

    #[inline(never)]
    fn decode(
        &mut self,
        number: u32,
        parameters: Option<&[Name]>,
        names: &Names,
        ids: &mut Numbers,
        id_limit: usize,
    ) {
        let body = bytes(self.interner.value(number));
        let mut decoder = Decoder { names, ids, id_limit };
        let found = &mut self.found;
        let read = self.batch.values.push(|json| match parameters {
            Some(parameters) => decoder.arguments(parameters, body, json, found),
            None => decoder.value(body, json, found),
        });
        self.corrupt += u64::from(read.is_err());
        self.values += 1;
        for found in self.found.drain(..) {
            let (rule, pattern) = (found.rule, found.pattern);
            let (kind, dropped) = (found.kind, found.dropped);
            self.tallies.push(Tally { value: number, rule, pattern, kind, dropped });
            self.batch.redactions.push(self.policy.redaction(number as i32, found));
        }
    }

    /// The number of a code object over all processes.
    pub fn code(&mut self, definition: CodeDef) -> i32 {
        let next = self.code.len() as i32;
        if let Some(&number) = self.code.get(&definition) {
            return number;
        }
        let flags = definition.flags;
        let traced = flags & code_flag::TRACED != 0;
        let decision = self.policy.decided(definition.rule, traced);
        let undecided = flags & code_flag::UNDECIDED != 0;
        self.batch.code.push(Code {
            code: next,
            module: definition.module.clone(),
            qualname: definition.qualname.clone(),
            file: definition.file.clone(),
            line: definition.first_line as i32,
            kind: match flags {
                _ if flags & code_flag::ASYNC_GENERATOR != 0 => "async generator",
                _ if flags & code_flag::COROUTINE != 0 => "coroutine",
                _ if flags & code_flag::GENERATOR != 0 => "generator",
                _ => "function",
            },
            traced,
            filter: decision.filter,
            rule: decision.rule,
            rule_line: decision.rule_line,
            reason: if undecided { Some("it could not be decided".into()) } else { decision.reason },
            parameters: definition.parameters.clone(),
        });
        self.code.insert(definition, next);
        next
    }

    pub fn process(&mut self, row: Process) {
        self.batch.processes.push(row);
    }

    /// Whether rows must be handed over before more come.
    #[inline(always)]
    pub fn is_full(&self) -> bool {
        self.batch.events.len() >= BATCH_ROWS
            || self.batch.values.plain().len() >= BATCH_JSON
            || self.interner.is_full()
    }

    /// Hands over what has waited long enough.
    pub fn flush_old(&mut self, waiting: impl FnMut()) {
        if self.sent.elapsed() >= BATCH_AGE {
            self.flush(waiting);
        }
    }

    pub fn flush(&mut self, waiting: impl FnMut()) {
        self.sent = Instant::now();
        let batch = &self.batch;
        let nothing = batch.events.is_empty()
            && batch.values.is_empty()
            && batch.code.is_empty()
            && batch.processes.is_empty();
        if nothing {
            return;
        }
        for (all, here) in self.kinds.iter_mut().zip(batch.events.kinds) {
            *all += here;
        }
        self.rows += batch.events.len();
        self.json += batch.values.plain().len();
        self.batches += 1;
        let full = self.rows >= SEGMENT_ROWS
            || self.json >= SEGMENT_JSON
            || self.batches >= SEGMENT_BATCHES
            || self.interner.is_full();
        if full {
            self.count_uses();
            self.interner.clear();
            self.segment += 1;
            (self.rows, self.json, self.batches) = (0, 0, 0);
        }
        let next = self.writer.batch(self.segment, self.interner.len() as i32);
        let mut batch = std::mem::replace(&mut self.batch, next);
        batch.seal = full;
        if self.failed.is_none()
            && let Err(error) = self.writer.send(batch, waiting)
        {
            self.failed = Some(error);
        }
    }

    /// Redactions count events: each event that carries a value carries what is redacted in it.
    fn count_uses(&mut self) {
        for tally in self.tallies.drain(..) {
            let uses = self.interner.uses(tally.value);
            self.policy.count(tally.kind, tally.dropped, tally.rule, tally.pattern, uses);
        }
    }

    /// Waits until everything is written.
    pub fn close(&mut self, mut waiting: impl FnMut()) -> Option<&io::Error> {
        self.flush(&mut waiting);
        self.count_uses();
        if let Err(error) = self.writer.close(waiting)
            && self.failed.is_none()
        {
            self.failed = Some(error);
        }
        self.failed.as_ref()
    }

    pub fn failed(&self) -> Option<&io::Error> {
        self.failed.as_ref()
    }

    /// The counters of the metadata; the recording's own come from the caller.
    pub fn counters(&self, calls: i64, threads: usize, processes: usize, unrecorded: u32) -> Value {
        let kinds: Value = EVENT_KINDS
            .iter()
            .zip(&self.kinds)
            .map(|(name, count)| ((*name).to_owned(), json!(count)))
            .collect();
        json!({
            "events": kinds,
            "calls": calls,
            "threads": threads,
            "processes": processes,
            "unrecorded_processes": unrecorded,
            "code_objects": self.code.len(),
            "values": self.values,
            "corrupt": self.corrupt,
        })
    }
}

/// The bytes of words.
pub fn bytes(words: &[u64]) -> &[u8] {
    // SAFETY: every byte of a u64 is a valid u8, and the length in bytes is that of the words.
    unsafe { std::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}
