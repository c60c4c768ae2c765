//! Which events belong to which call.
//!
//! Calls are known by the identity of their frame, never by their place on a stack: generators wander between
//! threads and resumers, greenlets switch stacks, and some starts and ends are never told. A thread's stack of
//! running calls says only who called and whose time a run takes away.

use std::collections::HashMap;

use super::call::{Call, Raised, Seen, Thread};
use super::frames::Frames;
use super::ids::Numbers;
use crate::trace::rows::{Events, NULL, NULL32, Row};
use crate::trace::schema::event;

/// Exceptions are short-lived; so many addresses are remembered.
const EXCEPTIONS: usize = 32 * 1024;

/// The calls of one process.
pub struct Pairing {
    part: i32,
    calls: Vec<Call>,
    free: Vec<u32>,
    /// Every call that runs or is suspended, by its frame.
    live: Frames,
    threads: Vec<Thread>,
    thread_numbers: HashMap<u32, u32>,
    thread: u32,
    next_call: i64,
    exceptions: Numbers,
}

impl Pairing {
    pub fn new(part: i32) -> Pairing {
        Pairing {
            part,
            calls: Vec::new(),
            free: Vec::new(),
            live: Frames::new(),
            threads: vec![],
            thread_numbers: HashMap::new(),
            thread: 0,
            next_call: 0,
            exceptions: Numbers::new(),
        }
    }

    /// Calls that were numbered so far.
    pub fn calls(&self) -> i64 {
        self.next_call
    }

    pub fn threads(&self) -> usize {
        self.threads.len()
    }

    /// The events that follow belong to this thread.
    pub fn switch(&mut self, thread: u32) {
        let next = self.threads.len() as u32;
        let number = *self.thread_numbers.entry(thread).or_insert(next);
        if number == next {
            self.threads.push(Thread::default());
        }
        self.thread = number;
    }

    #[inline]
    pub fn call(&mut self, seen: Seen, task: Option<i32>, out: &mut Events) {
        let slot = self.slot();
        if let Some(older) = self.live.insert(seen.frame, slot) {
            // The frame is another call's now, so the older one has ended, and nothing told. For a suspended
            // generator that is how `close()` and `del` look. One that ran (its thread was torn down, or its
            // greenlet thrown away) did not return or raise either, as far as anybody saw.
            self.close(older, event::ABANDONED, seen.time, NULL32, None, out);
            self.live.insert(seen.frame, slot);
        }
        let parent = self.top();
        let (parent_number, parent_task) = self.number_and_task(parent);
        let call = self.fill(slot, seen, parent_number, seen.time, task.unwrap_or(parent_task));
        self.push(call, seen.time);
        let call = &self.calls[call as usize];
        let (number, task) = (call.number, call.task);
        self.row(event::CALL, number, task, seen, parent_number, NULL, NULL, out);
    }

    #[inline]
    pub fn leave(&mut self, unwind: Option<Raised>, seen: Seen, out: &mut Events) {
        let kind = if unwind.is_some() { event::UNWIND } else { event::RETURN };
        let call = self.find(seen.frame).unwrap_or_else(|| match unwind {
            Some(_) => self.unseen(seen),
            // It ran before the recording began: its parent did too, and is not known.
            None => self.begin(seen, NULL, NULL, 0),
        });
        self.close(call, kind, seen.time, seen.value, unwind, out);
    }

    pub fn suspend(&mut self, seen: Seen, out: &mut Events) {
        let call = self.find(seen.frame).unwrap_or_else(|| self.begin(seen, NULL, NULL, 0));
        let own = self.end_run(call, seen.time);
        let state = &mut self.calls[call as usize];
        state.suspended = true;
        state.resumable = true;
        if own != NULL {
            state.own_before += own;
        }
        let (number, task, start) = (state.number, state.task, state.start);
        self.row(event::YIELD, number, task, seen, NULL, start, own, out);
    }

