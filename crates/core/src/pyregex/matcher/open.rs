//! Groups that are open while the run is in them: atomic ones, and looks around.

use super::{Exhausted, Frame, Inst, Known, Run, Step};

impl Run<'_> {
    /// At a place that was tried before.
    pub(super) fn come_again(&mut self, known: Known) -> Result<Step, Exhausted> {
        match known {
            Known::Closed(depth) if depth <= self.scratch.open.len() => self.close_group(depth),
            _ => Ok(Step::Fail),
        }
    }

    pub(super) fn open_group(&mut self) {
        let moment = self.scratch.memory.now();
        self.scratch.open.push(self.scratch.stack.len());
        self.scratch.stack.push(Frame::Group { start: self.pc, pos: self.pos, moment });
    }

    /// The open group at this depth has matched: its other ways are given up. After a look-around the run goes on
    /// or fails as that says. Behind an atomic group the caller goes on; where the group was only closed again, what
    /// comes behind it has failed already.
    pub(super) fn close_group(&mut self, depth: usize) -> Result<Step, Exhausted> {
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
    pub(super) fn drop_choices(&mut self, at: usize) -> Result<(), Exhausted> {
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
    pub(super) fn undo(&mut self, at: usize) {
        for frame in self.scratch.stack.drain(at..).rev() {
            if let Frame::Slot { slot, old } = frame {
                self.scratch.slots[slot as usize] = old;
            }
        }
    }

    /// To where a look-around begins to match.
    pub(super) fn go_back(&mut self, count: usize) -> Result<Step, Exhausted> {
        for _ in 0..count {
            self.spend(1)?;
            match self.text.char_before(self.pos) {
                Some((_, length)) => self.pos -= length,
                None => return Ok(Step::Fail),
            }
        }
        Ok(self.go_on_if(true))
    }
}
