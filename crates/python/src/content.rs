//! Content rules, seen from Python.

use crate::diagnostics::unknown;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use tamis_core::content::{
    FieldPath, Fields, Fit, Format, Hit, How, Kind, Manual, Problem, Rules, Spec, Spot, Stream, Validator,
    Way, at,
};

/// Type, pattern, replacement, whether case is ignored, whether a dot matches newlines, the group that is replaced, the
/// validator, the paths of fields, whether words begin behind escapes.
type RuleSpec = (String, String, String, bool, bool, usize, String, Vec<String>, bool);

/// The text, and (rule, start, end, undecided) in characters of the first text.
type Redacted = (String, Vec<(u32, usize, usize, bool)>);

/// A name, a place in a list, or the number of a member of an object.
#[derive(FromPyObject)]
enum Step {
    Name(String),
    Index(usize),
    Member((usize,)),
}

/// The way, whether it is a key, the span or nothing for all, characters of the text, what is put in.
type ByHand = (Vec<Step>, bool, Option<(usize, usize)>, usize, String);

/// The way as names with the numbers of the members and as places in lists, whether it is a key, start, end, characters
/// of all of the text, what is there.
type Found = (Vec<(Option<String>, usize)>, bool, usize, usize, usize, String);

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

    fn covered_by(&self, py: Python<'_>, rule: usize, by: usize) -> bool {
        py.detach(|| self.0.covered_by(rule, by))
    }

    /// The record, and (rule, start, end, undecided) in bytes of the record before.
    fn redact_record(&self, py: Python<'_>, record: &str, fields: &ContentFields) -> Option<Redacted> {
        py.detach(|| {
            let how = in_record(fields);
            let done = self.0.redact_document(record, &how);
            done.unwrap_or_else(|| self.0.redact(record, &how)).map(in_bytes)
        })
    }

    /// The same with what people redact by hand, and what became of each of these.
    fn redact_by_hand(
        &self,
        py: Python<'_>,
        record: &str,
        fields: &ContentFields,
        by_hand: Vec<ByHand>,
    ) -> (Option<Redacted>, Vec<&'static str>) {
        py.detach(|| {
            let by_hand: Vec<Manual> = by_hand.into_iter().map(manual).collect();
            let (done, fits) = self.0.redact_by_hand(record, &in_record(fields), &by_hand);
            let told = |fit| match fit {
                Fit::Lost => "lost",
                Fit::Exact => "exact",
                Fit::Whole => "whole",
            };
            (done.map(in_bytes), fits.into_iter().map(told).collect())
        })
    }

    /// Where the rules would change a record.
    fn find_in_record(&self, py: Python<'_>, record: &str, fields: &ContentFields) -> Vec<Found> {
        py.detach(|| self.0.spots(record, &in_record(fields)).into_iter().map(found).collect())
    }

    #[pyo3(signature = (text, asked = None, *, decode = true))]
    fn redact(&self, py: Python<'_>, text: &str, asked: Option<Vec<bool>>, decode: bool) -> Option<Redacted> {
        py.detach(|| {
            let is_asked = |rule: usize| asked.as_ref().is_none_or(|asked| asked.get(rule) == Some(&true));
            let done = self.0.redact(
                text,
                &How { asked: &is_asked, decode, fields_in_text: asked.is_none(), fields: None },
            )?;
            let count = characters(text, done.hits.iter().flat_map(|hit| [hit.start, hit.end]));
            let hit = |hit: &Hit| (hit.rule, count(hit.start), count(hit.end), hit.undecided);
            let hits = done.hits.iter().map(hit).collect();
            Some((done.text, hits))
        })
    }
}

/// Where in documents of one kind each rule is asked.
#[pyclass(frozen, module = "tamis._core")]
pub struct ContentFields(Fields);

#[pymethods]
impl ContentFields {
    #[new]
    fn new(rules: Vec<Option<Vec<String>>>) -> PyResult<ContentFields> {
        let rules =
            rules.into_iter().map(|rule| rule.map(field_paths).transpose()).collect::<PyResult<_>>()?;
        Ok(ContentFields(Fields::new(rules)))
    }
}

fn field_paths(paths: Vec<String>) -> PyResult<Vec<FieldPath>> {
    let path = |path: String| {
        FieldPath::parse(&path).map_err(|(why, at)| {
            PyValueError::new_err(format!("`{path}` is no path: {why}, at character {at}"))
        })
    };
    paths.into_iter().map(path).collect()
}

fn in_record(fields: &ContentFields) -> How<'_> {
    How { asked: &|_| true, decode: true, fields_in_text: false, fields: Some(&fields.0) }
}

