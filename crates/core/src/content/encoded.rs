//! Parts of a text that are encoded: with backslashes, percent signs, as base64, as hexadecimal digits.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memrchr};

use super::digits::{LEAST, LEAST_HEX, RUNS, base64, from_base64, from_hex, hex};
use super::edits::Edits;
use super::rule::Replacement;
use super::runs::runs;

/// A part, and what it says.
#[derive(Debug)]
pub(super) struct Part {
    pub range: Range<usize>,
    pub text: String,
    coding: Coding,
}

#[derive(Debug)]
enum Coding {
    /// Character by character: what is not touched stays as it is.
    Escapes(Places),
    Percent(Places),
    /// As a whole.
    Base64 {
        url: bool,
        padded: bool,
    },
    Hex {
        upper: bool,
    },
}

/// By place in the decoded text, the place in the encoded one: behind each character that was encoded.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<(usize, usize)>);

impl Places {
    /// Where a place of the decoded text is in the encoded one.
    pub fn encoded(&self, at: usize) -> usize {
        let before = self.0.partition_point(|&(decoded, _)| decoded <= at);
        self.0[..before].last().map_or(at, |&(decoded, encoded)| encoded + at - decoded)
    }

    /// Where a place of the encoded text, behind or before whole characters, is in the decoded one.
    pub fn decoded(&self, at: usize) -> usize {
        let before = self.0.partition_point(|&(_, encoded)| encoded <= at);
        self.0[..before].last().map_or(at, |&(decoded, encoded)| decoded + at - encoded)
    }
}

impl Part {
    /// What the changes of its text are in the text that it is a part of.
    pub fn encoded(&self, edits: &Edits) -> Vec<Replacement> {
        let range = (self.range.start, self.range.end);
        match &self.coding {
            Coding::Escapes(places) => charwise(self.range.start, places, edits, escaped),
            Coding::Percent(places) => charwise(self.range.start, places, edits, percented),
            Coding::Base64 { url, padded } => vec![(range, base64(edits.text().as_bytes(), *url, *padded))],
            Coding::Hex { upper } => vec![(range, hex(edits.text().as_bytes(), *upper))],
        }
    }
}

fn charwise(start: usize, places: &Places, edits: &Edits, encode: fn(&str) -> String) -> Vec<Replacement> {
    let place = |at: usize| start + places.encoded(at);
    edits.changes().map(|(from, to, put)| ((place(from), place(to)), encode(put))).collect()
}

/// The parts of a text from a place on, in order.
pub(super) fn parts(text: &str, from: usize) -> Vec<Part> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut done = from;
    for at in memchr_iter(b'\\', &bytes[from..]).map(|at| from + at) {
        if at < done || !is_escape(&bytes[at..]) {
            continue;
        }
        let start = memrchr(b'\n', &bytes[done..at]).map_or(done, |newline| done + newline + 1);
        let end = memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |newline| at + newline);
        let (decoded, places) = unescaped(&text[start..end]);
        found.push(Part { range: start..end, text: decoded, coding: Coding::Escapes(places) });
        done = end;
    }
    percent_parts(text, from, &mut found);
    found.sort_unstable_by_key(|part| part.range.start);
    // Of what is in an encoded line, the line is asked.
    let mut apart: Vec<Part> = Vec::with_capacity(found.len());
    for part in found {
        if apart.last().is_none_or(|last| last.range.end <= part.range.start) {
            apart.push(part);
        }
    }
    let mut gaps = Vec::with_capacity(apart.len() + 1);
    let mut start = from;
    for part in &apart {
        gaps.push(start..part.range.start);
        start = part.range.end;
    }
    gaps.push(start..text.len());
    for gap in gaps {
        run_parts(text, gap, &mut apart);
    }
    apart.sort_unstable_by_key(|part| part.range.start);
    apart
}

/// A quote that is escaped, or a character by its number: other backslashes are in all kinds of texts.
fn is_escape(bytes: &[u8]) -> bool {
    match bytes.get(1) {
        Some(b'"') => true,
        Some(b'u') => bytes.get(2..6).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit)),
        _ => false,
    }
}

/// A text with the escapes of JSON resolved; what is none, a lone surrogate too, stays as it is.
pub(super) fn unescaped(text: &str) -> (String, Places) {
    let (mut out, mut places) = (String::with_capacity(text.len()), Places::default());
    let mut from = 0;
    while let Some(at) = memchr(b'\\', &text.as_bytes()[from..]).map(|at| from + at) {
        out.push_str(&text[from..at]);
        match escape(&text.as_bytes()[at..]) {
            Some((character, length)) => {
                out.push(character);
                from = at + length;
                places.0.push((out.len(), from));
            }
            None => {
                out.push('\\');
                from = at + 1;
            }
        }
    }
    out.push_str(&text[from..]);
    (out, places)
}

