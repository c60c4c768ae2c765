//! Content rules, seen from Python.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tamis_core::content::{Hit, Kind, Problem, Rules, Spec, Validator};

/// Type, pattern, replacement, whether case is ignored, whether a dot matches newlines, the group that is replaced, the
/// validator.
type RuleSpec = (String, String, String, bool, bool, usize, String);

/// The text, and (rule, start, end, undecided) in characters of the first text.
type Redacted = (String, Vec<(u32, usize, usize, bool)>);

#[pyclass(frozen, module = "tamis._core")]
pub struct ContentRules(Rules);

#[pymethods]
impl ContentRules {
    #[new]
    fn new(py: Python<'_>, specs: Vec<RuleSpec>) -> PyResult<ContentRules> {
        let specs = specs.into_iter().map(spec).collect::<PyResult<_>>()?;
        match py.detach(|| Rules::new(specs)) {
            Ok(rules) => Ok(ContentRules(rules)),
            Err(problems) => {
                let problems: Vec<_> = problems.into_iter().map(|(rule, it)| told(rule, it)).collect();
                Err(PyValueError::new_err((problems,)))
            }
        }
    }

    #[pyo3(signature = (text, asked = None))]
    fn redact(&self, py: Python<'_>, text: &str, asked: Option<Vec<bool>>) -> Option<Redacted> {
        py.detach(|| {
            let is_asked = |rule: usize| asked.as_ref().is_none_or(|asked| asked.get(rule) == Some(&true));
            let done = self.0.redact(text, is_asked)?;
            let count = characters(text, done.hits.iter().flat_map(|hit| [hit.start, hit.end]));
            let hit = |hit: &Hit| (hit.rule, count(hit.start), count(hit.end), hit.undecided);
            let hits = done.hits.iter().map(hit).collect();
            Some((done.text, hits))
        })
    }
}

/// Counts characters up to these places of a text, in one walk.
fn characters(text: &str, places: impl Iterator<Item = usize>) -> impl Fn(usize) -> usize {
    let mut places: Vec<usize> = if text.is_ascii() { Vec::new() } else { places.collect() };
    places.sort_unstable();
    places.dedup();
    let (mut from, mut sum) = (0, 0);
    let counts: Vec<usize> = places
        .iter()
        .map(|&place| {
            sum += text[from..place].chars().count();
            from = place;
            sum
        })
        .collect();
    move |at| places.binary_search(&at).map_or(at, |index| counts[index])
}

fn spec((kind, pattern, replacement, ignore_case, dotall, group, validator): RuleSpec) -> PyResult<Spec> {
    let kind = match kind.as_str() {
        "regex" => Kind::Regex,
        "marker" => Kind::Marker,
        "literal" => Kind::Literal,
        _ => return Err(PyValueError::new_err(format!("unknown type `{kind}`"))),
    };
    let validator = Validator::from_name(&validator)
        .ok_or_else(|| PyValueError::new_err(format!("unknown validator `{validator}`")))?;
    Ok(Spec { kind, pattern, replacement, ignore_case, dotall, group, validator })
}

/// What is wrong with a rule: its index, the key, a sentence, and a place in characters of the key's value.
fn told(rule: usize, problem: Problem) -> (usize, &'static str, String, Option<usize>) {
    match problem {
        Problem::Pattern { message, offset } => (rule, "pattern", message, Some(offset)),
        Problem::MatchesEmpty => (rule, "empty", "the pattern matches the empty text".to_owned(), None),
        Problem::MarkerWithoutContent => {
            (rule, "content", "a marker needs a group named `content`".to_owned(), None)
        }
        Problem::Replacement { message, offset } => (rule, "replacement", message, Some(offset)),
    }
}
