//! The rules by their numbers, and what each of them did.

use std::sync::Arc;

use serde_json::{Value, json};

use super::config::{Config, Filter, Rule};
use super::value::Found;
use crate::trace::rows::Redaction;
use crate::wire::{NONE_ID, value_kind};

const KINDS: usize = value_kind::NAMES.len();

/// How often something was redacted, and dropped.
#[derive(Clone, Copy, Default)]
struct Hits {
    redactions: u64,
    drops: u64,
}

impl Hits {
    fn add(&mut self, dropped: bool, events: u64) {
        if dropped {
            self.drops += events;
        } else {
            self.redactions += events;
        }
    }
}

#[derive(Default)]
struct RuleCounts {
    skipped: u64,
    traced: u64,
    hits: Hits,
    patterns: Vec<Hits>,
}

/// What decided about a code object.
pub struct Decision {
    pub filter: Arc<str>,
    pub rule: Option<Arc<str>>,
    pub rule_line: Option<i32>,
    pub reason: Option<Arc<str>>,
}

/// The chain, as records refer to it.
pub struct Policy {
    filters: Vec<Filter>,
    rules: Vec<Rule>,
    names: Vec<Arc<str>>,
    selectors: Vec<Arc<str>>,
    reasons: Vec<Option<Arc<str>>>,
    patterns: Vec<Vec<Arc<str>>>,
    /// Names of the filters whose defaults hold.
    exec: Arc<str>,
    value: Arc<str>,
    counts: Vec<RuleCounts>,
    skipped: u64,
    kinds: [Hits; KINDS],
}

impl Policy {
    pub fn new(config: &mut Config) -> Policy {
        let filters = std::mem::take(&mut config.filters);
        let rules = std::mem::take(&mut config.rules);
        let names: Vec<Arc<str>> = filters.iter().map(|filter| filter.name.as_str().into()).collect();
        let name = |place: usize| names.get(place).cloned().unwrap_or_else(|| "".into());
        let (exec, value) = (name(config.default_filter.exec), name(config.default_filter.value));
        let texts =
            |rule: &Rule| rule.patterns.iter().map(|pattern| pattern.selector.as_str().into()).collect();
        let counts = |rule: &Rule| RuleCounts {
            patterns: vec![Hits::default(); rule.patterns.len()],
            ..RuleCounts::default()
        };
        Policy {
            selectors: rules.iter().map(|rule| rule.selector.as_str().into()).collect(),
            reasons: rules.iter().map(|rule| rule.reason.as_deref().map(Arc::from)).collect(),
            patterns: rules.iter().map(texts).collect(),
            counts: rules.iter().map(counts).collect(),
            filters,
            rules,
            names,
            exec,
            value,
            skipped: 0,
            kinds: [Hits::default(); KINDS],
        }
    }

    fn filter_of(&self, rule: usize) -> Arc<str> {
        self.rules
            .get(rule)
            .and_then(|rule| self.names.get(rule.filter))
            .cloned()
            .unwrap_or_else(|| "".into())
    }

    /// Who decided that a code object is traced or skipped; counts it.
    pub fn decided(&mut self, rule: u32, traced: bool) -> Decision {
        self.skipped += u64::from(!traced);
        let rule = rule as usize;
        match self.counts.get_mut(rule) {
            Some(counts) => {
                counts.skipped += u64::from(!traced);
                counts.traced += u64::from(traced);
                Decision {
                    filter: self.filter_of(rule),
                    rule: Some(self.selectors[rule].clone()),
                    rule_line: Some(self.rules[rule].line as i32),
                    reason: self.reasons[rule].clone(),
                }
            }
            None => Decision { filter: self.exec.clone(), rule: None, rule_line: None, reason: None },
        }
    }

    /// The row of the ledger for a place in a value.
    pub fn redaction(&self, value: i32, found: Found) -> Redaction {
        let rule = found.rule as usize;
        let known = found.rule != NONE_ID && rule < self.rules.len();
        Redaction {
            value,
            path: found.path,
            kind: value_kind::NAMES[usize::from(found.kind)],
            action: if found.dropped { "drop" } else { "redact" },
            filter: if known { self.filter_of(rule) } else { self.value.clone() },
            rule: known.then(|| self.selectors[rule].clone()),
            pattern: self.patterns.get(rule).and_then(|all| all.get(found.pattern as usize)).cloned(),
            secret: found.secret,
        }
    }

    /// Counts a place in a value that so many events carried.
    pub fn count(&mut self, kind: u8, dropped: bool, rule: u32, pattern: u32, events: u64) {
        self.kinds[usize::from(kind)].add(dropped, events);
        if let Some(counts) = self.counts.get_mut(rule as usize) {
            counts.hits.add(dropped, events);
            if let Some(hits) = counts.patterns.get_mut(pattern as usize) {
                hits.add(dropped, events);
            }
        }
    }

    /// The `trace_filter` object of the metadata.
    pub fn describe(&self) -> Value {
        let filters: Vec<Value> = self.filters.iter().map(describe_filter).collect();
        let rules: Vec<Value> = self
            .rules
            .iter()
            .zip(&self.counts)
            .map(|(rule, counts)| self.describe_rule(rule, counts))
            .collect();
        let by_kind = |count: fn(&Hits) -> u64| -> Value {
            let pairs = value_kind::NAMES.iter().zip(&self.kinds);
            pairs.map(|(name, hits)| ((*name).to_owned(), json!(count(hits)))).collect()
        };
        json!({
            "filters": filters,
            "stats": {
                "scopes_skipped": self.skipped,
                "value_redactions": by_kind(|hits| hits.redactions),
                "value_drops": by_kind(|hits| hits.drops),
                "rules": rules,
            },
        })
    }

    fn describe_rule(&self, rule: &Rule, counts: &RuleCounts) -> Value {
        let patterns: Vec<Value> = rule
            .patterns
            .iter()
            .zip(&counts.patterns)
            .map(|(pattern, hits)| {
                json!({
                    "selector": pattern.selector, "line": pattern.line, "action": pattern.action,
                    "redactions": hits.redactions, "drops": hits.drops,
                })
            })
            .collect();
        json!({
            "filter": self.names.get(rule.filter).map(|name| &**name), "rule": rule.index,
            "selector": rule.selector, "line": rule.line,
            "scopes_skipped": counts.skipped, "scopes_traced": counts.traced,
            "redactions": counts.hits.redactions, "drops": counts.hits.drops,
            "patterns": patterns,
        })
    }
}

fn describe_filter(filter: &Filter) -> Value {
    json!({
        "name": filter.name, "version": filter.version, "sha256": filter.sha256, "path": filter.path,
    })
}
