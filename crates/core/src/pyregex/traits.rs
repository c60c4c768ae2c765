//! What has to be known of a whole pattern before it is compiled.

use super::Error;
use super::ast::{Greed, Node};

/// What the whole pattern holds that decides how it can be matched.
#[derive(Default)]
pub(super) struct Traits {
    groups_matter: bool,
    atomic: bool,
    pub look: bool,
    /// A look-around holds a group that captures.
    capture_in_look: bool,
    /// A loop may go round without consuming anything.
    pub idle_loop: bool,
    /// What is looked at stands in a look-around.
    looking: bool,
}

impl Traits {
    /// Also checks what `re` checks only when the pattern is complete, in parts that are never compiled too.
    pub fn look_at(&mut self, items: &[Node]) -> Result<(), Error> {
        for item in items {
            match item {
                Node::Literal { .. } | Node::Set(_) | Node::Any { .. } | Node::At(_) => {}
                Node::Group { capture, body, .. } => {
                    self.capture_in_look |= self.looking && capture.is_some();
                    self.look_at(body)?;
                }
                Node::Branch(branches) => {
                    for branch in branches {
                        self.look_at(branch)?;
                    }
                }
                Node::Repeat(repeat) => {
                    self.atomic |= repeat.greed == Greed::Possessive;
                    self.idle_loop |= repeat.may_idle();
                    self.look_at(&repeat.body)?;
                }
                Node::Atomic(body) => {
                    self.atomic = true;
                    self.look_at(body)?;
                }
                Node::Look(look) => {
                    self.look = true;
                    look.back()?;
                    let outer = std::mem::replace(&mut self.looking, true);
                    self.look_at(&look.body)?;
                    self.looking = outer;
                }
                Node::Backref { .. } => self.groups_matter = true,
                Node::Conditional { yes, no, .. } => {
                    self.groups_matter = true;
                    self.look_at(yes)?;
                    self.look_at(no)?;
                }
            }
        }
        Ok(())
    }

    /// Whether a place in the pattern and in the text say all there is to know: of a match, or with `spans` of where
    /// it ends and what its groups have captured, too. (A round that consumes nothing ends its loop, which is another
    /// end than that of the rounds that are tried after it.)
    pub fn can_remember(&self, spans: bool) -> bool {
        !(self.groups_matter
            || self.atomic && self.idle_loop
            || spans && (self.capture_in_look || self.idle_loop))
    }
}
