//! Recordings from end to end: records in, a trace out.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Recorder, Recording, files, int, lines, metadata, sealed, text};
use serde_json::json;
use tamis_core::arena::Clock;
use tamis_core::wire::{NONE_ID, end};

/// A call with its arguments and its return comes out as two rows, with values, times and code, and the
/// directory holds the finished tables and nothing else.
#[test]
fn a_call_and_its_return() {
    let recording = Recording::start(Clock::Nanoseconds, json!({"metadata": {"command": "program.py"}}));
    let start = recording.arena.control().start_ticks.load(std::sync::atomic::Ordering::Relaxed);
    let mut recorder = Recorder::join(&recording.arena, NONE_ID);
    recorder.code(0, "f", &["a", "b"]);
    recorder.at = Some(start + 1_000);
    recorder.call_with(0, 0x1000, &[int(1), text("two")]);
    recorder.at = Some(start + 4_000);
    recorder.leave_with(0, 0x1000, &int(3));
    recorder.end(end::EXIT, 0);
    let (status, trace) = recording.finish();
    assert_eq!(status, 0);
    let events = sealed(trace.path(), "events");
    let columns =
        ["part", "thread", "seq", "time", "kind", "call", "parent", "code", "value", "start", "own"];
    assert_eq!(
        lines(&events, &columns),
        ["0 0 0 1000 call 0 - 0 0 - -", "0 0 1 4000 return 0 - 0 1 1000 3000"]
    );
    let values = sealed(trace.path(), "values");
    assert_eq!(lines(&values, &["value", "json"]), [r#"0 {"a":1,"b":"two"}"#, "1 3"]);
    let code = sealed(trace.path(), "code");
    assert_eq!(
        lines(&code, &["code", "module", "qualname", "file", "line", "kind", "traced", "parameters"]),
        ["0 program f program.py 1 function true a,b"]
    );
    let processes = sealed(trace.path(), "processes");
    assert_eq!(
        lines(&processes, &["part", "parent", "command", "end", "exit_status"]),
        ["0 - python program.py exit 0"]
    );
    let found = metadata(trace.path());
    assert_eq!(found["state"], "closed");
    assert_eq!(found["command"], "program.py");
    assert_eq!(found["counters"]["events"]["call"], 1);
    let mut names: Vec<_> = std::fs::read_dir(&trace)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "code.parquet",
            "events-0000.parquet",
            "processes.parquet",
            "redactions-0000.parquet",
            "trace_metadata.json",
            "values-0000.parquet"
        ]
    );
    assert!(files(trace.path(), "tail", "arrows").is_empty());
}
