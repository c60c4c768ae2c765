//! A chain of filters becomes one policy.

use super::index::Index;
use super::model::{Io, Located, Setting};
use super::parse::{FilterFile, IoKeys, parse};
use super::verdict::Remembered;
use super::{CompiledRule, Inner, Policy, Source};
use crate::diagnostics::Diagnostic;
use std::sync::Arc;

/// Composes these filters, in this order, or gives every problem that any of them has.
pub fn load(sources: &[Source]) -> Result<Policy, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let parsed: Vec<Option<FilterFile>> = sources
        .iter()
        .enumerate()
        .map(|(index, source)| parse(source, index as u32, &mut problems))
        .collect();
    if let Some(Some(first)) = parsed.first() {
        problems.extend(first.needs_predecessor.iter().cloned());
    }
    let io = compose_io(&parsed, &mut problems);
    if sources.is_empty() {
        let message = "a policy needs at least one filter".to_owned();
        problems.push(Diagnostic::whole_file("nothing-to-inherit", "", message, None));
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    let files: Vec<FilterFile> = parsed.into_iter().flatten().collect();
    let (Some(default_exec), Some(default_value_action)) =
        (last_of(&files, |file| &file.default_exec), last_of(&files, |file| &file.default_value_action))
    else {
        // A chain without a value to inherit was reported above.
        return Err(problems);
    };
    let mut filters = Vec::with_capacity(files.len());
    let (mut rules, mut compiled) = (Vec::new(), Vec::new());
    for file in files {
        filters.push(file.info);
        for rule in file.rules {
            let actions = rule.info.patterns.iter().map(|pattern| pattern.action);
            compiled.push(CompiledRule {
                selector: rule.selector,
                exec: rule.info.exec,
                value_default: rule.info.value_default,
                patterns: rule.patterns.into_iter().zip(actions).collect(),
                remembered: Remembered::default(),
            });
            rules.push(rule.info);
        }
    }
    let index = Index::new(&compiled);
    let (io, notices) = io;
    let inner = Inner { filters, rules, compiled, default_exec, default_value_action, io, notices, index };
    Ok(Policy { inner: Arc::new(inner) })
}

/// The value of the last filter that does not inherit.
fn last_of<T: Copy>(
    files: &[FilterFile],
    get: impl Fn(&FilterFile) -> &Located<Option<T>>,
) -> Option<Setting<T>> {
    files.iter().enumerate().rev().find_map(|(index, file)| {
        let located = get(file);
        located.value.map(|value| Setting { value, filter: index as u32, line: located.line })
    })
}

/// `[io]` of the chain, and what is to be said about it although it is right.
fn compose_io(files: &[Option<FilterFile>], problems: &mut Vec<Diagnostic>) -> (Io, Vec<Diagnostic>) {
    let mut io = Io::default();
    let mut capturing: Option<&IoKeys> = None;
    for (index, file) in files.iter().enumerate() {
        let Some(file) = file else { continue };
        let filter = index as u32;
        if let Some(Located { value, line }) = file.io.capture {
            io.capture = Some(Setting { value, filter, line });
            capturing = Some(&file.io);
        }
        if let Some(Located { value, line }) = &file.io.streams {
            io.streams = Some(Setting { value: value.clone(), filter, line: *line });
        }
    }
    let Some(keys) = capturing.filter(|_| io.captures()) else { return (io, Vec::new()) };
    // A filter that could not be read may be the one that names the streams.
    let all_read = files.iter().all(Option::is_some);
    if all_read && io.streams.as_ref().is_none_or(|streams| streams.value.is_empty()) {
        problems.extend(keys.without_streams.clone());
    }
    let notices = keys.not_served.clone().into_iter().collect();
    (io, notices)
}
