//! How long a chain of filters takes until its first verdict, and how long a verdict takes.
//!
//! The chain is builtin-default and a project's filter of 1,000 rules, each with a value pattern.

use criterion::{Criterion, criterion_group, criterion_main};
use std::fmt::Write;
use std::hint::black_box;
use tamis_core::policy::{Kinds, Origin, Policy, ScopeNames, Source, load};

const BUILTIN: &[u8] = include_bytes!("../../../python/tamis/policy/builtin/builtin-default.toml");
const RULES: usize = 1000;

type Selectors = fn(usize) -> (String, String);

/// Rows of the table: what the selectors of rule and pattern number `n` are.
const CHAINS: &[(&str, Selectors)] = &[
    ("literal", |n| {
        (format!("obj:literal:my_app.services.part{n}.Service.run"), format!("arg:literal:name_{n}"))
    }),
    ("globs", |n| match n % 4 {
        0 => (format!("pkg:my_app.services.part{n}.*"), format!("local:*_name_{n}")),
        1 => (format!("obj:my_app.*.Part{n}.*_handler"), format!("attr:{{id,key}}_{n}*")),
        2 => (format!("file:my_app/**/part_{n}_*.py"), format!("arg:name?{n}")),
        _ => (format!("obj:*.part[0-9]{n}.*"), format!("global:*CONFIG_{n}*")),
    }),
    ("500 regexes", |n| match n % 2 {
        0 => (format!(r"pkg:regex:^my_app\\.(services|api)\\.part{n}\\."), format!("arg:literal:name_{n}")),
        _ => (format!("obj:literal:my_app.services.part{n}.run"), format!(r"local:regex:(?i).*_name{n}")),
    }),
    ("500 regexes, Unicode \\w", |n| match n % 2 {
        0 => (format!(r"obj:regex:\\w+\\.services\\.\\w+{n}(\\.|$)"), format!("arg:literal:name_{n}")),
        _ => (format!("obj:literal:my_app.services.part{n}.run"), "local:name_*".to_owned()),
    }),
];

fn chain(selectors: Selectors) -> Vec<Source> {
    let mut text = String::from("[meta]\nname = \"big\"\nversion = 1\n[scope]\ndefault_exec = \"inherit\"\n");
    text.push_str("default_value_action = \"inherit\"\n");
    for n in 0..RULES {
        let (rule, pattern) = selectors(n);
        let _ = write!(
            text,
            "\n[[scope.rules]]\nselector = \"{rule}\"\nexec = \"trace\"\nvalue_default = \"redact\"\nreason = \"rule {n}\"\n\
             [[scope.rules.value_patterns]]\nselector = \"{pattern}\"\naction = \"allow\"\n"
        );
    }
    [("builtin-default", BUILTIN.to_vec()), ("big.toml", text.into_bytes())]
        .map(|(name, bytes)| Source { display: name.to_owned(), path: None, bytes })
        .to_vec()
}

fn names(n: usize) -> ScopeNames {
    ScopeNames::new(
        vec![format!("my_app.services.part{n}")],
        format!("my_app/services/part{n}.py"),
        Some(format!("/srv/my_app/services/part{n}.py")),
        Origin::Project,
        "Service.run",
    )
}

fn verdicts(policy: &Policy, names: &ScopeNames) {
    let scope = policy.scope(black_box(names));
    black_box(scope.value(policy, Kinds::ARG.union(Kinds::LOCAL), &["user_name"]));
}

fn bench(criterion: &mut Criterion) {
    for &(name, selectors) in CHAINS {
        let sources = chain(selectors);
        if let Err(problems) = load(&sources) {
            panic!("{name}: {problems:?}");
        }
        let mut group = criterion.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("loaded, first verdict included", |bencher| {
            bencher.iter(|| match load(black_box(&sources)) {
                Ok(policy) => verdicts(&policy, &names(500)),
                Err(problems) => panic!("{problems:?}"),
            });
        });
        let Ok(policy) = load(&sources) else { return };
        let mut n = 0;
        group.bench_function("scope in a module not seen before", |bencher| {
            bencher.iter(|| {
                n += 1;
                policy.scope(&names(n)).trace
            });
        });
        let known = names(501);
        group.bench_function("scope in a module seen before", |bencher| {
            bencher.iter(|| policy.scope(black_box(&known)).trace);
        });
        let scope = policy.scope(&known);
        group.bench_function("value", |bencher| {
            bencher.iter(|| scope.value(&policy, Kinds::ARG.union(Kinds::LOCAL), black_box(&["user_name"])));
        });
        group.finish();
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
