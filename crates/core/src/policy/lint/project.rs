//! Rules and patterns that match nothing in a project whose names are known.

use super::super::model::RuleInfo;
use super::super::names::ScopeNames;
use super::super::selector::{Kinds, Matching, ScopeKind};
use super::super::selector_parts::split;
use super::super::{Source, compose};
use super::order::report_broad;
use super::{Findings, Scope, unused};
use crate::diagnostics::Diagnostic;
use rustc_hash::{FxHashMap, FxHashSet};

/// A code object of the project, and the names in it.
#[derive(Clone, Debug)]
pub struct ProjectCode {
    pub names: ScopeNames,
    pub parameters: Vec<String>,
    pub locals: Vec<String>,
    /// Names that are neither: globals and builtins, and attributes, which code objects do not tell apart.
    pub others: Vec<String>,
}

/// The names of a project, found in its sources.
#[derive(Clone, Debug, Default)]
pub struct Project {
    pub code: Vec<ProjectCode>,
    /// Attributes, and texts that may be keys of mappings.
    pub words: Vec<String>,
    /// Top-level names of modules that are not the project's: rules about them match nothing in it.
    pub foreign: Vec<String>,
}

/// What of a chain matches nothing in the project, and what it accepts without need, which nobody knows before.
/// The first `given` filters come with Tamis.
pub fn look(sources: &[Source], given: usize, project: &Project) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    let policy = compose::compose(compose::read(sources)?)?;
    let files = compose::read(sources)?;
    let mut findings = Findings::new(&files, given);
    // Many code objects are matched by the same rules, and are looked at together.
    let mut groups: FxHashMap<Vec<u32>, Vec<&ProjectCode>> = FxHashMap::default();
    for code in &project.code {
        groups.entry(policy.scope(&code.names).matching().to_vec()).or_default().push(code);
    }
    let places: Vec<&[u32]> = groups.keys().map(Vec::as_slice).collect();
    broad_of_another_kind(&mut findings, &places);
    let universe = Universe::new(project);
    for index in findings.own() {
        let matched = groups.iter().filter(|(rules, _)| rules.binary_search(&(index as u32)).is_ok());
        let code: Vec<&ProjectCode> = matched.flat_map(|(_, code)| code.iter().copied()).collect();
        if code.is_empty() {
            rule_without_code(&mut findings, index, &universe);
        } else if !findings.rules[index].patterns.is_empty() {
            patterns_without_names(&mut findings, index, &code, &universe);
        }
    }
    unused::look(&mut findings);
    Ok(findings.sorted())
}

/// Rules that a later one goes before that is broader, which only the project shows: a folder holds an object, a
/// package a file. `places`: the rules that match the same code.
fn broad_of_another_kind(findings: &mut Findings, places: &[&[u32]]) {
    let mut found: Vec<Vec<usize>> = vec![Vec::new(); findings.rules.len()];
    for narrow in findings.own() {
        let has = |place: &&&[u32], rule: usize| place.binary_search(&(rule as u32)).is_ok();
        let here: Vec<&&[u32]> = places.iter().filter(|place| has(place, narrow)).collect();
        let Some(first) = here.first() else { continue };
        let rule = &findings.rules[narrow];
        let same = |key: fn(&RuleInfo) -> Option<u8>, by: usize| {
            // What a rule behind the broad one gives back was not taken.
            let (says, other) = (key(&rule.rule.info), key(&findings.rules[by].rule.info));
            other.is_none()
                || other == says
                || here.iter().all(|place| {
                    let later = place.iter().map(|&rule| &findings.rules[rule as usize]);
                    let last = later
                        .filter(|other| other.file == rule.file)
                        .filter_map(|it| key(&it.rule.info))
                        .last();
                    last == says
                })
        };
        let broad = first.iter().map(|&by| by as usize).filter(|&by| by > narrow).find(|&by| {
            let other = &findings.rules[by];
            let keys: [fn(&RuleInfo) -> Option<u8>; 2] =
                [|info| info.exec.map(|it| it as u8), |info| info.value_default.map(|it| it as u8)];
            other.file == rule.file
                && keys.iter().any(|&key| key(&rule.rule.info).is_some() && !same(key, by))
                && here.iter().all(|place| has(place, by))
                && places.iter().any(|place| has(&place, by) && !has(&place, narrow))
                // Of these it is known without the project.
                && !other.covers(rule)
        });
        if let Some(by) = broad {
            found[by].push(narrow);
        }
    }
    for (broad, narrow) in found.into_iter().enumerate() {
        if let Some((&first, others)) = narrow.split_first() {
            report_broad(findings, broad, first, others.len());
        }
    }
}

