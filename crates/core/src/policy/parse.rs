//! One filter file: from TOML to rules, with every problem found on the way.

use super::Source;
use super::file::{FilterFile, Parsed, ParsedPattern, ParsedRule, PatternSpans, RuleSpans};
use super::model::{Action, Exec, FilterInfo, PatternInfo, RuleInfo};
use super::reader::{Reader, Table, keep_first};
use super::selector::{Kinds, ScopeKind, ScopeSelector, ValueSelector};
use super::selector_parts::SelectorError;
use crate::diagnostics::{Diagnostic, Severity, SourceText};
use sha2::{Digest, Sha256};
use toml::Spanned;
use toml::de::DeValue;

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
/// The filter in a file, what it includes, and what is wrong with it.
pub(super) fn parse(source: &Source) -> Parsed {
    let mut parsed = Parsed::default();
    parsed.filter = read(source, &mut parsed);
    parsed
}

fn read(source: &Source, parsed: &mut Parsed) -> Option<FilterFile> {
    let problems = &mut parsed.problems;
    let text = text_of(source, problems)?;
    let located = SourceText::new(&source.display, text);
    let mut reader = Reader { text: &located, problems, version: 1 };
    let root = reader.document()?;
    parsed.text = text.to_owned();
    let root = Table { keys: root.get_ref(), span: 0..0, name: "the file" };
    // The version comes first: it says which keys there are.
    let meta = reader.table(&root, "meta", true);
    let meta = meta.and_then(|meta| reader.meta(&meta, source));
    parsed.includes = reader.located_strings(&root, "include").unwrap_or_default();
    reader.filter(&root, meta)
}

/// The text of a file, if it is one.
pub(super) fn text_of<'s>(source: &'s Source, problems: &mut Vec<Diagnostic>) -> Option<&'s str> {
    std::str::from_utf8(&source.bytes)
        .map_err(|error| {
            let valid = String::from_utf8_lossy(&source.bytes[..error.valid_up_to()]);
            let located = SourceText::new(&source.display, &valid);
            let (span, message) = (valid.len()..valid.len() + 1, "the file is not UTF-8 text".to_owned());
            problems.push(located.diagnostic(Severity::Error, "not-utf8", span, message, None));
        })
        .ok()
}

impl Reader<'_> {
    fn filter(&mut self, root: &Table<'_>, meta: Option<FilterInfo>) -> Option<FilterFile> {
        let io = self.table(root, "io", false);
        let scope = self.table(root, "scope", true);
        self.known_keys(root, &["meta", "io", "scope"], &["include"]);
        let io = io.map(|io| self.io(&io)).unwrap_or_default();
        let scope = scope?;
        self.known_keys(&scope, &["default_exec", "default_value_action", "rules"], &[]);
        let default_exec = self.choice(&scope, "default_exec", EXECS, true);
        let default_value_action = self.choice(&scope, "default_value_action", ACTIONS, true);
        let rules = self.rules(&scope);
        let needs_predecessor = self.inherited(&scope);
        Some(FilterFile {
            info: meta?,
            text: String::new(),
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
        let locked = self.boolean(meta, "locked").is_some_and(|locked| locked.value);
        let accept = self.accepted(meta);
        Some(FilterInfo {
            name: name?.value,
            version: self.version,
            description: description.unwrap_or_default(),
            labels,
            sha256: format!("{:x}", Sha256::digest(&source.bytes)),
            display: source.display.clone(),
            path: source.path.clone(),
            locked,
            includes: Vec::new(),
            accept,
        })
    }

    fn version(&mut self, version: &Spanned<DeValue<'_>>) {
        let Some(number) = version.get_ref().as_integer() else {
            return self.wrong_type("version", "a whole number", version);
        };
        match u32::from_str_radix(number.as_str(), number.radix()) {
            Ok(number @ 1..=2) => self.version = number,
            _ => {
                // What belongs to a newer version is not to be complained about as well.
                self.version = 2;
                let message = format!("version {} of the filter language is not known", number.as_str());
                let hint = format!("this Tamis knows the versions {}", VERSIONS.join(" and "));
                self.error("unknown-version", version.span(), message, Some(hint));
            }
        }
    }

    fn rules(&mut self, scope: &Table<'_>) -> Vec<ParsedRule> {
        let tables = self.tables(scope, "rules", "`[[scope.rules]]`");
        tables.iter().enumerate().filter_map(|(index, table)| self.rule(table, index as u32)).collect()
    }

    fn rule(&mut self, rule: &Table<'_>, index: u32) -> Option<ParsedRule> {
        self.known_keys(
            rule,
            &["selector", "exec", "value_default", "reason", "value_patterns"],
            &["accept"],
        );
        let text = self.string(rule, "selector", true);
        let selector = text.as_ref().and_then(|text| self.selector(rule, ScopeSelector::parse(&text.value)));
        if selector.as_ref().is_some_and(|selector| selector.kind == ScopeKind::Origin) {
            self.kind_of_version_2(rule, "origin");
        }
        let exec = self.choice(rule, "exec", EXECS, false);
        let value_default = self.choice(rule, "value_default", ACTIONS, false);
        let reason = self.string(rule, "reason", false).map(|reason| reason.value);
        let accept = self.accepted(rule);
        let tables = self.tables(rule, "value_patterns", "`[[scope.rules.value_patterns]]`");
        let (infos, patterns) = tables.iter().filter_map(|table| self.pattern(table)).unzip();
        let text = text?;
        let info = RuleInfo {
            filter: 0,
            index,
            line: text.line,
            selector: text.value,
            exec: exec.as_ref().and_then(|exec| exec.value),
            value_default: value_default.as_ref().and_then(|action| action.value),
            reason,
            patterns: infos,
        };
        let spans = RuleSpans {
            selector: text.span,
            exec: exec.map(|exec| exec.span),
            value_default: value_default.map(|action| action.span),
        };
        Some(ParsedRule { info, selector: selector?, patterns, spans, accept })
    }

    fn pattern(&mut self, pattern: &Table<'_>) -> Option<(PatternInfo, ParsedPattern)> {
        self.known_keys(pattern, &["selector", "action", "reason"], &[]);
        let text = self.string(pattern, "selector", true);
        let selector =
            text.as_ref().and_then(|text| self.selector(pattern, ValueSelector::parse(&text.value)));
        if selector.as_ref().is_some_and(|selector| selector.kind == Kinds::TYPE) {
            self.kind_of_version_2(pattern, "type");
        }
        let action = self.choice(pattern, "action", PATTERN_ACTIONS, true);
        let reason = self.string(pattern, "reason", false).map(|reason| reason.value);
        let (text, action) = (text?, action?);
        let info = PatternInfo { selector: text.value, line: text.line, action: action.value, reason };
        let spans = PatternSpans { selector: text.span, action: action.span };
        Some((info, ParsedPattern { selector: selector?, spans }))
    }

    fn kind_of_version_2(&mut self, table: &Table<'_>, kind: &str) {
        if self.version < 2 {
            let span = table.keys.get("selector").map_or(table.span.clone(), Spanned::span);
            self.needs_version_2(span, &format!("the selector kind `{kind}`"));
        }
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
