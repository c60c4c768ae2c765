//! `tamis._core.Links`: which calls a reader chose.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use tamis_core::trace::links::{self, Call};

/// Calls, parents, threads, whether each matches, whether it is shown.
type Columns = (PyBackedBytes, PyBackedBytes, PyBackedBytes, PyBackedBytes, PyBackedBytes);

#[pyclass(module = "tamis._core")]
pub struct Links {
    inner: links::Links,
}

#[pymethods]
impl Links {
    #[new]
    fn new(limit: Option<u16>) -> Links {
        Links { inner: links::Links::new(limit) }
    }

    fn __len__(&self) -> usize {
        self.inner.len() as usize
    }

    fn extend(&mut self, py: Python<'_>, end: u64, columns: Columns) -> PyResult<()> {
        let (calls, parents, threads, matches, shown) = &columns;
        let rows = matches.len();
        if (calls.len(), parents.len(), threads.len(), shown.len()) != (rows * 8, rows * 8, rows * 2, rows) {
            return Err(PyValueError::new_err("the columns have different lengths"));
        }
        let (calls, parents) = (numbers(calls), numbers(parents));
        let threads = threads.as_chunks().0.iter().map(|&bytes| u16::from_ne_bytes(bytes));
        let flags = matches.iter().zip(shown.iter()).map(|(&matches, &shown)| (matches != 0, shown != 0));
        let all =
            calls.zip(parents).zip(threads.zip(flags)).map(|((call, parent), (thread, (matches, shown)))| {
                Call { call: call as u64, parent: u64::try_from(parent).ok(), thread, matches, shown }
            });
        py.detach(|| self.inner.extend(end, all));
        Ok(())
    }

    fn narrow(&mut self, py: Python<'_>, calls: &[u8]) {
        py.detach(|| self.inner.narrow(numbers(calls).map(|call| call as u64)));
    }

    fn chosen(&self, first: u64, thread: u16, count: usize) -> Vec<u64> {
        self.inner.chosen(first, thread, count)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = i64> {
    bytes.as_chunks().0.iter().map(|&bytes| i64::from_ne_bytes(bytes))
}
