//! The pairing cases, as stories: what is told, and the rows that come of it.

use super::*;
use crate::trace::schema::EVENT_KINDS;

/// Tells a story, one step every 10 ns from 10 on. A step is a verb, a frame, and perhaps `task=N`, `e=ADDRESS`
/// or `new`.
fn tell(story: &[&str]) -> Vec<String> {
    let (mut pairing, mut out) = (Pairing::new(0), Events::default());
    for (index, step) in story.iter().enumerate() {
        let words: Vec<&str> = step.split(' ').collect();
        let find = |name: &str| words.iter().find_map(|word| word.strip_prefix(name)?.parse().ok());
        let frame = words.get(1).map_or(0, |word| word.parse().unwrap());
        let seen = Seen { time: index as i64 * 10 + 10, frame, code: 7, value: NULL32 };
        let task = find("task=").map(|task| task as i32);
        let address = find("e=").unwrap_or(0);
        let raised = Raised { address, new: words.contains(&"new"), line: 3 };
        match words[0] {
            "thread" => pairing.switch(frame as u32),
            "call" => pairing.call(seen, task, &mut out),
            "return" => pairing.leave(None, seen, &mut out),
            "unwind" => pairing.leave(Some(raised), seen, &mut out),
            "yield" => pairing.suspend(seen, &mut out),
            "resume" => pairing.resume(seen, task, None, &mut out),
            "throw" => pairing.resume(seen, task, Some(Raised { line: 0, ..raised }), &mut out),
            "raise" => pairing.exceptional(event::RAISE, raised, seen, &mut out),
            "handled" => pairing.exceptional(event::HANDLED, raised, seen, &mut out),
            "finish" => pairing.finish(seen.time, &mut out),
            other => panic!("no verb: {other}"),
        }
    }
    assert!(pairing.live.calls().next().is_none() || !story.contains(&"finish"));
    rows(out)
}

/// `TIME kind CALL`, and what is not null.
fn rows(events: Events) -> Vec<String> {
    let batch = events.batch(&crate::trace::schema::EVENTS.arrow()).unwrap();
    let columns = ["thread", "parent", "resumed_by", "start", "own", "own_total", "task", "exception"];
    let number = |column: &str, row: usize| {
        use arrow_array::{Array, cast::AsArray, types};
        let array = batch.column_by_name(column).unwrap();
        let long = |array: &dyn Array| match array.as_primitive_opt::<types::Int64Type>() {
            Some(array) => array.value(row),
            None => i64::from(array.as_primitive::<types::Int32Type>().value(row)),
        };
        array.is_valid(row).then(|| long(array))
    };
    let kind = |row: usize| {
        use arrow_array::{cast::AsArray, types};
        let kinds = batch.column_by_name("kind").unwrap().as_dictionary::<types::UInt8Type>();
        EVENT_KINDS[usize::from(kinds.keys().value(row))]
    };
    let line = |row: usize| {
        let mut line =
            format!("{} {} {}", number("time", row).unwrap(), kind(row), number("call", row).unwrap());
        for column in columns {
            match number(column, row) {
                Some(0) if column == "thread" => {}
                Some(found) => line += &format!(" {column}={found}"),
                None => {}
            }
        }
        line
    };
    (0..batch.num_rows()).map(line).collect()
}

