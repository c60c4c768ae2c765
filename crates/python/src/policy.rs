//! The trace filter, seen from Python.

use crate::diagnostics::{Diagnostic, policy_error, unknown};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList};
use std::path::PathBuf;
use tamis_core::policy::{self, Action, Decider, Kinds, Origin, Places, ScopeNames, Setting, Source};

/// Modules, file, absolute path, origin, qualified name; parameters, locals and other names.
type CodeNames =
    ((Vec<String>, String, Option<String>, String, String), (Vec<String>, Vec<String>, Vec<String>));

fn project_code(code: CodeNames) -> PyResult<policy::ProjectCode> {
    let ((modules, file, absolute, origin, qualname), (parameters, locals, others)) = code;
    let origin = Origin::from_name(&origin).ok_or_else(|| unknown("origin", &origin))?;
    let names = ScopeNames::new(modules, file, absolute, origin, &qualname);
    Ok(policy::ProjectCode { names, parameters, locals, others })
}

fn sources_of(sources: Vec<(String, Option<PathBuf>, Vec<u8>)>) -> Vec<Source> {
    sources.into_iter().map(|(display, path, bytes)| Source { display, path, bytes }).collect()
}

#[pyclass(frozen, module = "tamis._core")]
pub struct Policy {
    pub inner: policy::Policy,
}

#[pymethods]
impl Policy {
    #[new]
    fn new(py: Python<'_>, sources: Vec<(String, Option<PathBuf>, Vec<u8>)>) -> PyResult<Policy> {
        let sources = sources_of(sources);
        match py.detach(|| policy::load(&sources)) {
            Ok(inner) => Ok(Policy { inner }),
            Err(found) => Err(policy_error(py, found)),
        }
    }

    #[staticmethod]
    fn check(
        py: Python<'_>,
        sources: Vec<(String, Option<PathBuf>, Vec<u8>)>,
        given: usize,
    ) -> PyResult<(Policy, Vec<Diagnostic>)> {
        let sources = sources_of(sources);
        match py.detach(|| policy::check(&sources, given)) {
            Ok((inner, found)) => Ok((Policy { inner }, found.into_iter().map(Diagnostic::from).collect())),
            Err(found) => Err(policy_error(py, found)),
        }
    }

    #[staticmethod]
    #[pyo3(signature = (sources, given, code, *, words, foreign))]
    fn look(
        py: Python<'_>,
        sources: Vec<(String, Option<PathBuf>, Vec<u8>)>,
        given: usize,
        code: Vec<CodeNames>,
        words: Vec<String>,
        foreign: Vec<String>,
    ) -> PyResult<Vec<Diagnostic>> {
        let sources = sources_of(sources);
        let code = code.into_iter().map(project_code).collect::<PyResult<_>>()?;
        let project = policy::Project { code, words, foreign };
        match py.detach(|| policy::look(&sources, given, &project)) {
            Ok(found) => Ok(found.into_iter().map(Diagnostic::from).collect()),
            Err(found) => Err(policy_error(py, found)),
        }
    }

    fn describe<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let described = PyDict::new(py);
        described.set_item("filters", self.filters(py)?)?;
        described.set_item("rules", self.rules(py)?)?;
        let exec = self.inner.default_exec();
        described.set_item("default_exec", setting(py, exec, exec.value.as_str())?)?;
        let action = self.inner.default_value_action();
        described.set_item("default_value_action", setting(py, action, action.value.as_str())?)?;
        let io = PyDict::new(py);
        let settings = self.inner.io();
        io.set_item("capture", settings.capture.as_ref().map(|it| setting(py, it, it.value)).transpose()?)?;
        io.set_item("streams", settings.streams.as_ref().map(|it| setting(py, it, &it.value)).transpose()?)?;
        described.set_item("io", io)?;
        Ok(described)
    }

    #[getter]
    fn notices(&self) -> Vec<Diagnostic> {
        self.inner.notices().iter().cloned().map(Diagnostic::from).collect()
    }

    #[pyo3(signature = (modules, file, qualname, *, absolute = None, origin = "project"))]
    fn scope(
        &self,
        modules: Vec<String>,
        file: String,
        qualname: &str,
        absolute: Option<String>,
        origin: &str,
    ) -> PyResult<Scope> {
        let origin = Origin::from_name(origin).ok_or_else(|| unknown("origin", origin))?;
        let names = ScopeNames::new(modules, file, absolute, origin, qualname);
        Ok(Scope { verdict: self.inner.scope(&names), policy: self.inner.clone() })
    }
}

impl Policy {
    fn filters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let filters = PyList::empty(py);
        for filter in self.inner.filters() {
            let entry = PyDict::new(py);
            entry.set_item("name", &filter.name)?;
            entry.set_item("version", filter.version)?;
            entry.set_item("sha256", &filter.sha256)?;
            entry.set_item("path", &filter.display)?;
            entry.set_item("description", &filter.description)?;
            entry.set_item("labels", &filter.labels)?;
            entry.set_item("locked", filter.locked)?;
            entry.set_item("includes", &filter.includes)?;
            entry.set_item("accept", filter.accept.iter().map(|id| &id.value).collect::<Vec<_>>())?;
            filters.append(entry)?;
        }
        Ok(filters)
    }

    fn rules<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let rules = PyList::empty(py);
        for rule in self.inner.rules() {
            let patterns = PyList::empty(py);
            for pattern in &rule.patterns {
                let entry = PyDict::new(py);
                entry.set_item("selector", &pattern.selector)?;
                entry.set_item("line", pattern.line)?;
                entry.set_item("action", pattern.action.as_str())?;
                entry.set_item("reason", &pattern.reason)?;
                patterns.append(entry)?;
            }
            let entry = PyDict::new(py);
            entry.set_item("filter", rule.filter)?;
            entry.set_item("index", rule.index)?;
            entry.set_item("line", rule.line)?;
            entry.set_item("selector", &rule.selector)?;
            entry.set_item("exec", rule.exec.map_or("inherit", policy::Exec::as_str))?;
            entry.set_item("value_default", rule.value_default.map_or("inherit", Action::as_str))?;
            entry.set_item("reason", &rule.reason)?;
            entry.set_item("patterns", patterns)?;
            rules.append(entry)?;
        }
        Ok(rules)
    }
}

