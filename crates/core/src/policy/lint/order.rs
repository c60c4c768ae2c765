//! Rules and patterns that never decide, and broad rules behind narrow ones.

use super::super::model::Action;
use super::super::selector::Kinds;
use super::{Findings, Scope, closes};

/// What of a rule still has an effect, and which later rule has taken the rest.
#[derive(Default)]
struct Fate {
    exec: Option<usize>,
    default: Option<usize>,
    /// By pattern, what covers it.
    patterns: Vec<Option<Cover>>,
}

#[derive(Clone, Copy)]
enum Cover {
    /// A pattern that is asked before it.
    Pattern { rule: usize, pattern: usize },
    /// The default of a later rule.
    Default { rule: usize },
}

impl Cover {
    fn rule(self) -> usize {
        match self {
            Cover::Pattern { rule, .. } | Cover::Default { rule } => rule,
        }
    }
}

pub(super) fn look(findings: &mut Findings) {
    let mut overridden: Vec<Vec<usize>> = vec![Vec::new(); findings.rules.len()];
    for index in findings.own() {
        let fate = fate(&findings.rules, index);
        if let Some(by) = all_taken(&findings.rules[index], index, &fate) {
            report_rule(findings, index, by);
            continue;
        }
        for (pattern, cover) in fate.patterns.iter().enumerate() {
            if let Some(cover) = cover {
                report_pattern(findings, index, pattern, *cover);
            }
        }
        let (rule, rules) = (&findings.rules[index], &findings.rules);
        let differs = |by: &usize| {
            let (info, other) = (&rule.rule.info, &rules[*by].rule.info);
            let exec = fate.exec == Some(*by) && info.exec != other.exec;
            let default = fate.default == Some(*by) && info.value_default != other.value_default;
            (exec || default) && !rule.covers(&rules[*by])
        };
        if let Some(by) = [fate.exec, fate.default].into_iter().flatten().find(differs) {
            overridden[by].push(index);
        }
    }
    for (broad, narrow) in overridden.into_iter().enumerate() {
        if let Some((&first, others)) = narrow.split_first() {
            report_broad(findings, broad, first, others.len());
        }
    }
}

/// Whether a rule says anything that those before it could be overridden by.
fn speaks(scope: &Scope) -> bool {
    let info = &scope.rule.info;
    info.exec.is_some() || info.value_default.is_some() || !info.patterns.is_empty()
}

fn fate(rules: &[Scope], index: usize) -> Fate {
    let rule = &rules[index];
    let later = (index + 1..rules.len()).take_while(|&other| rules[other].file == rule.file);
    let covering: Vec<usize> =
        later.filter(|&other| speaks(&rules[other]) && rules[other].covers(rule)).collect();
    let of = |says: &dyn Fn(&Scope) -> bool| covering.iter().copied().find(|&other| says(&rules[other]));
    let closing = covering.iter().copied().find(|&closing| {
        // A later default that allows would be met first.
        rules[closing].rule.info.value_default.is_some_and(closes)
            && rules[closing + 1..].iter().all(|other| other.rule.info.value_default != Some(Action::Allow))
    });
    let pattern = |pattern: usize| {
        let (this, action) = (&rule.patterns[pattern], rule.rule.info.patterns[pattern].action);
        let covers = |other: &usize, before: usize| {
            let patterns = &rules[*other].patterns[..before];
            let found = patterns.iter().zip(&rules[*other].rule.info.patterns).position(|(other, info)| {
                // A type that is derived from another is matched by what closes only.
                let derived = this.kind() == Kinds::TYPE && closes(action) && !closes(info.action);
                !derived && other.covers(this)
            });
            found.map(|pattern| Cover::Pattern { rule: *other, pattern })
        };
        covers(&index, pattern)
            .or_else(|| covering.iter().find_map(|other| covers(other, rules[*other].patterns.len())))
            .or_else(|| {
                let by_name = !matches!(this.kind(), Kinds::ATTR | Kinds::TYPE);
                closing.filter(|_| by_name && !closes(action)).map(|rule| Cover::Default { rule })
            })
    };
    Fate {
        exec: of(&|other| other.rule.info.exec.is_some()).filter(|_| rule.rule.info.exec.is_some()),
        default: of(&|other| other.rule.info.value_default.is_some())
            .filter(|_| rule.rule.info.value_default.is_some()),
        patterns: (0..rule.patterns.len()).map(pattern).collect(),
    }
}

/// If nothing is left of a rule, the later rule that has taken something.
fn all_taken(rule: &Scope, index: usize, fate: &Fate) -> Option<usize> {
    let info = &rule.rule.info;
    let left = info.exec.is_some() && fate.exec.is_none()
        || info.value_default.is_some() && fate.default.is_none()
        || fate.patterns.iter().any(Option::is_none);
    let by = fate.patterns.iter().flatten().map(|cover| cover.rule());
    let by = [fate.exec, fate.default].into_iter().flatten().chain(by).find(|&by| by != index);
    by.filter(|_| !left)
}

fn report_rule(findings: &mut Findings, index: usize, by: usize) {
    let file = findings.rules[index].file;
    let message = format!("this rule never decides: the later rule {} covers it", findings.named(by, file));
    let hint = "the last rule that speaks wins: put this one behind it, or take it out";
    let span = findings.rules[index].rule.spans.selector.clone();
    findings.about_rule(index, "shadowed-rule", &span, message, hint);
}

fn report_pattern(findings: &mut Findings, index: usize, pattern: usize, cover: Cover) {
    let file = findings.rules[index].file;
    let (by, hint) = match cover {
        Cover::Pattern { rule, pattern } if rule == index => {
            let info = &findings.rules[rule].rule.info.patterns[pattern];
            let hint = "the first pattern of a rule that matches decides: put the narrower one first";
            (format!("`{}` in line {}", info.selector, info.line), hint)
        }
        Cover::Pattern { rule, pattern } => {
            let info = &findings.rules[rule].rule.info.patterns[pattern];
            let hint = "later rules go before earlier ones: put this one behind it, or take it out";
            (format!("`{}` in line {} of a later rule", info.selector, info.line), hint)
        }
        Cover::Default { rule } => {
            let hint = "a later `value_default` goes before earlier patterns: put this rule behind it";
            (format!("the `value_default` of {}", findings.named(rule, file)), hint)
        }
    };
    let span = findings.rules[index].rule.patterns[pattern].spans.selector.clone();
    findings.about_rule(
        index,
        "shadowed-pattern",
        &span,
        format!("this pattern never decides: {by} does"),
        hint,
    );
}

pub(super) fn report_broad(findings: &mut Findings, broad: usize, first: usize, others: usize) {
    let file = findings.rules[broad].file;
    let (info, spans) = (&findings.rules[broad].rule.info, &findings.rules[broad].rule.spans);
    let narrow = &findings.rules[first].rule.info;
    let exec = info.exec.is_some() && narrow.exec.is_some() && info.exec != narrow.exec;
    let (key, span) = if exec { ("exec", &spans.exec) } else { ("value_default", &spans.value_default) };
    let span = span.clone().unwrap_or_else(|| spans.selector.clone());
    let more = match others {
        0 => String::new(),
        1 => " and of another rule".to_owned(),
        _ => format!(" and of {others} other rules"),
    };
    let message =
        format!("this `{key}` goes before that of the narrower rule {}{more}", findings.named(first, file));
    let hint = "the last rule that speaks wins: put broad rules before narrow ones";
    findings.about_rule(broad, "broad-after-narrow", &span, message, hint);
}
