//! The seeds of the fuzzers, replayed: `fuzz/seeds.py` makes them, `make fuzz` looks for more.

#[path = "../../../fuzz/checks.rs"]
mod checks;

use std::path::Path;

fn replay(target: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/seeds").join(target);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("{}: {error}: `python fuzz/seeds.py target/seeds` makes it", folder.display())
    });
    let mut count = 0;
    for entry in entries {
        let path = entry.unwrap_or_else(|error| panic!("{error}")).path();
        check(&std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())));
        count += 1;
    }
    assert!(count > 100, "{count} seeds");
}

/// The fast scanner gives what the rules give one after the other, and a stream that is cut gives it too.
#[test]
fn scanner() {
    replay("scanner", checks::scanner);
}

/// What is not touched stays as it is in all encodings, and what is looked for is found in all.
#[test]
fn decoders() {
    replay("decoders", checks::decoders);
}

/// The built-in rules take any text, cut anywhere.
#[test]
fn pack() {
    replay("pack", checks::pack);
}
