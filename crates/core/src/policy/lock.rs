//! Locked filters: what stands behind one may only record less.
//!
//! This is held in two ways. What traces or allows in a filter behind a locked one is an error, so that nobody
//! believes in it. And every verdict is the stricter one of two: that of the whole chain, and that of the locked
//! filter with nothing but the chain's first filter and its own includes before it. So no order of filters, and
//! nothing that stands before it, loosens what a locked filter says.

use super::compose::{compose_io, last_of};
use super::file::FilterFile;
use super::model::{Action, Exec, Io};
use super::verdict::View;
use crate::diagnostics::{Diagnostic, Severity};
use std::ops::Range;

/// The files that a locked filter speaks for: the first of the chain, what it includes, and itself.
fn members(files: &[&FilterFile], locked: usize) -> Vec<bool> {
    let mut members = vec![false; files.len()];
    let mut waiting = vec![0, locked];
    while let Some(index) = waiting.pop() {
        if !std::mem::replace(&mut members[index], true) {
            waiting.extend(files[index].info.includes.iter().map(|&include| include as usize));
        }
    }
    members
}

fn locked(files: &[&FilterFile]) -> impl Iterator<Item = usize> {
    files.iter().enumerate().filter(|(_, file)| file.info.locked).map(|(index, _)| index)
}

/// What locked filters say by themselves; `[io]` is narrowed at once.
pub(super) fn views(files: &[&FilterFile], io: &mut Io) -> Vec<View> {
    let mut views = Vec::new();
    for index in locked(files) {
        let members = members(files, index);
        let within =
            || files.iter().enumerate().filter(|&(index, _)| members[index]).map(|(i, file)| (i, *file));
        let (Some(default_exec), Some(default_value_action)) = (
            last_of(within(), |file| &file.default_exec),
            last_of(within(), |file| &file.default_value_action),
        ) else {
            continue;
        };
        narrow(io, &compose_io(within()).0);
        let rules = files.iter().zip(&members).flat_map(|(file, &is)| file.rules.iter().map(move |_| is));
        views.push(View { members: Some(rules.collect()), default_exec, default_value_action });
    }
    views
}

fn narrow(io: &mut Io, to: &Io) {
    if let Some(capture) = &mut io.capture
        && !to.captures()
    {
        capture.value = false;
    }
    if let (Some(streams), Some(allowed)) = (&mut io.streams, &to.streams) {
        streams.value.retain(|stream| allowed.value.contains(stream));
    }
}

/// What is wrong with the filters behind locked ones.
pub(super) fn problems(files: &[&FilterFile]) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    let Some(first) = locked(files).next() else { return problems };
    let own = members(files, first);
    let digests: Vec<&str> =
        files.iter().zip(&own).filter(|&(_, &own)| own).map(|(file, _)| file.info.sha256.as_str()).collect();
    let (io, _) = compose_io(files.iter().take(first + 1).copied().enumerate());
    for (_, file) in files.iter().enumerate().skip(first + 1).filter(|&(index, _)| !own[index]) {
        // The same filter once more is no attempt at anything.
        if digests.contains(&file.info.sha256.as_str()) {
            continue;
        }
        for (span, what) in loosenings(file, &io) {
            let message =
                format!("{what} behind the locked filter `{}` cannot hold", files[first].info.display);
            let hint = "filters behind a locked one may only skip, redact and drop more".to_owned();
            problems.push(file.diagnostic(Severity::Error, "locked", &span, message, Some(hint)));
        }
    }
    problems
}

/// The places where a filter traces or allows.
fn loosenings(file: &FilterFile, io: &Io) -> Vec<(Range<usize>, String)> {
    let mut found = Vec::new();
    let mut add = |span: &Range<usize>, what: &str| found.push((span.clone(), what.to_owned()));
    if file.default_exec.value == Some(Exec::Trace) {
        add(&file.default_exec.span, "`default_exec = \"trace\"`");
    }
    if file.default_value_action.value == Some(Action::Allow) {
        add(&file.default_value_action.span, "`default_value_action = \"allow\"`");
    }
    if let Some(capture) = file.io.capture.as_ref().filter(|capture| capture.value && !io.captures()) {
        add(&capture.span, "`capture = true`");
    }
    if let Some(streams) = &file.io.streams {
        let known = io.streams.as_ref().map(|streams| streams.value.as_slice()).unwrap_or_default();
        if streams.value.iter().any(|stream| !known.contains(stream)) {
            add(&streams.span, "another stream");
        }
    }
    for rule in &file.rules {
        if let (Some(Exec::Trace), Some(span)) = (rule.info.exec, &rule.spans.exec) {
            add(span, "`exec = \"trace\"`");
        }
        if let (Some(Action::Allow), Some(span)) = (rule.info.value_default, &rule.spans.value_default) {
            add(span, "`value_default = \"allow\"`");
        }
        for (info, pattern) in rule.info.patterns.iter().zip(&rule.patterns) {
            if info.action == Action::Allow {
                add(&pattern.spans.action, "`action = \"allow\"`");
            }
        }
    }
    found.sort_by_key(|(span, _)| span.start);
    found
}
