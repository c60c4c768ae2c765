//! What the matcher runs.

use super::ast::{At, Case};
use super::chars::CharSet;

pub(super) type Pc = u32;

#[derive(Clone, Copy, Debug)]
pub(super) enum Inst {
    Char(char),
    /// A character whose lower case is this.
    Folded(u32, Case),
    Set(u32),
    NotNewline,
    AnyChar,
    At(At),
    /// Tries `first`, then `second`.
    Split {
        first: Pc,
        second: Pc,
        memo: u32,
    },
    /// Where several ways meet.
    Join {
        memo: u32,
    },
    Jump(Pc),
    Save(u32),
    /// Goes to `exit` when nothing was consumed since `slot` was saved.
    ExitIfIdle {
        slot: u32,
        exit: Pc,
    },
    AtomicStart,
    AtomicEnd,
    /// The body begins at the next instruction, `back` characters before.
    LookStart {
        back: u32,
        negate: bool,
        after: Pc,
    },
    LookEnd,
    Backref {
        slot: u32,
        case: Case,
    },
    /// Goes on when the group has matched, else to `otherwise`.
    IfGroup {
        slot: u32,
        otherwise: Pc,
    },
    Never,
    Match,
}

#[derive(Debug)]
pub(super) struct Program {
    pub insts: Vec<Inst>,
    pub sets: Vec<CharSet>,
    /// How many instructions remember where they were already tried. 0: the outcome depends on more than the
    /// position (on groups, on what an atomic group left behind), so nothing may be remembered.
    pub memos: u32,
    pub slots: u32,
    /// With group 0, which is the whole match.
    pub groups: u32,
    /// A look-around may succeed with some of its places still being tried: what was seen there is no failure.
    pub forget_after_look: bool,
}
