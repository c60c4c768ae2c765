//! What a run remembers: which places it has tried, and what came of it.
//!
//! A place is an instruction and a position in the text. Outside atomic groups and look-around a place that was
//! tried has failed, since success ends the run. Inside, success ends only the group: it is *closed*, and its other
//! ways are given up, whatever comes after. So a place also remembers the outermost group that was closed from it,
//! by how deep that group lies; a run that comes by again closes it again, without walking the way once more.

const UNTRIED: u16 = 0;
const FAILED: u16 = 1;

pub(super) enum Known {
    Nothing,
    Failed,
    /// From here the group at this depth was closed; 1 is the outermost.
    Closed(usize),
}

#[derive(Default)]
pub(super) struct Memory {
    outcomes: Vec<u16>,
    /// The places on the way to here that lie in groups.
    trail: Vec<usize>,
    /// All places that were tried in groups, for `forget`.
    tried: Vec<usize>,
}

/// A moment to go back to.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    trail: usize,
    tried: usize,
}

impl Memory {
    pub fn reset(&mut self, places: usize) {
        self.outcomes.clear();
        self.outcomes.resize(places, UNTRIED);
        self.trail.clear();
        self.tried.clear();
    }

    /// What is known of a place; from now on that it was tried.
    #[inline]
    pub fn visit(&mut self, place: usize, in_group: bool) -> Known {
        match self.outcomes[place] {
            UNTRIED => {
                self.outcomes[place] = FAILED;
                if in_group {
                    self.trail.push(place);
                    self.tried.push(place);
                }
                Known::Nothing
            }
            FAILED => Known::Failed,
            outcome => Known::Closed(usize::from(outcome - FAILED)),
        }
    }

    pub fn now(&self) -> Moment {
        Moment { trail: self.trail.len(), tried: self.tried.len() }
    }

    /// The way since then led nowhere.
    pub fn leave(&mut self, moment: Moment) {
        self.trail.truncate(moment.trail);
    }

    /// The way since then has closed the group at this depth.
    pub fn close(&mut self, moment: Moment, depth: usize) {
        let outcome = FAILED.saturating_add(u16::try_from(depth).unwrap_or(u16::MAX));
        for &place in &self.trail[moment.trail.min(self.trail.len())..] {
            self.outcomes[place] = outcome;
        }
    }

    /// Takes back the failures since then. When a group is closed while a loop in it goes round without consuming
    /// anything, places that wait for the loop look like failures and are none.
    pub fn forget(&mut self, moment: Moment) {
        for place in self.tried.drain(moment.tried.min(self.tried.len())..) {
            if self.outcomes[place] == FAILED {
                self.outcomes[place] = UNTRIED;
            }
        }
    }

    /// As if this place had not been tried.
    pub fn forget_place(&mut self, place: usize) {
        self.outcomes[place] = UNTRIED;
    }

    /// No group is open any more.
    pub fn end_groups(&mut self) {
        self.trail.clear();
        self.tried.clear();
    }
}
