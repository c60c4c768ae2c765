//! What tells a secret from what looks like one: check digits, and the words that people write in its place.

use std::ops::Range;

use super::names::{is_code, is_person, is_somebody, names_a_secret};

/// What the text of a match must be besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Validator {
    /// Anything.
    #[default]
    None,
    /// No placeholder.
    Real,
    /// Digits with the check digit of payment cards.
    Luhn,
    /// An account number with its check digits.
    Iban,
    /// A token whose first part is the base64 of a JSON object.
    Jwt,
    /// No placeholder, and of many different characters.
    Random,
    /// An address of somebody: of no example, and not that of a repository.
    Email,
    /// What is assigned to a name, and looks like a secret: no placeholder, no code, and not to a name that says that it
    /// is something else.
    Assigned,
    /// The same, which also looks random.
    AssignedRandom,
    /// An account of a person: none that images and machines have.
    Account,
}

impl Validator {
    pub fn from_name(name: &str) -> Option<Validator> {
        Some(match name {
            "" => Validator::None,
            "real" => Validator::Real,
            "luhn" => Validator::Luhn,
            "iban" => Validator::Iban,
            "jwt" => Validator::Jwt,
            "random" => Validator::Random,
            "email" => Validator::Email,
            "assigned" => Validator::Assigned,
            "assigned-random" => Validator::AssignedRandom,
            "account" => Validator::Account,
            _ => return None,
        })
    }

    /// Whether a part of a text counts; `begin` is where the match begins that it is in.
    pub(super) fn accepts(self, whole: &str, begin: usize, part: Range<usize>) -> bool {
        let (text, before) = (&whole[part.clone()], &whole[begin..part.start]);
        match self {
            Validator::None => true,
            Validator::Real => !is_placeholder(text),
            Validator::Luhn => stands_alone(whole, part.start) && is_grouped(text) && is_luhn(text),
            Validator::Assigned => !is_placeholder(text) && !is_code(text) && names_a_secret(before, text),
            Validator::AssignedRandom => {
                Validator::Assigned.accepts(whole, begin, part.clone())
                    && entropy(text) >= least_entropy(text)
            }
            Validator::Account => !is_placeholder(text) && is_person(text),
            Validator::Iban => is_iban(text),
            Validator::Jwt => is_jwt(text),
            Validator::Email => !is_placeholder(text) && is_somebody(text),
            Validator::Random => !is_placeholder(text) && entropy(text) >= least_entropy(text),
        }
    }
}

/// Words of which one in a text says that it is none that was ever valid. Longer than what chance puts into a token.
const WORDS: &[&str] = &[
    "placeholder",
    "changeme",
    "change-me",
    "change_me",
    "changeit",
    "changethis",
    "replaceme",
    "replace_",
    "replace-",
    "example",
    "insert_",
    "insert-",
    "your_",
    "your-",
    "yourpass",
    "yourtoken",
    "yourkey",
    "yoursecret",
    "goes_here",
    "goes-here",
    "_here",
    "-here",
    "redacted",
    "xxxxxx",
    "dummy_",
    "dummy-",
    "faketoken",
    "fakekey",
    "notasecret",
    "not_a_secret",
    "not-a-real",
    "donotcommit",
    "do_not_commit",
    "123456789",
    "abcdefgh",
    "********",
    "......",
    "00000000",
    "process.env",
    "os.environ",
    "os.getenv",
    "getenv(",
    "import.meta",
]; // rustfmt keeps no columns here

/// Texts that are placeholders as a whole.
const WHOLE: &[&str] = &[
    "none",
    "null",
    "nil",
    "true",
    "false",
    "undefined",
    "secret",
    "password",
    "passwd",
    "token",
    "string",
    "value",
    "test",
    "testing",
    "unknown",
    "default",
    "required",
    "optional",
    "empty",
    "unset",
    "hidden",
    "masked",
    "filtered",
];

fn is_placeholder(text: &str) -> bool {
    let text = text.trim_matches(['"', '\'', '`', ' ']);
    let lower = text.to_ascii_lowercase();
    let around = |start: &str, end: &str| lower.starts_with(start) && lower.ends_with(end);
    let template = around("<", ">") || around("[", "]") || around("%", "%") || around("__", "__");
    let named = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let variable = lower.strip_prefix('$').is_some_and(named) || lower.starts_with("$(");
    let inserted = variable || lower.contains("${") || lower.contains("{{") || lower.starts_with("%(");
    let mut characters = lower.chars();
    let first = characters.next();
    let repeated = lower.len() > 1 && characters.all(|character| Some(character) == first);
    template
        || inserted
        || repeated
        || WHOLE.contains(&lower.as_str())
        || WORDS.iter().any(|word| lower.contains(word))
}

