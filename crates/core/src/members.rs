//! The members of one long list in a document of JSON, one after the other, without the document in memory.

use std::mem::take;

use memchr::memchr2;

/// Takes a document in pieces: gives the members of the first list that is called by one of these names and lies in
/// the outermost object (or is the document itself), and at the end what is left of the document, with an empty list.
///
/// It looks at quotes and brackets only: what it gives is to be read by somebody who knows JSON.
#[derive(Debug)]
pub struct Members {
    names: Vec<String>,
    state: State,
    /// Brackets that are open around the next byte.
    depth: usize,
    in_string: bool,
    escaped: bool,
    /// The last text at depth 1, and whether it is a key whose value comes next.
    last: Vec<u8>,
    is_key: bool,
    /// The member that is being read.
    member: Vec<u8>,
    rest: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Before,
    /// In the list, whose members lie at this depth.
    In(usize),
    Behind,
}

impl Members {
    pub fn new(names: Vec<String>) -> Members {
        Members {
            names,
            state: State::Before,
            depth: 0,
            in_string: false,
            escaped: false,
            last: Vec::new(),
            is_key: false,
            member: Vec::new(),
            rest: Vec::new(),
        }
    }

    /// Takes some bytes, and gives the members that end in them.
    pub fn push(&mut self, mut bytes: &[u8]) -> Vec<Vec<u8>> {
        let mut members = Vec::new();
        while let Some(&byte) = bytes.first() {
            let taken = if self.in_string { self.text(bytes) } else { self.sign(byte, &mut members) };
            bytes = &bytes[taken..];
        }
        members
    }

    /// What is no member: with the list empty. What was cut off is in it as far as it goes.
    pub fn rest(&mut self) -> Vec<u8> {
        let member = take(&mut self.member);
        self.rest.extend(member);
        take(&mut self.rest)
    }

    fn keep(&mut self, bytes: &[u8]) {
        match self.state {
            State::In(_) => self.member.extend_from_slice(bytes),
            _ => self.rest.extend_from_slice(bytes),
        }
    }

    /// A part of a text in quotes; returns how much was taken.
    fn text(&mut self, bytes: &[u8]) -> usize {
        let end = if take(&mut self.escaped) {
            1
        } else {
            match memchr2(b'"', b'\\', bytes) {
                None => bytes.len(),
                Some(at) => {
                    self.escaped = bytes[at] == b'\\';
                    self.in_string = bytes[at] != b'"';
                    at + 1
                }
            }
        };
        if self.depth == 1 && self.state == State::Before {
            self.last.extend_from_slice(&bytes[..end]);
        }
        self.keep(&bytes[..end]);
        end
    }

    /// One byte outside of texts.
    fn sign(&mut self, byte: u8, members: &mut Vec<Vec<u8>>) -> usize {
        let is_list = byte == b'['
            && self.state == State::Before
            && (self.depth == 0 || self.depth == 1 && self.is_key && self.is_wanted());
        match byte {
            b'"' => {
                self.in_string = true;
                self.last.clear();
            }
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        if self.depth <= 1 {
            self.is_key = byte == b':' || self.is_key && byte.is_ascii_whitespace();
        }
        match self.state {
            State::In(depth) if self.depth < depth => {
                self.end(members);
                self.state = State::Behind;
                self.keep(&[byte]);
            }
            State::In(depth) if self.depth == depth && byte == b',' => self.end(members),
            _ => self.keep(&[byte]),
        }
        if is_list {
            self.state = State::In(self.depth);
        }
        1
    }

    fn is_wanted(&self) -> bool {
        let name = self.last.strip_suffix(b"\"").unwrap_or(&self.last);
        self.names.iter().any(|wanted| wanted.as_bytes() == name)
    }

    fn end(&mut self, members: &mut Vec<Vec<u8>>) {
        let member = take(&mut self.member);
        let trimmed = member.trim_ascii();
        if !trimmed.is_empty() {
            members.push(trimmed.to_vec());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(document: &str, size: usize) -> (Vec<String>, String) {
        let mut members = Members::new(vec!["messages".to_owned(), "history".to_owned()]);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let found = document.as_bytes().chunks(size).flat_map(|part| members.push(part)).map(text).collect();
        (found, text(members.rest()))
    }

    #[test]
    fn members_and_rest() {
        let cases: &[(&str, &[&str], &str)] = &[
            (
                r#"{"a": 1, "messages": [{"x": [1, 2]}, {"y": "],["}], "b": 2}"#,
                &[r#"{"x": [1, 2]}"#, r#"{"y": "],["}"#],
                r#"{"a": 1, "messages": [], "b": 2}"#,
            ),
            (r#"{"messages" : [ ] }"#, &[], r#"{"messages" : [] }"#),
            // Only the list in the outermost object, and only the first one.
            (
                r#"{"a": {"messages": [1]}, "history": [2, "3"], "messages": [4]}"#,
                &["2", r#""3""#],
                r#"{"a": {"messages": [1]}, "history": [], "messages": [4]}"#,
            ),
            // A value that is called like it is no key.
            (r#"{"a": "messages", "b": [1]}"#, &[], r#"{"a": "messages", "b": [1]}"#),
            (
                r#"{"a": ["messages", [1]], "messages": "x"}"#,
                &[],
                r#"{"a": ["messages", [1]], "messages": "x"}"#,
            ),
            (
                r#"{"a\"": "\\", "messages": [["\\\"]"], 2.5]}"#,
                &[r#"["\\\"]"]"#, "2.5"],
                r#"{"a\"": "\\", "messages": []}"#,
            ),
            ("[1, {\"a\": [2]}]\n", &["1", r#"{"a": [2]}"#], "[]\n"),
            (r#"{"messages": [1, {"cut": "#, &["1"], r#"{"messages": [ {"cut": "#),
            ("", &[], ""),
        ];
        for (document, members, rest) in cases {
            for size in [1, 2, 7, 1000] {
                let (found, left) = split(document, size);
                assert_eq!(
                    (found, left.as_str()),
                    (members.iter().map(|&it| it.to_owned()).collect(), *rest),
                    "{document}"
                );
            }
        }
    }
}
