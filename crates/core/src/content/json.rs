//! The values of a document of JSON, and where they stand in it.

use std::ops::Range;

use super::paths;
use memchr::memchr2;

/// Documents that go deeper are read as text.
const DEPTH: usize = 1_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Key,
    Text,
    Number,
}

#[derive(Clone, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    /// Without the quotes.
    pub range: Range<usize>,
    /// There are backslashes in it.
    pub escaped: bool,
    /// Of a value, the index of the nearest key around it.
    pub key: Option<usize>,
    /// Of a key, the number of its object; of a value, that of what holds it.
    pub holder: usize,
    /// Of a value in a list, its place.
    pub index: Option<usize>,
}

/// A list or an object: what holds it, under which key or at which place.
#[derive(Debug)]
pub(super) struct Holder {
    outer: Option<usize>,
    key: Option<usize>,
    index: Option<usize>,
}

/// One step to a value: a key, by its place among the tokens, or a place in a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Step {
    Key(usize),
    Index(usize),
}

#[derive(Debug, Default)]
pub(super) struct Document {
    pub tokens: Vec<Token>,
    /// Lists and objects.
    pub holders: Vec<Holder>,
}

struct Open {
    holder: usize,
    is_object: bool,
    /// The key that a value belongs to, if that is an object; else the nearest key around the list.
    key: Option<usize>,
    index: usize,
}

impl Document {
    /// The way to a value, from the outside: `name` says what a key is called.
    pub fn way(&self, index: usize, name: impl Fn(&Token) -> String) -> Vec<paths::Step> {
        let step = |step: Step| match step {
            Step::Key(key) => paths::Step::Name(name(&self.tokens[key])),
            Step::Index(index) => paths::Step::Index(index),
        };
        self.steps(index).into_iter().map(step).collect()
    }

    /// The way to a key or value, from the outside.
    pub fn steps(&self, index: usize) -> Vec<Step> {
        let Some(token) = self.tokens.get(index) else { return Vec::new() };
        let own = self.last_step(token, index);
        let around = self.outward(token.holder).filter_map(|at| self.holders.get(at)?.step());
        let mut steps: Vec<Step> = own.into_iter().chain(around.map(|(_, step)| step)).collect();
        steps.reverse();
        steps
    }

    /// The last step of the way to a token.
    pub fn last_step(&self, token: &Token, index: usize) -> Option<Step> {
        let key = if token.kind == Kind::Key { Some(index) } else { token.key };
        token.index.map(Step::Index).or(key.map(Step::Key))
    }

    /// A list or object, and those around it.
    pub fn outward(&self, holder: usize) -> impl Iterator<Item = usize> {
        let outer = |&at: &usize| self.holders.get(at).and_then(|holder| holder.outer);
        std::iter::successors(Some(holder), outer)
    }
}

impl Holder {
    /// What it is in, and the step from there; nothing, if it is the whole document.
    pub fn step(&self) -> Option<(usize, Step)> {
        let step = self.index.map(Step::Index).or(self.key.map(Step::Key))?;
        Some((self.outer?, step))
    }
}

/// Whether a text begins and ends like a single text or number.
pub(super) fn is_single(text: &str) -> bool {
    let text = text.trim_ascii();
    let quoted = text.len() >= 2 && text.starts_with('"') && text.ends_with('"');
    quoted || text.starts_with(|first: char| first.is_ascii_digit() || first == '-')
}

/// Whether a text begins and ends like a document with values in it.
pub(super) fn is_like(text: &str) -> bool {
    let text = text.trim_ascii().as_bytes();
    matches!((text.first(), text.last()), (Some(b'{'), Some(b'}')) | (Some(b'['), Some(b']')))
}