/// Whether a number is not the rest of a longer one, or of a name.
fn stands_alone(whole: &str, at: usize) -> bool {
    !whole[..at].ends_with(|last: char| last.is_alphanumeric() || "._-".contains(last))
}

/// Whether digits have one kind of sign between all groups, or none.
fn is_grouped(text: &str) -> bool {
    let signs: Vec<char> = text.chars().filter(|character| !character.is_ascii_digit()).collect();
    signs.is_empty() || (signs.len() >= 2 && signs.iter().all(|&sign| sign == signs[0]))
}

fn is_luhn(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|character| character.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, &digit)| match digit * (1 + place as u32 % 2) {
            twice @ 10.. => twice - 9,
            once => once,
        })
        .sum();
    let same = digits.windows(2).all(|pair| pair[0] == pair[1]);
    digits.len() >= 12 && !same && sum.is_multiple_of(10)
}

/// ISO 13616: the number, its first four characters moved to its end and letters read as numbers, is 1 modulo 97.
fn is_iban(text: &str) -> bool {
    let characters: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if characters.len() < 15 {
        return false;
    }
    let (head, body) = characters.split_at(4);
    let rest = body.iter().chain(head).fold(0, |rest, character| {
        let value = character.to_digit(36).unwrap_or(0);
        (rest * if value < 10 { 10 } else { 100 } + value) % 97
    });
    rest == 1
}

/// RFC 7519: the header is a JSON object, so its base64 begins as that of `{"` or `{ ` does, and holds `alg`.
fn is_jwt(text: &str) -> bool {
    let header = text.split('.').next().unwrap_or_default();
    decoded(header).is_some_and(|bytes| {
        bytes.starts_with(b"{") && bytes.ends_with(b"}") && bytes.windows(5).any(|part| part == b"\"alg\"")
    })
}

/// Base64 with the alphabet of URLs, without padding.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut held) = (Vec::new(), 0u32, 0);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' | b'+' => 62,
            b'_' | b'/' => 63,
            b'=' => break,
            _ => return None,
        };
        (bits, held) = (bits << 6 | u32::from(value), held + 6);
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    Some(bytes)
}

/// Bits a character, by how often each one stands in the text.
fn entropy(text: &str) -> f64 {
    let mut counts = [0u32; 256];
    text.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let length = text.len().max(1) as f64;
    counts
        .iter()
        .filter(|&&count| count > 0)
        .map(|&count| f64::from(count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

/// What random text of this length has at least, nearly always.
fn least_entropy(text: &str) -> f64 {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let most = (text.len().max(2) as f64).log2().min(if digits_only { 4.0 } else { 5.2 });
    most * 0.72
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_digits() {
        let card = |rest: &str| (0..10).filter(|digit| is_luhn(&format!("{rest}{digit}"))).count();
        assert_eq!([card("411111111111111"), card("3700 000000 0000"), card("1")], [1, 1, 0]);
        assert!(!is_luhn("0000000000000000"));
        // The example of ISO 13616.
        assert!(is_iban(&["GB82", "WEST", "1234", "5698", "7654", "32"].join(" ")));
        assert!(!is_iban(&["GB83", "WEST", "1234", "5698", "7654", "32"].join(" ")));
        assert!(!is_iban("DE00"));
    }

    #[test]
    fn tokens() {
        // {"alg":"none"} and {"typ":"x"}
        assert!(is_jwt(&["eyJhbGci", "OiJub25lIn0", ".e30."].concat()));
        assert!(!is_jwt(&["eyJ0eXAi", "OiJ4In0", ".e30."].concat()));
        assert!(!is_jwt("eyJ"));
    }

    #[test]
    fn placeholders() {
        let placeholders = [
            "<your-token>",
            "${TOKEN}",
            "{{ token }}",
            "%(password)s",
            "xxxxxxxxxxxx",
            "changeme",
            "None",
            "$TOKEN",
            "[token]",
            "%TOKEN%",
            "__TOKEN__",
            "\"null\"",
            "key-EXAMPLE-1",
            "sk-your-key-here",
            "process.env.KEY",
        ];
        for text in placeholders {
            assert!(is_placeholder(text), "{text}");
        }
        for text in ["hunter2", "q8Zr!vP2", "a-b-c", "correct horse"] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    #[test]
    fn randomness() {
        for text in ["passwordpassword", "aaaaaaaabbbbbbbb", "1111222211112222"] {
            assert!(!Validator::Random.accepts(text, 0, 0..text.len()), "{text}");
        }
        for text in [["q8Zrv", "P2xKd0Lm"].concat(), ["9f86d0", "81884c7d65"].concat()] {
            assert!(Validator::Random.accepts(&text, 0, 0..text.len()), "{text}");
        }
    }
}
