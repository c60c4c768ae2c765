//! Which rules match a code object: quickly, because it is asked for every one.
//!
//! Most selectors look at the module or the file, and are asked once for each of these. Literals are looked up
//! by hash. What is left are patterns for objects, and most of them refuse a name by its first letters.

use super::CompiledRule;
use super::names::{Origin, ScopeNames};
use super::regex::Exhausted;
use super::selector::{Kinds, Matcher, ScopeKind};
use rustc_hash::FxHashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Programs that make modules or files without end must not make memory without end.
const MAX_REMEMBERED: usize = 8192;

#[derive(Debug)]
pub(super) struct Index {
    object_literals: FxHashMap<Box<str>, Vec<u32>>,
    package_literals: FxHashMap<Box<str>, Vec<u32>>,
    /// Rules whose selectors have to be asked: for each object, and for each module and file.
    by_object: Vec<u32>,
    by_module: Vec<u32>,
    modules: Mutex<FxHashMap<ModuleKey, Matches>>,
    sets: Mutex<Sets>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ModuleKey {
    modules: Vec<String>,
    file: String,
    absolute: Option<String>,
    origin: Origin,
}

/// Rules that match, in the order of the chain; or a selector hit its bound.
type Matches = Result<Arc<[u32]>, Exhausted>;

/// The rules that matched a scope. Scopes matched by the same rules share one.
#[derive(Debug)]
pub(super) struct RuleSet {
    pub rules: Box<[u32]>,
    /// Those of them that hold `attr` patterns.
    pub with_attr: Box<[u32]>,
    /// Those of them that hold `type` patterns.
    pub with_type: Box<[u32]>,
    /// The same number for sets with the same `with_attr` and `with_type`; 0 if both are empty.
    pub attr_set: u32,
}

#[derive(Debug, Default)]
struct Sets {
    by_rules: FxHashMap<Arc<[u32]>, Arc<RuleSet>>,
    attr_sets: FxHashMap<[Box<[u32]>; 2], u32>,
}

impl Index {
    pub fn new(rules: &[CompiledRule]) -> Index {
        let mut index = Index {
            object_literals: FxHashMap::default(),
            package_literals: FxHashMap::default(),
            by_object: Vec::new(),
            by_module: Vec::new(),
            modules: Mutex::default(),
            sets: Mutex::default(),
        };
        for (number, rule) in (0_u32..).zip(rules) {
            match (rule.selector.kind, &rule.selector.matcher) {
                (ScopeKind::Object, Matcher::Literal(literal)) => {
                    index.object_literals.entry(literal.clone()).or_default().push(number);
                }
                (ScopeKind::Package, Matcher::Literal(literal)) => {
                    index.package_literals.entry(literal.clone()).or_default().push(number);
                }
                (ScopeKind::Object, _) => index.by_object.push(number),
                _ => index.by_module.push(number),
            }
        }
        index
    }

    /// The rules that match these names.
    pub fn matching(&self, rules: &[CompiledRule], names: &ScopeNames) -> Result<Arc<RuleSet>, Exhausted> {
        let by_module = self.by_module(rules, names)?;
        let mut found = Vec::new();
        if !self.object_literals.is_empty() {
            for object in &names.objects {
                for name in object.covering() {
                    found.extend(self.object_literals.get(name).into_iter().flatten());
                }
            }
        }
        for &number in &self.by_object {
            if let Some(rule) = rules.get(number as usize)
                && rule.selector.is_match(names)?
            {
                found.push(number);
            }
        }
        if found.is_empty() {
            return Ok(self.set(rules, by_module));
        }
        found.extend(by_module.iter());
        found.sort_unstable();
        found.dedup();
        Ok(self.set(rules, found.into()))
    }

    fn by_module(&self, rules: &[CompiledRule], names: &ScopeNames) -> Matches {
        let key = ModuleKey {
            modules: names.modules.clone(),
            file: names.file.clone(),
            absolute: names.absolute.clone(),
            origin: names.origin,
        };
        if let Some(matches) = lock(&self.modules).get(&key) {
            return matches.clone();
        }
        let matches = self.match_module(rules, names);
        let mut remembered = lock(&self.modules);
        if remembered.len() == MAX_REMEMBERED {
            remembered.clear();
        }
        remembered.insert(key, matches.clone());
        matches
    }

    fn match_module(&self, rules: &[CompiledRule], names: &ScopeNames) -> Matches {
        let mut found: Vec<u32> = Vec::new();
        for module in &names.modules {
            found.extend(self.package_literals.get(module.as_str()).into_iter().flatten());
        }
        for &number in &self.by_module {
            if let Some(rule) = rules.get(number as usize)
                && rule.selector.is_match(names)?
            {
                found.push(number);
            }
        }
        found.sort_unstable();
        found.dedup();
        Ok(found.into())
    }

    fn set(&self, rules: &[CompiledRule], matching: Arc<[u32]>) -> Arc<RuleSet> {
        let mut sets = lock(&self.sets);
        if let Some(set) = sets.by_rules.get(&matching) {
            return Arc::clone(set);
        }
        let with = |kind: Kinds| -> Box<[u32]> {
            let holds = |number: u32| rules.get(number as usize).is_some_and(|rule| rule.has_patterns(kind));
            matching.iter().copied().filter(|&number| holds(number)).collect()
        };
        let (with_attr, with_type) = (with(Kinds::ATTR), with(Kinds::TYPE));
        let next = sets.attr_sets.len() as u32 + 1;
        let attr_set = if with_attr.is_empty() && with_type.is_empty() {
            0
        } else {
            *sets.attr_sets.entry([with_attr.clone(), with_type.clone()]).or_insert(next)
        };
        let set = Arc::new(RuleSet { rules: matching.as_ref().into(), with_attr, with_type, attr_set });
        sets.by_rules.insert(matching, Arc::clone(&set));
        set
    }
}

/// What these locks guard is complete at any time, so a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
