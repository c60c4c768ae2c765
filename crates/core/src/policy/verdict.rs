//! The two walks over the rules: is this code recorded, and what becomes of this value.

use super::index::RuleSet;
use super::model::{Action, Exec, Setting};
use super::names::ScopeNames;
use super::regex::Exhausted;
use super::selector::Kinds;
use super::{CompiledRule, Policy};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The default of a filter, by its index in the chain.
    Default { filter: u32 },
    /// A rule, by its index in [`Policy::rules`].
    Rule { rule: u32 },
    /// A value pattern of a rule.
    Pattern { rule: u32, pattern: u32 },
    /// Nobody: a regular expression hit its bound, and what cannot be decided is not captured.
    Undecided,
}

/// The verdict on a code object.
#[derive(Clone, Debug)]
pub struct ScopeVerdict {
    pub trace: bool,
    pub by: Decider,
    /// A selector hit its bound, so that nothing is known; `trace` is false then.
    pub undecided: bool,
    matching: Arc<RuleSet>,
}

/// The verdict on a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValueVerdict {
    pub action: Action,
    pub by: Decider,
    /// A redact or drop *pattern* covers it and no later pattern allows it, whoever decided.
    pub secret: bool,
}

impl ValueVerdict {
    fn stricter(self, other: ValueVerdict) -> ValueVerdict {
        let strictest = if other.action > self.action { other } else { self };
        ValueVerdict { secret: self.secret || other.secret, ..strictest }
    }

    fn of_pattern(rule: u32, (pattern, action): (u32, Action)) -> ValueVerdict {
        let by = Decider::Pattern { rule, pattern };
        ValueVerdict { action, by, secret: action != Action::Allow }
    }
}

/// Some of the rules of a chain, and the defaults that hold with them.
#[derive(Debug)]
pub(super) struct View {
    /// By rule, whether it is one of them. None: all are.
    pub members: Option<Box<[bool]>>,
    pub default_exec: Setting<Exec>,
    pub default_value_action: Setting<Action>,
}

impl View {
    /// Those of these rules that belong to it, last to first.
    fn backward<'a>(&'a self, rules: &'a [u32]) -> impl Iterator<Item = u32> + 'a {
        let belongs = move |&rule: &u32| {
            self.members.as_ref().is_none_or(|members| members.get(rule as usize) == Some(&true))
        };
        rules.iter().rev().copied().filter(belongs)
    }
}

const UNDECIDED: ValueVerdict = ValueVerdict { action: Action::Redact, by: Decider::Undecided, secret: true };

impl CompiledRule {
    pub(super) fn has_patterns(&self, kind: Kinds) -> bool {
        self.patterns.iter().any(|(selector, _)| selector.kind == kind)
    }

    /// The first pattern that matches a type; one that redacts or drops also covers what is derived from it.
    fn pattern_for_type(&self, names: &[&str], bases: &[&str]) -> Result<Option<(u32, Action)>, Exhausted> {
        for (index, (selector, action)) in (0_u32..).zip(&self.patterns) {
            if selector.kind != Kinds::TYPE {
                continue;
            }
            let bases = if *action == Action::Allow { &[] } else { bases };
            for name in names.iter().chain(bases) {
                if selector.is_match(name)? {
                    return Ok(Some((index, *action)));
                }
            }
        }
        Ok(None)
    }

    /// The first pattern that matches: within a rule it alone counts.
    fn pattern(&self, kinds: Kinds, names: &[&str]) -> Result<Option<(u32, Action)>, Exhausted> {
        let mut first: Option<(u32, Action)> = None;
        for name in names {
            let found = self.pattern_for(kinds, name)?;
            first = match (first, found) {
                (Some(a), Some(b)) => Some(if a.0 <= b.0 { a } else { b }),
                (a, b) => a.or(b),
            };
        }
        Ok(first)
    }

    fn pattern_for(&self, kinds: Kinds, name: &str) -> Result<Option<(u32, Action)>, Exhausted> {
        let search = || {
            for (index, (selector, action)) in (0_u32..).zip(&self.patterns) {
                if selector.kind.intersects(kinds) && selector.is_match(name)? {
                    return Ok(Some((index, *action)));
                }
            }
            Ok(None)
        };
        let costly = self.patterns.iter().any(|(selector, _)| selector.is_costly());
        if costly && name.len() <= MAX_REMEMBERED_NAME {
            self.remembered.get(kinds, name, search)
        } else {
            search()
        }
    }
}

type Answer = Result<Option<(u32, Action)>, Exhausted>;

/// The answers of a rule about names that it was asked for before: programs use the same names over and over.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<FxHashMap<Kinds, FxHashMap<Box<str>, Answer>>>);

/// Mapping keys may be any text; what is longer than this hardly comes again.
const MAX_REMEMBERED_NAME: usize = 64;
const MAX_REMEMBERED: usize = 8192;

impl Remembered {
    fn get(&self, kinds: Kinds, name: &str, search: impl FnOnce() -> Answer) -> Answer {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = lock().get(&kinds).and_then(|answers| answers.get(name)) {
            return *answer;
        }
        let answer = search();
        let mut remembered = lock();
        let answers = remembered.entry(kinds).or_default();
        if answers.len() == MAX_REMEMBERED {
            answers.clear();
        }
        answers.insert(name.into(), answer);
        answer
    }
}

