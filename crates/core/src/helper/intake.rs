//! Records on their way from a ring to the rows.

use super::clock::Time;
use super::drain::beat;
use super::output::Output;
use super::part::Part;
use crate::arena::{Arena, Take};

/// Takes the records of one process in.
pub struct Intake<'a> {
    pub part: &'a mut Part,
    pub time: &'a Time,
    pub parts: usize,
    pub output: &'a mut Output,
    pub arena: &'a Arena,
}

impl Take for Intake<'_> {
    #[inline]
    fn announce(&mut self, record: &[u64]) {
        self.part.announce(record, self.output);
    }

    #[inline]
    fn take(&mut self, record: &[u64]) {
        self.part.record(record, self.time, self.parts, self.output);
        if self.output.is_full() {
            self.output.flush(|| beat(self.arena));
        }
    }
}
