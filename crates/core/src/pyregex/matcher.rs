//! Runs a program over a text: backtracking that remembers where it has been, within a bound of work.

mod open;

use std::cell::RefCell;
use std::ops::Range;

use super::ast::Case;
use super::case::lower;
use super::memory::{Known, Memory, Moment};
use super::program::{Inst, Pc, Program};
use super::text::Text;
use super::{Exhausted, Match, Stopped};

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
    SCRATCH.with_borrow_mut(|scratch| {
        let mut run = Run::new(program, Text(text), whole, 0..text.len(), scratch)?;
        Ok(run.search(0, if whole { 0 } else { text.len() })?.is_some())
    })
}

/// Adds all matches in this part of the text that begin at `last` or before.
pub(super) fn find_all(
    program: &Program,
    text: &str,
    range: Range<usize>,
    last: usize,
    found: &mut Vec<Match>,
) -> Result<(), Stopped> {
    SCRATCH.with_borrow_mut(|scratch| {
        let mut from = range.start;
        let stopped = |at: usize| move |_: Exhausted| Stopped { at };
        let mut run = Run::new(program, Text(text), false, range, scratch).map_err(stopped(from))?;
        while let Some(start) = run.search(from, last).map_err(|_| Stopped { at: run.start })? {
            let groups = (2..program.groups as usize * 2).step_by(2).map(|slot| run.group(slot)).collect();
            found.push(Match { start, end: run.pos, groups });
            from = run.pos;
            // An empty match may follow another one at once, but not an empty one.
            run.no_end = if start == from { from } else { UNSET };
            run.forget(from);
        }
        Ok(())
    })
}

struct Run<'a> {
    program: &'a Program,
    text: Text<'a>,
    whole: bool,
    /// Of these positions is remembered what was tried.
    range: Range<usize>,
    /// Where the match begins that is tried.
    start: usize,
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
        range: Range<usize>,
        scratch: &'a mut Scratch,
    ) -> Result<Run<'a>, Exhausted> {
        let positions = range.len() + 1;
        let places = positions.checked_mul(program.memos as usize).filter(|&places| places <= PLACES);
        scratch.memory.reset(places.ok_or(Exhausted)?);
        scratch.slots.clear();
        scratch.slots.resize(program.slots as usize, UNSET);
        // A program that remembers needs no more than a few steps for each instruction and place.
        let rate = if program.memos > 0 { STEPS.max(program.insts.len() * 8) } else { STEPS };
        let steps_left = STEPS.saturating_add(positions.saturating_mul(rate));
        let start = range.start;
        Ok(Run { program, text, whole, range, start, no_end: UNSET, scratch, pc: 0, pos: 0, steps_left })
    }

    /// Where the first match begins, between `start` and `last`.
    fn search(&mut self, start: usize, last: usize) -> Result<Option<usize>, Exhausted> {
        self.start = start;
        while self.start <= last {
            if self.run_from(self.start)? {
                return Ok(Some(self.start));
            }
            let Some((_, length)) = self.text.char_at(self.start) else { break };
            self.start += length;
        }
        Ok(None)
    }

    /// After a match: what its way came by has not failed. Behind its end, nothing was on the way.
    fn forget(&mut self, pos: usize) {
        self.scratch.slots.fill(UNSET);
        for memo in 0..self.program.memos {
            if let Some(place) = self.place(memo, pos) {
                self.scratch.memory.forget_place(place);
            }
        }
    }

    #[inline]
    fn place(&self, memo: u32, pos: usize) -> Option<usize> {
        let inside = self.range.start <= pos && pos <= self.range.end;
        inside.then(|| memo as usize * (self.range.len() + 1) + pos - self.range.start)
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
        match self.place(memo, self.pos) {
            Some(place) => self.scratch.memory.visit(place, !self.scratch.open.is_empty()),
            // Only looks around come here.
            None => Known::Nothing,
        }
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
