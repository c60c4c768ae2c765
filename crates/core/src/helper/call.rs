//! A call, a thread, and what an event tells of them.

#[allow(unused_imports)] // The documentation names them.
use crate::trace::rows::{NULL, NULL32};

/// A call that has not ended.
#[derive(Default)]
pub struct Call {
    pub frame: u64,
    pub number: i64,
    /// [`NULL`] for a thread's root.
    pub parent: i64,
    pub code: i32,
    /// [`NULL`] when it began before the recording.
    pub start: i64,
    /// When it was last started or resumed; [`NULL`] when that was before the recording.
    pub run_start: i64,
    /// What its children took of the present run.
    pub children: i64,
    /// Own time of the runs before.
    pub own_before: i64,
    /// 0 for none.
    pub task: i32,
    /// Index in `threads`: on whose stack it is, or was before it was suspended.
    pub thread: u32,
    pub suspended: bool,
    /// It was suspended at least once.
    pub resumable: bool,
}

#[derive(Default)]
pub struct Thread {
    pub stack: Vec<u32>,
    pub seq: i64,
}

/// What an event tells, whatever its kind.
#[derive(Clone, Copy)]
pub struct Seen {
    pub time: i64,
    pub frame: u64,
    pub code: i32,
    /// [`NULL32`] for none.
    pub value: i32,
}

/// The exception of an event, and the line.
#[derive(Clone, Copy)]
pub struct Raised {
    pub address: u64,
    pub new: bool,
    pub line: i32,
}
