//! From the tree of a pattern to a program for the matcher.

use rustc_hash::FxHashMap;

use super::Error;
use super::ast::{Case, Greed, Look, Node, Repeat};
use super::chars::{CharSet, Letter};
use super::parse::Parsed;
use super::program::{Inst, Pc, Program};
use super::traits::Traits;

/// Counted repetitions are written out; a pattern that grows beyond this is refused.
const INSTRUCTIONS: usize = 100_000;

struct Compiler {
    insts: Vec<Inst>,
    sets: Vec<CharSet>,
    /// The compiled set of a node, by its address: a repetition is written out several times.
    known_sets: FxHashMap<*const Node, u32>,
    memos: u32,
    slots: u32,
    exact: bool,
    /// What groups capture is kept.
    saves: bool,
    work: usize,
}

/// `spans`: for where a match is, not only whether there is one.
pub(super) fn compile(parsed: &Parsed, spans: bool) -> Result<Program, Error> {
    let mut traits = Traits::default();
    traits.look_at(&parsed.body)?;
    let exact = !traits.can_remember(spans);
    let mut compiler = Compiler {
        insts: Vec::new(),
        sets: Vec::new(),
        known_sets: FxHashMap::default(),
        memos: 0,
        slots: if exact || spans { parsed.groups * 2 } else { 0 },
        exact,
        saves: exact || spans,
        work: 0,
    };
    compiler.sequence(&parsed.body)?;
    compiler.push(Inst::Match);
    Ok(Program {
        insts: compiler.insts,
        sets: compiler.sets,
        memos: if exact { 0 } else { compiler.memos },
        slots: compiler.slots,
        groups: parsed.groups,
        forget_after_look: traits.look && traits.idle_loop,
    })
}

impl Compiler {
    fn pc(&self) -> Pc {
        self.insts.len() as Pc
    }

    fn push(&mut self, inst: Inst) -> usize {
        self.insts.push(inst);
        self.insts.len() - 1
    }

    fn memo(&mut self) -> u32 {
        self.memos += 1;
        self.memos - 1
    }

    fn join(&mut self) {
        let memo = self.memo();
        self.push(Inst::Join { memo });
    }

    /// A split whose other way is set later.
    fn split(&mut self) -> usize {
        let memo = self.memo();
        self.push(Inst::Split { first: 0, second: 0, memo })
    }

    fn set_split(&mut self, at: usize, enter: Pc, leave: Pc, lazy: bool) {
        if let Inst::Split { first, second, .. } = &mut self.insts[at] {
            (*first, *second) = if lazy { (leave, enter) } else { (enter, leave) };
        }
    }

    /// Sets where an instruction leads that was written before its target was known.
    fn patch(&mut self, at: usize) {
        let here = self.pc();
        match &mut self.insts[at] {
            Inst::Jump(target)
            | Inst::ExitIfIdle { exit: target, .. }
            | Inst::LookStart { after: target, .. }
            | Inst::IfGroup { otherwise: target, .. } => *target = here,
            _ => {}
        }
    }

    fn sequence(&mut self, items: &[Node]) -> Result<(), Error> {
        for item in items {
            self.node(item)?;
        }
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        self.spend()?;
        match node {
            Node::Literal { code, negate, case } => self.literal(node, *code, *negate, *case),
            Node::Set(set) => self.set(node, || CharSet::new(set)),
            Node::Any { newline } => {
                self.push(if *newline { Inst::AnyChar } else { Inst::NotNewline });
            }
            Node::At(at) => {
                self.push(Inst::At(*at));
            }
            Node::Group { capture, body, .. } => self.group(*capture, body)?,
            Node::Branch(branches) => self.branch(branches)?,
            Node::Repeat(repeat) => self.repeat(repeat)?,
            Node::Atomic(body) => {
                self.push(Inst::AtomicStart);
                self.sequence(body)?;
                self.push(Inst::AtomicEnd);
            }
            Node::Look(look) => self.look(look)?,
            Node::Backref { group, case, .. } => {
                self.push(Inst::Backref { slot: group * 2, case: *case });
            }
            Node::Conditional { group, yes, no } => self.conditional(*group, yes, no)?,
        }
        Ok(())
    }

    /// Counts nodes too, not only instructions: a repetition of nothing writes none.
    fn spend(&mut self) -> Result<(), Error> {
        self.work += 1;
        if self.work.max(self.insts.len()) > INSTRUCTIONS {
            return Err(Error::new(0, "the pattern is too large: its repetitions add up to too many steps"));
        }
        Ok(())
    }

