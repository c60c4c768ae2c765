//! What the helper costs for each event: processor time of all its threads, the recorded program's taken off.
//!
//! The events look like those of pyperformance's richards: two a call, a receiver and an integer as arguments,
//! small results, calls a few levels deep.
#![allow(clippy::unwrap_used)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Duration;

use common::{Recorder, Recording, int};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tamis_core::arena::Clock;
use tamis_core::wire::{NONE_ID, end, kind, object, tag};

const EVENTS: u64 = 2_000_000;
const CODES: u32 = 24;

fn cpu(who: libc::c_int) -> Duration {
    // SAFETY: an all-zero value is valid, and it is overwritten.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for the answer.
    unsafe { libc::getrusage(who, &mut usage) };
    let time = |value: libc::timeval| Duration::new(value.tv_sec as u64, value.tv_usec as u32 * 1_000);
    time(usage.ru_utime) + time(usage.ru_stime)
}

fn instance(kind: u32, address: u64) -> Vec<u8> {
    [&[tag::OBJECT][..], &object::word(kind, address).unwrap().to_le_bytes()].concat()
}

/// Writes `events` records of calls and returns, as deep as richards goes.
fn richards(recorder: &mut Recorder, events: u64) {
    for code in 0..CODES {
        recorder.define(kind::DEF_TYPE, code, &format!("richards.Task{code}"));
        recorder.code(code, &format!("Task{code}.run"), &["self", "packet"]);
    }
    let mut random = 1u64;
    let mut written = 0;
    let mut stack: Vec<(u32, u64)> = Vec::new();
    while written < events {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let dice = (random >> 33) as u32;
        if stack.len() < 2 || (stack.len() < 9 && dice.is_multiple_of(2)) {
            let code = dice / 2 % CODES;
            let frame = 0x7f00_0000_1000 + stack.len() as u64 * 112;
            let number = i64::from(if dice.is_multiple_of(7) { dice % 100_000 } else { dice % 10 });
            recorder.call_with(
                code,
                frame,
                &[instance(code, 0x7f12_0000_0000 + u64::from(code) * 64), int(number)],
            );
            stack.push((code, frame));
        } else if let Some((code, frame)) = stack.pop() {
            let value = if dice.is_multiple_of(3) { vec![tag::NONE] } else { int(i64::from(dice % 50)) };
            recorder.leave_with(code, frame, &value);
        }
        written += 1;
    }
}

fn record(events: u64) -> (Duration, tempfile::TempDir) {
    let before = (cpu(libc::RUSAGE_SELF), cpu(libc::RUSAGE_THREAD));
    let recording = Recording::start(Clock::best(), json!({}));
    let mut recorder = Recorder::join(&recording.arena, NONE_ID);
    richards(&mut recorder, events);
    recorder.end(end::EXIT, 0);
    let (status, trace) = recording.finish();
    assert_eq!(status, 0);
    let own = cpu(libc::RUSAGE_THREAD) - before.1;
    (cpu(libc::RUSAGE_SELF) - before.0 - own, trace)
}

fn helper(criterion: &mut Criterion) {
    let (_, trace) = record(EVENTS);
    let bytes: u64 =
        std::fs::read_dir(&trace).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    println!("on disk: {:.2} bytes an event", bytes as f64 / EVENTS as f64);
    // SAFETY: an all-zero value is valid, and it is overwritten.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: `usage` is a valid place for the answer.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    println!("peak memory, this program included: {} MB", usage.ru_maxrss / 1024);
    let mut group = criterion.benchmark_group("helper");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    group.bench_function("two events a call, processor time", |bencher| {
        bencher.iter_custom(|rounds| (0..rounds).map(|_| record(EVENTS).0).sum());
    });
    group.finish();
}

criterion_group!(benches, helper);
criterion_main!(benches);
