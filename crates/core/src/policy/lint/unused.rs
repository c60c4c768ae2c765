//! Warnings that are accepted and do not come.

use super::super::file::FilterFile;
use super::super::model::Located;
use super::Findings;

/// Those that depend on what else is in a chain, or on files beside it: elsewhere they may come.
const DEPENDS: &[&str] = &["cannot-loosen", "two-project-filters", ID];
const ID: &str = "unused-accept";

/// To be asked last: what is accepted is known when all has been looked at.
pub(super) fn look(findings: &mut Findings) {
    let mut all = Findings::new(findings.files, findings.given);
    all.look();
    let used = |file: usize, rule: Option<usize>, id: &Located<String>| {
        let key = (file, rule, id.value.clone());
        findings.accepted.contains(&key)
            || all.accepted.contains(&key)
            || DEPENDS.contains(&id.value.as_str())
    };
    let mut unused = Vec::new();
    for (file, filter) in findings.files.iter().enumerate().skip(findings.given) {
        let accept = filter.info.accept.iter().filter(|id| !is_about_io(filter, id));
        unused.extend(accept.filter(|id| !used(file, None, id)).map(|id| (file, None, id)));
    }
    for rule in findings.own() {
        let scope = &findings.rules[rule];
        let accept = scope.rule.accept.iter();
        unused.extend(
            accept.filter(|id| !used(scope.file, Some(rule), id)).map(|id| (scope.file, Some(rule), id)),
        );
    }
    for (file, rule, id) in unused {
        let what = if rule.is_some() { "rule" } else { "file" };
        let message = format!("`{}` is accepted here, and this {what} gives no such warning", id.value);
        let hint = "take it out: it would silence one that comes later";
        match rule {
            Some(rule) => findings.about_rule(rule, ID, &id.span, message, hint),
            None => findings.about_file(file, ID, &id.span, message, hint),
        }
    }
}

/// Whether this file would say that what it captures cannot be served.
fn is_about_io(filter: &FilterFile, id: &Located<String>) -> bool {
    filter.io.not_served.as_ref().is_some_and(|problem| problem.id == id.value)
}
