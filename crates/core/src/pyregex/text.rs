//! Characters and places of a text, by positions in its bytes.

use super::ast::At;
use super::chars::is_word;

#[derive(Clone, Copy)]
pub(super) struct Text<'a>(pub &'a str);

impl Text<'_> {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub fn char_at(&self, pos: usize) -> Option<(u32, usize)> {
        match *self.0.as_bytes().get(pos)? {
            byte if byte < 0x80 => Some((u32::from(byte), 1)),
            _ => self.0.get(pos..)?.chars().next().map(|c| (u32::from(c), c.len_utf8())),
        }
    }

    pub fn char_before(&self, pos: usize) -> Option<(u32, usize)> {
        self.0.get(..pos)?.chars().next_back().map(|c| (u32::from(c), c.len_utf8()))
    }

    pub fn is_at(&self, pos: usize, at: At) -> bool {
        let end = self.0.len();
        let byte = |pos: usize| self.0.as_bytes().get(pos).copied();
        match at {
            At::Start => pos == 0,
            At::LineStart => pos == 0 || byte(pos - 1) == Some(b'\n'),
            At::End => pos == end,
            At::LineEnd => pos == end || byte(pos) == Some(b'\n'),
            At::EndOrLastNewline => pos == end || (pos + 1 == end && byte(pos) == Some(b'\n')),
            // In an empty text neither `\b` nor `\B` holds.
            At::Boundary { .. } if end == 0 => false,
            At::Boundary { ascii, negate } => {
                let before = self.char_before(pos).is_some_and(|(code, _)| is_word(code, ascii));
                let after = self.char_at(pos).is_some_and(|(code, _)| is_word(code, ascii));
                (before != after) != negate
            }
        }
    }
}
