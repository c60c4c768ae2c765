//! The helper: the process that drains the rings of a recording and writes its trace.
//!
//! [`run`] blocks until nobody records any more. One thread drains, pairs and finds distinct values; a second
//! one writes ([`crate::trace::writer`]). Whatever goes wrong with the files, the rings are drained to the end:
//! the recorded program must never wait for a helper that has given up.

mod call;
mod clock;
mod config;
mod drain;
mod frames;
mod ids;
mod intake;
mod intern;
mod names;
mod nap;
mod output;
mod pairing;
mod part;
mod policy;
mod process;
mod reserved;
mod value;

pub use config::Config;
pub use drain::run;
