//! The language of a pattern, for questions about all texts at once.

use super::ast::At;
use super::case::lowered_to;
use super::program::{Inst, Program};
use crate::language::{Language, Step, complement};

/// The texts that the pattern matches as a whole. None: it looks around, refers to groups or takes back no choice,
/// so that it is no regular language as it stands; or it is too large.
pub(super) fn language(program: &Program) -> Option<Language> {
    // Sets that look at characters one by one are the same for each program.
    let steps: Option<Vec<Step>> =
        program.insts.iter().enumerate().map(|(pc, inst)| step(program, pc, inst)).collect();
    Language::new(&steps?)
}

pub(super) fn plain_word(program: &Program) -> Option<String> {
    let mut word = String::new();
    for inst in &program.insts {
        match *inst {
            Inst::At(At::Start) if word.is_empty() => {}
            Inst::Char(character) => word.push(character),
            Inst::Folded(lower, _) => word.push(char::from_u32(lower)?),
            // Letters that have more than two forms, such as `k` and `s`.
            Inst::Set(set) => word.push(program.sets.get(set as usize)?.letter()?),
            Inst::Save(_) => {}
            Inst::Match => return Some(word).filter(|word| !word.is_empty()),
            _ => return None,
        }
    }
    None
}

pub(super) fn anchors(program: &Program) -> (bool, bool) {
    let first = program.insts.iter().find(|inst| !matches!(inst, Inst::Save(_)));
    let end = |inst: &Inst| matches!(inst, Inst::At(At::End | At::EndOrLastNewline | At::LineEnd));
    (matches!(first, Some(Inst::At(At::Start | At::LineStart))), program.insts.iter().any(end))
}

fn step(program: &Program, pc: usize, inst: &Inst) -> Option<Step> {
    let next = pc + 1;
    Some(match *inst {
        Inst::Char(character) => Step::Consume(vec![(character.into(), character.into())], next),
        Inst::Folded(lower, case) => Step::Consume(lowered_to(&[(lower, lower)], case), next),
        Inst::Set(set) => Step::Consume(program.sets.get(set as usize)?.ranges()?, next),
        Inst::NotNewline => Step::Consume(complement(&[(10, 10)]), next),
        Inst::AnyChar => Step::Consume(complement(&[]), next),
        Inst::At(At::Start) => Step::Start(next),
        Inst::At(At::End) => Step::End(next),
        Inst::At(At::EndOrLastNewline) => Step::EndOrLastNewline(next),
        Inst::Split { first, second, .. } => Step::Ways(vec![first as usize, second as usize]),
        Inst::Join { .. } | Inst::Save(_) => Step::Ways(vec![next]),
        Inst::Jump(target) => Step::Ways(vec![target as usize]),
        Inst::Never => Step::Ways(Vec::new()),
        Inst::Match => Step::Accept,
        Inst::At(_)
        | Inst::ExitIfIdle { .. }
        | Inst::AtomicStart
        | Inst::AtomicEnd
        | Inst::LookStart { .. }
        | Inst::LookEnd
        | Inst::Backref { .. }
        | Inst::IfGroup { .. } => return None,
    })
}
