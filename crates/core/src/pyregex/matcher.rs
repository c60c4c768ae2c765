//! Runs a program over a text: backtracking that remembers where it has been, within a bound of work.

use std::cell::RefCell;

use super::Exhausted;
use super::ast::{At, Case};
use super::chars::{is_word, lower};
use super::compile::{Inst, Pc, Program};

/// Work that a text may take: this at least, and this for each of its bytes.
const STEPS: usize = 2_000;

/// Memory for remembered places, in bits.
const MEMO_BITS: usize = 1 << 28;

const UNSET: usize = usize::MAX;

#[derive(Clone, Copy)]
enum Frame {
    /// Another way to go on.
    Choice {
        pc: Pc,
        pos: usize,
        trail: usize,
    },
    /// The former value of a slot.
    Slot {
        slot: u32,
        old: usize,
    },
    Atomic,
    /// A look-around that is being tried since `pos`.
    Look {
        start: Pc,
        pos: usize,
        trail: usize,
        seen: usize,
    },
}

/// What a run needs besides program and text; kept for the next run.
#[derive(Default)]
struct Scratch {
    stack: Vec<Frame>,
    slots: Vec<usize>,
    /// Places, one bit each: tried, and tried with the result that the look-around succeeds.
    tried: Vec<u64>,
    succeeded: Vec<u64>,
    /// The places on the way to here, inside look-around only.
    trail: Vec<usize>,
    /// All places tried inside look-around, if the program asks for it.
    seen: Vec<usize>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Whether the program matches the whole text, or with `whole` false, a part of it.
pub(super) fn matches(program: &Program, text: &str, whole: bool) -> Result<bool, Exhausted> {
    SCRATCH.with_borrow_mut(|scratch| Run::new(program, text, whole, scratch)?.search())
}

struct Run<'a> {
    program: &'a Program,
    text: &'a str,
    whole: bool,
    scratch: &'a mut Scratch,
    pc: Pc,
    pos: usize,
    /// How many look-arounds are being tried, one inside the other.
    looks: usize,
    steps_left: usize,
}

enum Step {
    Continue,
    Fail,
    Matched,
}

