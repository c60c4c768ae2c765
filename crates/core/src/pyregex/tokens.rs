//! The pattern as `re` reads it: characters, where a backslash and what follows it are one.

use super::Error;
use super::chars;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    Char(char),
    /// A backslash and this character.
    Escape(char),
}

impl Token {
    /// In characters of the pattern.
    pub fn len(self) -> usize {
        match self {
            Token::Char(_) => 1,
            Token::Escape(_) => 2,
        }
    }

    pub fn push_to(self, text: &mut String) {
        match self {
            Token::Char(c) => text.push(c),
            Token::Escape(c) => text.extend(['\\', c]),
        }
    }

    pub fn text(self) -> String {
        let mut text = String::new();
        self.push_to(&mut text);
        text
    }
}

/// Reads one token ahead, as `re` does: a backslash at the very end is found when the token before it is taken.
pub(super) struct Tokens {
    chars: Vec<char>,
    index: usize,
    pub next: Option<Token>,
}

impl Tokens {
    pub fn new(pattern: &str) -> Result<Tokens, Error> {
        let mut tokens = Tokens { chars: pattern.chars().collect(), index: 0, next: None };
        tokens.advance()?;
        Ok(tokens)
    }

    fn advance(&mut self) -> Result<(), Error> {
        let second = self.chars.get(self.index + 1).copied();
        self.next = match (self.chars.get(self.index), second) {
            (None, _) => None,
            (Some('\\'), Some(c)) => Some(Token::Escape(c)),
            (Some('\\'), None) => return Err(Error::new(self.index, "bad escape (end of pattern)")),
            (Some(&c), _) => Some(Token::Char(c)),
        };
        self.index += self.next.map_or(0, Token::len);
        Ok(())
    }

    pub fn get(&mut self) -> Result<Option<Token>, Error> {
        let this = self.next;
        self.advance()?;
        Ok(this)
    }

    pub fn accept(&mut self, c: char) -> Result<bool, Error> {
        let found = self.next == Some(Token::Char(c));
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    pub fn peek(&self, test: impl Fn(char) -> bool) -> Option<char> {
        match self.next {
            Some(Token::Char(c)) if test(c) => Some(c),
            _ => None,
        }
    }

    /// Appends up to `count` characters that pass the test.
    pub fn take_while(
        &mut self,
        count: usize,
        test: impl Fn(char) -> bool,
        into: &mut String,
    ) -> Result<(), Error> {
        for _ in 0..count {
            let Some(c) = self.peek(&test) else { break };
            into.push(c);
            self.advance()?;
        }
        Ok(())
    }

    /// What stands before the terminator; it may not be empty.
    pub fn until(&mut self, terminator: char, what: &str) -> Result<String, Error> {
        let mut text = String::new();
        loop {
            match self.get()? {
                None if text.is_empty() => return Err(self.error(0, format!("missing {what}"))),
                None => {
                    let message = format!("missing {terminator}, unterminated name");
                    return Err(self.error(text.chars().count(), message));
                }
                Some(Token::Char(c)) if c == terminator => break,
                Some(token) => token.push_to(&mut text),
            }
        }
        if text.is_empty() {
            return Err(self.error(1, format!("missing {what}")));
        }
        Ok(text)
    }

    /// The name of a group, up to the terminator.
    pub fn group_name(&mut self, terminator: char) -> Result<String, Error> {
        let name = self.until(terminator, "group name")?;
        self.check_group_name(&name)?;
        Ok(name)
    }

    pub fn check_group_name(&self, name: &str) -> Result<(), Error> {
        if chars::is_identifier(name) {
            return Ok(());
        }
        Err(self.error(name.chars().count() + 1, format!("bad character in group name {}", quoted(name))))
    }

    pub fn tell(&self) -> usize {
        self.index - self.next.map_or(0, Token::len)
    }

    pub fn seek(&mut self, index: usize) -> Result<(), Error> {
        self.index = index;
        self.advance()
    }

    /// An error `back` characters before the current position.
    pub fn error(&self, back: usize, message: impl Into<String>) -> Error {
        Error::new(self.tell().saturating_sub(back), message)
    }
}

/// A name in quotes, as Python shows it.
pub(super) fn quoted(name: &str) -> String {
    let quote = if name.contains('\'') && !name.contains('"') { '"' } else { '\'' };
    let mut shown = String::from(quote);
    for c in name.chars() {
        match c {
            '\\' => shown.push_str("\\\\"),
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            c if c == quote => shown.extend(['\\', c]),
            c if c == ' ' || c.escape_debug().count() == 1 => shown.push(c),
            c if c <= '\u{ff}' => shown.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if c <= '\u{ffff}' => shown.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => shown.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    shown.push(quote);
    shown
}
