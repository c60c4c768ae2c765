//! Ticks of records → nanoseconds since the start of the recording.

use crate::arena::{Arena, Clock, monotonic_ns};
use std::sync::atomic::Ordering;

/// How long until the first correction, and at most between two.
const FIRST_NS: u64 = 50_000_000;
const LONGEST_NS: u64 = 4_000_000_000;
/// A difference that no drift makes (the machine slept, or moved): not smoothed but followed.
const JUMP_NS: f64 = 1_000_000.0;

/// A line: from `ticks` on, time is `ns` and grows by `slope` a tick.
#[derive(Clone, Copy)]
struct Line {
    ticks: u64,
    ns: i64,
    slope: f64,
}

impl Line {
    #[inline(always)]
    fn at(&self, ticks: u64) -> i64 {
        // A signed number is turned into a float by one instruction.
        self.ns + ((ticks - self.ticks) as i64 as f64 * self.slope) as i64
    }
}

/// Translates; never backwards. The counter's speed is measured against `CLOCK_MONOTONIC` again and again: each
/// correction begins where the line before it ends and leads back to the measured time until the next.
pub struct Time {
    clock: Clock,
    start: (u64, u64),
    current: Line,
    /// For records that were written before the last correction.
    previous: Line,
    next_ns: u64,
}

impl Time {
    pub fn new(arena: &Arena) -> Time {
        let control = arena.control();
        let ticks = control.start_ticks.load(Ordering::Relaxed);
        let ns = control.start_ns.load(Ordering::Relaxed);
        Time::start(arena.clock(), (ticks, ns), pair(arena.clock()))
    }

    fn start(clock: Clock, start: (u64, u64), now: (u64, u64)) -> Time {
        let ticks = now.0.saturating_sub(start.0).max(1);
        let slope = match clock {
            Clock::Nanoseconds => 1.0,
            Clock::Tsc => now.1.saturating_sub(start.1).max(1) as f64 / ticks as f64,
        };
        let line = Line { ticks: start.0, ns: 0, slope };
        Time { clock, start, current: line, previous: line, next_ns: now.1 + FIRST_NS }
    }

    #[inline(always)]
    pub fn ns(&self, ticks: u64) -> i64 {
        if ticks >= self.current.ticks {
            self.current.at(ticks)
        } else if ticks >= self.previous.ticks {
            self.previous.at(ticks).min(self.current.ns)
        } else {
            // Written before two corrections ago: only a process that was stopped for long does that.
            self.previous.ns.min(((ticks.saturating_sub(self.start.0)) as f64 * self.current.slope) as i64)
        }
    }

    pub fn now(&self) -> i64 {
        self.ns(self.clock.ticks())
    }

    /// Measures again when it is time to.
    pub fn correct(&mut self) {
        if self.clock == Clock::Tsc && monotonic_ns() >= self.next_ns {
            self.follow(pair(self.clock));
        }
    }

    fn follow(&mut self, now: (u64, u64)) {
        if now.0 <= self.current.ticks || now.1 <= self.start.1 {
            return;
        }
        let elapsed = now.1 - self.start.1;
        let shown = self.current.at(now.0);
        let error = elapsed as f64 - shown as f64;
        // Twice the time that was measured, so that a correction is never extrapolated far.
        let ahead = elapsed.clamp(FIRST_NS, LONGEST_NS);
        let speed = elapsed as f64 / (now.0 - self.start.0) as f64;
        let (ns, slope) = if error > JUMP_NS {
            (elapsed as i64, self.current.slope)
        } else {
            (shown, (speed * (1.0 + error / ahead as f64)).max(speed * 0.5))
        };
        self.previous = self.current;
        self.current = Line { ticks: now.0, ns, slope };
        self.next_ns = now.1 + ahead;
    }
}

/// Ticks and nanoseconds of one moment: the pair of several whose two readings are closest together.
fn pair(clock: Clock) -> (u64, u64) {
    let mut best = (u64::MAX, (0, 0));
    for _ in 0..5 {
        let before = clock.ticks();
        let ns = monotonic_ns();
        let after = clock.ticks();
        let apart = after.saturating_sub(before);
        if apart < best.0 {
            best = (apart, (before + apart / 2, ns));
        }
    }
    best.1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Over a simulated hour of a counter whose speed drifts, with readings that are wrong by up to 100 ns, the
    /// time never runs backwards and is right within a millionth after the first second.
    #[test]
    fn follows_the_clock() {
        let speed = |ns: u64| 2.9 * (1.0 + 5e-8 * (ns as f64 / 1e9 / 60.0).sin());
        let (mut ticks, mut ns) = (1_000_000.0, 5_000_000_000u64);
        let begin = ns;
        let mut time = Time::start(
            Clock::Tsc,
            (ticks as u64, ns),
            (ticks as u64 + (15e6 * 2.9) as u64, ns + 15_000_000 + 90),
        );
        let mut last = 0;
        for step in 0..36_000u64 {
            let advance = if step < 4_000 { 1_000_000 } else { 100_000_000 };
            ticks += advance as f64 * speed(ns);
            ns += advance;
            let shown = time.ns(ticks as u64);
            assert!(shown >= last, "backwards at step {step}");
            last = shown;
            let elapsed = ns - begin;
            if elapsed > 1_000_000_000 {
                let wrong = (shown - elapsed as i64).abs() as f64 / elapsed as f64;
                assert!(wrong < 1e-6, "{wrong} wrong at step {step}");
            }
            if ns >= time.next_ns {
                let noise = step * 37 % 200;
                time.follow((ticks as u64, ns + noise - 100));
                assert!(time.ns(ticks as u64 - 1) <= time.ns(ticks as u64));
            }
        }
    }

    /// A leap of the system's clock is followed at once, forwards.
    #[test]
    fn follows_a_leap() {
        let mut time = Time::start(Clock::Tsc, (0, 0), (1_000_000, 1_000_000));
        time.follow((100_000_000, 100_000_000));
        time.follow((200_000_000, 9_200_000_000));
        assert_eq!(time.ns(200_000_000), 9_200_000_000);
        assert_eq!(time.ns(199_999_999), 199_999_999);
    }
}
