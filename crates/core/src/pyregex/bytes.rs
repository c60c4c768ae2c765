//! The characters that parts of a pattern may match, as far as bytes can tell.

use rustc_hash::FxHashMap;
use std::cell::RefCell;

use super::ast::Node;
use super::chars::{CharSet, Letter};

/// How seldom a byte is found in programs and in prose, in bits.
pub fn bits_of(byte: u8) -> f64 {
    const COMMON: &[u8] = b" etaoinsrlcdupmhgfybv_wk.-0x/1,23q:\"j=z";
    let place = COMMON.iter().position(|&known| known == byte).unwrap_or(COMMON.len());
    3.0 + 0.2 * place as f64
}

/// The characters of the nodes of a pattern, each worked out once.
#[derive(Default)]
pub(super) struct Known(RefCell<FxHashMap<*const Node, Characters>>);

impl Known {
    pub fn characters(&self, node: &Node) -> Characters {
        let make = || Characters::of(node, Characters::ALL);
        *self.0.borrow_mut().entry(std::ptr::from_ref(node)).or_insert_with(make)
    }
}

/// The characters that a node may match: of ASCII, and whether there are others.
#[derive(Clone, Copy, Default)]
pub(super) struct Characters {
    pub ascii: u128,
    pub beyond: bool,
}

impl Characters {
    pub const ALL: Characters = Characters { ascii: u128::MAX, beyond: true };

    /// Those of a node that matches one character.
    pub fn of_one(node: &Node) -> Option<Characters> {
        Some(match node {
            Node::Literal { code, negate, case } => match Letter::of(*code, *negate, *case) {
                Letter::Forms(lower, same, case) => {
                    CharSet::of_letter(lower, same, *negate, case).characters()
                }
                Letter::Folded(lower) => CharSet::of_letter(lower, &[], false, *case).characters(),
                Letter::Exact(code) if code < 0x80 => Characters { ascii: 1 << code, beyond: false },
                Letter::Exact(_) => Characters { ascii: 0, beyond: true },
            },
            Node::Set(set) => CharSet::new(set).characters(),
            Node::Any { newline } => {
                Characters { ascii: if *newline { u128::MAX } else { !(1 << 10) }, beyond: true }
            }
            _ => return None,
        })
    }

    /// Those of a sequence; `group`: those of what a reference to a group may stand for.
    pub fn of_all(items: &[Node], group: Characters) -> Characters {
        items.iter().fold(Characters::default(), |all, item| all.or(Characters::of(item, group)))
    }

    pub fn of(node: &Node, group: Characters) -> Characters {
        let all = |items: &[Node]| Characters::of_all(items, group);
        match node {
            Node::Literal { .. } | Node::Set(_) | Node::Any { .. } => {
                Characters::of_one(node).unwrap_or(Characters::ALL)
            }
            Node::At(_) | Node::Look(_) => Characters::default(),
            Node::Group { body, .. } | Node::Atomic(body) => all(body),
            Node::Repeat(repeat) => all(&repeat.body),
            Node::Branch(branches) => {
                branches.iter().fold(Characters::default(), |sum, branch| sum.or(all(branch)))
            }
            Node::Backref { .. } => group,
            Node::Conditional { yes, no, .. } => all(yes).or(all(no)),
        }
    }

    pub fn or(self, other: Characters) -> Characters {
        Characters { ascii: self.ascii | other.ascii, beyond: self.beyond | other.beyond }
    }

    /// By byte of UTF-8, whether it may be one of theirs.
    pub fn bytes(self) -> Box<[bool; 256]> {
        Box::new(std::array::from_fn(
            |byte| if byte < 0x80 { self.ascii >> byte & 1 == 1 } else { self.beyond },
        ))
    }
}
