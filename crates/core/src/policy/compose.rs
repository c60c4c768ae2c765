//! A chain of filters becomes one policy.

use super::file::{FilterFile, IoKeys};
use super::include::Chain;
use super::index::Index;
use super::lock;
use super::model::{Io, Located, Setting};
use super::verdict::{Remembered, View};
use super::{CompiledRule, Inner, Policy, Source};
use crate::diagnostics::Diagnostic;
use std::sync::Arc;

/// Composes these filters and what they include, in this order, or gives every problem that any of them has.
pub fn load(sources: &[Source]) -> Result<Policy, Vec<Diagnostic>> {
    compose(read(sources)?)
}

/// The filters of a chain, if nothing is wrong with them.
pub(super) fn read(sources: &[Source]) -> Result<Vec<FilterFile>, Vec<Diagnostic>> {
    let Chain { files, mut problems, .. } = Chain::read(sources);
    if let Some(Some(first)) = files.first() {
        problems.extend(first.needs_predecessor.iter().cloned());
    }
    let known: Vec<&FilterFile> = files.iter().flatten().collect();
    // A filter that could not be read may be the one that names the streams, or the one that is locked.
    if known.len() == files.len() {
        problems.extend(lock::problems(&known));
        let (io, capturing) = compose_io(known.iter().copied().enumerate());
        if io.streams.as_ref().is_none_or(|streams| streams.value.is_empty()) {
            problems.extend(capturing.and_then(|(_, keys)| keys.without_streams.clone()));
        }
    }
    if sources.is_empty() {
        let message = "a policy needs at least one filter".to_owned();
        problems.push(Diagnostic::whole_file("nothing-to-inherit", "", message, None));
    }
    if problems.is_empty() { Ok(files.into_iter().flatten().collect()) } else { Err(problems) }
}

pub(super) fn compose(files: Vec<FilterFile>) -> Result<Policy, Vec<Diagnostic>> {
    let known: Vec<&FilterFile> = files.iter().collect();
    let all = || known.iter().copied().enumerate();
    let (mut io, capturing) = compose_io(all());
    let (Some(default_exec), Some(default_value_action)) =
        (last_of(all(), |file| &file.default_exec), last_of(all(), |file| &file.default_value_action))
    else {
        // A chain without a value to inherit is refused when it is read.
        return Err(Vec::new());
    };
    let mut views = vec![View { members: None, default_exec, default_value_action }];
    views.extend(lock::views(&known, &mut io));
    let not_served = capturing.filter(|_| io.captures()).and_then(|(file, keys)| {
        let accepted = |problem: &&Diagnostic| !file.info.accept.iter().any(|id| id.value == problem.id);
        keys.not_served.as_ref().filter(accepted).cloned()
    });
    let notices = not_served.into_iter().collect();
    let mut filters = Vec::with_capacity(files.len());
    let (mut rules, mut compiled) = (Vec::new(), Vec::new());
    for (index, file) in files.into_iter().enumerate() {
        filters.push(file.info);
        for mut rule in file.rules {
            rule.info.filter = index as u32;
            let actions = rule.info.patterns.iter().map(|pattern| pattern.action);
            let selectors = rule.patterns.into_iter().map(|pattern| pattern.selector);
            compiled.push(CompiledRule {
                selector: rule.selector,
                exec: rule.info.exec,
                value_default: rule.info.value_default,
                patterns: selectors.zip(actions).collect(),
                remembered: Remembered::default(),
            });
            rules.push(rule.info);
        }
    }
    let index = Index::new(&compiled);
    let inner = Inner { filters, rules, compiled, views, io, notices, index };
    Ok(Policy { inner: Arc::new(inner) })
}

/// The value of the last filter that does not inherit.
pub(super) fn last_of<'f, T: Copy + 'f>(
    files: impl DoubleEndedIterator<Item = (usize, &'f FilterFile)>,
    get: impl Fn(&'f FilterFile) -> &'f Located<Option<T>>,
) -> Option<Setting<T>> {
    files.rev().find_map(|(index, file)| {
        let located = get(file);
        located.value.map(|value| Setting { value, filter: index as u32, line: located.line })
    })
}

/// `[io]` of these filters, and the one whose capture holds, if it is on.
pub(super) fn compose_io<'f>(
    files: impl Iterator<Item = (usize, &'f FilterFile)>,
) -> (Io, Option<(&'f FilterFile, &'f IoKeys)>) {
    let mut io = Io::default();
    let mut capturing = None;
    for (index, file) in files {
        let filter = index as u32;
        if let Some(Located { value, line, .. }) = &file.io.capture {
            io.capture = Some(Setting { value: *value, filter, line: *line });
            capturing = Some((file, &file.io));
        }
        if let Some(Located { value, line, .. }) = &file.io.streams {
            io.streams = Some(Setting { value: value.clone(), filter, line: *line });
        }
    }
    let capturing = capturing.filter(|_| io.captures());
    (io, capturing)
}
