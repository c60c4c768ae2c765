//! Problems of input files, as data. Their text is made in Python (`tamis/diagnostics.py`).

use std::ops::Range;

/// Every id there is. Each has a section in `docs/diagnostics.md`.
pub const IDS: &[&str] = &[
    "allows-secret",
    "bad-glob",
    "bad-path",
    "bad-regex",
    "bad-replacement",
    "bad-selector",
    "broad-after-narrow",
    "cannot-loosen",
    "duplicate-id",
    "duplicate-key",
    "empty-value",
    "example-fails",
    "file-missing",
    "file-unreadable",
    "include-cycle",
    "io-not-served",
    "json-syntax",
    "locked",
    "marker-without-content",
    "matches-empty",
    "matches-nothing",
    "missing-key",
    "missing-table",
    "misspelt-name",
    "needs-version-2",
    "not-utf8",
    "nothing-to-inherit",
    "partial-regex",
    "preempted-rule",
    "reserved-key",
    "shadowed-pattern",
    "shadowed-rule",
    "toml-syntax",
    "two-project-filters",
    "unknown-key",
    "unknown-kind",
    "unknown-match",
    "unknown-value",
    "unknown-version",
    "unused-accept",
    "wrong-type",
    "yaml-syntax",
];

/// Those of them that are warnings about content rules.
pub const RULE_WARNINGS: &[&str] = &["preempted-rule"];

/// Those of them that are warnings about filters: `accept` may name them.
pub const WARNINGS: &[&str] = &[
    "allows-secret",
    "broad-after-narrow",
    "cannot-loosen",
    "io-not-served",
    "matches-nothing",
    "misspelt-name",
    "partial-regex",
    "shadowed-pattern",
    "shadowed-rule",
    "two-project-filters",
    "unused-accept",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

impl Severity {
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// One problem. Lines and columns count from 1, columns in characters; `line` is 0 where the problem is the
/// file as a whole, and then `source` is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    pub id: String,
    pub severity: Severity,
    pub path: String,
    pub line: u32,
    pub column: u32,
    /// The column behind the last character concerned, on the same line.
    pub end: u32,
    pub source: String,
    pub message: String,
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error that concerns a file as a whole.
    pub fn whole_file(id: &str, path: &str, message: String, hint: Option<String>) -> Diagnostic {
        Diagnostic {
            id: id.to_owned(),
            severity: Severity::Error,
            path: path.to_owned(),
            line: 0,
            column: 0,
            end: 0,
            source: String::new(),
            message,
            hint,
        }
    }
}

/// A text that knows where its lines begin.
#[derive(Debug)]
pub struct SourceText<'a> {
    pub path: &'a str,
    pub text: &'a str,
    starts: Vec<usize>,
}

impl<'a> SourceText<'a> {
    pub fn new(path: &'a str, text: &'a str) -> SourceText<'a> {
        let mut starts = vec![0];
        starts.extend(text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(at, _)| at + 1));
        SourceText { path, text, starts }
    }

    /// The line, from 1, of a byte offset.
    pub fn line(&self, offset: usize) -> u32 {
        self.starts.partition_point(|&start| start <= offset) as u32
    }

    /// A diagnostic about these bytes; of a span over several lines the first line is shown.
    pub fn diagnostic(
        &self,
        severity: Severity,
        id: &str,
        span: Range<usize>,
        message: String,
        hint: Option<String>,
    ) -> Diagnostic {
        let offset = span.start.min(self.text.len());
        let line = self.line(offset);
        let start = self.starts.get(line as usize - 1).copied().unwrap_or(0);
        let rest = self.text.get(start..).unwrap_or("");
        let source = rest.split('\n').next().unwrap_or("");
        let source = source.strip_suffix('\r').unwrap_or(source);
        let characters =
            |to: usize| source.char_indices().take_while(|&(at, _)| start + at < to).count() as u32;
        let column = characters(offset) + 1;
        Diagnostic {
            id: id.to_owned(),
            severity,
            path: self.path.to_owned(),
            line,
            column,
            end: (characters(span.end) + 1).max(column),
            source: source.to_owned(),
            message,
            hint,
        }
    }
}

/// The candidate that somebody who wrote `word` probably meant.
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let allowed = (word.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| (strsim::osa_distance(&word, candidate), candidate))
        .filter(|&(distance, _)| distance <= allowed)
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, candidate)| candidate)
}

/// "`a`, `b` or `c`".
pub fn one_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} or {last}", others.join(", ")),
        None => String::new(),
    }
}
