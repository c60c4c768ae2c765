//! The page about the trace says what the tables are.
#![allow(clippy::unwrap_used)]

use tamis_core::trace::schema::TABLES;

/// The tables of `docs/trace.md` are those that are written, column by column. With `UPDATE_DOCS` set, the page
/// is made anew.
#[test]
fn the_page_has_the_tables() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/trace.md");
    let page = std::fs::read_to_string(path).unwrap();
    let begin = page.find("-->\n").unwrap() + 4;
    let end = page.find("<!-- end -->").unwrap();
    let tables: String =
        TABLES.iter().map(|table| format!("\n### `{}`\n\n{}", table.name, table.markdown())).collect();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{}{tables}\n{}", &page[..begin], &page[end..])).unwrap();
        return;
    }
    assert_eq!(page[begin..end].trim(), tables.trim(), "make docs/trace.md anew: UPDATE_DOCS=1");
}

/// The schema of values is JSON.
#[test]
fn the_schema_can_be_read() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/value.schema.json");
    let schema: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    assert_eq!(schema["$ref"], "#/$defs/value");
}
