//! One filter file: from TOML to rules, with every problem found on the way.

use super::Source;
use super::model::{Action, Exec, FilterInfo, Located, PatternInfo, RuleInfo};
use super::selector::{ORIGINS, ScopeKind, ScopeSelector, SelectorError, ValueSelector, suggestion};
use crate::diagnostics::{Diagnostic, Severity, SourceText, closest, one_of};
use sha2::{Digest, Sha256};
use std::ops::Range;
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
/// One broken line makes the parser stumble over those that follow; the first problems are those that matter.
const MAX_SYNTAX_ERRORS: usize = 5;

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

struct Reader<'a> {
    text: &'a SourceText<'a>,
    problems: &'a mut Vec<Diagnostic>,
    version: u32,
}

/// A table and what it is called in messages.
#[derive(Clone)]
struct Table<'a> {
    keys: &'a DeTable<'a>,
    span: Range<usize>,
    name: &'static str,
}

impl Reader<'_> {
    fn error(&mut self, id: &str, span: Range<usize>, message: String, hint: Option<String>) {
        self.problems.push(self.text.diagnostic(Severity::Error, id, span, message, hint));
    }

    fn syntax_errors(&mut self, errors: &[toml::de::Error]) {
        let mut errors: Vec<_> =
            errors.iter().map(|error| (error.span().unwrap_or(0..0), error.message())).collect();
        errors.sort_by_key(|(span, _)| span.start);
        errors.dedup_by_key(|(span, _)| self.text.line(span.start));
        for (span, message) in errors.into_iter().take(MAX_SYNTAX_ERRORS) {
            let message = message.lines().collect::<Vec<_>>().join(", ");
            self.error("toml-syntax", span, format!("not TOML: {message}"), None);
        }
    }

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

    fn known_keys(&mut self, table: &Table<'_>, known: &[&str], of_version_2: &[&str]) {
        let mut keys: Vec<_> = table.keys.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        for (key, _) in keys {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            if of_version_2.contains(&name) {
                let message = format!("`{name}` of version 2 is not supported by this Tamis yet");
                self.error("not-supported", key.span(), message, None);
                continue;
            }
            let hint = match closest(name, known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", one_of(known.iter().copied())),
            };
            self.error(
                "unknown-key",
                key.span(),
                format!("unknown key `{name}` in {}", table.name),
                Some(hint),
            );
        }
    }

    fn value<'t>(
        &mut self,
        table: &Table<'t>,
        key: &str,
        required: bool,
    ) -> Option<&'t Spanned<DeValue<'t>>> {
        let value = table.keys.get(key);
        if value.is_none() && required {
            self.error(
                "missing-key",
                table.span.clone(),
                format!("{} needs the key `{key}`", table.name),
                None,
            );
        }
        value
    }

    fn table<'t>(&mut self, root: &Table<'t>, key: &str, required: bool) -> Option<Table<'t>> {
        let name = match key {
            "meta" => "`[meta]`",
            "io" => "`[io]`",
            _ => "`[scope]`",
        };
        let Some(value) = root.keys.get(key) else {
            if required {
                let message = format!("the table {name} is missing");
                let hint = Some("`tamis init` writes a filter to start from".to_owned());
                self.problems.push(Diagnostic::whole_file("missing-table", self.text.path, message, hint));
            }
            return None;
        };
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_type(key, "a table", value);
        }
        table.map(|keys| Table { keys, span: value.span(), name })
    }

    /// A list of tables, such as `[[scope.rules]]`.
    fn tables<'t>(&mut self, table: &Table<'t>, key: &'static str, name: &'static str) -> Vec<Table<'t>> {
        let Some(value) = table.keys.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, &format!("a list of tables, each under {name}"), value);
            return Vec::new();
        };
        let mut tables = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_table() {
                Some(keys) => tables.push(Table { keys, span: item.span(), name }),
                None => self.wrong_type(key, &format!("a list of tables, each under {name}"), item),
            }
        }
        tables
    }

    fn string(&mut self, table: &Table<'_>, key: &str, required: bool) -> Option<Located<String>> {
        let value = self.value(table, key, required)?;
        match value.get_ref().as_str() {
            Some(text) => Some(self.located(text.to_owned(), value.span())),
            None => {
                self.wrong_type(key, "text", value);
                None
            }
        }
    }

    fn strings(&mut self, table: &Table<'_>, key: &str) -> Option<Located<Vec<String>>> {
        let value = self.value(table, key, false)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, "a list of texts", value);
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(text.to_owned()),
                None => self.wrong_type(key, "a list of texts", item),
            }
        }
        Some(self.located(texts, value.span()))
    }

    fn choice<T: Copy>(
        &mut self,
        table: &Table<'_>,
        key: &str,
        choices: &[(&'static str, T)],
        required: bool,
    ) -> Option<Located<T>> {
        let value = self.value(table, key, required)?;
        let Some(word) = value.get_ref().as_str() else {
            self.wrong_type(key, "text", value);
            return None;
        };
        if let Some(&(_, choice)) = choices.iter().find(|&&(name, _)| name == word) {
            return Some(self.located(choice, value.span()));
        }
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        let hint = suggestion(word, names.iter().copied());
        self.error("unknown-value", value.span(), format!("`{key}` cannot be `{word}`"), Some(hint));
        None
    }

    fn wrong_type(&mut self, key: &str, expected: &str, found: &Spanned<DeValue<'_>>) {
        let kind = match found.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) => "a whole number",
            DeValue::Float(_) => "a number",
            DeValue::Boolean(_) => "`true` or `false`",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        self.error(
            "wrong-type",
            found.span(),
            format!("`{key}` must be {expected}, and this is {kind}"),
            None,
        );
    }

    fn located<T>(&self, value: T, span: Range<usize>) -> Located<T> {
        Located { value, line: self.text.line(span.start) }
    }
}

/// Removes later duplicates.
fn keep_first(texts: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
}
