//! The members of a list in a document, seen from Python.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

#[pyclass(module = "tamis._core")]
pub struct Members(tamis_core::members::Members);

#[pymethods]
impl Members {
    #[new]
    fn new(names: Vec<String>) -> Members {
        Members(tamis_core::members::Members::new(names))
    }

    fn push<'py>(&mut self, py: Python<'py>, data: &[u8]) -> Vec<Bound<'py, PyBytes>> {
        let members = py.detach(|| self.0.push(data));
        members.iter().map(|member| PyBytes::new(py, member)).collect()
    }

    fn rest<'py>(&mut self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.rest())
    }
}
