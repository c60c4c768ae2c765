//! Problems of input files, seen from Python.

use pyo3::prelude::*;
use tamis_core::diagnostics;

#[pyclass(frozen, get_all, module = "tamis._core")]
pub struct Diagnostic {
    id: String,
    severity: &'static str,
    path: String,
    line: u32,
    column: u32,
    end: u32,
    source: String,
    message: String,
    hint: Option<String>,
}

impl From<diagnostics::Diagnostic> for Diagnostic {
    fn from(found: diagnostics::Diagnostic) -> Diagnostic {
        Diagnostic {
            id: found.id,
            severity: found.severity.as_str(),
            path: found.path,
            line: found.line,
            column: found.column,
            end: found.end,
            source: found.source,
            message: found.message,
            hint: found.hint,
        }
    }
}

#[pymethods]
impl Diagnostic {
    #[new]
    #[pyo3(signature = (id, path, message, hint = None, place = None))]
    fn new(
        id: &str,
        path: &str,
        message: String,
        hint: Option<String>,
        place: Option<(u32, u32, u32, String)>,
    ) -> PyResult<Diagnostic> {
        if !diagnostics::IDS.contains(&id) {
            return Err(unknown("diagnostic", id));
        }
        let mut made = diagnostics::Diagnostic::whole_file(id, path, message, hint);
        if diagnostics::WARNINGS.contains(&id) || diagnostics::RULE_WARNINGS.contains(&id) {
            made.severity = diagnostics::Severity::Warning;
        }
        if let Some(place) = place {
            (made.line, made.column, made.end, made.source) = place;
        }
        Ok(made.into())
    }

    #[classattr]
    #[pyo3(name = "WARNINGS")]
    fn warnings() -> Vec<&'static str> {
        diagnostics::WARNINGS.to_vec()
    }

    #[classattr]
    #[pyo3(name = "RULE_WARNINGS")]
    fn rule_warnings() -> Vec<&'static str> {
        diagnostics::RULE_WARNINGS.to_vec()
    }

    #[classattr]
    #[pyo3(name = "IDS")]
    fn ids() -> Vec<&'static str> {
        diagnostics::IDS.to_vec()
    }

    fn __repr__(&self) -> String {
        format!("<Diagnostic {} {}:{}:{} {:?}>", self.id, self.path, self.line, self.column, self.message)
    }
}

/// The bridge from problems in a policy to the exception that carries them.
pub fn policy_error(py: Python<'_>, found: Vec<diagnostics::Diagnostic>) -> PyErr {
    let raise = || -> PyResult<Bound<'_, PyAny>> {
        let found: Vec<Diagnostic> = found.into_iter().map(Diagnostic::from).collect();
        py.import("tamis.errors")?.getattr("PolicyError")?.call1((found,))
    };
    raise().map_or_else(|error| error, PyErr::from_value)
}

/// The error for a word that a caller gave and that means nothing.
pub fn unknown(what: &str, name: &str) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(format!("unknown {what} `{name}`"))
}
