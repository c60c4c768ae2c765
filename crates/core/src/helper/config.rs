//! What the recorder tells the helper at its start, as JSON.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

#[derive(Deserialize)]
pub struct Config {
    /// The directory of the trace: absolute, it exists, and it is empty.
    pub trace: PathBuf,
    /// The process that starts the recording: as long as it lives, somebody may still join.
    #[serde(default)]
    pub starter: Option<i32>,
    /// What is known of the run; goes into the metadata as it is.
    #[serde(default)]
    pub metadata: Map<String, Value>,
    /// The chain, in order.
    #[serde(default)]
    pub filters: Vec<Filter>,
    /// The rules of the whole chain, in order: records name them by their place here.
    #[serde(default)]
    pub rules: Vec<Rule>,
    #[serde(default)]
    pub default_filter: DefaultFilter,
}

#[derive(Deserialize)]
pub struct Filter {
    pub name: String,
    pub version: u64,
    pub sha256: String,
    pub path: Option<String>,
}

#[derive(Deserialize)]
pub struct Rule {
    /// Place of its filter in the chain.
    pub filter: usize,
    /// Its number in its filter's file.
    pub index: u32,
    pub selector: String,
    pub line: u32,
    #[serde(default)]
    pub reason: Option<String>,
    #[serde(default)]
    pub patterns: Vec<Pattern>,
}

#[derive(Deserialize)]
pub struct Pattern {
    pub selector: String,
    pub line: u32,
    pub action: String,
}

/// The filters whose defaults hold where no rule decides, by their places in the chain.
#[derive(Deserialize, Default)]
pub struct DefaultFilter {
    pub exec: usize,
    pub value: usize,
}
