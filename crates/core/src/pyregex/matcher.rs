//! Runs a program over a text: backtracking that remembers where it has been, within a bound of work.

use std::cell::RefCell;

use super::ast::Case;
use super::case::lower;
use super::memory::{Known, Memory, Moment};
use super::program::{Inst, Pc, Program};
use super::text::Text;
use super::{Exhausted, Match};

/// Work that a text may take: this at least, and this for each of its bytes.
const STEPS: usize = 2_000;

/// More places than this are not remembered: the run is given up.
const PLACES: usize = 1 << 25;

const UNSET: usize = usize::MAX;

#[derive(Clone, Copy)]
enum Frame {
    /// Another way to go on.
    Choice { pc: Pc, pos: usize, moment: Moment },
    /// The former value of a slot.
    Slot { slot: u32, old: usize },
    /// An atomic group or a look-around that was entered at `pos` and is open.
    Group { start: Pc, pos: usize, moment: Moment },
}

/// What a run needs besides program and text; kept for the next run.
#[derive(Default)]
struct Scratch {
    stack: Vec<Frame>,
    /// Where in the stack the open groups are.
    open: Vec<usize>,
    slots: Vec<usize>,
    memory: Memory,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Whether the program matches the whole text, or with `whole` false, a part of it.
pub(super) fn matches(program: &Program, text: &str, whole: bool) -> Result<bool, Exhausted> {
    SCRATCH.with_borrow_mut(|scratch| Ok(Run::new(program, Text(text), whole, scratch)?.search(0)?.is_some()))
}

/// The first match that begins at `from` or later, and what its groups have captured. `not_empty`: not one that is
/// empty and at `from`.
pub(super) fn find(
    program: &Program,
    text: &str,
    from: usize,
    not_empty: bool,
) -> Result<Option<Match>, Exhausted> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut run = Run::new(program, Text(text), false, scratch)?;
        run.no_end = if not_empty { from } else { UNSET };
        let Some(start) = run.search(from)? else { return Ok(None) };
        let groups = (2..program.groups as usize * 2).step_by(2).map(|slot| run.group(slot)).collect();
        Ok(Some(Match { start, end: run.pos, groups }))
    })
}

