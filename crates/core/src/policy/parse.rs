//! One filter file: from TOML to rules, with every problem found on the way.

use super::Source;
use super::model::{Action, Exec, FilterInfo, Located, PatternInfo, RuleInfo};
use super::reader::{Reader, Table, keep_first};
use super::selector::{ORIGINS, ScopeKind, ScopeSelector, SelectorError, ValueSelector, suggestion};
use crate::diagnostics::{Diagnostic, Severity, SourceText, one_of};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const VERSIONS: [&str; 2] = ["1", "2"];
const EXECS: &[(&str, Option<Exec>)] =
    &[("trace", Some(Exec::Trace)), ("skip", Some(Exec::Skip)), ("inherit", None)];
const ACTIONS: &[(&str, Option<Action>)] = &[
    ("allow", Some(Action::Allow)),
    ("redact", Some(Action::Redact)),
    ("drop", Some(Action::Drop)),
    ("inherit", None),
    ("deny", Some(Action::Redact)),
];
const PATTERN_ACTIONS: &[(&str, Action)] =
    &[("allow", Action::Allow), ("redact", Action::Redact), ("drop", Action::Drop), ("deny", Action::Redact)];
const STREAMS: [&str; 4] = ["stdout", "stderr", "stdin", "files"];
/// A filter as it stands in its file; what it inherits is settled when the chain is composed.
pub(super) struct FilterFile {
    pub info: FilterInfo,
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
    pub patterns: Vec<ValueSelector>,
}

/// The filter in a file, or None if something in it is wrong; what is wrong goes to `problems`.
pub(super) fn parse(source: &Source, index: u32, problems: &mut Vec<Diagnostic>) -> Option<FilterFile> {
    let mut found = Vec::new();
    let filter = read(source, index, &mut found);
    found.sort_by_key(|problem| (problem.line, problem.column));
    let filter = filter.filter(|_| found.is_empty());
    problems.append(&mut found);
    filter
}

fn read(source: &Source, index: u32, problems: &mut Vec<Diagnostic>) -> Option<FilterFile> {
    let text = match std::str::from_utf8(&source.bytes) {
        Ok(text) => text,
        Err(error) => {
            let valid = String::from_utf8_lossy(&source.bytes[..error.valid_up_to()]);
            let located = SourceText::new(&source.display, &valid);
            problems.push(located.diagnostic(
                Severity::Error,
                "not-utf8",
                valid.len()..valid.len() + 1,
                "the file is not UTF-8 text".to_owned(),
                None,
            ));
            return None;
        }
    };
    let located = SourceText::new(&source.display, text);
    let mut reader = Reader { text: &located, problems, version: 1 };
    let (root, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        reader.syntax_errors(&errors);
        return None;
    }
    reader.filter(root.get_ref(), source, index)
}

