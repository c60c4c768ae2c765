//! How long the helper sleeps between two looks at the rings.

use std::time::Duration;

/// After a round that found so many records the next one follows at once.
const BUSY: usize = 1_000;
/// The first sleep after busy rounds, the longest after one that found something, and the longest of all.
const SHORTEST: Duration = Duration::from_micros(100);
const LONG: Duration = Duration::from_millis(1);
const LONGEST: Duration = Duration::from_millis(10);

pub struct Nap(Duration);

impl Nap {
    pub fn new() -> Nap {
        Nap(LONG)
    }

    /// Sleeps after a round that found `read` records.
    pub fn after(&mut self, read: usize) {
        if read >= BUSY {
            self.0 = SHORTEST;
            return;
        }
        std::thread::sleep(self.0);
        self.0 = (self.0 * 2).min(if read > 0 { LONG } else { LONGEST });
    }
}
