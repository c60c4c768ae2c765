//! Regular expressions that were written to be found somewhere in a name, but are compared with the whole of it.

use super::super::selector::{Kinds, Matching, ScopeKind, split};
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
            ScopeKind::File => Some(if selector.absolute { absolute() } else { relative() }),
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
        && !language.meets(names)
    {
        let message = "this regex is compared with the whole name, and no name is like that".to_owned();
        return Some((message, format!("to find it in longer names, write `{kind}:regex:.*{body}.*`")));
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
        let longer = if begins { format!("{body}.*") } else { format!(".*{body}.*") };
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
    Some((message, format!("write `{kind}:regex:{body}.*` for longer names, or `$` at the end")))
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

fn relative() -> &'static Language {
    static MADE: OnceLock<Language> = OnceLock::new();
    language(&MADE, r"[^/\n]+(?:/[^/\n]+)*")
}

fn absolute() -> &'static Language {
    static MADE: OnceLock<Language> = OnceLock::new();
    language(&MADE, r"(?:/[^/\n]+)+")
}

fn language(made: &'static OnceLock<Language>, pattern: &str) -> &'static Language {
    made.get_or_init(|| {
        let regex = Regex::new(pattern, Flags::default()).ok();
        regex.and_then(|regex| regex.language()).unwrap_or_else(Language::everything)
    })
}