impl<'a> Run<'a> {
    fn new(
        program: &'a Program,
        text: &'a str,
        whole: bool,
        scratch: &'a mut Scratch,
    ) -> Result<Run<'a>, Exhausted> {
        let places = text.len() + 1;
        let bits = places.checked_mul(program.memos as usize).filter(|&bits| bits <= MEMO_BITS);
        let words = bits.ok_or(Exhausted)?.div_ceil(64);
        for memory in [&mut scratch.tried, &mut scratch.succeeded] {
            memory.clear();
            memory.resize(words, 0);
        }
        scratch.slots.clear();
        scratch.slots.resize(program.slots as usize, UNSET);
        // A program that remembers needs no more than a few steps for each instruction and place.
        let rate = if program.memos > 0 { STEPS.max(program.insts.len() * 8) } else { STEPS };
        let steps_left = STEPS.saturating_add(places.saturating_mul(rate));
        Ok(Run { program, text, whole, scratch, pc: 0, pos: 0, looks: 0, steps_left })
    }

    fn search(&mut self) -> Result<bool, Exhausted> {
        let mut start = 0;
        loop {
            if self.run_from(start)? {
                return Ok(true);
            }
            match self.char_at(start) {
                Some((_, length)) if !self.whole => start += length,
                _ => return Ok(false),
            }
        }
    }

    fn run_from(&mut self, start: usize) -> Result<bool, Exhausted> {
        self.scratch.stack.clear();
        self.scratch.trail.clear();
        self.scratch.seen.clear();
        (self.pc, self.pos, self.looks) = (0, start, 0);
        loop {
            self.spend(1)?;
            match self.step()? {
                Step::Continue => {}
                Step::Matched => return Ok(true),
                Step::Fail if self.backtrack() => {}
                Step::Fail => return Ok(false),
            }
        }
    }

    #[inline]
    fn spend(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.steps_left = self.steps_left.checked_sub(steps).ok_or(Exhausted)?;
        Ok(())
    }

    #[inline]
    fn char_at(&self, pos: usize) -> Option<(u32, usize)> {
        match *self.text.as_bytes().get(pos)? {
            byte if byte < 0x80 => Some((u32::from(byte), 1)),
            _ => self.text.get(pos..)?.chars().next().map(|c| (u32::from(c), c.len_utf8())),
        }
    }

    fn char_before(&self, pos: usize) -> Option<(u32, usize)> {
        self.text.get(..pos)?.chars().next_back().map(|c| (u32::from(c), c.len_utf8()))
    }

    #[inline]
    fn eat(&mut self, test: impl FnOnce(u32) -> bool) -> Step {
        match self.char_at(self.pos) {
            Some((code, length)) if test(code) => {
                self.pos += length;
                self.pc += 1;
                Step::Continue
            }
            _ => Step::Fail,
        }
    }

    #[inline]
    fn go_on_if(&mut self, condition: bool) -> Step {
        if condition {
            self.pc += 1;
            return Step::Continue;
        }
        Step::Fail
    }

    #[inline]
    fn step(&mut self) -> Result<Step, Exhausted> {
        let program = self.program;
        Ok(match program.insts[self.pc as usize] {
            Inst::Char(c) => self.eat(|code| code == u32::from(c)),
            Inst::Folded(letter, case) => self.eat(|code| lower(code, case) == letter),
            Inst::Set(index) => self.eat(|code| program.sets[index as usize].contains(code)),
            Inst::NotNewline => self.eat(|code| code != 0x0a),
            Inst::AnyChar => self.eat(|_| true),
            Inst::At(at) => self.go_on_if(self.is_at(at)),
            Inst::Split { first, second, memo } => match self.enter(memo)? {
                Step::Continue => {
                    let trail = self.scratch.trail.len();
                    self.scratch.stack.push(Frame::Choice { pc: second, pos: self.pos, trail });
                    self.pc = first;
                    Step::Continue
                }
                other => other,
            },
            Inst::Join { memo } => match self.enter(memo)? {
                Step::Continue => self.go_on_if(true),
                other => other,
            },
            Inst::Jump(target) => {
                self.pc = target;
                Step::Continue
            }
            Inst::Save(slot) => {
                let old = std::mem::replace(&mut self.scratch.slots[slot as usize], self.pos);
                self.scratch.stack.push(Frame::Slot { slot, old });
                self.go_on_if(true)
            }
            Inst::ExitIfIdle { slot, exit } => {
                let idle = self.scratch.slots[slot as usize] == self.pos;
                self.pc = if idle { exit } else { self.pc + 1 };
                Step::Continue
            }
            Inst::AtomicStart => {
                self.scratch.stack.push(Frame::Atomic);
                self.go_on_if(true)
            }
            Inst::AtomicEnd => {
                self.commit(|frame| matches!(frame, Frame::Atomic))?;
                self.go_on_if(true)
            }
            Inst::LookStart { back, .. } => self.start_look(back as usize)?,
            Inst::LookEnd => self.end_look()?,
            Inst::Backref { slot, case } => self.backref(slot as usize, case)?,
            Inst::IfGroup { slot, otherwise } => {
                self.pc = if self.group(slot as usize).is_some() { self.pc + 1 } else { otherwise };
                Step::Continue
            }
            Inst::Never => Step::Fail,
            Inst::Match if self.whole && self.pos != self.text.len() => Step::Fail,
            Inst::Match => Step::Matched,
        })
    }

    /// Takes the nearest way that is still open, and undoes what was done since. False: there is none.
    fn backtrack(&mut self) -> bool {
        while let Some(frame) = self.scratch.stack.pop() {
            match frame {
                Frame::Choice { pc, pos, trail } => {
                    self.scratch.trail.truncate(trail);
                    (self.pc, self.pos) = (pc, pos);
                    return true;
                }
                Frame::Slot { slot, old } => self.scratch.slots[slot as usize] = old,
                Frame::Atomic => {}
                Frame::Look { start, pos, trail, seen } => {
                    self.scratch.trail.truncate(trail);
                    self.scratch.seen.truncate(seen);
                    self.looks -= 1;
                    if self.succeed_negative(start, pos) {
                        return true;
                    }
                }
            }
        }
        false
    }

    fn succeed_negative(&mut self, start: Pc, pos: usize) -> bool {
        match self.program.insts[start as usize] {
            Inst::LookStart { negate: true, after, .. } => {
                (self.pc, self.pos) = (after, pos);
                true
            }
            _ => false,
        }
    }

    /// At an instruction that remembers: fails where it has been tried before.
    ///
    /// That holds inside an atomic group, too: if a place was tried and the match went on from there, then what
    /// came behind the group failed, and would again. In a look-around that succeeded, it would again.
    #[inline]
    fn enter(&mut self, memo: u32) -> Result<Step, Exhausted> {
        if self.program.memos == 0 {
            return Ok(Step::Continue);
        }
        let place = memo as usize * (self.text.len() + 1) + self.pos;
        let (word, bit) = (place / 64, 1u64 << (place % 64));
        if self.scratch.tried[word] & bit == 0 {
            self.scratch.tried[word] |= bit;
            if self.looks > 0 {
                self.scratch.trail.push(place);
                if self.program.forget_after_look {
                    self.scratch.seen.push(place);
                }
            }
            return Ok(Step::Continue);
        }
        if self.looks > 0 && self.scratch.succeeded[word] & bit != 0 {
            return self.end_look();
        }
        Ok(Step::Fail)
    }

    /// Drops the choices since the last frame that is `barrier`, and the barrier; what was saved since can still
    /// be undone. Gives the barrier.
    fn commit(&mut self, barrier: impl Fn(&Frame) -> bool) -> Result<Option<Frame>, Exhausted> {
        let stack = &mut self.scratch.stack;
        let Some(at) = stack.iter().rposition(barrier) else { return Ok(None) };
        let frame = stack[at];
        let above = stack.len() - at;
        let mut kept = at;
        for index in at + 1..stack.len() {
            if matches!(stack[index], Frame::Slot { .. }) {
                stack[kept] = stack[index];
                kept += 1;
            }
        }
        stack.truncate(kept);
        self.spend(above)?;
        Ok(Some(frame))
    }

    fn start_look(&mut self, back: usize) -> Result<Step, Exhausted> {
        let frame = Frame::Look {
            start: self.pc,
            pos: self.pos,
            trail: self.scratch.trail.len(),
            seen: self.scratch.seen.len(),
        };
        self.scratch.stack.push(frame);
        self.looks += 1;
        for _ in 0..back {
            self.spend(1)?;
            match self.char_before(self.pos) {
                Some((_, length)) => self.pos -= length,
                None => return Ok(Step::Fail),
            }
        }
        Ok(self.go_on_if(true))
    }

    /// The body of the innermost look-around has matched.
    fn end_look(&mut self) -> Result<Step, Exhausted> {
        let is_look = |frame: &Frame| matches!(frame, Frame::Look { .. });
        let Some(&Frame::Look { start, pos, trail, seen }) =
            self.scratch.stack.iter().rfind(|frame| is_look(frame))
        else {
            return Ok(Step::Fail);
        };
        let scratch = &mut *self.scratch;
        for place in scratch.trail.drain(trail..) {
            scratch.succeeded[place / 64] |= 1 << (place % 64);
        }
        for place in scratch.seen.drain(seen..) {
            let (word, bit) = (place / 64, 1u64 << (place % 64));
            if scratch.succeeded[word] & bit == 0 {
                scratch.tried[word] &= !bit;
            }
        }
        self.looks -= 1;
        let Inst::LookStart { negate, after, .. } = self.program.insts[start as usize] else {
            return Ok(Step::Fail);
        };
        if !negate {
            self.commit(is_look)?;
            (self.pc, self.pos) = (after, pos);
            return Ok(Step::Continue);
        }
        while let Some(frame) = self.scratch.stack.pop() {
            match frame {
                Frame::Slot { slot, old } => self.scratch.slots[slot as usize] = old,
                Frame::Look { .. } => break,
                Frame::Choice { .. } | Frame::Atomic => {}
            }
        }
        Ok(Step::Fail)
    }

    fn group(&self, slot: usize) -> Option<(usize, usize)> {
        let (start, end) = (self.scratch.slots[slot], self.scratch.slots[slot + 1]);
        (start != UNSET && end != UNSET && start <= end).then_some((start, end))
    }

    fn backref(&mut self, slot: usize, case: Case) -> Result<Step, Exhausted> {
        let Some((start, end)) = self.group(slot) else { return Ok(Step::Fail) };
        let mut from = start;
        while from < end {
            self.spend(1)?;
            let (Some((wanted, step)), Some((found, length))) = (self.char_at(from), self.char_at(self.pos))
            else {
                return Ok(Step::Fail);
            };
            if lower(wanted, case) != lower(found, case) {
                return Ok(Step::Fail);
            }
            from += step;
            self.pos += length;
        }
        Ok(self.go_on_if(true))
    }

    fn is_at(&self, at: At) -> bool {
        let end = self.text.len();
        let byte = |pos: usize| self.text.as_bytes().get(pos).copied();
        match at {
            At::Start => self.pos == 0,
            At::LineStart => self.pos == 0 || byte(self.pos - 1) == Some(b'\n'),
            At::End => self.pos == end,
            At::LineEnd => self.pos == end || byte(self.pos) == Some(b'\n'),
            At::EndOrLastNewline => self.pos == end || (self.pos + 1 == end && byte(self.pos) == Some(b'\n')),
            // In an empty text neither `\b` nor `\B` holds.
            At::Boundary { .. } if end == 0 => false,
            At::Boundary { ascii, negate } => {
                let before = self.char_before(self.pos).is_some_and(|(code, _)| is_word(code, ascii));
                let after = self.char_at(self.pos).is_some_and(|(code, _)| is_word(code, ascii));
                (before != after) != negate
            }
        }
    }
}
