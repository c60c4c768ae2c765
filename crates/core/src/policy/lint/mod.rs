//! Warnings about filters that are valid: what in them can have no effect, or another one than it seems to have.
//!
//! What is said to be covered is proven to be (`crate::language`); where a proof takes too much, nothing is said.

mod loosening;
mod order;
mod parts;
mod project;
mod scope;
mod secrets;
mod unused;

pub use project::{Project, ProjectCode, look};

use super::file::FilterFile;
use super::model::{Action, Located};
use super::{Policy, Source, compose};
use crate::diagnostics::{Diagnostic, Severity, SourceText};
use rustc_hash::FxHashSet;
use scope::Scope;
use std::ops::Range;

/// Composes a chain as [`super::load`] does, and looks for what is odd in it, in the files behind the first `given`
/// ones, which come with Tamis.
pub fn check(sources: &[Source], given: usize) -> Result<(Policy, Vec<Diagnostic>), Vec<Diagnostic>> {
    let files = compose::read(sources)?;
    let mut found = warnings(&files, given);
    let policy = compose::compose(files)?;
    found.extend(policy.notices().iter().cloned());
    Ok((policy, found))
}

/// The files of a chain, and what was found in them.
struct Findings<'a> {
    files: &'a [FilterFile],
    /// The rules of the whole chain, in its order.
    rules: Vec<Scope<'a>>,
    /// The first files, about which nothing is said.
    given: usize,
    texts: Vec<SourceText<'a>>,
    found: Vec<(usize, u32, Diagnostic)>,
    /// What was not said because it is accepted: the file, the rule if it accepts that, and the id.
    accepted: FxHashSet<(usize, Option<usize>, String)>,
}

fn warnings(files: &[FilterFile], given: usize) -> Vec<Diagnostic> {
    let mut findings = Findings::new(files, given);
    findings.look();
    findings.sorted()
}

impl<'a> Findings<'a> {
    fn new(files: &'a [FilterFile], given: usize) -> Findings<'a> {
        let rules = (0..)
            .zip(files)
            .flat_map(|(file, filter)| filter.rules.iter().map(move |rule| Scope::new(file, rule)));
        let texts = files.iter().map(|file| SourceText::new(&file.info.display, &file.text));
        Findings {
            files,
            rules: rules.collect(),
            given,
            texts: texts.collect(),
            found: Vec::new(),
            accepted: FxHashSet::default(),
        }
    }

    fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(file, line, _)| (*file, *line));
        self.found.into_iter().map(|(_, _, diagnostic)| diagnostic).collect()
    }
}

impl Findings<'_> {
    /// Looks for all that the filters show by themselves.
    fn look(&mut self) {
        order::look(self);
        loosening::look(self);
        secrets::look(self);
        parts::look(self);
    }

    /// The rules that are looked at, as indices into `rules`.
    fn own(&self) -> Range<usize> {
        let first = self.rules.partition_point(|rule| rule.file < self.given);
        first..self.rules.len()
    }

    /// Reports what concerns a rule, unless its author accepts that.
    fn about_rule(&mut self, rule: usize, id: &str, span: &Range<usize>, message: String, hint: &str) {
        let (file, parsed) = (self.rules[rule].file, self.rules[rule].rule);
        if has(&parsed.accept, id) {
            self.accepted.insert((file, Some(rule), id.to_owned()));
        } else {
            self.about_file(file, id, span, message, hint);
        }
    }

    fn about_file(&mut self, file: usize, id: &str, span: &Range<usize>, message: String, hint: &str) {
        if has(&self.files[file].info.accept, id) {
            self.accepted.insert((file, None, id.to_owned()));
        } else {
            let hint = Some(hint.to_owned());
            let diagnostic = self.texts[file].diagnostic(Severity::Warning, id, span.clone(), message, hint);
            self.found.push((file, diagnostic.line, diagnostic));
        }
    }

    /// How one says that a warning about a rule of this file is meant.
    fn how_to_accept(&self, file: usize, id: &str) -> String {
        let needs = if self.files[file].info.version < 2 { ", which needs `version = 2`" } else { "" };
        format!("write `accept = [\"{id}\"]` at the rule{needs}")
    }

    /// A rule, as a message about a rule of `file` names it.
    fn named(&self, rule: usize, file: usize) -> String {
        let Scope { file: other, rule, .. } = &self.rules[rule];
        let info = &rule.info;
        if *other == file {
            format!("`{}` in line {}", info.selector, info.line)
        } else {
            format!("`{}` in line {} of `{}`", info.selector, info.line, self.files[*other].info.display)
        }
    }
}

fn has(accept: &[Located<String>], id: &str) -> bool {
    accept.iter().any(|accepted| accepted.value == id)
}

fn closes(action: Action) -> bool {
    action != Action::Allow
}
