//! One process of the recording: its records, in order, become rows.

use super::call::{Raised, Seen};
use super::clock::Time;
use super::ids::Numbers;
use super::names::{Names, members};
use super::output::{Output, bytes};
use super::pairing::Pairing;
use crate::trace::rows::{NULL32, Process};
use crate::trace::schema::event;
use crate::wire::{CodeDef, Header, NONE_ID, end, flag, kind};

/// Objects of all live processes whose numbers are remembered at least.
const OBJECTS: usize = 256 * 1024;

pub struct Part {
    pub process: Process,
    pairing: Pairing,
    names: Names,
    ids: Numbers,
    /// Code ids of the process → numbers of the trace.
    code: super::names::Table<i32>,
    /// Time of the latest record.
    latest: i64,
    ended: bool,
}

impl Part {
    pub fn new(part: u32, parent: u32, command: String, started: i64) -> Part {
        let process = Process {
            part: part as i32,
            parent: (parent != NONE_ID).then_some(parent as i32),
            command,
            started,
            ended: None,
            end: "recording",
            exit_status: None,
        };
        Part {
            pairing: Pairing::new(part as i32),
            process,
            names: Names::default(),
            ids: Numbers::new(),
            code: super::names::Table::default(),
            latest: started,
            ended: false,
        }
    }

    pub fn calls(&self) -> i64 {
        self.pairing.calls()
    }

    pub fn threads(&self) -> usize {
        self.pairing.threads()
    }

    /// Takes in one record. `parts`: how many processes record now, which share the bound on objects.
    #[inline]
    pub fn record(&mut self, words: &[u64], time: &Time, parts: usize, output: &mut Output) {
        output.next();
        let header = Header::parse(words[0]);
        let when = time.ns(words[1]);
        match header.kind {
            kind::CALL..=kind::UNWIND => {
                if self.event(header, when, &words[2..], parts, output).is_none() {
                    output.corrupt += 1;
                }
            }
            kind::THREAD => self.pairing.switch(header.id),
            kind::DEF_CODE => match CodeDef::decode(bytes(&words[2..])) {
                Some(definition) => self.define_code(header.id, definition, output),
                None => output.corrupt += 1,
            },
            kind::DEF_TYPE | kind::DEF_SHAPE | kind::DEF_KEY => {
                if !self.names.define(header.kind, header.id, bytes(&words[2..])) {
                    output.corrupt += 1;
                }
            }
            kind::END => self.end(header.id, words.get(2).copied(), when),
            _ => output.corrupt += 1,
        }
        self.latest = self.latest.max(when);
    }

    fn define_code(&mut self, id: u32, definition: CodeDef, output: &mut Output) {
        self.names.parameters.set(id, members(&definition.parameters));
        let number = output.code(definition);
        self.code.set(id, number);
    }

    fn end(&mut self, how: u32, status: Option<u64>, when: i64) {
        self.ended = true;
        self.process.ended = Some(when);
        if how == end::STOP {
            self.process.end = "stop";
        } else {
            self.process.end = "exit";
            self.process.exit_status = status.map(|status| status as i64 as i32);
        }
    }

    /// An event of a call; none when the record is shorter than its kind and flags say.
    #[inline(always)]
    fn event(
        &mut self,
        header: Header,
        time: i64,
        words: &[u64],
        parts: usize,
        output: &mut Output,
    ) -> Option<()> {
        let (&frame, mut rest) = words.split_first()?;
        let raised = if has_exception(header) {
            let (&address, after) = rest.split_first()?;
            rest = after;
            let mut line = 0;
            if header.kind != kind::THROW {
                let (&number, after) = rest.split_first()?;
                rest = after;
                line = i32::try_from(number).unwrap_or(0);
            }
            Some(Raised { address, new: header.flags & flag::NEW != 0, line })
        } else {
            None
        };
        let mut task = None;
        if has_task(header) {
            let (&number, after) = rest.split_first()?;
            rest = after;
            task = Some(i32::try_from(number).unwrap_or(0));
        }
        let code = self.code_number(header.id, output);
        let value =
            if header.flags & flag::VALUE != 0 { self.value(header, rest, parts, output) } else { NULL32 };
        let seen = Seen { time, frame, code, value };
        let out = &mut output.batch.events;
        match (header.kind, raised) {
            (kind::CALL, _) => self.pairing.call(seen, task, out),
            (kind::RETURN, _) => self.pairing.leave(None, seen, out),
            (kind::UNWIND, raised) => self.pairing.leave(raised, seen, out),
            (kind::YIELD, _) => self.pairing.suspend(seen, out),
            (kind::RESUME | kind::THROW, throw) => self.pairing.resume(seen, task, throw, out),
            (kind, Some(raised)) => {
                let kind = match kind {
                    kind::RAISE => event::RAISE,
                    kind::RERAISE => event::RERAISE,
                    _ => event::HANDLED,
                };
                self.pairing.exceptional(kind, raised, seen, out);
            }
            (_, None) => return None,
        }
        Some(())
    }

    #[inline(always)]
    fn code_number(&mut self, id: u32, output: &mut Output) -> i32 {
        match self.code.get(id) {
            Some(&number) => number,
            // Its definition is damaged: the event is kept, under a code object without a name.
            None => {
                output.corrupt += 1;
                output.code(CodeDef { rule: NONE_ID, ..CodeDef::default() })
            }
        }
    }

    #[inline(always)]
    fn value(&mut self, header: Header, words: &[u64], parts: usize, output: &mut Output) -> i32 {
        let limit = (OBJECTS / parts.max(1)).max(4_096);
        let owner = owner(self.process.part, header);
        let parameters = if header.kind == kind::CALL {
            Some(self.names.parameters.get(header.id).map_or(&[][..], |names| names))
        } else {
            None
        };
        output.value(owner, words, parameters, &self.names, &mut self.ids, limit)
    }

    /// Announces the value of a record that is to come.
    #[inline(always)]
    pub fn announce(&self, words: &[u64], output: &mut Output) {
        let header = Header::parse(words[0]);
        let value = matches!(header.kind, kind::CALL..=kind::UNWIND) && header.flags & flag::VALUE != 0;
        let before = value_at(header);
        output.announce(if value && words.len() >= before {
            Some((owner(self.process.part, header), &words[before..]))
        } else {
            None
        });
    }

    /// The process records no more. `now`: when that was found out.
    pub fn finish(&mut self, now: i64, output: &mut Output) {
        if !self.ended {
            self.process.end = "lost";
            self.process.ended = Some(now.max(self.latest));
        }
        let ended = self.process.ended.unwrap_or(now);
        self.pairing.finish(ended, &mut output.batch.events);
        output.process(self.process.clone());
    }
}

fn has_exception(header: Header) -> bool {
    matches!(header.kind, kind::THROW..=kind::UNWIND)
}

fn has_task(header: Header) -> bool {
    header.flags & flag::TASK != 0 && matches!(header.kind, kind::CALL | kind::RESUME)
}

/// Words of a record before its value.
fn value_at(header: Header) -> usize {
    let exception = if has_exception(header) { 1 + usize::from(header.kind != kind::THROW) } else { 0 };
    3 + exception + usize::from(has_task(header))
}

/// Whose definitions the bytes of a value refer to: the process's, and for arguments the code object's.
fn owner(part: i32, header: Header) -> u64 {
    (part as u64) << 32 | u64::from(if header.kind == kind::CALL { header.id } else { NONE_ID })
}
