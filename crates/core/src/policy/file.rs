//! A filter as it stands in its file; what it inherits is settled when the chain is composed.

use super::model::{Action, Exec, FilterInfo, Located, RuleInfo};
use super::selector::{ScopeSelector, ValueSelector};
use crate::diagnostics::{Diagnostic, Severity, SourceText};
use std::ops::Range;

/// What was read of a file: the filter only if nothing is wrong with it.
#[derive(Default)]
pub(super) struct Parsed {
    pub filter: Option<FilterFile>,
    pub includes: Vec<Located<String>>,
    pub problems: Vec<Diagnostic>,
    /// Empty if it is no TOML.
    pub text: String,
}

pub(super) struct FilterFile {
    pub info: FilterInfo,
    pub text: String,
    pub default_exec: Located<Option<Exec>>,
    pub default_value_action: Located<Option<Action>>,
    pub io: IoKeys,
    pub rules: Vec<ParsedRule>,
    /// Errors to report if nothing stands before this filter in its chain.
    pub needs_predecessor: Vec<Diagnostic>,
}

#[derive(Default)]
pub(super) struct IoKeys {
    pub capture: Option<Located<bool>>,
    pub streams: Option<Located<Vec<String>>>,
    /// What to say if this capture is the one that holds: that it cannot be served, …
    pub not_served: Option<Diagnostic>,
    /// … and that it names no streams, if the chain does not either.
    pub without_streams: Option<Diagnostic>,
}

pub(super) struct ParsedRule {
    pub info: RuleInfo,
    pub selector: ScopeSelector,
    /// At the same places as those of `info`.
    pub patterns: Vec<ParsedPattern>,
    pub spans: RuleSpans,
    /// The warnings that are accepted here.
    pub accept: Vec<Located<String>>,
}

pub(super) struct RuleSpans {
    pub selector: Range<usize>,
    pub exec: Option<Range<usize>>,
    pub value_default: Option<Range<usize>>,
}

pub(super) struct ParsedPattern {
    pub selector: ValueSelector,
    pub spans: PatternSpans,
}

pub(super) struct PatternSpans {
    pub selector: Range<usize>,
    pub action: Range<usize>,
}

impl FilterFile {
    /// A diagnostic about some bytes of this file.
    pub fn diagnostic(
        &self,
        severity: Severity,
        id: &str,
        span: &Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Diagnostic {
        SourceText::new(&self.info.display, &self.text).diagnostic(severity, id, span.clone(), message, hint)
    }
}