    /// A suspended call goes on: by a value, or (`throw`) by an exception.
    pub fn resume(&mut self, seen: Seen, task: Option<i32>, throw: Option<Raised>, out: &mut Events) {
        let resumer = self.top();
        let (resumed_by, resumer_task) = self.number_and_task(resumer);
        let call = match self.find(seen.frame) {
            Some(call) => {
                if !self.calls[call as usize].suspended {
                    // Its yield was not told; its run ends here at the latest.
                    let own = self.end_run(call, seen.time);
                    self.calls[call as usize].own_before += own.max(0);
                }
                call
            }
            // A generator that has not begun: it has no other start than this.
            None if throw.is_some() => self.begin(seen, resumed_by, seen.time, 0),
            None => self.begin(seen, NULL, NULL, 0),
        };
        let state = &mut self.calls[call as usize];
        state.task = match (task, resumer) {
            (Some(task), _) => task,
            // A task that is cancelled is thrown into by the event loop, which is in no task.
            (None, Some(_)) if throw.is_some() && resumer_task == 0 => state.task,
            (None, Some(_)) => resumer_task,
            (None, None) => state.task,
        };
        state.suspended = false;
        let (number, task) = (state.number, state.task);
        self.push(call, seen.time);
        let kind = if throw.is_some() { event::THROW } else { event::RESUME };
        self.row(kind, number, task, seen, NULL, NULL, NULL, out);
        let row = out.len() - 1;
        if resumed_by != NULL {
            out.resumed_by.put(row, resumed_by);
        }
        if let Some(raised) = throw {
            self.exception(raised, row, out);
        }
    }

    /// An exception is raised in a call, goes on in it, or is handled there.
    pub fn exceptional(&mut self, kind: u8, raised: Raised, seen: Seen, out: &mut Events) {
        let call = self.find(seen.frame).unwrap_or_else(|| {
            let call = self.unseen(seen);
            self.push(call, self.calls[call as usize].start);
            call
        });
        let state = &self.calls[call as usize];
        let (number, task) = (state.number, state.task);
        self.row(kind, number, task, seen, NULL, NULL, NULL, out);
        self.exception(raised, out.len() - 1, out);
    }

    /// The process has ended: closes what still runs, from the top of each stack down, and then what is
    /// suspended, in the order in which it began.
    pub fn finish(&mut self, time: i64, out: &mut Events) {
        for thread in 0..self.threads.len() {
            while let Some(&call) = self.threads[thread].stack.last() {
                self.close(call, event::UNFINISHED, time, NULL32, None, out);
            }
        }
        let mut suspended: Vec<u32> = self.live.calls().collect();
        suspended.sort_unstable_by_key(|&call| self.calls[call as usize].number);
        for call in suspended {
            self.close(call, event::UNFINISHED, time, NULL32, None, out);
        }
    }

    #[inline(always)]
    fn top(&self) -> Option<u32> {
        self.threads.get(self.thread as usize)?.stack.last().copied()
    }

    #[inline(always)]
    fn number_and_task(&self, call: Option<u32>) -> (i64, i32) {
        match call {
            Some(call) => (self.calls[call as usize].number, self.calls[call as usize].task),
            None => (NULL, 0),
        }
    }

    #[inline(always)]
    fn find(&self, frame: u64) -> Option<u32> {
        match self.top() {
            Some(top) if self.calls[top as usize].frame == frame => Some(top),
            _ => self.live.get(frame),
        }
    }

    /// A call that is first met by an exception. With calls below it on the stack it began just now (a signal
    /// hit its very first instruction); without, it ran before the recording began.
    fn unseen(&mut self, seen: Seen) -> u32 {
        match self.top() {
            Some(top) => {
                let (parent, task) = self.number_and_task(Some(top));
                let call = self.begin(seen, parent, seen.time, task);
                self.calls[call as usize].run_start = seen.time;
                call
            }
            None => self.begin(seen, NULL, NULL, 0),
        }
    }

    /// A call that began without being told, or not just now.
    fn begin(&mut self, seen: Seen, parent: i64, start: i64, task: i32) -> u32 {
        let slot = self.slot();
        self.live.insert(seen.frame, slot);
        self.fill(slot, seen, parent, start, task)
    }

    /// A place for a call.
    #[inline(always)]
    fn slot(&mut self) -> u32 {
        if self.threads.is_empty() {
            self.switch(0);
        }
        self.free.pop().unwrap_or_else(|| {
            self.calls.push(Call::default());
            self.calls.len() as u32 - 1
        })
    }

