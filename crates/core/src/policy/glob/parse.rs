//! The text of a glob, taken apart.

use super::{Flavour, GlobError};

const MAX_NESTING: usize = 16;

/// The parts of the pattern, in order.
pub(super) fn parse(pattern: &str, flavour: Flavour) -> Result<Vec<Node>, GlobError> {
    let characters: Vec<char> = pattern.chars().collect();
    Parser { characters: &characters, at: 0, flavour }.sequence(0)
}

#[derive(Debug)]
pub(super) enum Node {
    Character(char),
    One,
    Star,
    DoubleStar,
    /// `**/` at the beginning of a path or behind a `/`.
    Folders,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    Choice(Vec<Vec<Node>>),
}

impl Node {
    pub(super) fn literal(&self) -> Option<char> {
        match self {
            Node::Character(character) => Some(*character),
            _ => None,
        }
    }
}

struct Parser<'a> {
    characters: &'a [char],
    at: usize,
    flavour: Flavour,
}

impl Parser<'_> {
    fn sequence(&mut self, depth: usize) -> Result<Vec<Node>, GlobError> {
        let mut nodes = Vec::new();
        while let Some(&character) = self.characters.get(self.at) {
            if depth > 0 && (character == ',' || character == '}') {
                break;
            }
            let start = self.at;
            self.at += 1;
            nodes.push(match character {
                '?' => Node::One,
                '*' => self.star(start),
                '[' => self.set(start)?,
                '{' => self.choice(start, depth)?,
                '\\' => match self.characters.get(self.at) {
                    Some(&escaped) => {
                        self.at += 1;
                        Node::Character(escaped)
                    }
                    None => return Err(error(start, "a `\\` at the end escapes nothing")),
                },
                _ => Node::Character(character),
            });
        }
        Ok(nodes)
    }

    fn star(&mut self, start: usize) -> Node {
        if self.characters.get(self.at) != Some(&'*') {
            return Node::Star;
        }
        while self.characters.get(self.at) == Some(&'*') {
            self.at += 1;
        }
        let begins_folder = start == 0 || matches!(self.characters[start - 1], '/' | '{' | ',');
        if self.flavour == Flavour::Path && begins_folder && self.characters.get(self.at) == Some(&'/') {
            self.at += 1;
            return Node::Folders;
        }
        Node::DoubleStar
    }

    fn set(&mut self, start: usize) -> Result<Node, GlobError> {
        let unclosed = || error(start, "`[` is never closed");
        let next = |parser: &mut Self| {
            let character = parser.characters.get(parser.at).copied();
            parser.at += 1;
            character
        };
        let negated = matches!(self.characters.get(self.at), Some('!' | '^'));
        self.at += usize::from(negated);
        let mut ranges = Vec::new();
        loop {
            let from = self.at;
            let mut low = next(self).ok_or_else(unclosed)?;
            if low == ']' && !ranges.is_empty() {
                return Ok(Node::Set { negated, ranges });
            }
            if low == '\\' {
                low = next(self).ok_or_else(unclosed)?;
            }
            let mut high = low;
            if self.characters.get(self.at) == Some(&'-')
                && self.characters.get(self.at + 1).is_some_and(|&c| c != ']')
            {
                self.at += 1;
                high = next(self).ok_or_else(unclosed)?;
                if high == '\\' {
                    high = next(self).ok_or_else(unclosed)?;
                }
            }
            if low > high {
                return Err(error(from, &format!("the range `{low}-{high}` is the wrong way round")));
            }
            ranges.push((low, high));
        }
    }

    fn choice(&mut self, start: usize, depth: usize) -> Result<Node, GlobError> {
        if depth == MAX_NESTING {
            return Err(error(start, "`{` is nested too deeply"));
        }
        let mut branches = Vec::new();
        loop {
            branches.push(self.sequence(depth + 1)?);
            let separator = self.characters.get(self.at);
            self.at += 1;
            match separator {
                Some(',') => {}
                Some(_) => return Ok(Node::Choice(branches)),
                None => return Err(error(start, "`{` is never closed")),
            }
        }
    }
}

fn error(offset: usize, message: &str) -> GlobError {
    GlobError { offset, message: message.to_owned() }
}
