//! Defaults that allow, in filters that come too late to loosen anything by them.

use super::super::model::Action;
use super::{Findings, Scope, closes};

const HINT: &str = "only a pattern with `action = \"allow\"` uncovers what an earlier filter covers";

pub(super) fn look(findings: &mut Findings) {
    for index in findings.own() {
        let rule = &findings.rules[index];
        let (Some(Action::Allow), Some(span)) =
            (rule.rule.info.value_default, &rule.rule.spans.value_default)
        else {
            continue;
        };
        let earlier = findings.own().take_while(|&other| findings.rules[other].file < rule.file);
        let holds = |&other: &usize| {
            let other = &findings.rules[other];
            uncovers_less(rule, other) && (rule.covers(other) || other.covers(rule))
        };
        if let Some(other) = earlier.into_iter().find(holds) {
            let (span, name) = (span.clone(), findings.named(other, rule.file));
            let message = format!("this `value_default` uncovers nothing that the patterns of {name} cover");
            findings.about_rule(index, "cannot-loosen", &span, message, HINT);
        }
    }
    for file in findings.given..findings.files.len() {
        let setting = &findings.files[file].default_value_action;
        // A default that stays as it is tries nothing: it is a key that every filter must have.
        let before = findings.files[..file].iter().rev().find_map(|file| file.default_value_action.value);
        if setting.value != Some(Action::Allow) || before == Some(Action::Allow) {
            continue;
        }
        let earlier = findings.own().take_while(|&other| findings.rules[other].file < file);
        let covers = |&other: &usize| {
            let other = &findings.rules[other];
            redacts(other) || other.rule.info.value_default.is_some_and(closes)
        };
        if let Some(other) = earlier.into_iter().find(covers) {
            let (span, name) = (setting.span.clone(), findings.named(other, file));
            let message = format!("this default uncovers nothing that {name} covers");
            findings.about_file(file, "cannot-loosen", &span, message, HINT);
        }
    }
}

/// Whether the other rule has a pattern that redacts, and that no pattern of this one uncovers.
fn uncovers_less(rule: &Scope, other: &Scope) -> bool {
    let allowing = || rule.patterns.iter().zip(&rule.rule.info.patterns);
    other.patterns.iter().zip(&other.rule.info.patterns).any(|(pattern, info)| {
        closes(info.action)
            && !allowing().any(|(mine, info)| info.action == Action::Allow && mine.covers(pattern))
    })
}

fn redacts(scope: &Scope) -> bool {
    scope.rule.info.patterns.iter().any(|pattern| closes(pattern.action))
}
