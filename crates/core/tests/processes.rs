//! Processes that die: the recorded one, the helper, and those in between.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod common;

use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::{Recorder, Recording, int, lines, metadata, sealed, tails};
use serde_json::json;
use tamis_core::arena::{Arena, Clock, helper_state, state};
use tamis_core::wire::{NONE_ID, end, kind, object, tag};

/// A number in memory that forked children share.
fn shared() -> &'static AtomicU64 {
    let access = libc::PROT_READ | libc::PROT_WRITE;
    // SAFETY: a new mapping, never unmapped, zeroed by the system and large enough.
    unsafe {
        let place =
            libc::mmap(std::ptr::null_mut(), 4096, access, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1, 0);
        assert_ne!(place, libc::MAP_FAILED);
        &*place.cast()
    }
}

/// Runs `work` in a forked child.
fn fork(work: impl FnOnce()) -> i32 {
    // SAFETY: the child does nothing but `work` and ends at once.
    match unsafe { libc::fork() } {
        0 => {
            work();
            // SAFETY: ends the child without running the parent's exit handlers.
            unsafe { libc::_exit(0) }
        }
        pid => pid,
    }
}

fn kill(pid: i32) {
    // SAFETY: the process is a child of ours that was not waited for.
    unsafe {
        libc::kill(pid, libc::SIGKILL);
        libc::waitpid(pid, std::ptr::null_mut(), 0);
    }
}

/// The helper in a process of its own.
struct Helper {
    arena: Arena,
    process: Child,
    trace: tempfile::TempDir,
}

impl Helper {
    /// `limit`: no file may grow beyond so many bytes.
    fn start(limit: Option<u64>) -> Helper {
        let trace = tempfile::tempdir().unwrap();
        let (arena, fd) = Arena::create(Clock::best()).unwrap();
        let program = std::env::current_exe().unwrap();
        let program = program.parent().unwrap().parent().unwrap().join("examples/helper");
        let mut command = Command::new(program);
        command.args([fd.to_string(), json!({"trace": trace.path()}).to_string()]);
        // SAFETY: both calls may be made between fork and exec.
        unsafe {
            command.pre_exec(move || {
                libc::fcntl(fd, libc::F_SETFD, 0);
                if let Some(limit) = limit {
                    libc::setrlimit(libc::RLIMIT_FSIZE, &libc::rlimit { rlim_cur: limit, rlim_max: limit });
                }
                Ok(())
            });
        }
        Helper { arena, process: command.spawn().unwrap(), trace }
    }

    fn state(&self) -> u32 {
        self.arena.control().helper_state.load(Ordering::Acquire)
    }
}

/// Event number `number` of a program that calls one function again and again, on two threads in turn.
fn event(recorder: &mut Recorder, number: u64) {
    if number.is_multiple_of(64) {
        recorder.thread((number / 64 % 2) as u32);
    }
    let frame = 0x1000 + number / 64 % 2 * 64;
    if number.is_multiple_of(2) {
        recorder.call_with(0, frame, &[int(number as i64)]);
    } else {
        recorder.leave_with(0, frame, &int(number as i64));
    }
}

