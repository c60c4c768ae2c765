//! Regular expressions in selectors: Python's, matched against whole names.

use crate::language::Language;
use crate::pyregex::{Error, Flags, Regex};

pub use crate::pyregex::Exhausted;

#[derive(Debug)]
pub struct NameRegex {
    regex: Regex,
    /// What every match begins with, as far as the pattern shows it at a glance.
    prefix: Box<str>,
}

impl NameRegex {
    pub fn new(pattern: &str) -> Result<NameRegex, Error> {
        let regex = Regex::new(pattern, Flags::default())?;
        Ok(NameRegex { regex, prefix: literal_prefix(pattern).into() })
    }

    pub fn is_full_match(&self, name: &str) -> Result<bool, Exhausted> {
        if name.starts_with(&*self.prefix) { self.regex.is_full_match(name) } else { Ok(false) }
    }

    pub fn language(&self) -> Option<Language> {
        self.regex.language()
    }

    /// False if it is plain that neither the name, the name with a dot behind it, nor a beginning of it matches.
    pub fn may_select(&self, name: &str) -> bool {
        name.starts_with(&*self.prefix) || self.prefix.strip_suffix('.') == Some(name)
    }
}

/// The plain characters that a pattern begins with, where it is certain that each match begins with them:
/// nothing in the pattern sets flags, and no alternative stands at its top level.
fn literal_prefix(pattern: &str) -> String {
    if has_flags(pattern) || has_top_level_alternative(pattern) {
        return String::new();
    }
    let mut characters = pattern.strip_prefix('^').unwrap_or(pattern).chars().peekable();
    let mut prefix = String::new();
    while let Some(character) = characters.next() {
        let literal = match character {
            '\\' => match characters.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => escaped,
                _ => break,
            },
            _ if character.is_alphanumeric() || "_/<>-".contains(character) => character,
            _ => break,
        };
        if matches!(characters.peek(), Some('*' | '?' | '{')) {
            break;
        }
        prefix.push(literal);
    }
    prefix
}

fn has_flags(pattern: &str) -> bool {
    pattern.match_indices("(?").any(|(at, _)| !pattern[at + 2..].starts_with([':', 'P', '=', '!', '<']))
}

/// Whether a `|` stands outside of all groups; in doubt, yes.
fn has_top_level_alternative(pattern: &str) -> bool {
    if pattern.contains('[') && pattern.contains('|') {
        return true;
    }
    let mut depth = 0_i32;
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '(' => depth += 1,
            ')' => depth -= 1,
            '|' if depth <= 0 => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A prefix is only taken where every match begins with it.
    #[test]
    fn prefixes() {
        for (pattern, prefix) in [
            (r"^my_app\.(a|b)\.", "my_app."),
            (r"my_app(\.|$)", "my_app"),
            (r"ab*c", "a"),
            (r"a|b", ""),
            (r"(?i)abc", ""),
            (r"ab(?i:c)", ""),
            (r"a\d", "a"),
            (r"a\bb", "a"),
            (r"a[b]|c", ""),
            (r"ab+", "ab"),
            (r"^^a", ""),
        ] {
            assert_eq!(literal_prefix(pattern), prefix, "{pattern}");
        }
    }
}