impl Policy {
    /// Whether code with these names is recorded.
    pub fn scope(&self, names: &ScopeNames) -> ScopeVerdict {
        let inner = &*self.inner;
        let Ok(matching) = inner.index.matching(&inner.compiled, names) else {
            let none = RuleSet {
                rules: Box::default(),
                with_attr: Box::default(),
                with_type: Box::default(),
                attr_set: 0,
            };
            return ScopeVerdict {
                trace: false,
                by: Decider::Undecided,
                undecided: true,
                matching: Arc::new(none),
            };
        };
        let mut verdicts = inner.views.iter().map(|view| self.exec(view, &matching));
        let whole = verdicts.next().unwrap_or((Exec::Skip, Decider::Undecided));
        let (exec, by) = match whole.0 {
            Exec::Trace => verdicts.find(|(exec, _)| *exec == Exec::Skip).unwrap_or(whole),
            Exec::Skip => whole,
        };
        drop(verdicts);
        ScopeVerdict { trace: exec == Exec::Trace, by, undecided: false, matching }
    }

    fn exec(&self, view: &View, matching: &RuleSet) -> (Exec, Decider) {
        view.backward(&matching.rules)
            .find_map(|rule| self.rule(rule)?.exec.map(|exec| (exec, Decider::Rule { rule })))
            .unwrap_or((view.default_exec.value, Decider::Default { filter: view.default_exec.filter }))
    }

    fn rule(&self, rule: u32) -> Option<&CompiledRule> {
        self.inner.compiled.get(rule as usize)
    }
}

impl ScopeVerdict {
    /// The rules that match the scope, as indices into [`Policy::rules`], in the order of the chain.
    pub fn matching(&self) -> &[u32] {
        &self.matching.rules
    }

    /// What becomes of a value. `kinds` is everything that it is (a parameter is an argument and a local),
    /// `names` everything that it is called (a callable has a qualified and a bare name).
    pub fn value(&self, policy: &Policy, kinds: Kinds, names: &[&str]) -> ValueVerdict {
        if self.undecided {
            return UNDECIDED;
        }
        let verdicts = policy.inner.views.iter().map(|view| self.walk(policy, view, kinds, names));
        let strictest = verdicts.reduce(|all, one| Ok(all?.stricter(one?)));
        strictest.unwrap_or(Err(Exhausted)).unwrap_or(UNDECIDED)
    }

    fn walk(
        &self,
        policy: &Policy,
        view: &View,
        kinds: Kinds,
        names: &[&str],
    ) -> Result<ValueVerdict, Exhausted> {
        // The first default on the way back. A default never stops the search for a pattern: an allowing one is
        // weaker than any pattern, and after a closing one it is still asked whether the value is a secret.
        let mut default: Option<(Action, Decider)> = None;
        for rule in view.backward(&self.matching.rules) {
            let Some(compiled) = policy.rule(rule) else { continue };
            if let Some(found) = compiled.pattern(kinds, names)? {
                let ValueVerdict { action, by, secret } = ValueVerdict::of_pattern(rule, found);
                let (action, by) = match default {
                    Some((closed, by)) if closed != Action::Allow => (closed, by),
                    _ => (action, by),
                };
                return Ok(ValueVerdict { action, by, secret });
            }
            if let (None, Some(action)) = (default, compiled.value_default) {
                default = Some((action, Decider::Rule { rule }));
            }
        }
        let (action, by) = default.unwrap_or_else(|| {
            let setting = &view.default_value_action;
            (setting.value, Decider::Default { filter: setting.filter })
        });
        Ok(ValueVerdict { action, by, secret: false })
    }

    /// What becomes of an attribute, field or key inside a value that is allowed. None: no pattern speaks of
    /// it, and it shares the verdict of the value that holds it.
    pub fn attr(&self, policy: &Policy, name: &str) -> Option<ValueVerdict> {
        let names = attribute_names(name);
        self.by_patterns(policy, &self.matching.with_attr, |rule| rule.pattern(Kinds::ATTR, &names))
    }

    /// What becomes of a value that is allowed by its name, for its type. `names` is everything that the type is
    /// called, `bases` the same for the types that it is derived from. None: no pattern speaks of it.
    pub fn of_type(&self, policy: &Policy, names: &[&str], bases: &[&str]) -> Option<ValueVerdict> {
        self.by_patterns(policy, &self.matching.with_type, |rule| rule.pattern_for_type(names, bases))
    }

    fn by_patterns(
        &self,
        policy: &Policy,
        rules: &[u32],
        find: impl Fn(&CompiledRule) -> Result<Option<(u32, Action)>, Exhausted>,
    ) -> Option<ValueVerdict> {
        if self.undecided {
            return Some(UNDECIDED);
        }
        let within = |view: &View| {
            for rule in view.backward(rules) {
                if let Some(found) = find(policy.rule(rule)?).transpose() {
                    return Some(found.map_or(UNDECIDED, |found| ValueVerdict::of_pattern(rule, found)));
                }
            }
            None
        };
        policy.inner.views.iter().filter_map(within).reduce(|all, one| match one.by {
            Decider::Undecided => one,
            _ if all.by == Decider::Undecided => all,
            _ => all.stricter(one),
        })
    }

    pub fn has_attr_patterns(&self) -> bool {
        !self.matching.with_attr.is_empty()
    }

    pub fn has_type_patterns(&self) -> bool {
        !self.matching.with_type.is_empty()
    }

    /// A number that scopes share whose `attr` and `type` patterns are the same, so that answers of [`Self::attr`]
    /// and [`Self::of_type`] can be remembered by it and the name. 0: there are none.
    pub fn attr_set(&self) -> u32 {
        self.matching.attr_set
    }
}

/// What an attribute is called: the compiler makes `_Account__balance` of a `__balance` in a class `Account`.
fn attribute_names(name: &str) -> Vec<&str> {
    let mut names = vec![name];
    if name.starts_with('_') && !name.starts_with("__") && !name.ends_with("__") {
        // A class may have such a place in its own name: each could be the one.
        names.extend(name.match_indices("__").map(|(place, _)| &name[place..]));
    }
    names
}
