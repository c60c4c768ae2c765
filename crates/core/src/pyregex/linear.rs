//! Patterns for an engine that never backtracks: those of classes, choices, repetitions and anchors.

use regex_automata::meta;
use regex_syntax::hir::{Capture, Class, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition};

use super::ast::{At, Case, Greed, Node};
use super::case::lowered_to;
use super::chars::{CharSet, Letter};
use super::parse::Parsed;

/// Larger programs are left to the other engine.
const SIZE: usize = 4 << 20;

/// The pattern for texts in ASCII only, or for any text. None: it holds what the engine does not know, or means
/// otherwise.
pub(super) fn engine(parsed: &Parsed, ascii: bool) -> Option<meta::Regex> {
    let hir = Translator { ascii }.sequence(&parsed.body)?;
    let config = meta::Config::new().nfa_size_limit(Some(SIZE)).onepass_size_limit(Some(SIZE));
    // What may match nothing sees differently where it stands in an empty text.
    if hir.properties().minimum_len().is_none_or(|least| least == 0) {
        return None;
    }
    meta::Builder::new().configure(config).build_from_hir(&hir).ok()
}

struct Translator {
    ascii: bool,
}

impl Translator {
    fn sequence(&self, items: &[Node]) -> Option<Hir> {
        Some(Hir::concat(items.iter().map(|item| self.node(item)).collect::<Option<_>>()?))
    }

    fn node(&self, node: &Node) -> Option<Hir> {
        Some(match node {
            Node::Literal { code, negate, case } => self.literal(*code, *negate, *case)?,
            Node::Set(set) => self.class(&CharSet::new(set).ranges()?),
            Node::Any { newline: true } => self.class(&[(0, u32::MAX)]),
            Node::Any { newline: false } => self.class(&[(0, 9), (11, u32::MAX)]),
            Node::At(at) => Hir::look(self.place(*at)?),
            Node::Group { capture, body, .. } => {
                let sub = self.sequence(body)?;
                match capture {
                    Some(index) => Hir::capture(Capture { index: *index, name: None, sub: Box::new(sub) }),
                    None => sub,
                }
            }
            Node::Branch(branches) => {
                Hir::alternation(branches.iter().map(|branch| self.sequence(branch)).collect::<Option<_>>()?)
            }
            Node::Repeat(repeat) => {
                // A round that consumes nothing is counted in another way.
                if repeat.greed == Greed::Possessive || repeat.may_idle() {
                    return None;
                }
                let (min, max, greedy) = (repeat.min, repeat.max, repeat.greed == Greed::Greedy);
                Hir::repetition(Repetition { min, max, greedy, sub: Box::new(self.sequence(&repeat.body)?) })
            }
            Node::Atomic(_) | Node::Look(_) | Node::Backref { .. } | Node::Conditional { .. } => return None,
        })
    }

    fn literal(&self, code: u32, negate: bool, case: Case) -> Option<Hir> {
        Some(match Letter::of(code, negate, case) {
            Letter::Forms(lower, same, case) => {
                self.class(&CharSet::of_letter(lower, same, negate, case).ranges()?)
            }
            Letter::Folded(lower) => self.class(&lowered_to(&[(lower, lower)], case)),
            Letter::Exact(code) => match char::from_u32(code) {
                Some(character) if !self.ascii || character.is_ascii() => {
                    Hir::literal(character.to_string().into_bytes())
                }
                _ => Hir::fail(),
            },
        })
    }

    /// These code points; without surrogates, which are in no text.
    fn class(&self, ranges: &[(u32, u32)]) -> Hir {
        let last = if self.ascii { 0x7f } else { u32::from(char::MAX) };
        let halves = ranges.iter().flat_map(|&(start, end)| {
            [(start, end.min(0xd7ff).min(last)), (start.max(0xe000), end.min(last))]
        });
        let ranges = halves.filter(|(start, end)| start <= end).filter_map(|(start, end)| {
            Some(ClassUnicodeRange::new(char::from_u32(start)?, char::from_u32(end)?))
        });
        Hir::class(Class::Unicode(ClassUnicode::new(ranges)))
    }

    fn place(&self, at: At) -> Option<Look> {
        Some(match at {
            At::Start => Look::Start,
            At::LineStart => Look::StartLF,
            At::End => Look::End,
            At::LineEnd => Look::EndLF,
            At::Boundary { ascii, negate } if ascii || self.ascii => {
                if negate {
                    Look::WordAsciiNegate
                } else {
                    Look::WordAscii
                }
            }
            // It has words of its own, and of a last newline it knows nothing.
            At::Boundary { .. } | At::EndOrLastNewline => return None,
        })
    }
}
