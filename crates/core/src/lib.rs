//! The core of Tamis. It knows nothing of Python's C API: the binding crate brings events in and errors out.

pub mod arena;
pub mod content;
pub mod diagnostics;
pub mod helper;
pub mod language;
pub mod members;
pub mod policy;
pub mod pyregex;
pub mod trace;
pub mod wire;
