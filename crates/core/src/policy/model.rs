//! What a policy consists of, as its readers see it.

use std::ops::Range;
use std::path::PathBuf;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exec {
    Trace,
    Skip,
}

impl Exec {
    pub fn as_str(self) -> &'static str {
        match self {
            Exec::Trace => "trace",
            Exec::Skip => "skip",
        }
    }
}

/// From the loosest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    Allow,
    Redact,
    Drop,
}

impl Action {
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Allow => "allow",
            Action::Redact => "redact",
            Action::Drop => "drop",
        }
    }
}

/// A setting and where it stands in its file.
#[derive(Clone, Debug)]
pub struct Located<T> {
    pub value: T,
    pub line: u32,
    /// In bytes.
    pub span: Range<usize>,
}

/// One filter of the chain.
#[derive(Clone, Debug)]
pub struct FilterInfo {
    pub name: String,
    pub version: u32,
    pub description: String,
    /// Without duplicates, in the order of the file.
    pub labels: Vec<String>,
    /// Of the file's bytes, in hexadecimal.
    pub sha256: String,
    /// The file, as the user would spell it.
    pub display: String,
    pub path: Option<PathBuf>,
    /// Filters behind it may only skip, redact and drop more.
    pub locked: bool,
    /// The filters of the chain that it includes, by their index.
    pub includes: Vec<u32>,
    /// The warnings that are accepted for the whole file.
    pub accept: Vec<Located<String>>,
}

/// One scope rule.
#[derive(Clone, Debug)]
pub struct RuleInfo {
    /// Index into the filters of the chain.
    pub filter: u32,
    /// Index among the rules of its file.
    pub index: u32,
    /// Of the selector.
    pub line: u32,
    pub selector: String,
    /// None: inherit.
    pub exec: Option<Exec>,
    /// None: inherit.
    pub value_default: Option<Action>,
    pub reason: Option<String>,
    pub patterns: Vec<PatternInfo>,
}

/// One value pattern of a rule.
#[derive(Clone, Debug)]
pub struct PatternInfo {
    pub selector: String,
    pub line: u32,
    pub action: Action,
    pub reason: Option<String>,
}

/// A setting of the chain and where it was set.
#[derive(Clone, Debug)]
pub struct Setting<T> {
    pub value: T,
    /// Index into the filters of the chain.
    pub filter: u32,
    pub line: u32,
}

/// `[io]`, composed key by key. None: no filter of the chain says anything.
#[derive(Clone, Debug, Default)]
pub struct Io {
    pub capture: Option<Setting<bool>>,
    pub streams: Option<Setting<Vec<String>>>,
}

impl Io {
    pub fn captures(&self) -> bool {
        self.capture.as_ref().is_some_and(|capture| capture.value)
    }
}
