//! The trace filter: everything that decides what is recorded.
//!
//! [`load`] turns a chain of filter files into a [`Policy`], or into all the problems of the chain.
//! [`Policy::scope`] decides about a code object, [`ScopeVerdict::value`] about one of its values.

mod compose;
mod file;
mod glob;
mod include;
mod index;
mod lint;
mod lock;
mod model;
mod names;
mod naming;
mod parse;
mod parse_io;
mod reader;
mod regex;
mod selector;
mod selector_parts;
mod tokens;
mod upgrade;
mod verdict;

pub use compose::load;
pub use lint::{Project, ProjectCode, check, look};
pub use model::{Action, Exec, FilterInfo, Io, PatternInfo, RuleInfo, Setting};
pub use names::{ObjectName, Origin, ScopeNames};
pub use naming::{Namer, Places};
pub use selector::{Kinds, ScopeKind};
pub use tokens::{Token, tokens};
pub use upgrade::upgraded;
pub use verdict::{Decider, ScopeVerdict, ValueVerdict};

use crate::diagnostics::Diagnostic;
use selector::{ScopeSelector, ValueSelector};
use std::path::PathBuf;
use std::sync::Arc;

/// A filter file that has been read.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file, as the user would spell it.
    pub display: String,
    pub path: Option<PathBuf>,
    pub bytes: Vec<u8>,
}

/// A composed chain of filters: immutable, and cheap to clone.
#[derive(Clone, Debug)]
pub struct Policy {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    filters: Vec<FilterInfo>,
    rules: Vec<RuleInfo>,
    compiled: Vec<CompiledRule>,
    /// The whole chain, and what locked filters say by themselves; the strictest holds. Never empty.
    views: Vec<verdict::View>,
    io: Io,
    notices: Vec<Diagnostic>,
    index: index::Index,
}

/// What of a rule takes part in decisions; `Inner::rules` holds the rest, at the same place.
#[derive(Debug)]
struct CompiledRule {
    selector: ScopeSelector,
    exec: Option<Exec>,
    value_default: Option<Action>,
    patterns: Vec<(ValueSelector, Action)>,
    remembered: verdict::Remembered,
}

impl Policy {
    /// The filters, in the order of the chain.
    pub fn filters(&self) -> &[FilterInfo] {
        &self.inner.filters
    }

    /// The rules of all filters, in the order of the chain.
    pub fn rules(&self) -> &[RuleInfo] {
        &self.inner.rules
    }

    /// What the chain says about `[io]`.
    pub fn io(&self) -> &Io {
        &self.inner.io
    }

    /// What users should know although nothing is wrong; each fits one line.
    pub fn notices(&self) -> &[Diagnostic] {
        &self.inner.notices
    }

    pub fn default_exec(&self) -> &Setting<Exec> {
        &self.inner.views[0].default_exec
    }

    pub fn default_value_action(&self) -> &Setting<Action> {
        &self.inner.views[0].default_value_action
    }

    /// Whether any pattern speaks of types: if none does, nobody needs to ask.
    pub fn has_type_patterns(&self) -> bool {
        self.inner.compiled.iter().any(|rule| rule.has_patterns(Kinds::TYPE))
    }
}

#[cfg(test)]
pub(crate) fn glob_language_for_tests(pattern: &str, path: bool) -> crate::language::Language {
    glob::language(pattern, if path { glob::Flavour::Path } else { glob::Flavour::Name }).unwrap()
}

#[cfg(test)]
pub(crate) fn glob_matches_for_tests(pattern: &str, name: &str) -> bool {
    glob::Glob::new(pattern, glob::Flavour::Name).unwrap().is_match(name)
}
