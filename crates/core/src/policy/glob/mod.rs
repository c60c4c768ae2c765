//! Globs, matched in time linear in the name for a given pattern, whatever the pattern is.
//!
//! A pattern becomes an automaton of positions (Glushkov's construction): each position consumes one
//! character, and a bit set says which positions may consume the next one. Nothing is ever tried twice.

mod automaton;
mod language;
mod parse;
#[cfg(test)]
mod tests;

use automaton::Automaton;
pub use language::language;
use memchr::memmem;
use parse::Node;
use std::fmt;

/// What `*` and `?` stop at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Dotted names: `*` crosses dots, and a trailing `.*` also selects what stands before it.
    Name,
    /// POSIX paths: `*` and `?` stop at `/`, `**` does not, `**/` may be no folder at all.
    Path,
}

#[derive(Debug, PartialEq, Eq)]
pub struct GlobError {
    /// In characters of the pattern.
    pub offset: usize,
    pub message: String,
}

/// A compiled glob. It matches whole names.
pub struct Glob {
    /// What every match begins with: most names of a program are refused by it alone.
    prefix: Box<str>,
    form: Form,
}

enum Form {
    /// Literal texts with anything in between; `stem` also matches, exactly as `pieces` without its end.
    Pieces {
        pieces: Box<[Box<str>]>,
        stem: bool,
    },
    Automaton(Box<Automaton>),
}

impl fmt::Debug for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Glob").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Glob {
    pub fn new(pattern: &str, flavour: Flavour) -> Result<Glob, GlobError> {
        let mut nodes = parse::parse(pattern, flavour)?;
        let prefix: String = nodes.iter().map_while(Node::literal).collect();
        if flavour == Flavour::Name
            && let Some(pieces) = pieces(&nodes)
        {
            let stem = pieces.len() == 2 && pieces[1].is_empty() && pieces[0].ends_with('.');
            if stem || !ends_with_dot_star(&nodes) {
                let prefix = if stem { &prefix[..prefix.len() - 1] } else { &prefix };
                return Ok(Glob { prefix: prefix.into(), form: Form::Pieces { pieces, stem } });
            }
        }
        if flavour == Flavour::Name {
            make_tail_optional(&mut nodes);
        }
        let prefix: String = nodes.iter().map_while(Node::literal).collect();
        let automaton = Automaton::new(&nodes, flavour)
            .ok_or_else(|| GlobError { offset: 0, message: "the pattern is too long".to_owned() })?;
        Ok(Glob { prefix: prefix.into(), form: Form::Automaton(Box::new(automaton)) })
    }

    pub fn is_match(&self, name: &str) -> bool {
        self.matches_prefix(name, &[name.len()])
    }

    /// Whether one of the beginnings of the name that end at `ends` (ascending, the last is the whole) matches.
    pub fn matches_prefix(&self, name: &str, ends: &[usize]) -> bool {
        if !name.starts_with(&*self.prefix) {
            return false;
        }
        match &self.form {
            Form::Pieces { pieces, stem } => ends.iter().any(|&end| {
                let name = &name[..end];
                (*stem && name.len() == self.prefix.len()) || matches_pieces(pieces, name)
            }),
            Form::Automaton(automaton) => automaton.matches_prefix(name, ends),
        }
    }
}

fn ends_with_dot_star(nodes: &[Node]) -> bool {
    matches!(nodes, [.., Node::Character('.'), Node::Star | Node::DoubleStar])
}

/// Rewrites a trailing `.*` to `{,.*}`, in the branches of a trailing choice too.
fn make_tail_optional(nodes: &mut Vec<Node>) {
    if ends_with_dot_star(nodes) {
        let tail = nodes.split_off(nodes.len() - 2);
        nodes.push(Node::Choice(vec![Vec::new(), tail]));
    } else if let Some(Node::Choice(branches)) = nodes.last_mut() {
        branches.iter_mut().for_each(make_tail_optional);
    }
}

/// The literal texts between the stars, if there is nothing but these.
fn pieces(nodes: &[Node]) -> Option<Box<[Box<str>]>> {
    let mut pieces = vec![String::new()];
    for node in nodes {
        match (node, pieces.last_mut()) {
            (Node::Character(character), Some(piece)) => piece.push(*character),
            (Node::Star | Node::DoubleStar, _) => pieces.push(String::new()),
            _ => return None,
        }
    }
    Some(pieces.into_iter().map(String::into_boxed_str).collect())
}

fn matches_pieces(pieces: &[Box<str>], name: &str) -> bool {
    let (first, rest) = match pieces {
        [only] => return name == &**only,
        [first, rest @ ..] => (first, rest),
        [] => return false,
    };
    let (last, middle) = match rest {
        [middle @ .., last] => (last, middle),
        [] => return false,
    };
    let Some(name) = name.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last)) else {
        return false;
    };
    // The earliest place for each piece leaves most to those behind it.
    let mut rest = name;
    middle.iter().all(|piece| match memmem::find(rest.as_bytes(), piece.as_bytes()) {
        Some(at) => {
            rest = &rest[at + piece.len()..];
            true
        }
        None => false,
    })
}
