//! Rules applied in their order, and what is said of them. `tests/policy/test_rules.py` holds them against `re`.

use super::*;
use proptest::prelude::*;

fn spec(kind: Kind, pattern: &str, replacement: &str) -> Spec {
    Spec {
        kind,
        pattern: pattern.into(),
        replacement: replacement.into(),
        ignore_case: true,
        dotall: false,
        group: 0,
        validator: Validator::None,
        fields: Vec::new(),
        behind_escapes: false,
    }
}

fn rules(list: &[(Kind, &str, &str)]) -> Rules {
    let specs = list.iter().map(|&(kind, pattern, replacement)| spec(kind, pattern, replacement)).collect();
    Rules::new(specs).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn redact(rules: &Rules, text: &str, asked: bool) -> Option<Redacted> {
    rules.redact(text, &How { asked: &|_| asked, decode: false, fields_in_text: true, fields: None })
}

fn places(redacted: &Redacted) -> Vec<(u32, usize, usize)> {
    redacted.hits.iter().map(|hit| (hit.rule, hit.start, hit.end)).collect()
}

/// A rule sees what the one before left; places are those of the first text.
#[test]
fn one_after_the_other() {
    use Kind::{Literal, Regex};
    let rules = rules(&[(Regex, "ab+", "x"), (Literal, "X.", "<y>"), (Regex, r"(<)y(>)c", r"\2\g<1>")]);
    let Some(done) = redact(&rules, "-abbb.c ab abb.", true) else { panic!("nothing was changed") };
    assert_eq!(done.text, "->< x <y>");
    let expected = [(0, 1, 5), (0, 8, 10), (0, 11, 14), (1, 1, 6), (1, 11, 15), (2, 1, 7)];
    assert_eq!(places(&done), expected);
}

/// A part that is cut stands for all that it replaced, each of its rests too.
#[test]
fn parts_that_are_cut() {
    let rules = rules(&[
        (Kind::Literal, "secret", "[a-b-c]"),
        (Kind::Literal, "-", ""),
        (Kind::Literal, "c] x", "!"),
        (Kind::Literal, "[a", "?"),
    ]);
    let Some(done) = redact(&rules, "1 secret x", true) else { panic!("nothing was changed") };
    assert_eq!(done.text, "1 ?b!");
    assert_eq!(places(&done), [(0, 2, 8), (1, 2, 8), (1, 2, 8), (2, 2, 10), (3, 2, 8)]);
}

/// What changes nothing costs no text; rules that are not asked do nothing.
#[test]
fn nothing_to_do() {
    let rules = rules(&[(Kind::Regex, "secret", "x")]);
    assert_eq!(redact(&rules, "nothing", true), None);
    assert_eq!(redact(&rules, "a secret", false), None);
    assert_eq!(redact(&rules, "", true), None);
}

/// Each mistake is told by its rule.
#[test]
fn mistakes() {
    let specs = vec![
        spec(Kind::Regex, "(", ""),
        spec(Kind::Literal, "(", ""),
        spec(Kind::Regex, "a*", ""),
        spec(Kind::Literal, "", ""),
        spec(Kind::Marker, r"\[(?P<text>.*?)\]", ""),
        spec(Kind::Marker, r"\[(?P<content>.*?)\]", r"\g<content>"),
        spec(Kind::Regex, "a", r"\g<b>"),
        spec(Kind::Regex, "a", r"\q"),
    ];
    let Err(found) = Rules::new(specs) else { panic!("all are right") };
    let indices: Vec<usize> = found.iter().map(|(index, _)| *index).collect();
    assert_eq!(indices, [0, 2, 3, 4, 6, 7]);
    assert_eq!(found[1].1, Problem::MatchesEmpty);
    assert_eq!(found[3].1, Problem::MarkerWithoutContent);
}

/// The line that takes too much work is redacted, and no other.
#[test]
fn too_much_work() {
    let rules = rules(&[(Kind::Regex, r"(a+a+)+b\1", "x")]);
    let text = format!("one\n{}b\naabaa two", "a".repeat(5_000));
    let Some(done) = redact(&rules, &text, true) else { panic!("nothing was changed") };
    assert!(done.text == format!("one\n{UNDECIDED}\nx two"));
    let undecided: Vec<bool> = done.hits.iter().map(|hit| hit.undecided).collect();
    assert_eq!(undecided, [true, false]);
}

/// No match is longer than that: so much is redacted, and what is behind is looked at again.
#[test]
fn longer_than_a_match_may_be() {
    let rules = rules(&[(Kind::Regex, "key .*", "x")]);
    let text = format!("a\nthe key {}\nkey", "b".repeat(100_000));
    let Some(done) = redact(&rules, &text, true) else { panic!("nothing was changed") };
    assert_eq!(done.text.len(), text.len() - 65_536 + UNDECIDED.len());
    assert!(done.hits.iter().all(|hit| hit.undecided && hit.start <= 6 && hit.end > 60_000));
    assert!(done.text.ends_with("bb\nkey"));
}

/// Numbers that are always the same.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

const PATTERNS: &[&str] = &[
    "ab",
    "a[0-9]{1,4}b",
    r"\bkey\s{0,3}=\s{0,3}\w{1,6}",
    "(?m)^ab",
    r"\Aa",
    r"b\Z",
    r"(?<=a)\n\d",
    r"\d{4,8}",
    "é+?x",
    r"(?i)KEY(?!=)",
    "[ab]{3,5}",
    r"\n\n",
    r"<(\w{1,4})>",
    r"x(?=\d)",
    r"([ab])\1",
];

/// A text in windows comes out as it does at once, wherever it is cut; places included.
#[test]
fn windows_are_not_seen() {
    let mut random = Random(7);
    let words =
        ["ab", "a1", "key", "=", " ", " ", "\n", "\n", "12345", "é", "x", "<ab>", "b", "KEY ", "aaaa"];
    let mut changed = 0;
    for _ in 0..3_000 {
        let list: Vec<(Kind, &str, &str)> = (0..1 + random.below(4))
            .map(|_| (Kind::Regex, random.of(PATTERNS), random.of(&["", "<R>", "ab", "é1", "\n"])))
            .collect();
        let rules = rules(&list);
        let text: String = (0..random.below(120)).map(|_| random.of(&words)).collect();
        let whole = redact(&rules, &text, true);
        let (window, reach) = (30 + random.below(60), 60);
        let parts = windows::redact(
            &rules,
            &text,
            window,
            reach,
            &How { asked: &|_| true, decode: false, fields_in_text: true, fields: None },
        );
        let sorted = |redacted: Option<Redacted>| {
            redacted.map(|mut redacted| {
                redacted.hits.sort_by_key(|hit| (hit.rule, hit.start, hit.end));
                redacted
            })
        };
        changed += usize::from(whole.is_some());
        assert_eq!(sorted(parts), sorted(whole), "{list:?} {text:?} {window}");
    }
    assert!(changed > 1_000);
}

/// A clue counts where the sign that its pattern wants is near, whatever may stand between: on both sides.
#[test]
fn signs_near_clues() {
    let far = "x".repeat(60);
    let cases = [
        (
            r"token[a-z]{0,5}\s{0,2}[:=]\d",
            "token:1 tokens =2 token x=3 tokenabcdef=4 token=5",
            "R R token x=3 tokenabcdef=4 R",
        ),
        (r"(?:ab|cd)[ x]{0,4}token", "ab xtoken cdtoken ef token ab     token", "R R ef token ab     token"),
        (r"token[\s\d]{0,9}é?=", "token 1é= tokené= token é é=", "R R token é é="),
        (r"token(?:[:=]|x+)y", "token=y tokenxxxy token:z tokeny", "R R token:z tokeny"),
        (r"token.*=", "token not 1=", "R"),
        (r"token[a-z]{0,20}[\s]*'?(?:\w{8,})!", "token abcdefgh!", "R"),
        (r"token[^=]{0,60}=", &format!("token{far}= token{far}x="), &format!("R token{far}x=")),
        (r"token(?= ?[:=])", "token = token", "R = token"),
    ];
    for (pattern, text, expected) in cases {
        let rules = rules(&[(Kind::Regex, pattern, "R")]);
        let done = redact(&rules, text, true).map(|done| done.text);
        assert_eq!(done.as_deref().unwrap_or(text), expected, "{pattern}");
    }
}

/// Where a group is replaced, what stands behind it may be what the next match begins with.
#[test]
fn groups_one_after_the_other() {
    let mut rule = spec(Kind::Regex, r"(?:^|\s|&)(?:pin|token)=([a-z0-9]+)(?:\s|&|\Z)", "R");
    rule.group = 1;
    let rules = Rules::new(vec![rule]).unwrap_or_else(|problems| panic!("{problems:?}"));
    let done = redact(&rules, "pin=a1 token=b2 pin=c3\ntoken=d4&pin=e5 x pin=f6", true);
    let Some(done) = done else { panic!("nothing was changed") };
    assert_eq!(done.text, "pin=R token=R pin=R\ntoken=R&pin=R x pin=R");
    assert_eq!(done.hits.len(), 6);
}

/// A match that begins far into a run may end far behind it.
#[test]
fn longer_runs_than_matches() {
    let rules = rules(&[(Kind::Regex, "[é]{8}.{0,9}=", "R"), (Kind::Regex, "=.{0,9}[0-9]{8}", "S")]);
    let (accents, digits) = ("é".repeat(90), "1".repeat(90));
    let done = redact(&rules, &format!("{accents} ab= c ={digits} d"), true).map(|done| done.text);
    let expected = format!("{}R c S{} d", "é".repeat(76), "1".repeat(73));
    assert_eq!(done, Some(expected));
}

/// Rules that want the quotes around a value of JSON find them, at both ends of a long one too.
#[test]
fn quotes_around_long_values() {
    let long = "word ".repeat(40);
    let cases = [
        (r#"secret-[a-z]+""#, format!(r#"{{"x": "{long}secret-ab"}}"#), format!(r#"{{"x": "{long}R"}}"#)),
        (r#""[a-z]{0,20}token"#, r#"{"a": "xyztoken"}"#.to_owned(), r#"{"a": "R"}"#.to_owned()),
        (r#"["a-z][a-z]token"#, r#"{"a": "xtoken"}"#.to_owned(), r#"{"a": "R"}"#.to_owned()),
        (r#""tokens"#, r#"{"a": "tokens are"}"#.to_owned(), r#"{"a": "R are"}"#.to_owned()),
        (r#"["a-z]{8}!"#, r#"{"a": "abcdefg!"}"#.to_owned(), r#"{"a": "R"}"#.to_owned()),
        (&*format!(r#""pin": "{long}""#), format!(r#"{{"pin": "{long}"}}"#), r#"{"pin": "R"}"#.to_owned()),
    ];
    let how = How { asked: &|_| true, decode: true, fields_in_text: true, fields: None };
    for (pattern, text, expected) in cases {
        let rules = rules(&[(Kind::Regex, pattern, "R")]);
        let done = rules.redact_document(&text, &how).flatten().map(|done| done.text);
        assert_eq!(done.unwrap_or(text), expected, "{pattern}");
    }
}

proptest! {
    /// Runs of many kinds that are looked for at once are those that are found one by one.
    #[test]
    fn runs_of_all_kinds(text in "[ab1-]{0,90}", from in 0..90_usize, to in 0..90_usize, least in proptest::collection::vec(7..40_usize, 3)) {
        let text = text.as_bytes();
        let kind = |kind: usize, byte: u8| match kind {
            0 => byte == b'a',
            1 => byte.is_ascii_alphabetic(),
            _ => byte != b'-',
        };
        let bits = |byte: u8| (0..3).map(|index| u8::from(kind(index, byte)) << index).sum::<u8>();
        let of = std::array::from_fn(|byte| bits(byte as u8));
        let part = from.min(text.len())..to.clamp(from.min(text.len()), text.len());
        let mut found = Vec::new();
        runs::runs(text, part.clone(), runs::Kinds { of: &of, least: &least }, |kind, start, end| {
            found.push((kind, start, end));
        });
        let mut expected = Vec::new();
        for (index, least) in least.iter().enumerate() {
            let starts = (0..text.len()).filter(|&at| kind(index, text[at]) && (at == 0 || !kind(index, text[at - 1])));
            for start in starts {
                let end = start + text[start..].iter().take_while(|byte| kind(index, **byte)).count();
                if end - start >= *least && part.contains(&start) {
                    expected.push((index, start, end));
                }
            }
        }
        // Runs that began before may be told, too.
        found.retain(|(_, start, _)| part.contains(start));
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }
}
