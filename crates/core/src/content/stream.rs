//! Bytes that come in pieces: text, lines of JSON, or one document of it.

use memchr::{memchr, memchr_iter, memrchr};

use super::windows::Windows;
use super::{Hit, How, LONGEST, Rules, WINDOW};

/// Bytes that are no UTF-8 become characters that nobody writes, and these bytes again at the end. What such a
/// character is in UTF-8 is taken byte by byte, too.
const STRANGE: u32 = 0x10_ff00;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// All of it is one text.
    Text,
    /// Each line is a document of JSON, or a text.
    Lines,
    /// All of it is one document of JSON, or a text.
    Document,
}

/// Where a rule has changed something: lines and columns count from 1, columns in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub rule: u32,
    pub line: u64,
    pub column: u64,
    pub undecided: bool,
}

#[derive(Debug)]
pub struct Stream {
    format: Format,
    /// What is not decided yet.
    text: String,
    /// A character of which the rest has not come.
    rest: Vec<u8>,
    strange: bool,
    windows: Windows,
    marks: Marks,
    /// Lines that begin like JSON and are none.
    pub broken: u64,
}

impl Stream {
    pub fn new(format: Format) -> Stream {
        Stream {
            format,
            text: String::new(),
            rest: Vec::new(),
            strange: false,
            windows: Windows::new(WINDOW, LONGEST),
            marks: Marks { line: 1, column: 1, places: Vec::new() },
            broken: 0,
        }
    }

    /// What was changed since the last call.
    pub fn take_places(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.marks.places)
    }

    /// Takes some bytes, and gives back those of which all is decided.
    pub fn push(&mut self, rules: &Rules, bytes: &[u8], how: &How) -> Vec<u8> {
        self.add(bytes, false);
        self.go_on(rules, how, false)
    }

    /// Gives back the rest.
    pub fn finish(&mut self, rules: &Rules, how: &How) -> Vec<u8> {
        self.add(&[], true);
        self.go_on(rules, how, true)
    }

    fn add(&mut self, bytes: &[u8], last: bool) {
        if self.rest.is_empty()
            && memchr(0xf4, bytes).is_none()
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            return self.text.push_str(text);
        }
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let mut from = 0;
        for chunk in all.utf8_chunks() {
            let valid = chunk.valid();
            if valid.bytes().any(|byte| byte == 0xf4) {
                for character in valid.chars() {
                    if u32::from(character) >= STRANGE {
                        let mut bytes = [0; 4];
                        character.encode_utf8(&mut bytes).bytes().for_each(|byte| self.add_strange(byte));
                    } else {
                        self.text.push(character);
                    }
                }
            } else {
                self.text.push_str(valid);
            }
            from += valid.len();
            let invalid = chunk.invalid();
            // Up to three bytes at the end may be a character that is not whole.
            if !last && from + invalid.len() == all.len() && is_beginning(invalid) {
                break;
            }
            invalid.iter().for_each(|&byte| self.add_strange(byte));
            from += invalid.len();
        }
        self.rest = all.split_off(from);
    }

    fn add_strange(&mut self, byte: u8) {
        self.strange = true;
        self.text.extend(char::from_u32(STRANGE + u32::from(byte)));
    }

    fn go_on(&mut self, rules: &Rules, how: &How, last: bool) -> Vec<u8> {
        let mut out = String::new();
        match self.format {
            Format::Text => self.windows(rules, how, last, &mut out),
            Format::Lines => {
                let end = memrchr(b'\n', self.text.as_bytes()).map_or(0, |at| at + 1);
                let end = if last { self.text.len() } else { end };
                let rest = self.text.split_off(end);
                let lines = std::mem::replace(&mut self.text, rest);
                for line in lines.split_inclusive('\n') {
                    self.document(rules, how, line, &mut out);
                }
            }
            Format::Document if last => {
                let text = std::mem::take(&mut self.text);
                self.document(rules, how, &text, &mut out);
            }
            Format::Document => {}
        }
        if self.strange { back(&out) } else { out.into_bytes() }
    }

    fn windows(&mut self, rules: &Rules, how: &How, last: bool, out: &mut String) {
        let (mut from, mut hits) = (0, Vec::new());
        loop {
            let kept = self.windows.next(rules, &self.text[from..], last, how, out, &mut hits);
            self.marks.note(&self.text[from..from + kept.bytes], &hits);
            hits.clear();
            from += kept.bytes;
            if kept.bytes == 0 || from == self.text.len() {
                break;
            }
        }
        self.text.drain(..from);
    }

    fn document(&mut self, rules: &Rules, how: &How, text: &str, out: &mut String) {
        let body = text.trim_end_matches(['\n', '\r']);
        let document = if how.decode { rules.redact_document(body, how) } else { None };
        if how.decode && document.is_none() && body.trim_ascii_start().starts_with(['{', '[']) {
            self.broken += 1;
        }
        let done = document.unwrap_or_else(|| rules.redact(body, how));
        self.marks.note(text, done.as_ref().map_or(&[], |done| &done.hits));
        out.push_str(done.as_ref().map_or(body, |done| &done.text));
        out.push_str(&text[body.len()..]);
    }
}

/// Where changes were made, and up to where the text is decided.
#[derive(Debug)]
struct Marks {
    line: u64,
    column: u64,
    places: Vec<Place>,
}

impl Marks {
    /// Notes where in the next part of the text something was changed, and goes on to its end.
    fn note(&mut self, part: &str, hits: &[Hit]) {
        let mut sorted: Vec<&Hit> = hits.iter().collect();
        sorted.sort_by_key(|hit| (hit.start, hit.rule));
        let mut done = 0;
        let mut go = |to: usize, line: &mut u64, column: &mut u64| {
            let passed = &part[done..to];
            *line += memchr_iter(b'\n', passed.as_bytes()).count() as u64;
            match passed.rsplit_once('\n') {
                Some((_, behind)) => *column = 1 + behind.chars().count() as u64,
                None => *column += passed.chars().count() as u64,
            }
            done = to;
        };
        for hit in sorted {
            go(hit.start, &mut self.line, &mut self.column);
            let (line, column) = (self.line, self.column);
            self.places.push(Place { rule: hit.rule, line, column, undecided: hit.undecided });
        }
        go(part.len(), &mut self.line, &mut self.column);
    }
}

/// Whether more bytes could make a character of these.
fn is_beginning(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

fn back(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for character in text.chars() {
        match u32::from(character).checked_sub(STRANGE).and_then(|byte| u8::try_from(byte).ok()) {
            Some(byte) => out.push(byte),
            None => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out
}
