//! The texts of a record, by where they are.

use rustc_hash::FxHashMap;

use super::encoded::{Places, unescaped};
use super::json::{self, Document, Kind, Step as Token, Token as Text};

/// One step to a text of a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    Name(String),
    Index(usize),
    /// A member of an object by its number, for a name that must not be kept.
    Member(usize),
}

/// A document, of which each key knows its number in its object.
pub(super) struct Record<'a> {
    text: &'a str,
    pub document: Document,
    pub numbers: Vec<usize>,
}

/// A key or value of a document, decoded.
pub(super) struct Leaf {
    pub said: String,
    pub places: Places,
    /// Where each character begins, if they are not all of one byte.
    characters: Option<Vec<usize>>,
}

impl Leaf {
    pub fn length(&self) -> usize {
        self.characters.as_ref().map_or(self.said.len(), Vec::len)
    }

    pub fn byte_of(&self, character: usize) -> usize {
        let at = match &self.characters {
            Some(characters) => characters.get(character).copied(),
            None => Some(character),
        };
        at.unwrap_or(self.said.len()).min(self.said.len())
    }

    pub fn character_of(&self, byte: usize) -> usize {
        self.characters.as_ref().map_or(byte, |characters| characters.partition_point(|&at| at < byte))
    }
}

/// What is in a document, by where it is.
#[derive(Default)]
pub(super) struct Members {
    /// By the list or object, and the step from there: more than one, if an object has a name twice.
    tokens: FxHashMap<(usize, Way), Vec<usize>>,
    holders: FxHashMap<(usize, Way), Vec<usize>>,
}

impl Record<'_> {
    pub fn read(text: &str) -> Option<Record<'_>> {
        let document = if json::is_like(text) { json::read(text)? } else { return None };
        let mut counts = vec![0; document.holders.len().max(1)];
        let number = |token: &Text| {
            let number = counts[token.holder];
            counts[token.holder] += usize::from(token.kind == Kind::Key);
            number
        };
        let numbers = document.tokens.iter().map(number).collect();
        Some(Record { text, document, numbers })
    }

    fn raw(&self, token: &Text) -> &str {
        &self.text[token.range.clone()]
    }

    pub fn leaf(&self, token: &Text) -> Leaf {
        let (said, places) = unescaped(self.raw(token));
        let characters = (!said.is_ascii()).then(|| said.char_indices().map(|(at, _)| at).collect());
        Leaf { said, places, characters }
    }

    fn name(&self, key: usize) -> String {
        unescaped(self.raw(&self.document.tokens[key])).0
    }

    pub fn told(&self, token: usize) -> Vec<(Option<String>, usize)> {
        let told = |step: Token| match step {
            Token::Key(key) => (Some(self.name(key)), self.numbers[key]),
            Token::Index(index) => (None, index),
        };
        self.document.steps(token).into_iter().map(told).collect()
    }

    /// The ways of one step: a name is also a number.
    fn ways(&self, step: Token) -> Vec<Way> {
        match step {
            Token::Key(key) => vec![Way::Name(self.name(key)), Way::Member(self.numbers[key])],
            Token::Index(index) => vec![Way::Index(index)],
        }
    }

    pub fn members(&self) -> Members {
        let mut members = Members::default();
        let steps = |outer: usize, step: Token| self.ways(step).into_iter().map(move |way| (outer, way));
        for (index, token) in self.document.tokens.iter().enumerate() {
            if let Some(step) = self.document.last_step(token, index) {
                for place in steps(token.holder, step) {
                    members.tokens.entry(place).or_default().push(index);
                }
            }
        }
        for (index, holder) in self.document.holders.iter().enumerate() {
            if let Some((outer, step)) = holder.step() {
                for place in steps(outer, step) {
                    members.holders.entry(place).or_default().push(index);
                }
            }
        }
        members
    }

    /// The tokens to which a way leads, with how much of it is left: nothing, or what goes on in a text; and whether
    /// the way ends at the token, not at something around it.
    pub fn targets(&self, members: &Members, way: &[Way]) -> Vec<(usize, usize, bool)> {
        let (mut found, mut holders) = (Vec::new(), vec![0]);
        for (at, step) in way.iter().enumerate() {
            let mut next = Vec::new();
            for holder in holders {
                let place = (holder, step.clone());
                let tokens = members.tokens.get(&place).into_iter().flatten();
                found.extend(tokens.map(|&token| (token, at + 1, true)));
                next.extend(members.holders.get(&place).into_iter().flatten());
            }
            holders = next;
        }
        // A list or an object: all that is in it.
        if !holders.is_empty() {
            let is_in = |token: &Text| self.document.outward(token.holder).any(|at| holders.contains(&at));
            let inside = self.document.tokens.iter().enumerate().filter(|(_, token)| is_in(token));
            found.extend(inside.map(|(index, _)| (index, way.len(), false)));
        }
        found
    }
}