/// Whatever moment a program is killed at, every event that it published is in the trace, whole, in order and
/// with its value.
#[test]
fn killed_programs_lose_nothing() {
    let published = shared();
    let mut random = 7u64;
    for round in 0..50 {
        published.store(0, Ordering::Relaxed);
        let recording = Recording::start(Clock::best(), json!({}));
        let slice = recording.arena.reserve(NONE_ID).unwrap();
        let pid = fork(|| {
            let mut recorder = Recorder::join_reserved(&recording.arena, slice);
            recorder.code(0, "f", &["number"]);
            for number in 0.. {
                event(&mut recorder, number);
                published.store(number + 1, Ordering::Release);
            }
        });
        // Before it has joined, its slice is kept for it as long as this process lives.
        while recording.arena.slice(slice).state.load(Ordering::Acquire) == state::RESERVED {
            std::thread::yield_now();
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        std::thread::sleep(Duration::from_micros((random >> 33) % 25_000));
        kill(pid);
        let published = published.load(Ordering::Acquire);
        let (status, trace) = recording.finish();
        assert_eq!(status, 0);
        let mut values = std::collections::HashMap::new();
        for line in lines(&sealed(trace.path(), "values"), &["segment", "value", "json"]) {
            let (key, json) = line.rsplit_once(' ').unwrap();
            values.insert(key.to_owned(), json.to_owned());
        }
        let events = lines(&sealed(trace.path(), "events"), &["kind", "segment", "value"]);
        let mut told = 0;
        for event in events.iter().filter(|event| !event.starts_with("unfinished")) {
            let (kind, value) = event.split_once(' ').unwrap();
            let expected = match kind {
                "call" => format!(r#"{{"number":{told}}}"#),
                _ => told.to_string(),
            };
            assert_eq!(values[value], expected, "round {round}");
            told += 1;
        }
        assert!((published..=published + 1).contains(&told), "round {round}: {told} of {published}");
        assert!(events.len() as u64 - told <= 2, "round {round}");
        assert_eq!(lines(&sealed(trace.path(), "processes"), &["end"]), ["lost"]);
    }
}

/// When the helper itself is killed, its tails hold everything up to 250 ms before, in whole rows.
#[test]
fn a_killed_helper_leaves_its_tails() {
    let mut helper = Helper::start(None);
    let mut recorder = Recorder::join(&helper.arena, NONE_ID);
    recorder.code(0, "f", &["number"]);
    let begin = Instant::now();
    let mut written = Vec::new();
    while begin.elapsed() < Duration::from_millis(900) {
        for _ in 0..100 {
            event(&mut recorder, written.len() as u64);
            written.push(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let killed = Instant::now();
    helper.process.kill().unwrap();
    helper.process.wait().unwrap();
    let events = lines(&tails(helper.trace.path(), "events"), &["kind", "value"]);
    for (number, event) in events.iter().enumerate() {
        let kind = if number % 2 == 0 { "call" } else { "return" };
        assert_eq!(*event, format!("{kind} {number}"));
    }
    let values = lines(&tails(helper.trace.path(), "values"), &["value"]);
    assert!(values.len() >= events.len());
    let lost = written.get(events.len()).map_or(Duration::ZERO, |&time| killed - time);
    assert!(lost < Duration::from_millis(250), "{lost:?} lost");
    assert_eq!(lines(&tails(helper.trace.path(), "code"), &["qualname"]), ["f"]);
    assert_eq!(lines(&tails(helper.trace.path(), "processes"), &["end"]), ["recording"]);
    assert_eq!(metadata(helper.trace.path())["state"], "recording");
    assert!(helper.trace.path().join("recording.lock").exists());
}

/// The tail of a segment holds the same rows as its Parquet file.
#[test]
fn tails_equal_segments() {
    let recording = Recording::start(Clock::best(), json!({}));
    let mut recorder = Recorder::join(&recording.arena, NONE_ID);
    recorder.code(0, "f", &["number"]);
    for number in 0..5_000 {
        event(&mut recorder, number);
    }
    std::thread::sleep(Duration::from_millis(300));
    let directory = recording.trace.path().to_owned();
    let tables = ["events", "values", "redactions", "code"];
    let before = tables.map(|table| tails(&directory, table));
    recorder.end(end::EXIT, 0);
    let (_, trace) = recording.finish();
    for (table, before) in tables.into_iter().zip(before) {
        let schema = before.first().map(|batch| batch.schema());
        let columns: Vec<String> = schema
            .iter()
            .flat_map(|schema| schema.fields().iter().map(|field| field.name().clone()))
            .collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let sealed = lines(&sealed(trace.path(), table), &columns);
        assert_eq!(lines(&before, &columns), sealed, "{table}");
        assert!(table == "redactions" || !sealed.is_empty(), "{table}");
    }
}

/// When files cannot grow, the helper says why, keeps what is readable, and the program goes on unhindered.
#[test]
fn a_full_disk() {
    let mut helper = Helper::start(Some(128 * 1024));
    let mut recorder = Recorder::join(&helper.arena, NONE_ID);
    recorder.code(0, "f", &["number"]);
    let begin = Instant::now();
    for number in 0..1_000_000 {
        event(&mut recorder, number);
    }
    assert!(begin.elapsed() < Duration::from_secs(20));
    recorder.end(end::EXIT, 0);
    assert_eq!(helper.process.wait().unwrap().code(), Some(1));
    assert_eq!(helper.state(), helper_state::FAILED);
    let message = "could not write the trace: File too large (os error 27)";
    assert_eq!(helper.arena.error(), message);
    let found = metadata(helper.trace.path());
    assert_eq!((found["state"].as_str(), found["error"].as_str()), (Some("failed"), Some(message)));
    let events = lines(&tails(helper.trace.path(), "events"), &["value"]);
    assert!(events.len() > 1_000, "{} events", events.len());
    assert!(events.iter().enumerate().all(|(number, value)| number.to_string() == *value));
    assert!(common::files(helper.trace.path(), ".", "part").is_empty());
    assert!(!helper.trace.path().join("recording.lock").exists());
}

/// A trace whose directory is gone is a failure from the start; nobody waits for it.
#[test]
fn no_directory() {
    let (arena, fd) = Arena::create(Clock::best()).unwrap();
    let config = serde_json::from_value(json!({"trace": "/nonexistent/trace"})).unwrap();
    let other = Arena::open(fd).unwrap();
    let mut recorder = Recorder::join(&arena, NONE_ID);
    let helper = std::thread::spawn(move || tamis_core::helper::run(other, config));
    for number in 0..200_000 {
        event(&mut recorder, number);
    }
    recorder.end(end::EXIT, 0);
    assert_eq!(helper.join().unwrap(), 1);
    assert_eq!(arena.error(), "could not write the trace: No such file or directory (os error 2)");
}

/// A process that becomes another program (`exec`) records no more, though it lives on.
#[test]
fn exec_ends_a_part() {
    let recording = Recording::start(Clock::best(), json!({}));
    let slice = recording.arena.reserve(NONE_ID).unwrap();
    let pid = fork(|| {
        let mut recorder = Recorder::join_reserved(&recording.arena, slice);
        recorder.code(0, "f", &["number"]);
        event(&mut recorder, 0);
        let _ = Command::new("sleep").arg("30").exec();
    });
    let begin = Instant::now();
    let (status, trace) = recording.finish();
    assert!(begin.elapsed() < Duration::from_secs(5));
    kill(pid);
    assert_eq!(status, 0);
    assert_eq!(lines(&sealed(trace.path(), "processes"), &["end"]), ["lost"]);
    assert_eq!(lines(&sealed(trace.path(), "events"), &["kind"]), ["call", "unfinished"]);
}

/// Forked children record as parts of their own, after their parent is gone too; a slice that was kept for a
/// child that never came does not keep the recording open.
#[test]
fn children_and_orphans() {
    let recording = Recording::start(Clock::best(), json!({}));
    let first = recording.arena.reserve(NONE_ID).unwrap();
    let parent = fork(|| {
        let mut recorder = Recorder::join_reserved(&recording.arena, first);
        recorder.code(0, "f", &["number"]);
        event(&mut recorder, 0);
        let child = recording.arena.reserve(0).unwrap();
        let _never_used = recording.arena.reserve(0).unwrap();
        fork(|| {
            std::thread::sleep(Duration::from_millis(300));
            let mut recorder = Recorder::join_reserved(&recording.arena, child);
            recorder.code(0, "f", &["number"]);
            event(&mut recorder, 0);
            event(&mut recorder, 1);
            recorder.end(end::EXIT, 3);
        });
    });
    let begin = Instant::now();
    // SAFETY: a child of ours.
    unsafe { libc::waitpid(parent, std::ptr::null_mut(), 0) };
    let (status, trace) = recording.finish();
    assert_eq!(status, 0);
    assert!((2..8).contains(&begin.elapsed().as_secs()), "{:?}", begin.elapsed());
    let processes = lines(&sealed(trace.path(), "processes"), &["part", "parent", "end", "exit_status"]);
    assert_eq!(processes, ["0 - lost -", "1 0 exit 3"]);
    let events = lines(&sealed(trace.path(), "events"), &["part", "kind", "code"]);
    assert_eq!(events, ["0 call 0", "0 unfinished 0", "1 call 0", "1 return 0"]);
    assert_eq!(lines(&sealed(trace.path(), "code"), &["qualname"]), ["f"]);
}

/// A child that dies before it joins, and a fork that failed, do not keep the recording open: not even while the
/// process lives that forked.
#[test]
fn children_that_never_come() {
    let recording = Recording::start(Clock::best(), json!({}));
    let recorder = Recorder::join(&recording.arena, NONE_ID);
    let (child, failed) = (recording.arena.reserve(0).unwrap(), recording.arena.reserve(0).unwrap());
    let ticket = recording.arena.ticket(child);
    let pid = fork(|| assert!(recording.arena.claim(ticket)));
    // Neither is withdrawn before it is known that nobody comes.
    while recording.arena.claimed_by(child).is_none() {
        std::thread::yield_now();
    }
    assert_eq!(recording.arena.slice(failed).state.load(Ordering::Acquire), state::RESERVED);
    // SAFETY: a child of ours.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    recording.arena.set_forked(child);
    recording.arena.set_forked(failed);
    recorder.end(end::EXIT, 0);
    let (status, trace) = recording.finish();
    assert_eq!(status, 0);
    assert_eq!(lines(&sealed(trace.path(), "processes"), &["part", "end"]), ["0 exit"]);
}

/// However long a program runs, the helper's memory stays bounded: 20 million events, many of them with values
/// and objects that were never seen before.
#[test]
fn memory_is_bounded() {
    let mut helper = Helper::start(None);
    let mut recorder = Recorder::join(&helper.arena, NONE_ID);
    recorder.define(kind::DEF_TYPE, 0, "m.T");
    recorder.code(0, "f", &["self", "number"]);
    for number in 0..10_000_000u64 {
        let address = 0x7f00_0000_0000 + number / 8 * 64;
        let object = [&[tag::OBJECT][..], &object::word(0, address).unwrap().to_le_bytes()].concat();
        recorder.call_with(0, 0x1000, &[object, int((number / 3) as i64)]);
        recorder.leave(0, 0x1000);
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", helper.process.id())).unwrap();
    recorder.end(end::EXIT, 0);
    assert_eq!(helper.process.wait().unwrap().code(), Some(0));
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak: u64 = peak.trim().trim_end_matches(" kB").parse().unwrap();
    // It takes some 80 MB; without a bound, the objects alone would take hundreds.
    assert!(peak < 96 * 1024, "{peak} kB");
    assert_eq!(metadata(helper.trace.path())["counters"]["events"]["return"], 10_000_000);
}
