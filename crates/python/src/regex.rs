//! The core's regular expressions, so that tests can hold them against `re`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use tamis_core::pyregex::{self, Flags};

const IGNORECASE: u32 = 2;
const MULTILINE: u32 = 8;
const DOTALL: u32 = 16;
const UNICODE: u32 = 32;
const VERBOSE: u32 = 64;
const ASCII: u32 = 256;

#[pyclass(frozen, module = "tamis._core")]
pub struct Regex(pyregex::Regex);

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
        pyregex::Regex::new(pattern, flags)
            .map(Regex)
            .map_err(|error| PyValueError::new_err((error.message, error.offset)))
    }

    fn fullmatch(&self, text: &str) -> Option<bool> {
        self.0.is_full_match(text).ok()
    }

    fn search(&self, text: &str) -> Option<bool> {
        self.0.is_match(text).ok()
    }
}