fn in_bytes(done: tamis_core::content::Redacted) -> Redacted {
    let hits = done.hits.iter().map(|hit| (hit.rule, hit.start, hit.end, hit.undecided)).collect();
    (done.text, hits)
}

fn manual((way, is_key, span, length, put): ByHand) -> Manual {
    let step = |step| match step {
        Step::Name(name) => Way::Name(name),
        Step::Index(index) => Way::Index(index),
        Step::Member((number,)) => Way::Member(number),
    };
    Manual { way: way.into_iter().map(step).collect(), is_key, span, length, put }
}

fn found(spot: Spot) -> Found {
    (spot.steps, spot.is_key, spot.start, spot.end, spot.length, spot.text)
}

/// The texts of a record to which paths lead.
#[pyfunction]
pub fn texts_at(py: Python<'_>, record: &str, paths: Vec<String>) -> PyResult<Vec<Found>> {
    let paths = field_paths(paths)?;
    Ok(py.detach(|| at(record, &paths).into_iter().map(found).collect()))
}

/// Bytes that come in pieces, with rules applied to them.
#[pyclass(module = "tamis._core")]
pub struct ContentStream {
    rules: Py<ContentRules>,
    asked: Option<Vec<bool>>,
    decode: bool,
    stream: Stream,
}

#[pymethods]
impl ContentStream {
    #[new]
    #[pyo3(signature = (rules, format, asked = None, *, decode = true))]
    fn new(
        rules: Py<ContentRules>,
        format: &str,
        asked: Option<Vec<bool>>,
        decode: bool,
    ) -> PyResult<ContentStream> {
        let format = match format {
            "text" => Format::Text,
            "jsonl" => Format::Lines,
            "json" => Format::Document,
            _ => return Err(unknown("format", format)),
        };
        Ok(ContentStream { rules, asked, decode, stream: Stream::new(format) })
    }

    fn push<'py>(&mut self, py: Python<'py>, data: &[u8]) -> Bound<'py, PyBytes> {
        self.go_on(py, Some(data))
    }

    fn finish<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.go_on(py, None)
    }

    /// What was changed since the last call: (rule, line, column, undecided).
    fn changes(&mut self) -> Vec<(u32, u64, u64, bool)> {
        let places = self.stream.take_places();
        places.into_iter().map(|place| (place.rule, place.line, place.column, place.undecided)).collect()
    }

    #[getter]
    fn broken(&self) -> u64 {
        self.stream.broken
    }
}

impl ContentStream {
    fn go_on<'py>(&mut self, py: Python<'py>, data: Option<&[u8]>) -> Bound<'py, PyBytes> {
        let ContentStream { rules, asked, decode, stream } = self;
        let rules = &rules.get().0;
        let decode = *decode;
        let out = py.detach(|| {
            let is_asked = |rule: usize| asked.as_ref().is_none_or(|asked| asked.get(rule) == Some(&true));
            let how = How { asked: &is_asked, decode, fields_in_text: asked.is_none(), fields: None };
            match data {
                Some(data) => stream.push(rules, data, &how),
                None => stream.finish(rules, &how),
            }
        });
        PyBytes::new(py, &out)
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

fn spec(
    (kind, pattern, replacement, ignore_case, dotall, group, validator, fields, behind_escapes): RuleSpec,
) -> PyResult<Spec> {
    let kind = match kind.as_str() {
        "regex" => Kind::Regex,
        "marker" => Kind::Marker,
        "literal" => Kind::Literal,
        _ => return Err(PyValueError::new_err(format!("unknown type `{kind}`"))),
    };
    let validator = Validator::from_name(&validator)
        .ok_or_else(|| PyValueError::new_err(format!("unknown validator `{validator}`")))?;
    Ok(Spec { kind, pattern, replacement, ignore_case, dotall, group, validator, fields, behind_escapes })
}

/// What is wrong with a rule: its index, the key, a sentence, a place in characters of the key's value, and of a list
/// the index in it.
fn told(rule: usize, problem: Problem) -> (usize, &'static str, String, Option<usize>, usize) {
    let (rule, key, message, offset) = match problem {
        Problem::Field { index, message, offset } => return (rule, "fields", message, Some(offset), index),
        Problem::Pattern { message, offset } => (rule, "pattern", message, Some(offset)),
        Problem::MatchesEmpty => (rule, "empty", "the pattern matches the empty text".to_owned(), None),
        Problem::MarkerWithoutContent => {
            (rule, "content", "a marker needs a group named `content`".to_owned(), None)
        }
        Problem::Replacement { message, offset } => (rule, "replacement", message, Some(offset)),
    };
    (rule, key, message, offset, 0)
}
