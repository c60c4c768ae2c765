//! 500 regexes of filters, compiled and each matched with one name: how much of the start of a recording they are.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tamis_core::pyregex::{Flags, Regex};

const NAME: &str = "my_app.services.billing.invoices.render";

fn compile_and_match(patterns: &[String]) -> usize {
    let matches = |pattern: &String| {
        let regex = Regex::new(pattern, Flags::default()).ok()?;
        regex.is_full_match(NAME).ok()?.then_some(())
    };
    patterns.iter().filter(|pattern| matches(black_box(pattern)).is_some()).count()
}

/// Makes the nth pattern of its kind.
type Kind = fn(usize) -> String;

fn regexes(c: &mut Criterion) {
    let kinds: [(&str, Kind); 5] = [
        ("plain", |n| format!(r"^my_app\.(services|api{n})\..*")),
        ("ignore case", |n| format!(r"^(?:(?i:my_app)\.(services|api{n})\.)")),
        ("unicode words", |n| format!(r"(?i)\w+\.\w+_?{n}\.\w{{1,255}}")),
        ("sets", |n| format!(r"(?i)[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)+{n}?")),
        ("look-around", |n| format!(r"(?!.*test{n})my_app(?=\.).*(?<!_)$")),
    ];
    for (name, kind) in kinds {
        let patterns: Vec<String> = (0..500).map(kind).collect();
        c.bench_function(&format!("500 regexes, {name}"), |b| b.iter(|| compile_and_match(&patterns)));
    }
}

criterion_group!(benches, regexes);
criterion_main!(benches);