    #[inline(always)]
    fn fill(&mut self, slot: u32, seen: Seen, parent: i64, start: i64, task: i32) -> u32 {
        self.calls[slot as usize] = Call {
            frame: seen.frame,
            number: self.next_call,
            parent,
            code: seen.code,
            start,
            run_start: NULL,
            children: 0,
            own_before: 0,
            task,
            thread: self.thread,
            suspended: false,
            resumable: false,
        };
        self.next_call += 1;
        slot
    }

    #[inline(always)]
    fn push(&mut self, call: u32, run_start: i64) {
        let state = &mut self.calls[call as usize];
        state.run_start = run_start;
        state.children = 0;
        state.thread = self.thread;
        self.threads[self.thread as usize].stack.push(call);
    }

    /// Takes a call off its stack, wherever it stands there, and gives its run's time to the one below. Returns
    /// its own time of the run: 0 when it was suspended, [`NULL`] when the run began before the recording.
    ///
    /// Only this call goes: those above it may belong to another greenlet of the thread and run on.
    #[inline]
    fn end_run(&mut self, call: u32, time: i64) -> i64 {
        let state = &self.calls[call as usize];
        if state.suspended {
            return 0;
        }
        let stack = &mut self.threads[state.thread as usize].stack;
        let place = match stack.last() {
            Some(&top) if top == call => {
                stack.pop();
                Some(stack.len())
            }
            _ => stack.iter().rposition(|&other| other == call).inspect(|&place| {
                stack.remove(place);
            }),
        };
        if state.run_start == NULL {
            return NULL;
        }
        let took = (time - state.run_start).max(0);
        let own = (took - state.children).max(0);
        let below = place.and_then(|place| place.checked_sub(1)).map(|below| stack[below]);
        if let Some(below) = below {
            self.calls[below as usize].children += took;
        }
        own
    }

    #[inline]
    fn close(
        &mut self,
        call: u32,
        kind: u8,
        time: i64,
        value: i32,
        raised: Option<Raised>,
        out: &mut Events,
    ) {
        let own = self.end_run(call, time);
        let state = &self.calls[call as usize];
        let (number, task, parent, start) = (state.number, state.task, state.parent, state.start);
        let total = state.resumable.then(|| state.own_before + own.max(0));
        let seen = Seen { time, frame: state.frame, code: state.code, value };
        // What is closed without an event of its own belongs to the thread where it last ran.
        let current = self.thread;
        if matches!(kind, event::ABANDONED | event::UNFINISHED) {
            self.thread = state.thread;
        }
        self.row(kind, number, task, seen, parent, start, own, out);
        self.thread = current;
        let row = out.len() - 1;
        if let Some(total) = total {
            out.own_total.put(row, total);
        }
        if let Some(raised) = raised {
            self.exception(raised, row, out);
        }
        self.live.remove(seen.frame);
        self.free.push(call);
    }

    #[allow(clippy::too_many_arguments)] // The columns of a row.
    #[inline(always)]
    fn row(
        &mut self,
        kind: u8,
        call: i64,
        task: i32,
        seen: Seen,
        parent: i64,
        start: i64,
        own: i64,
        out: &mut Events,
    ) {
        let thread = &mut self.threads[self.thread as usize];
        out.rows.push(Row {
            time: seen.time,
            seq: thread.seq,
            call,
            parent,
            start,
            own,
            code: seen.code,
            value: seen.value,
            thread: self.thread as i32,
            origin: Row::origin(self.part, kind),
        });
        thread.seq += 1;
        out.kinds[usize::from(kind)] += 1;
        if task > 0 {
            out.task.put(out.len() - 1, task);
        }
    }

    fn exception(&mut self, raised: Raised, row: usize, out: &mut Events) {
        if raised.line > 0 {
            out.line.put(row, raised.line);
        }
        if raised.address != 0 {
            let number = self.exceptions.number(raised.address, raised.new, EXCEPTIONS);
            out.exception.put(row, i64::from(number));
        }
    }
}

#[cfg(test)]
mod tests;
