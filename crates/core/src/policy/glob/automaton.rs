//! Globs as sets of positions: each consumes one character and says which positions may follow.

use super::Flavour;
use super::parse::Node;

/// More positions than any name that a person writes; it bounds the bit sets, which live on the stack.
const MAX_POSITIONS: usize = 1023;
const MAX_WORDS: usize = 16;

#[derive(Debug)]
enum Consumes {
    Character(char),
    Any,
    AnyButSlash,
    Set { negated: bool, slash: bool, ranges: Box<[(char, char)]> },
}

impl Consumes {
    fn accepts(&self, character: char) -> bool {
        match self {
            Consumes::Character(expected) => *expected == character,
            Consumes::Any => true,
            Consumes::AnyButSlash => character != '/',
            Consumes::Set { negated, slash, ranges } => {
                (*slash || character != '/')
                    && ranges.iter().any(|&(low, high)| low <= character && character <= high) != *negated
            }
        }
    }
}

type Bits = [u64; MAX_WORDS];

pub(super) struct Automaton {
    positions: Vec<Consumes>,
    /// How many words of a bit set are in use.
    words: usize,
    /// Positions that may consume the first character.
    first: Bits,
    /// For each position, `words` words: the positions that may come next.
    follow: Vec<u64>,
    /// Positions after which a name may end.
    last: Bits,
    nullable: bool,
}

/// Of a part of the pattern: where it may begin and end, and whether it may be nothing.
struct Part {
    first: Bits,
    last: Bits,
    nullable: bool,
}

impl Part {
    fn nothing() -> Part {
        Part { first: [0; MAX_WORDS], last: [0; MAX_WORDS], nullable: true }
    }
}

struct Builder {
    positions: Vec<Consumes>,
    follow: Vec<Bits>,
    flavour: Flavour,
}

impl Automaton {
    /// None if the pattern has too many positions.
    pub(super) fn new(nodes: &[Node], flavour: Flavour) -> Option<Automaton> {
        let mut builder = Builder { positions: Vec::new(), follow: Vec::new(), flavour };
        let whole = builder.sequence(nodes)?;
        let words = builder.positions.len() / 64 + 1;
        let follow = builder.follow.iter().flat_map(|bits| bits[..words].iter().copied()).collect();
        Some(Automaton {
            positions: builder.positions,
            words,
            first: whole.first,
            follow,
            last: whole.last,
            nullable: whole.nullable,
        })
    }

    /// Whether one of the beginnings of the name that end at `ends` (ascending) matches.
    pub(super) fn matches_prefix(&self, name: &str, ends: &[usize]) -> bool {
        // Nearly every pattern fits one word, and is then several times faster.
        if self.words == 1 { self.run::<1>(name, ends) } else { self.run::<MAX_WORDS>(name, ends) }
    }

    fn run<const WORDS: usize>(&self, name: &str, ends: &[usize]) -> bool {
        let mut ends = ends.iter().copied().peekable();
        if ends.next_if_eq(&0).is_some() && self.nullable {
            return true;
        }
        let mut candidates: [u64; WORDS] = std::array::from_fn(|word| self.first[word]);
        for (at, character) in name.char_indices() {
            let mut consumed = 0;
            let mut next = [0; WORDS];
            let mut accepted = false;
            for (word, &bits) in candidates.iter().enumerate() {
                let mut bits = bits;
                while bits != 0 {
                    let position = word * 64 + bits.trailing_zeros() as usize;
                    bits &= bits - 1;
                    if self.positions[position].accepts(character) {
                        consumed += 1;
                        accepted |= self.last[position / 64] >> (position % 64) & 1 == 1;
                        let follow = &self.follow[position * self.words..][..self.words];
                        next.iter_mut().zip(follow).for_each(|(to, from)| *to |= from);
                    }
                }
            }
            if consumed == 0 {
                return false;
            }
            if ends.next_if_eq(&(at + character.len_utf8())).is_some() && accepted {
                return true;
            }
            candidates = next;
        }
        false
    }
}

fn set(bits: &mut Bits, position: usize) {
    bits[position / 64] |= 1 << (position % 64);
}

fn unite(to: &mut Bits, from: &Bits) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to |= from);
}

impl Builder {
    fn sequence(&mut self, nodes: &[Node]) -> Option<Part> {
        let mut whole = Part::nothing();
        for node in nodes {
            let part = self.node(node)?;
            self.connect(&whole.last, &part.first);
            if whole.nullable {
                unite(&mut whole.first, &part.first);
            }
            if part.nullable {
                unite(&mut whole.last, &part.last);
            } else {
                whole.last = part.last;
            }
            whole.nullable &= part.nullable;
        }
        Some(whole)
    }

    fn node(&mut self, node: &Node) -> Option<Part> {
        let path = self.flavour == Flavour::Path;
        match node {
            Node::Character(character) => self.one(Consumes::Character(*character)),
            Node::One => self.one(if path { Consumes::AnyButSlash } else { Consumes::Any }),
            Node::Star => self.many(if path { Consumes::AnyButSlash } else { Consumes::Any }),
            Node::DoubleStar => self.many(Consumes::Any),
            Node::Set { negated, ranges } => {
                self.one(Consumes::Set { negated: *negated, slash: !path, ranges: ranges.clone().into() })
            }
            Node::Folders => {
                let any = self.many(Consumes::Any)?;
                let slash = self.one(Consumes::Character('/'))?;
                self.connect(&any.last, &slash.first);
                let mut first = any.first;
                unite(&mut first, &slash.first);
                Some(Part { first, last: slash.last, nullable: true })
            }
            Node::Choice(branches) => {
                let mut whole = Part { nullable: false, ..Part::nothing() };
                for branch in branches {
                    let part = self.sequence(branch)?;
                    unite(&mut whole.first, &part.first);
                    unite(&mut whole.last, &part.last);
                    whole.nullable |= part.nullable;
                }
                Some(whole)
            }
        }
    }

    fn one(&mut self, consumes: Consumes) -> Option<Part> {
        let position = self.positions.len();
        if position == MAX_POSITIONS {
            return None;
        }
        self.positions.push(consumes);
        self.follow.push([0; MAX_WORDS]);
        let mut bits = [0; MAX_WORDS];
        set(&mut bits, position);
        Some(Part { first: bits, last: bits, nullable: false })
    }

    fn many(&mut self, consumes: Consumes) -> Option<Part> {
        let part = self.one(consumes)?;
        self.connect(&part.last, &part.first);
        Some(Part { nullable: true, ..part })
    }

    fn connect(&mut self, from: &Bits, to: &Bits) {
        for position in 0..self.positions.len() {
            if from[position / 64] >> (position % 64) & 1 == 1 {
                unite(&mut self.follow[position], to);
            }
        }
    }
}