/// Kind and text of each token of a file.
#[pyfunction]
pub fn toml_tokens(
    py: Python<'_>,
    source: (String, Option<PathBuf>, Vec<u8>),
) -> PyResult<Vec<(&'static str, String)>> {
    let source = sources_of(vec![source]).remove(0);
    match policy::tokens(&source) {
        Ok(tokens) => Ok(tokens.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect()),
        Err(found) => Err(policy_error(py, found)),
    }
}

#[pyfunction]
pub fn upgraded(py: Python<'_>, filter: &[u8]) -> Option<Py<PyBytes>> {
    policy::upgraded(filter).map(|filter| PyBytes::new(py, &filter).unbind())
}

fn setting<'py, T, V: IntoPyObject<'py>>(
    py: Python<'py>,
    setting: &Setting<T>,
    value: V,
) -> PyResult<Bound<'py, PyDict>> {
    let entry = PyDict::new(py);
    entry.set_item("value", value)?;
    entry.set_item("filter", setting.filter)?;
    entry.set_item("line", setting.line)?;
    Ok(entry)
}

/// Who decided, as (what, index of the filter or rule, index of the pattern).
fn decider(by: Decider) -> (&'static str, Option<u32>, Option<u32>) {
    match by {
        Decider::Default { filter } => ("default", Some(filter), None),
        Decider::Rule { rule } => ("rule", Some(rule), None),
        Decider::Pattern { rule, pattern } => ("pattern", Some(rule), Some(pattern)),
        Decider::Undecided => ("undecided", None, None),
    }
}

type By = (&'static str, Option<u32>, Option<u32>);

#[pyclass(frozen, module = "tamis._core")]
pub struct Scope {
    verdict: policy::ScopeVerdict,
    policy: policy::Policy,
}

#[pymethods]
impl Scope {
    #[getter]
    fn trace(&self) -> bool {
        self.verdict.trace
    }

    #[getter]
    fn by(&self) -> By {
        decider(self.verdict.by)
    }

    #[getter]
    fn matching(&self) -> Vec<u32> {
        self.verdict.matching().to_vec()
    }

    #[getter]
    fn attr_set(&self) -> u32 {
        self.verdict.attr_set()
    }

    fn value(&self, kinds: Vec<String>, names: Vec<String>) -> PyResult<(&'static str, By, bool)> {
        let mut set = Kinds::default();
        for kind in &kinds {
            set = set.union(Kinds::from_name(kind).ok_or_else(|| unknown("kind of value", kind))?);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let verdict = self.verdict.value(&self.policy, set, &names);
        Ok((verdict.action.as_str(), decider(verdict.by), verdict.secret))
    }

    fn attr(&self, name: &str) -> Option<(&'static str, By, bool)> {
        let verdict = self.verdict.attr(&self.policy, name)?;
        Some((verdict.action.as_str(), decider(verdict.by), verdict.secret))
    }

    #[pyo3(signature = (names, bases = Vec::new()))]
    fn of_type(&self, names: Vec<String>, bases: Vec<String>) -> Option<(&'static str, By, bool)> {
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let bases: Vec<&str> = bases.iter().map(String::as_str).collect();
        let verdict = self.verdict.of_type(&self.policy, &names, &bases)?;
        Some((verdict.action.as_str(), decider(verdict.by), verdict.secret))
    }
}

#[pyclass(frozen, module = "tamis._core")]
pub struct Namer {
    pub inner: policy::Namer,
}

#[pymethods]
impl Namer {
    #[new]
    #[pyo3(signature = (project_root, *, stdlib, third_party, stdlib_modules, cwd))]
    fn new(
        project_root: PathBuf,
        stdlib: Vec<PathBuf>,
        third_party: Vec<PathBuf>,
        stdlib_modules: Vec<String>,
        cwd: PathBuf,
    ) -> Namer {
        let places = Places { project_root, stdlib, third_party, stdlib_modules, cwd };
        Namer { inner: policy::Namer::new(places) }
    }

    #[pyo3(signature = (co_filename, module, qualname))]
    fn names<'py>(
        &self,
        py: Python<'py>,
        co_filename: &str,
        module: Option<&str>,
        qualname: &str,
    ) -> PyResult<Bound<'py, PyDict>> {
        let names = self.inner.names(co_filename, module, qualname);
        let entry = PyDict::new(py);
        entry.set_item("modules", names.modules)?;
        entry.set_item("file", names.file)?;
        entry.set_item("qualname", names.qualname)?;
        entry.set_item("absolute", names.absolute)?;
        entry.set_item("origin", names.origin.as_str())?;
        Ok(entry)
    }
}
