//! Replacements, as Python's `re.sub` reads them.

use crate::pyregex::{Finder, Match};

#[derive(Debug)]
enum Part {
    Text(String),
    Group(usize),
}

#[derive(Debug)]
pub(super) struct Template {
    parts: Vec<Part>,
}

type Wrong = (String, usize);

impl Template {
    /// Reads `\g<name>`, `\g<1>`, `\1` and the escapes of characters; errors are those of `re`, with their places in
    /// characters.
    pub fn parse(text: &str, finder: &Finder) -> Result<Template, Wrong> {
        let characters: Vec<char> = text.chars().collect();
        let (mut parts, mut plain, mut at) = (Vec::new(), String::new(), 0);
        while at < characters.len() {
            let begin = at;
            if characters[at] != '\\' {
                plain.push(characters[at]);
                at += 1;
                continue;
            }
            let Some(&next) = characters.get(at + 1) else {
                return Err(("bad escape (end of pattern)".to_owned(), begin));
            };
            at += 2;
            let group = match next {
                'g' => {
                    let (group, end) = named(&characters, at, finder)?;
                    at = end;
                    group
                }
                // Three octal digits, or a zero and up to two more, are a character.
                '0' => {
                    let digits: String =
                        characters[at..].iter().take(2).take_while(|digit| digit.is_digit(8)).collect();
                    at += digits.len();
                    plain.extend(u32::from_str_radix(&format!("0{digits}"), 8).ok().and_then(char::from_u32));
                    continue;
                }
                '1'..='9' => {
                    let more = |place: usize| characters.get(place).and_then(|digit| digit.to_digit(10));
                    let mut number = next.to_digit(10).unwrap_or(0);
                    if let Some(second) = more(at) {
                        at += 1;
                        if let Some(third) = more(at).filter(|&third| number < 8 && second < 8 && third < 8) {
                            at += 1;
                            let code = number * 64 + second * 8 + third;
                            if code > 0o377 {
                                let shown: String = characters[begin..at].iter().collect();
                                let message = format!("octal escape value {shown} outside of range 0-0o377");
                                return Err((message, begin));
                            }
                            plain.extend(char::from_u32(code));
                            continue;
                        }
                        number = number * 10 + second;
                    }
                    known(number as usize, finder, begin + 1)?
                }
                _ => {
                    match escape(next) {
                        Some(character) => plain.push(character),
                        None if next.is_ascii_alphabetic() => {
                            return Err((format!("bad escape \\{next}"), begin));
                        }
                        // Another character stays with its backslash.
                        None => plain.extend(['\\', next]),
                    }
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Group(group));
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Template { parts })
    }

    pub fn expand(&self, text: &str, found: &Match) -> String {
        let mut out = String::new();
        for part in &self.parts {
            match *part {
                Part::Text(ref text) => out.push_str(text),
                Part::Group(0) => out.push_str(&text[found.start..found.end]),
                Part::Group(group) => {
                    if let Some((start, end)) = found.groups[group - 1] {
                        out.push_str(&text[start..end]);
                    }
                }
            }
        }
        out
    }
}

/// The character that an escape stands for.
fn escape(character: char) -> Option<char> {
    Some(match character {
        'a' => '\x07',
        'b' => '\x08',
        'f' => '\x0c',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\x0b',
        '\\' => '\\',
        _ => return None,
    })
}

/// The group of `\g<…>`, whose `<` is at this place, and where it ends.
fn named(characters: &[char], at: usize, finder: &Finder) -> Result<(usize, usize), Wrong> {
    if characters.get(at) != Some(&'<') {
        return Err(("missing <".to_owned(), at));
    }
    let Some(length) = characters[at + 1..].iter().position(|&character| character == '>') else {
        let message =
            if at + 1 == characters.len() { "missing group name" } else { "missing >, unterminated name" };
        return Err((message.to_owned(), at + 1));
    };
    if length == 0 {
        return Err(("missing group name".to_owned(), at + 1));
    }
    let name: String = characters[at + 1..at + 1 + length].iter().collect();
    let end = at + length + 2;
    if name.chars().all(|digit| digit.is_ascii_digit()) {
        let number = name.parse().unwrap_or(usize::MAX);
        return Ok((known(number, finder, at + 1)?, end));
    }
    match finder.names().iter().find(|(known, _)| *known == name) {
        Some((_, group)) => Ok((*group as usize, end)),
        None => Err((format!("unknown group name '{name}'"), at + 1)),
    }
}

fn known(group: usize, finder: &Finder, at: usize) -> Result<usize, Wrong> {
    if group <= finder.groups() { Ok(group) } else { Err((format!("invalid group reference {group}"), at)) }
}
