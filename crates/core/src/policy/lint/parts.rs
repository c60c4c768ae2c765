//! Regular expressions that were written to be found somewhere in a name, but are compared with the whole of it.

use super::super::selector::{Kinds, Matching, ScopeKind};
use super::super::selector_parts::split;
use super::Findings;
use crate::language::Language;
use crate::pyregex::{Flags, Regex};
use std::sync::OnceLock;

const ID: &str = "partial-regex";

pub(super) fn look(findings: &mut Findings) {
    for index in findings.own() {
        let scope = &findings.rules[index];
        let selector = &scope.rule.selector;
        let names = match selector.kind {
            ScopeKind::Package | ScopeKind::Object => Some(dotted()),
            ScopeKind::File => Some(files()),
            ScopeKind::Origin => None,
        };
        let below = matches!(selector.kind, ScopeKind::Package | ScopeKind::Object);
        if selector.matcher.kind() == Matching::Regex
            && let Some(problem) = problem(&scope.rule.info.selector, scope.language(), names, below)
        {
            let span = scope.rule.spans.selector.clone();
            findings.about_rule(index, ID, &span, problem.0, &problem.1);
        }
        for pattern in 0..findings.rules[index].patterns.len() {
            let scope = &findings.rules[index];
            let this = &scope.patterns[pattern];
            let names = match this.kind() {
                Kinds::LOCAL | Kinds::GLOBAL | Kinds::ARG => Some(identifiers()),
                Kinds::RET | Kinds::TYPE => Some(dotted()),
                // Keys of mappings may be anything.
                _ => None,
            };
            let info = &scope.rule.info.patterns[pattern];
            if this.matching() == Matching::Regex
                && let Some(problem) = problem(&info.selector, this.language(), names, false)
            {
                let span = scope.rule.patterns[pattern].spans.selector.clone();
                findings.about_rule(index, ID, &span, problem.0, &problem.1);
            }
        }
    }
}

/// What is wrong with a regex, and what to do. `below`: a beginning of a name that ends in a dot is enough.
fn problem(
    selector: &str,
    language: Option<&Language>,
    names: Option<&Language>,
    below: bool,
) -> Option<(String, String)> {
    let (kind, body) = split(selector);
    if let (Some(language), Some(names)) = (language, names)
        && !language.example().is_some_and(|example| names.has(&example))
        && language.meets(names) == Some(false)
    {
        let message = "this regex is compared with the whole name, and no name is like that".to_owned();
        let longer = within(body, ".*");
        return Some((message, format!("to find it in longer names, write `{kind}:regex:{longer}`")));
    }
    let regex = Regex::new(body, Flags::default()).ok()?;
    let (begins, ends) = regex.anchors();
    if ends {
        return None;
    }
    if let Some(word) = regex.plain_word() {
        if below && word.ends_with('.') {
            return None;
        }
        let message =
            format!("this regex is compared with the whole name, so that it selects `{word}` alone");
        let longer = within(body, if begins { "" } else { ".*" });
        let hint = format!("write `{kind}:regex:{longer}` for longer names, or `{kind}:literal:{word}`");
        return Some((message, hint));
    }
    let example = language.and_then(Language::example)?;
    let open = regex.is_full_match(&format!("{example}xq")) == Ok(true);
    if !begins || open || below && example_ends_in_dot(&regex) {
        return None;
    }
    let message =
        "this regex is compared with the whole name, although only its beginning is marked".to_owned();
    let longer = within(body, "");
    Some((message, format!("write `{kind}:regex:{longer}` for longer names, or `$` at the end")))
}

/// A regex that goes on after its end, and begins with `before`.
fn within(body: &str, before: &str) -> String {
    // Flags for the whole regex must stand first.
    let flags = body.strip_prefix("(?").and_then(|rest| rest.find(')').map(|end| &rest[..end]));
    let flags = flags.filter(|flags| flags.bytes().all(|byte| byte.is_ascii_alphabetic()));
    let (flags, rest) = body.split_at(flags.map_or(0, |flags| flags.len() + "(?)".len()));
    let rest = if before.is_empty() { rest } else { rest.trim_start_matches('^') };
    if has_alternatives(rest) {
        format!("{flags}{before}(?:{rest}).*")
    } else {
        format!("{flags}{before}{rest}.*")
    }
}

/// Whether a `|` stands outside of all groups and sets.
fn has_alternatives(body: &str) -> bool {
    let (mut groups, mut set, mut escaped) = (0, false, false);
    for character in body.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' => set = false,
            '[' => set = true,
            '(' if !set => groups += 1,
            ')' if !set => groups -= 1,
            '|' if !set && groups == 0 => return true,
            _ => {}
        }
    }
    false
}

/// Whether its matches end in a dot, so that it selects what is below.
fn example_ends_in_dot(regex: &Regex) -> bool {
    regex.language().and_then(|language| language.example()).is_some_and(|example| example.ends_with('.'))
}

fn identifiers() -> &'static Language {
    static MADE: OnceLock<Language> = OnceLock::new();
    // `.0` is what a comprehension calls what it goes through.
    language(&MADE, r"\.\d+|[^\W\d]\w*")
}

fn dotted() -> &'static Language {
    static MADE: OnceLock<Language> = OnceLock::new();
    language(&MADE, r"[^.\n]+(?:\.[^.\n]+)*")
}

/// Files of the project, and by their absolute paths others.
fn files() -> &'static Language {
    static MADE: OnceLock<Language> = OnceLock::new();
    language(&MADE, r"/?[^/\n]+(?:/[^/\n]+)*")
}

fn language(made: &'static OnceLock<Language>, pattern: &str) -> &'static Language {
    made.get_or_init(|| {
        let regex = Regex::new(pattern, Flags::default()).ok();
        regex.and_then(|regex| regex.language()).unwrap_or_else(Language::everything)
    })
}