struct Run<'a> {
    program: &'a Program,
    text: Text<'a>,
    whole: bool,
    /// Where no match may end.
    no_end: usize,
    scratch: &'a mut Scratch,
    pc: Pc,
    pos: usize,
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
        text: Text<'a>,
        whole: bool,
        scratch: &'a mut Scratch,
    ) -> Result<Run<'a>, Exhausted> {
        let positions = text.len() + 1;
        let places = positions.checked_mul(program.memos as usize).filter(|&places| places <= PLACES);
        scratch.memory.reset(places.ok_or(Exhausted)?);
        scratch.slots.clear();
        scratch.slots.resize(program.slots as usize, UNSET);
        // A program that remembers needs no more than a few steps for each instruction and place.
        let rate = if program.memos > 0 { STEPS.max(program.insts.len() * 8) } else { STEPS };
        let steps_left = STEPS.saturating_add(positions.saturating_mul(rate));
        Ok(Run { program, text, whole, no_end: UNSET, scratch, pc: 0, pos: 0, steps_left })
    }

    /// Where the first match begins, from `start` on.
    fn search(&mut self, mut start: usize) -> Result<Option<usize>, Exhausted> {
        loop {
            if self.run_from(start)? {
                return Ok(Some(start));
            }
            match self.text.char_at(start) {
                Some((_, length)) if !self.whole => start += length,
                _ => return Ok(None),
            }
        }
    }

    fn run_from(&mut self, start: usize) -> Result<bool, Exhausted> {
        self.scratch.stack.clear();
        self.scratch.open.clear();
        self.scratch.memory.end_groups();
        (self.pc, self.pos) = (0, start);
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
    fn eat(&mut self, test: impl FnOnce(u32) -> bool) -> Step {
        match self.text.char_at(self.pos) {
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
            Inst::At(at) => self.go_on_if(self.text.is_at(self.pos, at)),
            Inst::Split { first, second, memo } => match self.known(memo) {
                Known::Nothing => {
                    let moment = self.scratch.memory.now();
                    self.scratch.stack.push(Frame::Choice { pc: second, pos: self.pos, moment });
                    self.pc = first;
                    Step::Continue
                }
                known => self.come_again(known)?,
            },
            Inst::Join { memo } => match self.known(memo) {
                Known::Nothing => self.go_on_if(true),
                known => self.come_again(known)?,
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
                self.open_group();
                self.go_on_if(true)
            }
            Inst::LookStart { back, .. } => {
                self.open_group();
                self.go_back(back as usize)?
            }
            Inst::AtomicEnd => {
                self.close_group(self.scratch.open.len())?;
                self.go_on_if(true)
            }
            Inst::LookEnd => self.close_group(self.scratch.open.len())?,
            Inst::Backref { slot, case } => self.backref(slot as usize, case)?,
            Inst::IfGroup { slot, otherwise } => {
                self.pc = if self.group(slot as usize).is_some() { self.pc + 1 } else { otherwise };
                Step::Continue
            }
            Inst::Never => Step::Fail,
            Inst::Match if self.whole && self.pos != self.text.len() => Step::Fail,
            Inst::Match if self.pos == self.no_end => Step::Fail,
            Inst::Match => Step::Matched,
        })
    }

    /// Takes the nearest way that is still open, and undoes what was done since. False: there is none.
    fn backtrack(&mut self) -> bool {
        while let Some(frame) = self.scratch.stack.pop() {
            match frame {
                Frame::Choice { pc, pos, moment } => {
                    self.scratch.memory.leave(moment);
                    (self.pc, self.pos) = (pc, pos);
                    return true;
                }
                Frame::Slot { slot, old } => self.scratch.slots[slot as usize] = old,
                Frame::Group { start, pos, moment } => {
                    self.scratch.memory.leave(moment);
                    self.scratch.open.pop();
                    if let Inst::LookStart { negate: true, after, .. } = self.program.insts[start as usize] {
                        (self.pc, self.pos) = (after, pos);
                        return true;
                    }
                }
            }
        }
        false
    }

    #[inline]
    fn known(&mut self, memo: u32) -> Known {
        if self.program.memos == 0 {
            return Known::Nothing;
        }
        let place = memo as usize * (self.text.len() + 1) + self.pos;
        self.scratch.memory.visit(place, !self.scratch.open.is_empty())
    }

    /// At a place that was tried before.
    fn come_again(&mut self, known: Known) -> Result<Step, Exhausted> {
        match known {
            Known::Closed(depth) if depth <= self.scratch.open.len() => self.close_group(depth),
            _ => Ok(Step::Fail),
        }
    }

    fn open_group(&mut self) {
        let moment = self.scratch.memory.now();
        self.scratch.open.push(self.scratch.stack.len());
        self.scratch.stack.push(Frame::Group { start: self.pc, pos: self.pos, moment });
    }

    /// The open group at this depth has matched: its other ways are given up. After a look-around the run goes on
    /// or fails as that says. Behind an atomic group the caller goes on; where the group was only closed again, what
    /// comes behind it has failed already.
    fn close_group(&mut self, depth: usize) -> Result<Step, Exhausted> {
        let at = self.scratch.open[depth - 1];
        let Frame::Group { start, pos, moment } = self.scratch.stack[at] else { return Ok(Step::Fail) };
        self.scratch.open.truncate(depth - 1);
        self.scratch.memory.close(moment, depth);
        let Inst::LookStart { negate, after, .. } = self.program.insts[start as usize] else {
            self.drop_choices(at)?;
            return Ok(Step::Fail);
        };
        self.scratch.memory.leave(moment);
        if self.program.forget_after_look {
            self.scratch.memory.forget(moment);
        }
        if negate {
            self.undo(at);
            return Ok(Step::Fail);
        }
        self.drop_choices(at)?;
        (self.pc, self.pos) = (after, pos);
        Ok(Step::Continue)
    }

    /// Drops the frames from `at` on, but keeps what undoes the slots that were saved since.
    fn drop_choices(&mut self, at: usize) -> Result<(), Exhausted> {
        let stack = &mut self.scratch.stack;
        let dropped = stack.len() - at;
        let mut kept = at;
        for index in at..stack.len() {
            if matches!(stack[index], Frame::Slot { .. }) {
                stack[kept] = stack[index];
                kept += 1;
            }
        }
        stack.truncate(kept);
        self.spend(dropped)
    }

    /// Undoes everything from the frame `at` on.
    fn undo(&mut self, at: usize) {
        for frame in self.scratch.stack.drain(at..).rev() {
            if let Frame::Slot { slot, old } = frame {
                self.scratch.slots[slot as usize] = old;
            }
        }
    }

    /// To where a look-around begins to match.
    fn go_back(&mut self, count: usize) -> Result<Step, Exhausted> {
        for _ in 0..count {
            self.spend(1)?;
            match self.text.char_before(self.pos) {
                Some((_, length)) => self.pos -= length,
                None => return Ok(Step::Fail),
            }
        }
        Ok(self.go_on_if(true))
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
            let (Some((wanted, step)), Some((found, length))) =
                (self.text.char_at(from), self.text.char_at(self.pos))
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
}
