//! Patterns that allow what the filters that come with Tamis redact.

use super::super::model::Action;
use super::super::selector::{Kinds, Matching};
use super::scope::Pattern;
use super::{Findings, closes};

/// Names of secrets. Each is tried on the patterns: what is reported is a name that one pattern allows and another
/// one redacts.
const NAMES: &[&str] = &[
    "password",
    "token",
    "secret",
    "api_key",
    "access_token",
    "auth_token",
    "user_password",
    "db_password",
    "passwd",
    "pwd",
    "passphrase",
    "client_secret",
    "secret_key",
    "private_key",
    "access_key",
    "ssh_key",
    "apiKey",
    "accessToken",
    "authorization",
    "Authorization",
    "X-Api-Key",
    "API_KEY",
    "DB_PASSWORD",
    "SECRET_KEY",
    "auth",
    "pin",
    "pass",
    "credentials",
    "cookie",
    "cookies",
    "session_id",
    "csrf_token",
    "jwt",
    "bearer",
    "otp",
    "dsn",
    "database_url",
    "connection_string",
    "card_number",
    "credit_card",
    "cvv",
    "iban",
    "account_number",
    "ssn",
    "passport_number",
    "tax_id",
    "token_value",
    "auth_header",
    "recovery_code",
    "seed_phrase",
];

/// So many of them are put in the place of stars.
const MAIN: usize = 16;
/// So many words of a pattern are tried.
const WORDS: usize = 200;

pub(super) fn look(findings: &mut Findings) {
    for index in findings.own() {
        for pattern in 0..findings.rules[index].patterns.len() {
            let rule = &findings.rules[index];
            if rule.rule.info.patterns[pattern].action != Action::Allow {
                continue;
            }
            let Some(name) = uncovered(findings, index, pattern) else { continue };
            let literal = rule.patterns[pattern].body() == name;
            let such = if literal { "" } else { "names such as " };
            let message = format!("this pattern uncovers {such}`{name}`, which the built-in filter redacts");
            let wish = if literal { "if that is meant," } else { "name what is to be seen, or" };
            let hint = format!("{wish} {}", findings.how_to_accept(rule.file, "allows-secret"));
            let span = rule.rule.patterns[pattern].spans.selector.clone();
            findings.about_rule(index, "allows-secret", &span, message, &hint);
        }
    }
}

/// A name that this pattern allows and a given filter redacts.
fn uncovered(findings: &Findings, rule: usize, pattern: usize) -> Option<String> {
    let patterns = &findings.rules[rule].patterns;
    let this = &patterns[pattern];
    let decides = |name: &str| {
        let before = patterns[..pattern].iter();
        this.matches(name) && !before.filter(|other| same(this, other)).any(|other| other.matches(name))
    };
    // A later rule that redacts it again, for all that this one is about.
    let closed = |name: &str| {
        findings.rules[rule + 1..].iter().any(|later| {
            let mut patterns = later.patterns.iter().zip(&later.rule.info.patterns);
            let first = patterns.find(|(other, _)| same(this, other) && other.matches(name));
            first.is_some_and(|(_, info)| closes(info.action)) && later.covers(&findings.rules[rule])
        })
    };
    let given = &findings.rules[..findings.own().start];
    let redacted = |name: &str| {
        given.iter().any(|rule| {
            let patterns = rule.patterns.iter().zip(&rule.rule.info.patterns);
            let closing = patterns.filter(|(_, info)| closes(info.action)).map(|(pattern, _)| pattern);
            closing.filter(|other| other.kind() == this.kind()).any(|other| other.matches(name))
        })
    };
    candidates(this).into_iter().find(|name| decides(name) && redacted(name) && !closed(name))
}

/// Whether two patterns are asked about the same values: a parameter is an argument and a local.
fn same(one: &Pattern, other: &Pattern) -> bool {
    let kind = |pattern: &Pattern| if pattern.kind() == Kinds::ARG { Kinds::LOCAL } else { pattern.kind() };
    kind(one) == kind(other)
}

/// Names that a pattern may match: known ones, and what becomes of it when its stars are known ones.
fn candidates(pattern: &Pattern) -> Vec<String> {
    let body = pattern.body();
    if pattern.matching() == Matching::Literal {
        return vec![body.to_owned()];
    }
    let mut names: Vec<String> = NAMES.iter().map(|&name| name.to_owned()).collect();
    names.extend(pattern.language().map(|language| language.words(WORDS)).unwrap_or_default());
    if pattern.matching() == Matching::Glob {
        if !body.contains(['*', '?', '[', '{', '\\']) {
            return vec![body.to_owned()];
        }
        names.extend(NAMES.iter().take(MAIN).map(|name| body.replacen('*', name, 1).replace('*', "")));
    }
    names
}
