//! The core's regular expressions, so that tests can hold them against `re`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tamis_core::pyregex::{self, Finder, Flags};

const IGNORECASE: u32 = 2;
const MULTILINE: u32 = 8;
const DOTALL: u32 = 16;
const UNICODE: u32 = 32;
const VERBOSE: u32 = 64;
const ASCII: u32 = 256;

#[pyclass(frozen, module = "tamis._core")]
pub struct Regex {
    regex: pyregex::Regex,
    finder: Finder,
}

/// Where something is, in characters.
type Span = (usize, usize);

#[pymethods]
impl Regex {
    #[new]
    #[pyo3(signature = (pattern, flags = 0))]
    fn new(pattern: &str, flags: u32) -> PyResult<Regex> {
        if flags & !(IGNORECASE | MULTILINE | DOTALL | UNICODE | VERBOSE | ASCII) != 0 {
            return Err(PyValueError::new_err(("these flags are not supported", 0)));
        }
        let flags = Flags {
            ignore_case: flags & IGNORECASE != 0,
            multiline: flags & MULTILINE != 0,
            dotall: flags & DOTALL != 0,
            verbose: flags & VERBOSE != 0,
            ascii: flags & ASCII != 0,
        };
        let regex = pyregex::Regex::new(pattern, flags);
        let both = regex.and_then(|regex| Ok(Regex { regex, finder: Finder::new(pattern, flags)? }));
        both.map_err(|error| PyValueError::new_err((error.message, error.offset)))
    }

    fn finditer(&self, text: &str) -> Option<Vec<(Span, Vec<Option<Span>>)>> {
        let characters = |span: (usize, usize)| {
            let start = text[..span.0].chars().count();
            (start, start + text[span.0..span.1].chars().count())
        };
        let found = {
            let mut found = Vec::new();
            self.finder.find_all(text, 0..text.len(), &mut found).ok()?;
            found
        };
        let spans = |found: pyregex::Match| {
            let groups = found.groups.into_iter().map(|group| group.map(characters)).collect();
            (characters((found.start, found.end)), groups)
        };
        Some(found.into_iter().map(spans).collect())
    }

    fn fullmatch(&self, text: &str) -> Option<bool> {
        self.regex.is_full_match(text).ok()
    }

    fn search(&self, text: &str) -> Option<bool> {
        self.regex.is_match(text).ok()
    }
}
