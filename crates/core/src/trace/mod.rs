//! The trace directory, as it is written: tables, segments, tails and metadata.

pub mod links;
pub mod metadata;
mod parquet;
mod placer;
pub mod rows;
pub mod schema;
pub mod segment;
pub mod tail;
pub mod writer;
