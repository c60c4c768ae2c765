//! Typed access to the tables of a TOML file; what is not as it should be becomes a diagnostic.

use super::model::Located;
use super::selector_parts::suggestion;
use crate::diagnostics::{Diagnostic, IDS, Severity, SourceText, WARNINGS, closest, one_of};
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One broken line makes the parser stumble over those that follow; the first problems are those that matter.
const MAX_SYNTAX_ERRORS: usize = 5;

pub(super) struct Reader<'a> {
    pub text: &'a SourceText<'a>,
    pub problems: &'a mut Vec<Diagnostic>,
    pub version: u32,
}

/// A table and what it is called in messages.
#[derive(Clone)]
pub(super) struct Table<'a> {
    pub keys: &'a DeTable<'a>,
    pub span: Range<usize>,
    pub name: &'static str,
}

impl<'a> Reader<'a> {
    /// The whole file, if it is TOML.
    pub fn document(&mut self) -> Option<Spanned<DeTable<'a>>> {
        let (root, errors) = DeTable::parse_recoverable(self.text.text);
        self.syntax_errors(&errors);
        errors.is_empty().then_some(root)
    }

    pub fn error(&mut self, id: &str, span: Range<usize>, message: String, hint: Option<String>) {
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

    pub fn known_keys(&mut self, table: &Table<'_>, known: &[&str], of_version_2: &[&str]) {
        let mut keys: Vec<_> = table.keys.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        for (key, _) in keys {
            let name = key.get_ref().as_ref();
            if known.contains(&name) {
                continue;
            }
            if of_version_2.contains(&name) {
                if self.version < 2 {
                    self.needs_version_2(key.span(), &format!("`{name}`"));
                }
                continue;
            }
            let known = || known.iter().chain(of_version_2.iter().filter(|_| self.version > 1)).copied();
            let hint = match closest(name, known()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here: {}", one_of(known())),
            };
            self.error(
                "unknown-key",
                key.span(),
                format!("unknown key `{name}` in {}", table.name),
                Some(hint),
            );
        }
    }

    pub fn needs_version_2(&mut self, span: Range<usize>, what: &str) {
        let message = format!("{what} came with version 2 of the filter language");
        let hint = "write `version = 2` in `[meta]`; `tamis check --upgrade` does it".to_owned();
        self.error("needs-version-2", span, message, Some(hint));
    }

    pub fn value<'t>(
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

    pub fn table<'t>(&mut self, root: &Table<'t>, key: &str, required: bool) -> Option<Table<'t>> {
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
    pub fn tables<'t>(&mut self, table: &Table<'t>, key: &'static str, name: &'static str) -> Vec<Table<'t>> {
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

    pub fn string(&mut self, table: &Table<'_>, key: &str, required: bool) -> Option<Located<String>> {
        let value = self.value(table, key, required)?;
        match value.get_ref().as_str() {
            Some(text) => Some(self.located(text.to_owned(), value.span())),
            None => {
                self.wrong_type(key, "text", value);
                None
            }
        }
    }

    pub fn strings(&mut self, table: &Table<'_>, key: &str) -> Option<Located<Vec<String>>> {
        let span = table.keys.get(key).map(Spanned::span);
        let texts = self.located_strings(table, key)?.into_iter().map(|text| text.value).collect();
        Some(self.located(texts, span?))
    }

    pub fn located_strings(&mut self, table: &Table<'_>, key: &str) -> Option<Vec<Located<String>>> {
        let value = self.value(table, key, false)?;
        let Some(array) = value.get_ref().as_array() else {
            self.wrong_type(key, "a list of texts", value);
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for item in array.iter() {
            match item.get_ref().as_str() {
                Some(text) => texts.push(self.located(text.to_owned(), item.span())),
                None => self.wrong_type(key, "a list of texts", item),
            }
        }
        Some(texts)
    }

    pub fn boolean(&mut self, table: &Table<'_>, key: &str) -> Option<Located<bool>> {
        let value = self.value(table, key, false)?;
        match value.get_ref().as_bool() {
            Some(answer) => Some(self.located(answer, value.span())),
            None => {
                self.wrong_type(key, "`true` or `false`", value);
                None
            }
        }
    }

    /// The warnings that a table accepts, by their ids.
    pub fn accepted(&mut self, table: &Table<'_>) -> Vec<Located<String>> {
        let ids = self.located_strings(table, "accept").unwrap_or_default();
        for id in &ids {
            let name = id.value.as_str();
            if WARNINGS.contains(&name) {
                continue;
            }
            let (message, hint) = if IDS.contains(&name) {
                (format!("`{name}` is an error, which cannot be accepted"), None)
            } else {
                let hint =
                    closest(name, WARNINGS.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
                let hint =
                    hint.unwrap_or_else(|| "the ids of warnings stand in `docs/diagnostics.md`".to_owned());
                (format!("there is no warning `{name}`"), Some(hint))
            };
            self.error("unknown-value", id.span.clone(), message, hint);
        }
        ids
    }

    pub fn choice<T: Copy>(
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

    pub fn wrong_type(&mut self, key: &str, expected: &str, found: &Spanned<DeValue<'_>>) {
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

    pub fn located<T>(&self, value: T, span: Range<usize>) -> Located<T> {
        Located { value, line: self.text.line(span.start), span }
    }
}

/// Removes later duplicates.
pub(super) fn keep_first(texts: &mut Vec<String>) {
    let mut seen = std::collections::HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
}