/// Reads a document. None: it is none.
pub(super) fn read(text: &str) -> Option<Document> {
    let mut reader = Reader { text: text.as_bytes(), at: 0, document: Document::default(), open: Vec::new() };
    reader.value()?;
    loop {
        reader.skip();
        let next = reader.peek();
        let Some(open) = reader.open.last_mut() else { break };
        let is_object = open.is_object;
        match next? {
            b',' => {
                open.index += 1;
                reader.at += 1;
                if is_object {
                    reader.key()?;
                }
                reader.value()?;
            }
            b'}' if is_object => reader.close(),
            b']' if !is_object => reader.close(),
            _ => return None,
        }
    }
    (reader.at == text.len()).then_some(reader.document)
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    document: Document,
    open: Vec<Open>,
}

impl Reader<'_> {
    fn skip(&mut self) {
        while self.text.get(self.at).is_some_and(|byte| b" \t\n\r".contains(byte)) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn close(&mut self) {
        self.at += 1;
        self.open.pop();
    }

    /// A value, up to where its content begins if it holds others.
    fn value(&mut self) -> Option<()> {
        loop {
            self.skip();
            let first = self.peek()?;
            if first == b'{' || first == b'[' {
                self.enter(first == b'{')?;
                self.skip();
                let ends = if first == b'{' { b'}' } else { b']' };
                if self.peek()? == ends {
                    self.close();
                    return Some(());
                }
                if first == b'{' {
                    self.key()?;
                }
                continue;
            }
            return self.scalar(first);
        }
    }

    fn enter(&mut self, is_object: bool) -> Option<()> {
        let outer = self.open.last();
        let key = outer.and_then(|outer| outer.key);
        let holder = Holder {
            outer: outer.map(|outer| outer.holder),
            key: outer.filter(|outer| outer.is_object).and_then(|outer| outer.key),
            index: outer.filter(|outer| !outer.is_object).map(|outer| outer.index),
        };
        self.open.push(Open { holder: self.document.holders.len(), is_object, key, index: 0 });
        self.document.holders.push(holder);
        self.at += 1;
        (self.open.len() <= DEPTH).then_some(())
    }

    fn key(&mut self) -> Option<()> {
        self.skip();
        if self.peek()? != b'"' {
            return None;
        }
        let (range, escaped) = self.string()?;
        let index = self.document.tokens.len();
        let open = self.open.last_mut()?;
        open.key = Some(index);
        let holder = open.holder;
        self.document.tokens.push(Token { kind: Kind::Key, range, escaped, key: None, holder, index: None });
        self.skip();
        let colon = self.peek()? == b':';
        self.at += 1;
        colon.then_some(())
    }

    fn string(&mut self) -> Option<(Range<usize>, bool)> {
        let start = self.at + 1;
        let (mut at, mut escaped) = (start, false);
        loop {
            at += memchr2(b'"', b'\\', &self.text[at..])?;
            if self.text[at] == b'"' {
                self.at = at + 1;
                return Some((start..at, escaped));
            }
            escaped = true;
            at += 2;
            if at > self.text.len() {
                return None;
            }
        }
    }

    fn scalar(&mut self, first: u8) -> Option<()> {
        let (kind, range, escaped) = match first {
            b'"' => {
                let (range, escaped) = self.string()?;
                (Kind::Text, range, escaped)
            }
            b'-' | b'0'..=b'9' if self.text.get(self.at + 1) != Some(&b'I') => {
                let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = self.text[self.at..].iter().take_while(is_part).count();
                let range = self.at..self.at + length;
                self.at = range.end;
                (Kind::Number, range, false)
            }
            _ => {
                let word = [&b"true"[..], b"false", b"null", b"NaN", b"Infinity", b"-Infinity"]
                    .into_iter()
                    .find(|word| self.text[self.at..].starts_with(word))?;
                self.at += word.len();
                return Some(());
            }
        };
        let open = self.open.last();
        let key = open.and_then(|open| open.key);
        let holder = open.map_or(0, |open| open.holder);
        let index = open.filter(|open| !open.is_object).map(|open| open.index);
        self.document.tokens.push(Token { kind, range, escaped, key, holder, index });
        Some(())
    }
}