    fn literal(&mut self, node: &Node, code: u32, negate: bool, case: Case) {
        match Letter::of(code, negate, case) {
            Letter::Forms(lower, same, case) => {
                self.set(node, || CharSet::of_letter(lower, same, negate, case));
            }
            Letter::Folded(lower) => {
                self.push(Inst::Folded(lower, case));
            }
            Letter::Exact(code) => {
                // A lone surrogate is in no text.
                self.push(char::from_u32(code).map_or(Inst::Never, Inst::Char));
            }
        }
    }

    fn set(&mut self, node: &Node, make: impl FnOnce() -> CharSet) {
        let index = match self.known_sets.get(&std::ptr::from_ref(node)) {
            Some(&index) => index,
            None => {
                self.sets.push(make());
                let index = self.sets.len() as u32 - 1;
                self.known_sets.insert(node, index);
                index
            }
        };
        self.push(Inst::Set(index));
    }

    fn group(&mut self, capture: Option<u32>, body: &[Node]) -> Result<(), Error> {
        let slot = capture.filter(|_| self.saves).map(|group| group * 2);
        if let Some(slot) = slot {
            self.push(Inst::Save(slot));
        }
        self.sequence(body)?;
        if let Some(slot) = slot {
            self.push(Inst::Save(slot + 1));
        }
        Ok(())
    }

    fn branch(&mut self, branches: &[Vec<Node>]) -> Result<(), Error> {
        let mut exits = Vec::new();
        for (index, branch) in branches.iter().enumerate() {
            if index + 1 == branches.len() {
                self.sequence(branch)?;
                break;
            }
            let split = self.split();
            let enter = self.pc();
            self.sequence(branch)?;
            exits.push(self.push(Inst::Jump(0)));
            let next = self.pc();
            self.set_split(split, enter, next, false);
        }
        exits.into_iter().for_each(|exit| self.patch(exit));
        self.join();
        Ok(())
    }

    fn repeat(&mut self, repeat: &Repeat) -> Result<(), Error> {
        if repeat.greed != Greed::Possessive {
            return self.rounds(repeat, false);
        }
        // No round can be taken back, and none can be matched in another way.
        self.push(Inst::AtomicStart);
        self.rounds(repeat, true)?;
        self.push(Inst::AtomicEnd);
        Ok(())
    }

    fn rounds(&mut self, repeat: &Repeat, possessive: bool) -> Result<(), Error> {
        let lazy = repeat.greed == Greed::Lazy;
        for _ in 0..repeat.min {
            self.spend()?;
            if possessive {
                self.push(Inst::AtomicStart);
            }
            self.sequence(&repeat.body)?;
            if possessive {
                self.push(Inst::AtomicEnd);
            }
        }
        let idle = if self.exact && repeat.may_idle() {
            self.slots += 1;
            Some(self.slots - 1)
        } else {
            None
        };
        let mut rounds = Vec::new();
        match repeat.max {
            Some(max) => {
                for _ in repeat.min..max {
                    self.spend()?;
                    rounds.push(self.open_round(&repeat.body, idle)?);
                }
            }
            None => {
                let start = self.pc();
                rounds.push(self.open_round(&repeat.body, idle)?);
                self.push(Inst::Jump(start));
            }
        }
        let exit = self.pc();
        for (split, idle_exit) in &rounds {
            self.set_split(*split, *split as Pc + 1, exit, lazy);
            idle_exit.iter().for_each(|&at| self.patch(at));
        }
        if rounds.len() > 1 {
            self.join();
        }
        Ok(())
    }

    /// A round that may be left out; its exits are still to be set.
    fn open_round(&mut self, body: &[Node], idle: Option<u32>) -> Result<(usize, Option<usize>), Error> {
        let split = self.split();
        if let Some(slot) = idle {
            self.push(Inst::Save(slot));
        }
        self.sequence(body)?;
        let idle_exit = idle.map(|slot| self.push(Inst::ExitIfIdle { slot, exit: 0 }));
        Ok((split, idle_exit))
    }

    fn look(&mut self, look: &Look) -> Result<(), Error> {
        let start = self.push(Inst::LookStart { back: look.back()?, negate: look.negate, after: 0 });
        self.sequence(&look.body)?;
        self.push(Inst::LookEnd);
        self.patch(start);
        Ok(())
    }

    fn conditional(&mut self, group: u32, yes: &[Node], no: &[Node]) -> Result<(), Error> {
        let start = self.push(Inst::IfGroup { slot: group * 2, otherwise: 0 });
        self.sequence(yes)?;
        let exit = self.push(Inst::Jump(0));
        self.patch(start);
        self.sequence(no)?;
        self.patch(exit);
        Ok(())
    }
}