macro_rules! story {
    ($(#[$about:meta])* $name:ident: [$($step:literal),* $(,)?] => [$($row:literal),* $(,)?]) => {
        $(#[$about])*
        #[test]
        fn $name() {
            assert_eq!(tell(&[$($step),*]), Vec::<&str>::from([$($row),*]));
        }
    };
}

story! {
    /// Calls nest; own time is a call's time without its children's.
    nested: ["call 1", "call 2", "call 3", "return 3", "return 2", "return 1"] => [
        "10 call 0",
        "20 call 1 parent=0",
        "30 call 2 parent=1",
        "40 return 2 parent=1 start=30 own=10",
        "50 return 1 parent=0 start=20 own=20",
        "60 return 0 start=10 own=20",
    ]
}

story! {
    /// A generator is one call, whoever resumes it; `resumed_by` says who, `parent` who first started it, and
    /// own time is told for each run and in all.
    generator: ["call 1", "call 9", "yield 9", "call 2", "resume 9", "return 9", "return 2", "return 1"] => [
        "10 call 0",
        "20 call 1 parent=0",
        "30 yield 1 start=20 own=10",
        "40 call 2 parent=0",
        "50 resume 1 resumed_by=2",
        "60 return 1 parent=0 start=20 own=10 own_total=20",
        "70 return 2 parent=0 start=40 own=20",
        "80 return 0 start=10 own=30",
    ]
}

story! {
    /// A generator that is resumed by another thread goes on as the same call, on that thread.
    generator_between_threads:
        ["call 9", "yield 9", "thread 5", "call 1", "resume 9", "return 9", "return 1"] => [
        "10 call 0",
        "20 yield 0 start=10 own=10",
        "40 call 1 thread=1",
        "50 resume 0 thread=1 resumed_by=1",
        "60 return 0 thread=1 start=10 own=10 own_total=20",
        "70 return 1 thread=1 start=40 own=20",
    ]
}

story! {
    /// A suspended generator that was closed or forgotten without an event is abandoned when its frame is
    /// another call's.
    abandoned_generator: ["call 9", "yield 9", "call 9", "return 9"] => [
        "10 call 0",
        "20 yield 0 start=10 own=10",
        "30 abandoned 0 start=10 own=0 own_total=10",
        "30 call 1",
        "40 return 1 start=30 own=10",
    ]
}

story! {
    /// A running call whose frame is another call's has ended without an event: abandoned too, with its time.
    lost_return: ["call 1", "call 2", "call 2", "return 2", "return 1"] => [
        "10 call 0",
        "20 call 1 parent=0",
        "30 abandoned 1 parent=0 start=20 own=10",
        "30 call 2 parent=0",
        "40 return 2 parent=0 start=30 own=10",
        "50 return 0 start=10 own=20",
    ]
}

story! {
    /// Frames that ran before the recording began are told by their end only; their start is not known.
    frames_in_flight: ["return 2", "call 3", "return 3", "raise 1 e=8", "unwind 1 e=8"] => [
        "10 return 0",
        "20 call 1",
        "30 return 1 start=20 own=10",
        "40 raise 2 exception=0",
        "50 unwind 2 exception=0",
    ]
}

story! {
    /// A generator that was suspended before the recording began.
    generator_in_flight: ["resume 9", "yield 9", "resume 9", "return 9"] => [
        "10 resume 0",
        "20 yield 0 own=10",
        "30 resume 0",
        "40 return 0 own=10 own_total=20",
    ]
}

story! {
    /// A signal that hits a frame's very first instruction: an unwind without a call, of a call that began then.
    signal_at_start: ["call 1", "unwind 2 e=8 new", "handled 1 e=8", "return 1"] => [
        "10 call 0",
        "20 unwind 1 parent=0 start=20 own=0 exception=0",
        "30 handled 0 exception=0",
        "40 return 0 start=10 own=30",
    ]
}

story! {
    /// `throw()` into a generator that has not begun: throw and unwind are one call, without a call row.
    throw_before_start: ["call 1", "throw 9 e=8 new", "unwind 9 e=8", "return 1"] => [
        "10 call 0",
        "20 throw 1 resumed_by=0 exception=0",
        "30 unwind 1 parent=0 start=20 own=10 exception=0",
        "40 return 0 start=10 own=20",
    ]
}

story! {
    /// `throw()` into a suspended generator, which handles it.
    throw_into_suspended: ["call 9", "yield 9", "throw 9 e=8 new", "handled 9 e=8", "return 9"] => [
        "10 call 0",
        "20 yield 0 start=10 own=10",
        "30 throw 0 exception=0",
        "40 handled 0 exception=0",
        "50 return 0 start=10 own=20 own_total=30",
    ]
}

story! {
    /// Greenlets switch stacks: a frame below the top that ends takes only itself away.
    greenlets: ["call 1", "call 2", "call 3", "return 2", "call 4", "return 4", "return 3", "return 1"] => [
        "10 call 0",
        "20 call 1 parent=0",
        "30 call 2 parent=1",
        "40 return 1 parent=0 start=20 own=20",
        "50 call 3 parent=2",
        "60 return 3 parent=2 start=50 own=10",
        "70 return 2 parent=1 start=30 own=30",
        "80 return 0 start=10 own=10",
    ]
}

story! {
    /// Threads have stacks and counters of their own.
    threads: ["call 1", "thread 9", "call 2", "thread 0", "return 1", "thread 9", "return 2"] => [
        "10 call 0",
        "30 call 1 thread=1",
        "50 return 0 start=10 own=40",
        "70 return 1 thread=1 start=30 own=40",
    ]
}

story! {
    /// What runs or is suspended when its process ends is unfinished: stacks from the top down, then the rest.
    unfinished: ["call 9", "yield 9", "call 1", "call 2", "finish"] => [
        "10 call 0",
        "20 yield 0 start=10 own=10",
        "30 call 1",
        "40 call 2 parent=1",
        "50 unfinished 2 parent=1 start=40 own=10",
        "50 unfinished 1 start=30 own=10",
        "50 unfinished 0 start=10 own=0 own_total=10",
    ]
}

story! {
    /// A task is inherited by what is called in it, and follows a coroutine that another task resumes.
    tasks: [
        "call 1 task=1", "call 2", "yield 2", "yield 1", "call 3 task=2", "resume 2", "return 2", "return 3",
        "resume 1 task=1", "return 1", "call 4 task=0", "return 4",
    ] => [
        "10 call 0 task=1",
        "20 call 1 parent=0 task=1",
        "30 yield 1 start=20 own=10 task=1",
        "40 yield 0 start=10 own=20 task=1",
        "50 call 2 task=2",
        "60 resume 1 resumed_by=2 task=2",
        "70 return 1 parent=0 start=20 own=10 own_total=20 task=2",
        "80 return 2 start=50 own=20 task=2",
        "90 resume 0 task=1",
        "100 return 0 start=10 own=10 own_total=30 task=1",
        "110 call 3",
        "120 return 3 start=110 own=10",
    ]
}

story! {
    /// An exception has one number on its way; another one at the same address has a number of its own.
    exceptions: [
        "call 1", "call 2", "raise 2 e=8 new", "unwind 2 e=8", "raise 1 e=8", "handled 1 e=8",
        "raise 1 e=8 new", "raise 1 e=9", "unwind 1 e=9",
    ] => [
        "10 call 0",
        "20 call 1 parent=0",
        "30 raise 1 exception=0",
        "40 unwind 1 parent=0 start=20 own=20 exception=0",
        "50 raise 0 exception=0",
        "60 handled 0 exception=0",
        "70 raise 0 exception=1",
        "80 raise 0 exception=2",
        "90 unwind 0 start=10 own=60 exception=2",
    ]
}

/// Recursion to any depth pairs, and every call has exactly one closing row.
#[test]
fn deep_recursion() {
    let story: Vec<String> = (1..=5_000)
        .map(|frame| format!("call {frame}"))
        .chain((1..=5_000).rev().map(|frame| format!("return {frame}")))
        .collect();
    let rows = tell(&story.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(rows.len(), 10_000);
    assert_eq!(rows[9_999], "100000 return 0 start=10 own=20");
    assert_eq!(rows[5_000], "50010 return 4999 parent=4998 start=50000 own=10");
}
