//! `tamis._core`: the seam between Python and the core.

mod content;
mod diagnostics;
mod ffi;
mod links;
mod members;
mod policy;
mod program;
mod recorder;
mod regex;

use pyo3::prelude::*;

#[pymodule]
mod _core {
    #[pymodule_export]
    use crate::content::{ContentFields, ContentRules, ContentStream, texts_at};

    #[pymodule_export]
    use crate::links::Links;

    #[pymodule_export]
    use crate::members::Members;

    #[pymodule_export]
    use crate::diagnostics::Diagnostic;

    #[pymodule_export]
    use crate::policy::{Namer, Policy, Scope, toml_tokens, upgraded};

    #[pymodule_export]
    use crate::program::{print_uncaught, run_code, run_file, run_function};

    #[pymodule_export]
    use crate::recorder::{
        Recording, after_fork_in_child, before_fork, callbacks, is_recording, layout_known, on_spawn,
        peek_fields, peek_slots, run_helper,
    };

    #[pymodule_export]
    use crate::regex::Regex;

    #[pymodule_export]
    const VERSION: &str = env!("CARGO_PKG_VERSION");
}