/// All names of the project.
struct Universe<'a> {
    modules: FxHashSet<&'a str>,
    objects: FxHashSet<&'a str>,
    files: FxHashSet<&'a str>,
    words: FxHashSet<&'a str>,
    foreign: FxHashSet<&'a str>,
}

impl<'a> Universe<'a> {
    fn new(project: &'a Project) -> Universe<'a> {
        let names = || project.code.iter().map(|code| &code.names);
        let mut modules = FxHashSet::default();
        for module in names().flat_map(|names| &names.modules) {
            let dots = module.match_indices('.').map(|(dot, _)| &module[..dot]);
            modules.extend(dots.chain([module.as_str()]));
        }
        let objects = names().flat_map(|names| &names.objects).flat_map(|object| object.covering());
        Universe {
            modules,
            objects: objects.collect(),
            files: names().map(|names| names.file.as_str()).collect(),
            words: project.words.iter().map(String::as_str).collect(),
            foreign: project.foreign.iter().map(String::as_str).collect(),
        }
    }
}

/// What to do about a rule that matches nothing and is meant.
fn at_run_time(findings: &Findings, rule: usize) -> String {
    let how = findings.how_to_accept(findings.rules[rule].file, "matches-nothing");
    format!("if it is there at run time only, {how}")
}

fn rule_without_code(findings: &mut Findings, index: usize, universe: &Universe) {
    let Scope { rule, .. } = &findings.rules[index];
    let (kind, selector) = (rule.selector.kind, rule.info.selector.clone());
    let body = split(&selector).1;
    let names = match kind {
        ScopeKind::Package => &universe.modules,
        ScopeKind::Object => &universe.objects,
        // What lies outside of the project is called by its absolute path.
        ScopeKind::File if rule.selector.absolute => {
            let inside = body.trim_start_matches('/');
            if universe.files.contains(inside) {
                let span = rule.spans.selector.clone();
                let message =
                    "this is a path of the whole machine, and there is one in the project".to_owned();
                let hint = format!("did you mean `{inside}`?");
                findings.about_rule(index, "misspelt-name", &span, message, &hint);
            }
            return;
        }
        ScopeKind::File if body.starts_with("**") || body.starts_with('<') || is_elsewhere(body) => return,
        ScopeKind::File => &universe.files,
        ScopeKind::Origin => return,
    };
    let head = body.trim_start_matches('^').split(['.', '\\', '*', '/']).next().unwrap_or_default();
    if kind != ScopeKind::File && universe.foreign.contains(head) {
        return;
    }
    let span = rule.spans.selector.clone();
    let message = "this rule matches nothing in the project".to_owned();
    let plain = body.strip_suffix(".*").unwrap_or(body);
    let matching = rule.selector.matcher.kind();
    let meant = similar(plain, matching, names).or_else(|| longer(plain, matching, names));
    match meant {
        Some(meant) => {
            findings.about_rule(index, "misspelt-name", &span, message, &format!("did you mean `{meant}`?"));
        }
        None => {
            let hint = at_run_time(findings, index);
            findings.about_rule(index, "matches-nothing", &span, message, &hint);
        }
    }
}

/// Files that are no sources of the project, and are not looked at: environments, installed packages.
fn is_elsewhere(body: &str) -> bool {
    let environment = |name: &str| body.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
    let inside = ["site-packages", "dist-packages", "node_modules", "__pycache__"];
    body.starts_with('.')
        || ["venv", "env"].into_iter().any(environment)
        || inside.into_iter().any(|folder| body.contains(folder))
}

/// Whether a rule is about the code of the project alone.
fn is_confined(scope: &Scope) -> bool {
    let selector = &scope.rule.selector;
    selector.kind != ScopeKind::Origin && !scope.is_everything()
}

fn patterns_without_names(findings: &mut Findings, index: usize, code: &[&ProjectCode], universe: &Universe) {
    let mut known: FxHashMap<Kinds, FxHashSet<&str>> = FxHashMap::default();
    for pattern in 0..findings.rules[index].patterns.len() {
        let this = &findings.rules[index].patterns[pattern];
        let (kind, what) = match this.kind() {
            kind @ Kinds::ARG => (kind, "parameter"),
            kind @ Kinds::LOCAL => (kind, "local"),
            kind @ Kinds::GLOBAL => (kind, "global"),
            kind @ Kinds::RET => (kind, "function"),
            kind @ Kinds::ATTR => (kind, "attribute"),
            // Types come from anywhere.
            _ => continue,
        };
        let names = known.entry(kind).or_insert_with(|| match kind {
            Kinds::ATTR => universe.words.clone(),
            _ => names_of(kind, code),
        });
        if names.iter().any(|name| this.matches(name)) {
            continue;
        }
        let span = this.parsed.spans.selector.clone();
        let message = format!("this pattern matches no {what} in the code of its rule");
        match similar(this.body(), this.matching(), names) {
            Some(meant) => {
                findings.about_rule(
                    index,
                    "misspelt-name",
                    &span,
                    message,
                    &format!("did you mean `{meant}`?"),
                );
            }
            // Keys of mappings come from data too, and other code has names that are not known here.
            None if kind == Kinds::ATTR || !is_confined(&findings.rules[index]) => {}
            None => {
                let hint = at_run_time(findings, index);
                findings.about_rule(index, "matches-nothing", &span, message, &hint);
            }
        }
    }
}

fn names_of<'a>(kind: Kinds, code: &[&'a ProjectCode]) -> FxHashSet<&'a str> {
    let mut names = FxHashSet::default();
    for code in code {
        let lists: &[&Vec<String>] = match kind {
            Kinds::ARG => &[&code.parameters],
            Kinds::LOCAL => &[&code.parameters, &code.locals],
            Kinds::GLOBAL => &[&code.others],
            _ => &[],
        };
        names.extend(lists.iter().flat_map(|list| list.iter().map(String::as_str)));
        if kind == Kinds::RET {
            let qualname = code.names.qualname.as_str();
            names.extend(code.names.objects.iter().map(|object| object.name.as_str()));
            names.extend([qualname, qualname.rsplit('.').next().unwrap_or(qualname)]);
        }
    }
    names
}

