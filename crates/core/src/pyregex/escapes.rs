//! What a backslash means, inside and outside a set.

use super::Error;
use super::ast::{Category, ClassKind};
use super::tokens::Tokens;

pub(super) enum Escape {
    Code(u32),
    Category(Category),
    Group(u32),
}

/// `\d`, `\S` …
pub(super) fn category(c: char, ascii: bool) -> Option<Category> {
    let kind = match c.to_ascii_lowercase() {
        'd' => ClassKind::Digit,
        's' => ClassKind::Space,
        'w' => ClassKind::Word,
        _ => return None,
    };
    Some(Category { kind, negate: c.is_ascii_uppercase(), ascii })
}

fn control(c: char) -> Option<u32> {
    Some(match c {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => 0x0a,
        'r' => 0x0d,
        't' => 0x09,
        'v' => 0x0b,
        '\\' => 0x5c,
        _ => return None,
    })
}

fn is_octal(c: char) -> bool {
    matches!(c, '0'..='7')
}

/// An escape inside a set; `c` is the character behind the backslash, already taken.
pub(super) fn in_set(tokens: &mut Tokens, c: char, ascii: bool) -> Result<Escape, Error> {
    if let Some(code) = control(c) {
        return Ok(Escape::Code(code));
    }
    if let Some(category) = category(c, ascii) {
        return Ok(Escape::Category(category));
    }
    if is_octal(c) {
        let mut digits = String::from(c);
        tokens.take_while(2, is_octal, &mut digits)?;
        return octal(tokens, &digits);
    }
    if c.is_ascii_digit() {
        return Err(bad(tokens, c));
    }
    named(tokens, c)
}

/// An escape outside a set that is no assertion.
pub(super) fn outside(tokens: &mut Tokens, c: char, ascii: bool) -> Result<Escape, Error> {
    if let Some(category) = category(c, ascii) {
        return Ok(Escape::Category(category));
    }
    if let Some(code) = control(c) {
        return Ok(Escape::Code(code));
    }
    if c == '0' {
        let mut digits = String::from(c);
        tokens.take_while(2, is_octal, &mut digits)?;
        return octal(tokens, &digits);
    }
    if c.is_ascii_digit() {
        return octal_or_group(tokens, c);
    }
    named(tokens, c)
}

fn octal_or_group(tokens: &mut Tokens, c: char) -> Result<Escape, Error> {
    let mut digits = String::from(c);
    tokens.take_while(1, |c| c.is_ascii_digit(), &mut digits)?;
    if digits.len() == 2 && digits.chars().all(is_octal) && tokens.peek(is_octal).is_some() {
        tokens.take_while(1, is_octal, &mut digits)?;
        return octal(tokens, &digits);
    }
    // At most two digits.
    Ok(Escape::Group(digits.parse().unwrap_or(0)))
}

fn octal(tokens: &Tokens, digits: &str) -> Result<Escape, Error> {
    match u32::from_str_radix(digits, 8) {
        Ok(code) if code <= 0o377 => Ok(Escape::Code(code)),
        _ => {
            Err(tokens
                .error(digits.len() + 1, format!("octal escape value \\{digits} outside of range 0-0o377")))
        }
    }
}

fn bad(tokens: &Tokens, c: char) -> Error {
    tokens.error(2, format!("bad escape \\{c}"))
}

fn named(tokens: &mut Tokens, c: char) -> Result<Escape, Error> {
    let length = match c {
        'x' => 2,
        'u' => 4,
        'U' => 8,
        'N' => {
            let message = "a character by its name (`\\N{…}`) is not supported: write its code (`\\u…`)";
            return Err(tokens.error(2, message));
        }
        _ if c.is_ascii_alphabetic() => return Err(bad(tokens, c)),
        _ => return Ok(Escape::Code(u32::from(c))),
    };
    let mut digits = String::new();
    tokens.take_while(length, |c| c.is_ascii_hexdigit(), &mut digits)?;
    if digits.len() < length {
        return Err(tokens.error(digits.len() + 2, format!("incomplete escape \\{c}{digits}")));
    }
    match u32::from_str_radix(&digits, 16) {
        Ok(code) if code <= u32::from(char::MAX) => Ok(Escape::Code(code)),
        _ => Err(tokens.error(digits.len() + 2, format!("bad escape \\{c}{digits}"))),
    }
}
