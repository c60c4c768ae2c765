//! Every construct, with what must match and what must not. `tests/policy/test_regex.py` holds the same engine
//! against `re` itself on generated patterns.

use super::*;

/// A pattern, the texts that it matches as a whole, and those that it does not.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern, Flags::default()).unwrap_or_else(|error| panic!("{pattern}: {error}"))
}

fn check(cases: &[Case]) {
    for (pattern, matching, other) in cases {
        let regex = regex(pattern);
        for text in *matching {
            assert_eq!(regex.is_full_match(text), Ok(true), "{pattern:?} must match {text:?}");
        }
        for text in *other {
            assert_eq!(regex.is_full_match(text), Ok(false), "{pattern:?} must not match {text:?}");
        }
    }
}

/// Literals, escapes and sets mean what they mean in Python, where Rust's engines differ or refuse.
#[test]
fn characters() {
    check(&[
        ("", &[""], &["a", "\n"]),
        ("a.c", &["abc", "a.c", "aéc"], &["a\nc", "ac"]),
        (r"\x41\u0042\U00000043\103", &["ABCC"], &["ABC"]),
        (r"\0\07\011", &["\0\x07\t"], &["007"]),
        (r"[\b\a]\t\v\f", &["\x08\t\x0b\x0c", "\x07\t\x0b\x0c"], &["b\t\x0b\x0c"]),
        (r"\<\-\ \é\.", &["<- é."], &["\\<- é."]),
        ("{}a{b}x{,y}", &["{}a{b}x{,y}"], &["{}ab"]),
        ("]}", &["]}"], &["]"]),
        ("[]a]", &["]", "a"], &["[]a]", "[a]"]),
        ("[^]a]", &["b", "\n"], &["]", "a", ""]),
        ("[[]", &["["], &["]"]),
        ("[a[b]]", &["a]", "[]", "b]"], &["a", "]"]),
        ("[a&&b]", &["a", "&", "b"], &["&&"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[-a]", &["a", "-"], &["b"]),
        (r"[\d-]", &["7", "-"], &["d"]),
        (r"[a\]\-z]", &["a", "]", "-", "z"], &["m", "\\"]),
        (r"[\101-\x43]", &["A", "B", "C"], &["D"]),
        (r"[^\W\d]", &["a", "_", "é"], &["1", "²x", "-"]),
        (r"\ud800", &[], &["", "?", "\u{fffd}"]),
    ]);
}

/// `\w`, `\s` and `\d` are Python's `str.isalnum`, `str.isspace` and `str.isdecimal`.
#[test]
fn classes() {
    check(&[
        (r"\w", &["a", "_", "é", "²", "½", "٣", "漢", "Ⅷ"], &["-", " ", "\u{301}", "Ⓐ", "‿"]),
        (r"\W", &["-", "\u{301}", "Ⓐ"], &["²", "_"]),
        (r"\d", &["0", "٣", "９"], &["²", "½", "a"]),
        (r"\D", &["²", "a"], &["٣"]),
        (r"\s", &[" ", "\x0b", "\x1c", "\x1f", "\u{85}", "\u{a0}", "\u{3000}"], &["\u{200b}", "\u{1b}", "a"]),
        (r"\S", &["\u{200b}", "a"], &["\x1c"]),
        (r"(?a)\w\d\s", &["a1 "], &["é1 ", "a٣ ", "a1\x1c", "a1\u{a0}"]),
        (r"(?a:\w)\w(?u:\w)", &["aéé"], &["ééé"]),
    ]);
}

#[test]
fn anchors() {
    check(&[
        ("^a$", &["a"], &["a\n", "b", "\na"]),
        ("a$\n", &["a\n"], &["a", "a\n\n"]),
        ("a$(?s:.)", &["a\n"], &["ab"]),
        ("a$\n$", &["a\n"], &["a", "a\n\n"]),
        (r"a\Z\n?", &["a"], &["a\n"]),
        ("(?m)a$\n^b$", &["a\nb"], &["a\n", "ab"]),
        (r"(?m)a\n\Ab", &[], &["a\nb"]),
        (r"\ba\b.\B-", &["a -"], &["a b", "ab-"]),
        (r"\b|\B", &[], &[""]),
        (r"(?a)a\bé", &["aé"], &["a"]),
        (r"a\bé", &[], &["aé"]),
    ]);
}

#[test]
fn ignore_case() {
    check(&[
        ("(?i)my_App", &["MY_APP", "my_app"], &["myapp"]),
        ("(?i)k", &["k", "K", "\u{212a}"], &["c"]),
        ("(?i)i", &["i", "I", "ı", "İ"], &["l"]),
        ("(?i)ß", &["ß", "ẞ"], &["ss", "SS"]),
        ("(?i)σ", &["σ", "ς", "Σ"], &["s"]),
        ("(?i)[a-f]+", &["aBcDeF"], &["g", "G"]),
        ("(?i)[^a-f]", &["g", "G"], &["a", "A"]),
        ("(?i)[^k]", &["c"], &["K", "\u{212a}"]),
        ("(?i)[α-ω]+", &["ΑΒΩ", "ς", "µ"], &["a"]),
        ("(?ai)k|ä", &["K", "ä"], &["\u{212a}", "Ä"]),
        ("(?i:a)b", &["Ab"], &["aB"]),
        ("(?i)a(?-i:b)c", &["AbC"], &["ABC"]),
        (r"(?i)(é)\1", &["éÉ", "Éé"], &["é", "ée"]),
        ("(?i)[\u{10400}-\u{10427}]", &["\u{10400}", "\u{10428}"], &["a"]),
    ]);
}

#[test]
fn repetitions() {
    check(&[
        ("a*b+c?", &["b", "aabbc"], &["a", "bcc"]),
        ("a{2}b{1,2}c{2,}d{,2}", &["aabccdd", "aabbccc"], &["abcc", "aabc", "aabccddd"]),
        ("(?:ab|a){2}b", &["aab", "abab", "aabb"], &["ab"]),
        ("a*?a??b", &["b", "aaab"], &["a"]),
        ("(?:a|b)*abb", &["abb", "babaabb"], &["ab"]),
        ("(?:a*)*", &["", "aaa"], &["b"]),
        ("(?:a?){3}a{3}", &["aaa", "aaaaaa"], &["aa", "aaaaaaa"]),
        ("a*+a", &[], &["a", "aa"]),
        ("a++b", &["ab", "aab"], &["b", "a"]),
        ("a?+a", &["aa"], &["a"]),
        ("(?:a|ab){2}+c", &["aac"], &["aabc", "abac", "ababc"]),
        (".?.{,2}+1", &[], &["1", "x1"]),
        ("a{0}b", &["b"], &["ab"]),
    ]);
}

#[test]
fn groups() {
    check(&[
        (r"(a|b)\1", &["aa", "bb"], &["ab", "a"]),
        ("(?P<x>a|b)-(?P=x)", &["a-a"], &["a-b"]),
        (r"(?:(a)|b)\1", &["aa"], &["b", "bb", "ba"]),
        (r"(?:(a|b)-)*\1", &["a-b-b"], &["a-b-a", ""]),
        ("(a)?(?(1)b|c)", &["ab", "c"], &["ac", "b", "a"]),
        ("(?P<q>')?x(?(q)')", &["'x'", "x"], &["'x", "x'"]),
        ("(?(1)a|b)(c)", &["bc"], &["ac"]),
        ("(?>a|ab)c", &["ac"], &["abc"]),
        ("(?>a*)a", &[], &["a", "aaa"]),
        ("(?>(?:|a)*)b", &["b"], &["ab"]),
        (
            r"(?x) a b # comment
            [ ]\ c",
            &["ab  c"],
            &["a b c", "abc"],
        ),
        ("a(?#comment)b", &["ab"], &["a"]),
        ("(?x:a b)c d", &["abc d"], &["abcd"]),
        ("(?s:.)(?-s:.)", &["\na"], &["a\n"]),
        ("(?is)a.", &["A\n"], &["b\n"]),
    ]);
}

#[test]
fn look_around() {
    check(&[
        ("(?=ab)a.*", &["ab", "abc"], &["ac"]),
        ("(?!test)[a-z_]+", &["tes", "my"], &["test", "test_a"]),
        (".*(?<=_id)", &["user_id"], &["user"]),
        (".*(?<!_id)", &["user"], &["user_id"]),
        ("(?<=é)?a", &["a"], &["éa"]),
        ("é(?<=é)a", &["éa"], &["a"]),
        (r"(?=(a+))\1b", &["aab"], &["b"]),
        (r"(?!(a)b)a(?(1)x|c)", &["ac"], &["ax", "ab"]),
        ("(?:(?=.*z)[a-z])*", &["", "abz"], &["abza"]),
        ("(?:(?!b(?=.*c))[ab])*c?", &["aab", "ac"], &["abc"]),
        (r"(?:(?<=\b)a|(?<!\b)b)+", &["abb"], &["ba"]),
    ]);
}

/// A part is found anywhere, and only where it is.
#[test]
fn search() {
    for (pattern, text, found) in [
        ("b", "abc", true),
        ("^b", "abc", false),
        ("(?m)^b", "a\nbc", true),
        ("c$", "abc\n", true),
        ("c\\Z", "abc\n", false),
        ("(?<=é)b", "aéb", true),
        ("x*", "", true),
        ("(?=.*x)z", "yyzx", true),
        ("(?=.*x)z", "yyz", false),
        (r"(.)\1", "abccd", true),
    ] {
        assert_eq!(regex(pattern).is_match(text), Ok(found), "{pattern:?} in {text:?}");
    }
}

/// A pattern that `re` refuses is refused with its message, at its position in characters.
#[test]
fn errors() {
    for (pattern, offset, message) in [
        ("é(", 1, "missing ), unterminated subpattern"),
        ("a)", 1, "unbalanced parenthesis"),
        ("a[b", 1, "unterminated character set"),
        ("*a", 0, "nothing to repeat"),
        ("a|*", 2, "nothing to repeat"),
        ("^*", 1, "nothing to repeat"),
        ("a**", 2, "multiple repeat"),
        ("a{2}{3}", 4, "multiple repeat"),
        ("a{3,2}", 2, "min repeat greater than max repeat"),
        ("a{9999999999}", 2, "the repetition number is too large"),
        ("a\\", 1, "bad escape (end of pattern)"),
        (r"a\q", 1, r"bad escape \q"),
        (r"[\A]", 1, r"bad escape \A"),
        (r"\xa", 0, r"incomplete escape \xa"),
        (r"\U00110000", 0, r"bad escape \U00110000"),
        (r"\777", 0, r"octal escape value \777 outside of range 0-0o377"),
        ("[b-a]", 1, "bad character range b-a"),
        (r"[\d-z]", 1, r"bad character range \d-z"),
        (r"(a\1)", 2, "cannot refer to an open group"),
        (r"a\1", 2, "invalid group reference 1"),
        ("(?(2)a)", 3, "invalid group reference 2"),
        ("(?(0)a)", 3, "bad group number"),
        ("()(?(1)a|b|c)", 10, "conditional backref with more than two branches"),
        ("(?P<a>)(?P<a>)", 11, "redefinition of group name 'a' as group 2; was group 1"),
        ("(?P=a)", 4, "unknown group name 'a'"),
        ("(?P<1>)", 4, "bad character in group name '1'"),
        ("(?P<a", 4, "missing >, unterminated name"),
        ("(?P<>)", 4, "missing group name"),
        ("(?Px)", 1, "unknown extension ?Px"),
        ("(?<a>)", 1, "unknown extension ?<a"),
        ("(?", 2, "unexpected end of pattern"),
        ("(?#", 0, "missing ), unterminated comment"),
        ("a(?i)", 1, "global flags not at the start of the expression"),
        ("(?iz)", 3, "unknown flag"),
        ("(?i", 3, "missing -, : or )"),
        ("(?i-i:a)", 5, "bad inline flags: flag turned on and off"),
        ("(?L)", 3, "bad inline flags: cannot use 'L' flag with a str pattern"),
        ("(?<=a*)", 0, "look-behind requires fixed-width pattern"),
        ("(?:(?<!a|bc)){0}", 3, "look-behind requires fixed-width pattern"),
        (r"(?<=(a)\1)", 9, "cannot refer to group defined in the same lookbehind subpattern"),
    ] {
        let error = Regex::new(pattern, Flags::default()).map(|_| ()).unwrap_err();
        assert_eq!((error.offset, error.message.as_str()), (offset, message), "{pattern:?}");
    }
}

/// What is too deep or too large is an error, not an overflow of the stack or of memory.
#[test]
fn limits() {
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + "a" + &close.repeat(depth);
    for (open, close) in
        [("(", ")"), ("(?:", ")*"), ("(?>", ")*+"), ("(?=", ")"), ("(|", "|)"), ("(?i:", ")?")]
    {
        assert!(Regex::new(&nested(open, close, 200), Flags::default()).is_ok(), "{open}");
        for depth in [201, 100_000] {
            let error = Regex::new(&nested(open, close, depth), Flags::default()).map(|_| ()).unwrap_err();
            assert!(error.message.contains("nested"), "{open}: {error}");
        }
    }
    for pattern in ["(?:(?:a{100}){100}){100}", "(?:(?:){100000}){100000}", r"(?:\w{1,255}){1,255}"] {
        let error = Regex::new(pattern, Flags::default()).map(|_| ()).unwrap_err();
        assert!(error.message.contains("too large"), "{pattern}: {error}");
    }
    assert!(Regex::new(r"\w{1,255}", Flags::default()).is_ok());
}

/// Patterns that take other engines exponential time get their answer, unless groups decide it.
#[test]
fn work_is_bounded() {
    let text = "a".repeat(2_000);
    for pattern in [
        "(a*)*b",
        "(?:a|a)*b",
        "(?:a+)+b",
        "(?:(?:a*)*)*b",
        "(?:a?){30}a{30}b",
        "(?=(?:a|aa)+b).*",
        "(?>(?:a|aa)+b)",
    ] {
        assert_eq!(regex(pattern).is_full_match(&text), Ok(false), "{pattern}");
        assert_eq!(regex(pattern).is_match(&text), Ok(false), "{pattern}");
    }
    assert_eq!(regex("(?:(?=.*b)a)*a").is_match(&text), Ok(true));
    for pattern in [r"(a*)*\1b", r"(a+a+)+b\1", "(?:(?>a|)|aa)*b"] {
        assert_eq!(regex(pattern).is_full_match(&text), Err(Exhausted), "{pattern}");
    }
}

/// Flags that are given with the pattern act like those written at its start.
#[test]
fn initial_flags() {
    type Field = fn(&mut Flags) -> &mut bool;
    let cases: [(Field, &str, &str); 5] = [
        (|flags| &mut flags.ignore_case, "a", "A"),
        (|flags| &mut flags.multiline, "a$\n^b", "a\nb"),
        (|flags| &mut flags.dotall, "a.", "a\n"),
        (|flags| &mut flags.verbose, "a b", "ab"),
        (|flags| &mut flags.ascii, r"a\W", "aé"),
    ];
    for (flag, pattern, text) in cases {
        let mut flags = Flags::default();
        assert_eq!(Regex::new(pattern, flags).unwrap().is_full_match(text), Ok(false), "{pattern}");
        *flag(&mut flags) = true;
        assert_eq!(Regex::new(pattern, flags).unwrap().is_full_match(text), Ok(true), "{pattern}");
    }
}

/// One pattern serves many threads.
#[test]
fn shared() {
    fn assert_shareable<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    assert_shareable(&regex("a"));
}
