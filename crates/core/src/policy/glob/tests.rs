use super::*;

#[track_caller]
fn check(flavour: Flavour, pattern: &str, yes: &[&str], no: &[&str]) {
    let glob = Glob::new(pattern, flavour).unwrap();
    for name in yes {
        assert!(glob.is_match(name), "{pattern} must match {name}");
    }
    for name in no {
        assert!(!glob.is_match(name), "{pattern} must not match {name}");
    }
}

/// In names `*` crosses dots, and a trailing `.*` selects the package itself.
#[test]
fn names() {
    use Flavour::Name;
    check(Name, "my_app", &["my_app"], &["my_app.core", "my_ap", ""]);
    check(Name, "my_app.*", &["my_app", "my_app.core", "my_app.a.b"], &["my_apple", "xmy_app"]);
    check(Name, "*.core.*", &["a.core", "a.core.x", "a.b.core"], &["core", "a.corex"]);
    check(Name, "*token*", &["token", "a_token_b"], &["toke", "TOKEN"]);
    check(Name, "a*b*a", &["aba", "axbxa", "abba"], &["ab", "a", "aa"]);
    check(Name, "a?c", &["abc", "a.c", "aéc"], &["ac", "abbc"]);
    check(Name, "[a-c]x[!0-9]", &["axa", "cx_"], &["dxa", "ax1"]);
    check(Name, "[]x]", &["]", "x"], &["[", ""]);
    check(Name, "{a,b.*,c{d,e}}", &["a", "b", "b.x", "cd", "ce"], &["a.x", "c", "bx"]);
    check(Name, "my_app.{api,web}.*", &["my_app.api", "my_app.web.x"], &["my_app", "my_app.x"]);
    check(Name, "**", &["", "a.b"], &[]);
    check(Name, "наш.*", &["наш", "наш.модуль"], &["нашмодуль"]);
    check(Name, "a\\*b", &["a*b"], &["axb"]);
    check(Name, "{,x}y", &["y", "xy"], &["xxy"]);
}

/// In paths `*` and `?` stop at `/`, `**` does not, and `**/` may be no folder.
#[test]
fn paths() {
    use Flavour::Path;
    check(Path, "a/*.py", &["a/x.py", "a/.py"], &["a/b/x.py", "x.py"]);
    check(Path, "a/**/*.py", &["a/x.py", "a/b/x.py", "a/b/c/x.py"], &["b/x.py", "ax.py"]);
    check(Path, "**/x.py", &["x.py", "a/x.py", "/a/b/x.py", "/x.py"], &["ax.py"]);
    check(Path, "a/**", &["a/x", "a/b/c"], &["a", "ab"]);
    check(Path, "a**z", &["a/b/z", "az"], &["a/b"]);
    check(Path, "a?b", &["axb"], &["a/b"]);
    check(Path, "a[!x]b", &["ayb"], &["a/b", "axb"]);
    check(Path, "{**/,}t.py", &["t.py", "a/t.py"], &["at.py"]);
}

/// Mistakes in a glob are found where they are.
#[test]
fn mistakes() {
    for (pattern, offset) in [("a[b", 1), ("a{b,c", 1), ("ab\\", 2), ("[z-a]", 1), ("[]", 0), ("a{b{c}", 1)] {
        assert_eq!(Glob::new(pattern, Flavour::Name).unwrap_err().offset, offset, "{pattern}");
    }
    assert!(Glob::new(&"?".repeat(2000), Flavour::Name).is_err());
    assert!(Glob::new(&"{".repeat(50_000), Flavour::Name).is_err());
}

/// A pattern made to explode takes time in proportion to the name.
#[test]
fn never_explodes() {
    let name = "a".repeat(20_000);
    for pattern in ["*a*a*a*a*a*a*a*a*b", "{*a,*a,*a}{*a,*a}{*a,*a}b", "?*?*?*?*?*[b]"] {
        let started = std::time::Instant::now();
        assert!(!Glob::new(pattern, Flavour::Name).unwrap().is_match(&name));
        assert!(started.elapsed().as_millis() < 500, "{pattern}");
    }
}
