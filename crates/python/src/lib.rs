//! `tamis._core`: the seam between Python and the core.

mod policy;
mod regex;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::policy::{Diagnostic, Namer, Policy, Scope};

    #[pymodule_export]
    use crate::regex::Regex;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
