//! From version 1 of the filter language to version 2.

use std::ops::Range;
use toml::Spanned;
use toml::de::DeTable;

/// A filter of version 1 with another number in place of its version, every other byte as it was. All that is valid
/// in version 1 is valid in version 2 and means the same. None: it is no TOML, or its version is not 1.
pub fn upgraded(filter: &[u8]) -> Option<Vec<u8>> {
    let span = version(std::str::from_utf8(filter).ok()?)?;
    Some([&filter[..span.start], b"2", &filter[span.end..]].concat())
}

fn version(text: &str) -> Option<Range<usize>> {
    let root = DeTable::parse(text).ok()?;
    let version = root.get_ref().get("meta").map(Spanned::get_ref)?.as_table()?.get("version")?;
    let number = version.get_ref().as_integer()?;
    (u32::from_str_radix(number.as_str(), number.radix()) == Ok(1)).then(|| version.span())
}