impl Reader<'_> {
    fn filter(&mut self, root: &DeTable<'_>, source: &Source, index: u32) -> Option<FilterFile> {
        let root = Table { keys: root, span: 0..0, name: "the file" };
        let meta = self.table(&root, "meta", true);
        let io = self.table(&root, "io", false);
        let scope = self.table(&root, "scope", true);
        // The version comes first: it says which keys there are.
        let info = meta.and_then(|meta| self.meta(&meta, source));
        self.known_keys(&root, &["meta", "io", "scope"], &["include"]);
        let io = io.map(|io| self.io(&io)).unwrap_or_default();
        let scope = scope?;
        self.known_keys(&scope, &["default_exec", "default_value_action", "rules"], &[]);
        let default_exec = self.choice(&scope, "default_exec", EXECS, true);
        let default_value_action = self.choice(&scope, "default_value_action", ACTIONS, true);
        let rules = self.rules(&scope, index);
        let needs_predecessor = self.inherited(&scope);
        Some(FilterFile {
            info: info?,
            default_exec: default_exec?,
            default_value_action: default_value_action?,
            io,
            rules,
            needs_predecessor,
        })
    }

    fn meta(&mut self, meta: &Table<'_>, source: &Source) -> Option<FilterInfo> {
        if let Some(version) = self.value(meta, "version", true) {
            self.version(version);
        }
        self.known_keys(meta, &["name", "version", "description", "labels"], &["locked", "accept"]);
        let name = self.string(meta, "name", true);
        if let Some(name) = &name
            && name.value.is_empty()
        {
            let span = meta.keys.get("name").map_or(meta.span.clone(), Spanned::span);
            self.error("empty-value", span, "`name` must not be empty".to_owned(), None);
        }
        let description = self.string(meta, "description", false).map(|text| text.value);
        let mut labels = self.strings(meta, "labels").map(|labels| labels.value).unwrap_or_default();
        keep_first(&mut labels);
        Some(FilterInfo {
            name: name?.value,
            version: self.version,
            description: description.unwrap_or_default(),
            labels,
            sha256: format!("{:x}", Sha256::digest(&source.bytes)),
            display: source.display.clone(),
            path: source.path.clone(),
        })
    }

    fn version(&mut self, version: &Spanned<DeValue<'_>>) {
        let Some(number) = version.get_ref().as_integer() else {
            return self.wrong_type("version", "a whole number", version);
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number @ 1..=2) => self.version = number,
            _ => {
                let message = format!("version {} of the filter language is not known", number.as_str());
                let hint = format!("this Tamis knows the versions {}", VERSIONS.join(" and "));
                self.error("unknown-version", version.span(), message, Some(hint));
            }
        }
    }

    fn io(&mut self, io: &Table<'_>) -> IoKeys {
        self.known_keys(io, &["capture", "streams", "modes"], &[]);
        let capture = self.value(io, "capture", false).and_then(|value| match value.get_ref().as_bool() {
            Some(capture) => Some(self.located(capture, value.span())),
            None => {
                self.wrong_type("capture", "`true` or `false`", value);
                None
            }
        });
        let mut streams = self.strings(io, "streams");
        if let Some(streams) = &mut streams {
            keep_first(&mut streams.value);
        }
        self.stream_names(io);
        if let Some(modes) = self.value(io, "modes", false) {
            match modes.get_ref().as_array() {
                Some(array) if array.is_empty() => {}
                Some(_) => {
                    let hint = Some("write `modes = []` or leave it out".to_owned());
                    self.error(
                        "reserved-key",
                        modes.span(),
                        "`modes` is reserved and must be empty".to_owned(),
                        hint,
                    );
                }
                None => self.wrong_type("modes", "an empty list", modes),
            }
        }
        let (mut not_served, mut without_streams) = (None, None);
        if let Some(Located { value: true, .. }) = capture {
            let span = io.keys.get("capture").map_or(io.span.clone(), Spanned::span);
            let about = |severity, id, message: &str, hint: Option<String>| {
                Some(self.text.diagnostic(severity, id, span.clone(), message.to_owned(), hint))
            };
            let message =
                "`capture = true` cannot be served yet: what the program reads and writes is not recorded";
            not_served = about(Severity::Warning, "io-not-served", message, None);
            let hint = format!("add `streams`, a list of {}", one_of(STREAMS));
            without_streams = about(
                Severity::Error,
                "missing-key",
                "`capture = true` does not say which streams",
                Some(hint),
            );
        }
        IoKeys { capture, streams, not_served, without_streams }
    }

    fn stream_names(&mut self, io: &Table<'_>) {
        let Some(array) = io.keys.get("streams").and_then(|value| value.get_ref().as_array()) else { return };
        for item in array.iter() {
            if let Some(name) = item.get_ref().as_str()
                && !STREAMS.contains(&name)
            {
                let hint = suggestion(name, STREAMS.iter().copied());
                self.error("unknown-value", item.span(), format!("there is no stream `{name}`"), Some(hint));
            }
        }
    }

    fn rules(&mut self, scope: &Table<'_>, filter: u32) -> Vec<ParsedRule> {
        let tables = self.tables(scope, "rules", "`[[scope.rules]]`");
        tables
            .iter()
            .enumerate()
            .filter_map(|(index, table)| self.rule(table, filter, index as u32))
            .collect()
    }

    fn rule(&mut self, rule: &Table<'_>, filter: u32, index: u32) -> Option<ParsedRule> {
        self.known_keys(
            rule,
            &["selector", "exec", "value_default", "reason", "value_patterns"],
            &["accept"],
        );
        let text = self.string(rule, "selector", true);
        let selector = text.as_ref().and_then(|text| self.selector(rule, ScopeSelector::parse(&text.value)));
        if let Some(selector) = &selector
            && selector.kind == ScopeKind::Origin
            && self.version < 2
        {
            let span = rule.keys.get("selector").map_or(rule.span.clone(), Spanned::span);
            let message =
                "selectors of the kind `origin` belong to version 2 of the filter language".to_owned();
            let hint =
                format!("write `version = 2` in `[meta]`; origins are {}", one_of(ORIGINS.iter().copied()));
            self.error("needs-version-2", span, message, Some(hint));
        }
        let exec = self.choice(rule, "exec", EXECS, false);
        let value_default = self.choice(rule, "value_default", ACTIONS, false);
        let reason = self.string(rule, "reason", false).map(|reason| reason.value);
        let tables = self.tables(rule, "value_patterns", "`[[scope.rules.value_patterns]]`");
        let (infos, patterns) = tables.iter().filter_map(|table| self.pattern(table)).unzip();
        let text = text?;
        let info = RuleInfo {
            filter,
            index,
            line: text.line,
            selector: text.value,
            exec: exec.and_then(|exec| exec.value),
            value_default: value_default.and_then(|action| action.value),
            reason,
            patterns: infos,
        };
        Some(ParsedRule { info, selector: selector?, patterns })
    }

    fn pattern(&mut self, pattern: &Table<'_>) -> Option<(PatternInfo, ValueSelector)> {
        self.known_keys(pattern, &["selector", "action", "reason"], &["accept"]);
        let text = self.string(pattern, "selector", true);
        let selector =
            text.as_ref().and_then(|text| self.selector(pattern, ValueSelector::parse(&text.value)));
        let action = self.choice(pattern, "action", PATTERN_ACTIONS, true);
        let reason = self.string(pattern, "reason", false).map(|reason| reason.value);
        let text = text?;
        let info = PatternInfo { selector: text.value, line: text.line, action: action?.value, reason };
        Some((info, selector?))
    }

    /// The selector, or its problem, with the caret under the very characters where that is possible.
    fn selector<S>(&mut self, table: &Table<'_>, parsed: Result<S, SelectorError>) -> Option<S> {
        let error = match parsed {
            Ok(selector) => return Some(selector),
            Err(error) => error,
        };
        let value = table.keys.get("selector")?;
        let mut span = value.span();
        if let Some(text) = value.get_ref().as_str()
            && self.text.text.get(span.start + 1..span.end - 1) == Some(text)
        {
            let byte = |character: usize| {
                span.start + 1 + text.char_indices().nth(character).map_or(text.len(), |(at, _)| at)
            };
            let narrow = byte(error.characters.start)..byte(error.characters.end);
            if !narrow.is_empty() {
                span = narrow;
            }
        }
        self.error(error.id, span, error.message, error.hint);
        None
    }

    /// What to report about `inherit` in a filter that has nothing before it.
    fn inherited(&mut self, scope: &Table<'_>) -> Vec<Diagnostic> {
        let keys = ["default_exec", "default_value_action"];
        keys.iter()
            .filter_map(|&key| scope.keys.get(key).map(|value| (key, value)))
            .filter(|(_, value)| value.get_ref().as_str() == Some("inherit"))
            .map(|(key, value)| {
                let message = format!("`{key}` has nothing to inherit from");
                let hint = Some("the first filter of a chain has to say it itself".to_owned());
                self.text.diagnostic(Severity::Error, "nothing-to-inherit", value.span(), message, hint)
            })
            .collect()
    }
}
