//! Warnings about filters that are valid: what in them can have no effect, or another one than it seems to have.
//!
//! What is said to be covered is proven to be (`crate::language`); where a proof takes too much, nothing is said.

mod loosening;
mod order;
mod parts;
mod project;
mod scope;
mod secrets;

pub use project::{Project, ProjectCode, look};

use super::file::FilterFile;
use super::model::Action;
use super::{Policy, Source, compose};
use crate::diagnostics::{Diagnostic, Severity, SourceText};
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
}

fn warnings(files: &[FilterFile], given: usize) -> Vec<Diagnostic> {
    let mut findings = Findings::new(files, given);
    order::look(&mut findings);
    loosening::look(&mut findings);
    secrets::look(&mut findings);
    parts::look(&mut findings);
    findings.sorted()
}

impl<'a> Findings<'a> {
    fn new(files: &'a [FilterFile], given: usize) -> Findings<'a> {
        let rules = (0..)
            .zip(files)
            .flat_map(|(file, filter)| filter.rules.iter().map(move |rule| Scope::new(file, rule)));
        let texts = files.iter().map(|file| SourceText::new(&file.info.display, &file.text));
        Findings { files, rules: rules.collect(), given, texts: texts.collect(), found: Vec::new() }
    }

    fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|(file, line, _)| (*file, *line));
        self.found.into_iter().map(|(_, _, diagnostic)| diagnostic).collect()
    }
}

impl Findings<'_> {
    /// The rules that are looked at, as indices into `rules`.
    fn own(&self) -> Range<usize> {
        let first = self.rules.partition_point(|rule| rule.file < self.given);
        first..self.rules.len()
    }

    /// Reports what concerns a rule, unless its author accepts that.
    fn about_rule(&mut self, rule: usize, id: &str, span: &Range<usize>, message: String, hint: &str) {
        let Scope { file, rule, .. } = &self.rules[rule];
        if !rule.accept.iter().any(|accepted| accepted == id) {
            self.about_file(*file, id, span, message, hint);
        }
    }

    fn about_file(&mut self, file: usize, id: &str, span: &Range<usize>, message: String, hint: &str) {
        let filter = &self.files[file];
        if !filter.info.accept.iter().any(|accepted| accepted == id) {
            let hint = Some(hint.to_owned());
            let diagnostic = self.texts[file].diagnostic(Severity::Warning, id, span.clone(), message, hint);
            self.found.push((file, diagnostic.line, diagnostic));
        }
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

fn closes(action: Action) -> bool {
    action != Action::Allow
}
