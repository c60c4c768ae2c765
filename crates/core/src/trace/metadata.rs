//! `trace_metadata.json`: what ran, under which filters, and the counters.

use std::io;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::schema::FORMAT;
use super::segment::replace;

pub const FILE: &str = "trace_metadata.json";

/// States of a trace.
pub mod state {
    pub const RECORDING: &str = "recording";
    pub const CLOSING: &str = "closing";
    pub const CLOSED: &str = "closed";
    pub const FAILED: &str = "failed";
}

/// What changes from one writing of the metadata to the next.
pub struct Moment<'a> {
    pub state: &'static str,
    pub error: Option<&'a str>,
    /// Nanoseconds since 1970.
    pub started: u64,
    pub duration_ns: i64,
    pub counters: Value,
    pub trace_filter: Value,
}

/// Writes the metadata, the old one staying in place until the new one is whole. `known` is what the recorder
/// told about the run.
pub fn write(directory: &Path, known: &Map<String, Value>, moment: Moment) -> io::Result<()> {
    let mut all = Map::new();
    all.insert("tamis".into(), known.get("tamis").cloned().unwrap_or(json!(env!("CARGO_PKG_VERSION"))));
    all.insert("format".into(), json!(FORMAT));
    all.insert("state".into(), json!(moment.state));
    all.insert("error".into(), json!(moment.error));
    all.insert("started".into(), json!(utc(moment.started)));
    all.insert("duration_ns".into(), json!(moment.duration_ns));
    for (name, value) in known {
        all.entry(name.clone()).or_insert_with(|| value.clone());
    }
    all.insert("counters".into(), moment.counters);
    all.insert("trace_filter".into(), moment.trace_filter);
    let mut text = serde_json::to_string_pretty(&all)?;
    text.push('\n');
    replace(&directory.join(FILE), text.as_bytes())
}

/// A time of the wall clock as ISO 8601, in UTC with microseconds.
fn utc(ns: u64) -> String {
    let (seconds, micros) = (ns / 1_000_000_000, ns % 1_000_000_000 / 1_000);
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Days to a date, by eras of 400 years that begin on the first of March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wall clock times are right at the edges of years and months.
    #[test]
    fn utc_dates() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399, "2000-02-28T23:59:59.000000Z"),
            (951_782_400, "2000-02-29T00:00:00.000000Z"),
            (1_767_225_599, "2025-12-31T23:59:59.000000Z"),
            (1_772_323_200, "2026-03-01T00:00:00.000000Z"),
        ] {
            assert_eq!(utc(seconds * 1_000_000_000), expected);
        }
    }
}
