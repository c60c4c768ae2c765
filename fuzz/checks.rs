//! What must hold of any bytes. A fuzzer looks for some of which it does not (`make fuzz`), and `make test` replays its
//! seeds (`crates/core/tests/seeds.rs`).

use std::path::Path;
use std::sync::LazyLock;

use tamis_core::content::{Format, How, Kind, Rules, Spec, Stream, Validator};
use tamis_core::pyregex::{Finder, Flags};

const EACH: How = How { asked: &|_| true, decode: false, fields_in_text: true, fields: None };
const DECODED: How = How { decode: true, ..EACH };

/// Rules and a text, of which the rules stand first, one a line: `i` for any case, `s` for dots that match newlines,
/// the pattern, a tab, what takes its place; then an empty line. They give what each alone gives, one after the other,
/// where no clue is looked for; and a stream gives that too, wherever it is cut.
pub fn scanner(data: &[u8]) {
    let input = String::from_utf8_lossy(data);
    let Some((rules, text)) = input.split_once("\n\n") else { return };
    let specs: Vec<Spec> = rules.lines().take(4).map(spec).collect();
    let flags =
        |spec: &Spec| Flags { ignore_case: spec.ignore_case, dotall: spec.dotall, ..Flags::default() };
    let finders: Vec<_> = specs.iter().map(|spec| Finder::new(&spec.pattern, flags(spec))).collect();
    let puts: Vec<String> = specs.iter().map(|spec| spec.replacement.clone()).collect();
    let Ok(rules) = Rules::new(specs) else { return };
    let done = rules.redact(text, &EACH);
    if done.iter().flat_map(|done| &done.hits).any(|hit| hit.undecided) {
        return;
    }
    let mut expected = text.to_owned();
    for (finder, put) in finders.iter().zip(puts) {
        let Ok(finder) = finder else { return };
        let mut found = Vec::new();
        if finder.find_all(&expected, 0..expected.len(), &mut found).is_err() {
            return;
        }
        for found in found.iter().rev() {
            expected.replace_range(found.start..found.end, &put);
        }
    }
    let done = done.map_or_else(|| text.to_owned(), |done| done.text);
    assert_eq!(done, expected);
    let cut = data.len() % (text.len() + 1);
    assert_eq!(
        String::from_utf8_lossy(&streamed(&rules, Format::Text, text.as_bytes(), cut, &EACH)),
        expected
    );
}

fn spec(line: &str) -> Spec {
    let (pattern, put) = line.split_once('\t').unwrap_or((line, "<R>"));
    let bare = pattern.trim_start_matches(['i', 's', ' ']);
    let flags = &pattern[..pattern.len() - bare.len()];
    Spec {
        kind: Kind::Regex,
        pattern: bare.to_owned(),
        // Without references to groups, which this model does not know.
        replacement: put.replace('\\', ""),
        ignore_case: flags.contains('i'),
        dotall: flags.contains('s'),
        group: 0,
        validator: Validator::None,
        fields: Vec::new(),
        behind_escapes: false,
    }
}

/// What no rule touches stays byte for byte, whatever its encodings; and a word that is nowhere left was found in all.
pub fn decoders(data: &[u8]) {
    static NEVER: LazyLock<Rules> = LazyLock::new(|| made(vec![spec("\u{2603}never\u{2603}")]));
    static WORD: LazyLock<Rules> = LazyLock::new(|| made(vec![spec("zymoly\t<>")]));
    let Some((&first, data)) = data.split_first() else { return };
    let format = [Format::Text, Format::Lines, Format::Document][usize::from(first % 3)];
    let cut = usize::from(first) % (data.len() + 1);
    assert_eq!(streamed(&NEVER, format, data, cut, &DECODED), data);
    let done = streamed(&WORD, format, data, cut, &DECODED);
    assert!(!done.windows(6).any(|six| six == b"zymoly"));
    still_json(format, data, &done);
}

/// The built-in rules end on anything, give the same wherever a stream is cut, and leave JSON what it is.
pub fn pack(data: &[u8]) {
    static PACK: LazyLock<Rules> = LazyLock::new(|| made(builtin()));
    let [first, second, data @ ..] = data else { return };
    let format = [Format::Text, Format::Lines, Format::Document][usize::from(first % 3)];
    let how = if second % 8 == 0 { &EACH } else { &DECODED };
    let cut = (usize::from(*first) * 256 + usize::from(*second)) % (data.len() + 1);
    let done = streamed(&PACK, format, data, cut, how);
    assert_eq!(done, streamed(&PACK, format, data, data.len(), how));
    if how.decode {
        still_json(format, data, &done);
    }
}

/// What was a document of JSON is one after the rules. For lines, each.
fn still_json(format: Format, before: &[u8], after: &[u8]) {
    let is_json = |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).is_ok();
    match format {
        Format::Text => {}
        Format::Document => assert!(!is_json(before) || is_json(after), "{}", String::from_utf8_lossy(after)),
        Format::Lines => {
            let (before, after) = (before.split(|&byte| byte == b'\n'), after.split(|&byte| byte == b'\n'));
            let (before, after): (Vec<_>, Vec<_>) = (before.collect(), after.collect());
            for (before, after) in before.into_iter().zip(after) {
                // What stands after a line that is none may be on other lines.
                if !is_json(before) {
                    break;
                }
                assert!(is_json(after), "{}", String::from_utf8_lossy(after));
            }
        }
    }
}

fn streamed(rules: &Rules, format: Format, data: &[u8], cut: usize, how: &How) -> Vec<u8> {
    let mut stream = Stream::new(format);
    let mut done = stream.push(rules, &data[..cut], how);
    done.extend(stream.push(rules, &data[cut..], how));
    done.extend(stream.finish(rules, how));
    done
}

fn made(specs: Vec<Spec>) -> Rules {
    Rules::new(specs).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn builtin() -> Vec<Spec> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let mut files = here.map(|folder| folder.join("python/tamis/policy/builtin/rules.json"));
    let file = files.find(|file| file.exists()).unwrap_or_default();
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let rules: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let spec = |rule: &serde_json::Value| {
        let text = |key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        Spec {
            kind: Kind::Regex,
            pattern: format!("(?a){}", text("pattern")),
            replacement: format!("<REDACTED:{}>", text("id")),
            ignore_case: rule["ignore_case"].as_bool().unwrap_or(true),
            dotall: rule["dotall"].as_bool().unwrap_or(false),
            group: rule["group"].as_u64().unwrap_or(0) as usize,
            validator: Validator::from_name(&text("validator")).unwrap_or(Validator::None),
            fields: Vec::new(),
            behind_escapes: true,
        }
    };
    rules.iter().map(spec).collect()
}
