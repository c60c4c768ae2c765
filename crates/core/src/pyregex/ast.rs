//! The tree of a pattern. Flags are already applied: a node says by itself what it matches.

use super::Error;

/// How two characters are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Ascii,
    Unicode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClassKind {
    Digit,
    Space,
    Word,
}

/// `\d`, `\S` and so on; `ascii` under the flag of that name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Category {
    pub kind: ClassKind,
    pub negate: bool,
    pub ascii: bool,
}

/// Code points, not `char`: a pattern may name a lone surrogate, which then matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetItem {
    Literal(u32),
    Range(u32, u32),
    Category(Category),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Set {
    pub negate: bool,
    pub items: Vec<SetItem>,
    pub case: Case,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Start,
    LineStart,
    End,
    /// `$`: the end, or before a newline that ends the text.
    EndOrLastNewline,
    LineEnd,
    Boundary {
        ascii: bool,
        negate: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Greed {
    Greedy,
    Lazy,
    Possessive,
}

/// The least and the greatest number of characters that something matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Width {
    pub min: u64,
    pub max: u64,
}

impl Width {
    pub const ZERO: Width = Width { min: 0, max: 0 };
    pub const ONE: Width = Width { min: 1, max: 1 };

    fn plus(self, other: Width) -> Width {
        Width { min: self.min.saturating_add(other.min), max: self.max.saturating_add(other.max) }
    }

    fn or(self, other: Width) -> Width {
        Width { min: self.min.min(other.min), max: self.max.max(other.max) }
    }

    fn times(self, min: u32, max: Option<u32>) -> Width {
        let max = match max {
            Some(max) => self.max.saturating_mul(u64::from(max)),
            None if self.max == 0 => 0,
            None => u64::MAX,
        };
        Width { min: self.min.saturating_mul(u64::from(min)), max }
    }

    pub fn of(items: &[Node]) -> Width {
        items.iter().fold(Width::ZERO, |sum, item| sum.plus(item.width()))
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Repeat {
    pub min: u32,
    /// `None`: without end.
    pub max: Option<u32>,
    pub greed: Greed,
    pub body: Vec<Node>,
    pub width: Width,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub behind: bool,
    pub negate: bool,
    pub body: Vec<Node>,
    pub width: Width,
    /// Where the group begins in the pattern, for the error about its width.
    pub offset: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Literal { code: u32, negate: bool, case: Case },
    Set(Set),
    Any { newline: bool },
    At(At),
    Group { capture: Option<u32>, scoped: bool, body: Vec<Node>, width: Width },
    Branch(Vec<Vec<Node>>),
    Repeat(Repeat),
    Atomic(Vec<Node>),
    Look(Look),
    Backref { group: u32, case: Case, width: Width },
    Conditional { group: u32, yes: Vec<Node>, no: Vec<Node> },
}

impl Node {
    pub fn width(&self) -> Width {
        match self {
            Node::Literal { .. } | Node::Set(_) | Node::Any { .. } => Width::ONE,
            Node::At(_) | Node::Look(_) => Width::ZERO,
            Node::Group { width, .. } | Node::Backref { width, .. } => *width,
            Node::Branch(branches) => {
                branches.iter().map(|branch| Width::of(branch)).reduce(Width::or).unwrap_or(Width::ZERO)
            }
            Node::Repeat(repeat) => repeat.width,
            Node::Atomic(body) => Width::of(body),
            Node::Conditional { yes, no, .. } => Width::of(yes).or(Width::of(no)),
        }
    }

    /// Whether `re` takes this node out of alternatives that all begin with it. It compares groups, repetitions
    /// and look-around by identity, so these never count as equal.
    pub fn is_shared_prefix(&self, other: &Node) -> bool {
        match self {
            Node::Literal { .. } | Node::Set(_) | Node::Any { .. } | Node::At(_) | Node::Backref { .. } => {
                self == other
            }
            _ => false,
        }
    }
}

impl Look {
    /// How many characters before the current one the body begins.
    pub fn back(&self) -> Result<u32, Error> {
        if !self.behind {
            return Ok(0);
        }
        if self.width.min != self.width.max {
            return Err(Error::new(self.offset, "look-behind requires fixed-width pattern"));
        }
        u32::try_from(self.width.min).map_err(|_| Error::new(self.offset, "looks too much behind"))
    }
}

impl Repeat {
    pub fn new(min: u32, max: Option<u32>, greed: Greed, body: Vec<Node>) -> Repeat {
        let width = Width::of(&body).times(min, max);
        Repeat { min, max, greed, body, width }
    }

    /// Whether it can go round without consuming anything.
    pub fn may_idle(&self) -> bool {
        self.max.is_none_or(|max| max > 1) && Width::of(&self.body).min == 0
    }
}