/// Only a pattern without wildcards is a name.
fn is_name(body: &str, matching: Matching) -> bool {
    match matching {
        Matching::Literal => true,
        Matching::Glob => !body.contains(['*', '?', '[', '{', '\\']),
        Matching::Regex => false,
    }
}

/// The name that ends in what stands here, or that has more in between: a package or an outer function left out.
fn longer(body: &str, matching: Matching, names: &FxHashSet<&str>) -> Option<String> {
    if !is_name(body, matching) {
        return None;
    }
    let ends = |name: &str| name.strip_suffix(body).is_some_and(|rest| rest.ends_with(['.', '/']));
    let is_longer = |name: &str| match body.rsplit_once('.') {
        Some((outer, last)) => {
            let inside = name.strip_prefix(outer).and_then(|rest| rest.strip_suffix(last));
            ends(name)
                || inside.is_some_and(|rest| rest.len() > 1 && rest.starts_with('.') && rest.ends_with('.'))
        }
        None => ends(name),
    };
    names
        .iter()
        .filter(|name| is_longer(name))
        .min_by_key(|name| (name.len(), **name))
        .map(|name| (*name).to_owned())
}

/// The name that somebody who wrote this probably meant.
fn similar(body: &str, matching: Matching, names: &FxHashSet<&str>) -> Option<String> {
    if !is_name(body, matching) {
        return None;
    }
    let word = body.to_lowercase();
    let length = word.chars().count();
    let allowed = (length / 4).clamp(1, 2);
    let near = names.iter().filter(|name| name.chars().count().abs_diff(length) <= allowed);
    let distance = near.map(|name| (strsim::osa_distance(&word, &name.to_lowercase()), *name));
    // Of two that are equally near, the same one each time.
    let best = distance.filter(|&(distance, _)| distance <= allowed && length > 3).min();
    best.map(|(_, name)| name.to_owned())
}