/// The character of an escape, and how long the escape is.
fn escape(bytes: &[u8]) -> Option<(char, usize)> {
    let simple = match bytes.get(1)? {
        b'n' => '\n',
        b't' => '\t',
        b'r' => '\r',
        b'b' => '\x08',
        b'f' => '\x0c',
        b'/' => '/',
        b'"' => '"',
        b'\\' => '\\',
        b'u' => {
            let unit = |at: usize| {
                let digits = bytes.get(at..at + 4)?;
                let digits = std::str::from_utf8(digits)
                    .ok()
                    .filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))?;
                u16::from_str_radix(digits, 16).ok()
            };
            let first = unit(2)?;
            if let Some(character) = char::from_u32(u32::from(first)) {
                return Some((character, 6));
            }
            let second = bytes.get(6..8).filter(|next| *next == b"\\u").and_then(|_| unit(8))?;
            return char::decode_utf16([first, second]).next()?.ok().map(|character| (character, 12));
        }
        _ => return None,
    };
    Some((simple, 2))
}

/// A text as it stands in a string of JSON.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out
}

fn percented(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// Words with `%XX` in them.
fn percent_parts(text: &str, from: usize, found: &mut Vec<Part>) {
    let bytes = text.as_bytes();
    let is_part = |byte: &u8| byte.is_ascii_graphic() && !b"\"'<>`\\".contains(byte);
    let mut done = from;
    for at in memchr_iter(b'%', &bytes[from..]).map(|at| from + at) {
        if at < done || percent(&bytes[at..]).is_none() {
            continue;
        }
        let start = at - bytes[done..at].iter().rev().take_while(|byte| is_part(byte)).count();
        let end = at + bytes[at..].iter().take_while(|byte| is_part(byte)).count();
        let (mut out, mut places, mut next) = (String::with_capacity(end - start), Places::default(), start);
        while next < end {
            match percent(&bytes[next..end]) {
                Some(byte) => {
                    out.push(char::from(byte));
                    next += 3;
                    places.0.push((out.len(), next - start));
                }
                None => {
                    out.push(char::from(bytes[next]));
                    next += 1;
                }
            }
        }
        found.push(Part { range: start..end, text: out, coding: Coding::Percent(places) });
        done = end;
    }
}

/// The character of ASCII that stands here as `%XX`.
fn percent(bytes: &[u8]) -> Option<u8> {
    let digit = |at: usize| bytes.get(at).and_then(|&byte| char::from(byte).to_digit(16));
    let byte = (digit(1)? * 16 + digit(2)?) as u8;
    (bytes[0] == b'%' && (matches!(byte, 0x20..=0x7e) || matches!(byte, b'\t' | b'\n' | b'\r')))
        .then_some(byte)
}

/// Base64 and hexadecimal digits that say a text.
fn run_parts(text: &str, range: Range<usize>, found: &mut Vec<Part>) {
    // What stands around the range is a part of its own.
    let (bytes, first) = (&text.as_bytes()[..range.end], range.start);
    runs(&bytes[first..], 0..bytes.len() - first, RUNS, |_, start, end| {
        let run = first + start..first + end;
        if !decode(text.as_bytes(), run.clone(), found) {
            // Words of a path, or what stands before a dash.
            let mut at = run.start;
            for piece in bytes[run.clone()].split(|byte| !byte.is_ascii_alphanumeric()) {
                if piece.len() >= LEAST && piece.len() < run.len() {
                    decode(text.as_bytes(), at..at + piece.len(), found);
                }
                at += piece.len() + 1;
            }
        }
    });
}

fn decode(bytes: &[u8], range: Range<usize>, found: &mut Vec<Part>) -> bool {
    let digits = &bytes[range.clone()];
    if digits.len() >= LEAST_HEX
        && digits.len().is_multiple_of(2)
        && let Some(decoded) = from_hex(digits)
    {
        let upper = digits.iter().any(u8::is_ascii_uppercase);
        found.push(Part { range, text: decoded, coding: Coding::Hex { upper } });
        return true;
    }
    let Some(decoded) = from_base64(digits) else { return false };
    let url = digits.iter().any(|byte| b"-_".contains(byte));
    let signs = bytes[range.end..].iter().take(2).take_while(|&&byte| byte == b'=').count();
    let padded = signs > 0 && (digits.len() + signs).is_multiple_of(4);
    let end = range.end + if padded { signs } else { 0 };
    let padded = padded || digits.len().is_multiple_of(4);
    found.push(Part { range: range.start..end, text: decoded, coding: Coding::Base64 { url, padded } });
    true
}
