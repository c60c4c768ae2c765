//! The two tables that grow with every event, written as Parquet without a detour.
//!
//! Rows are encoded as they come, column by column and block by block, while they are in the processor's cache: no
//! array is built of them, no level for each value, and a column that says the same in every row costs next to nothing.
//! Headers and footers are the `parquet` crate's.

mod chunk;
mod delta;
mod events;
mod file;
mod levels;
mod values;

pub use events::EventsFile;
pub use values::ValuesFile;

#[cfg(test)]
mod tests;
