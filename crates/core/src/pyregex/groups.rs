//! Everything that begins with a parenthesis.

use super::ast::{Look, Node, Width};
use super::inline_flags::{self, Inline};
use super::parse::{DEPTH, Parser};
use super::tokens::{Token, quoted};
use super::{Error, Flags};

const MAX_GROUPS: u32 = 1_073_741_823;

impl Parser {
    /// The parenthesis is already taken. `None`: the group matches nothing by itself.
    pub fn group(
        &mut self,
        flags: &mut Flags,
        depth: u32,
        may_set_flags: bool,
    ) -> Result<Option<Node>, Error> {
        let start = self.tokens.tell() - 1;
        if !self.tokens.accept('?')? {
            return self.capture(None, *flags, depth, start).map(Some);
        }
        let Some(token) = self.tokens.get()? else {
            return Err(self.tokens.error(0, "unexpected end of pattern"));
        };
        let Token::Char(c) = token else { return Err(self.unknown_extension("?", token)) };
        match c {
            'P' => self.python_group(*flags, depth, start).map(Some),
            ':' => self.plain(*flags, false, depth, start).map(Some),
            '#' => self.comment(start).map(|()| None),
            '=' | '!' => self.look(c, false, *flags, depth, start).map(Some),
            '<' => match self.tokens.get()? {
                None => Err(self.tokens.error(0, "unexpected end of pattern")),
                Some(Token::Char(c @ ('=' | '!'))) => self.look(c, true, *flags, depth, start).map(Some),
                Some(token) => Err(self.unknown_extension("?<", token)),
            },
            '(' => self.conditional(*flags, depth, start).map(Some),
            '>' => {
                let body = self.body(*flags, depth, start)?;
                Ok(Some(Node::Atomic(body)))
            }
            _ if inline_flags::begins(c) => match inline_flags::parse(&mut self.tokens, c)? {
                Inline::Global(set) => {
                    if !may_set_flags {
                        return Err(Error::new(start, "global flags not at the start of the expression"));
                    }
                    self.unicode |= set.unicode();
                    set.add_to(flags);
                    Ok(None)
                }
                Inline::Scoped { add, remove } => {
                    let mut inner = *flags;
                    add.scope_to(&mut inner);
                    remove.remove_from(&mut inner);
                    let scoped = !(add.is_empty() && remove.is_empty());
                    self.plain(inner, scoped, depth, start).map(Some)
                }
            },
            _ => Err(self.unknown_extension("?", token)),
        }
    }

    fn unknown_extension(&self, before: &str, token: Token) -> Error {
        let message = format!("unknown extension {before}{}", token.text());
        self.tokens.error(before.len() + token.len(), message)
    }

    fn comment(&mut self, start: usize) -> Result<(), Error> {
        loop {
            match self.tokens.get()? {
                None => return Err(Error::new(start, "missing ), unterminated comment")),
                Some(Token::Char(')')) => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// The alternatives of a group and its closing parenthesis.
    fn body(&mut self, mut flags: Flags, depth: u32, start: usize) -> Result<Vec<Node>, Error> {
        let body = self.alternatives(&mut flags, depth + 1)?;
        self.close(start)?;
        Ok(body)
    }

    fn close(&mut self, start: usize) -> Result<(), Error> {
        if self.tokens.accept(')')? {
            return Ok(());
        }
        Err(Error::new(start, "missing ), unterminated subpattern"))
    }

    fn plain(&mut self, flags: Flags, scoped: bool, depth: u32, start: usize) -> Result<Node, Error> {
        let body = self.body(flags, depth, start)?;
        let width = Width::of(&body);
        Ok(Node::Group { capture: None, scoped, body, width })
    }

    fn capture(
        &mut self,
        name: Option<String>,
        flags: Flags,
        depth: u32,
        start: usize,
    ) -> Result<Node, Error> {
        let group = self.groups.len() as u32;
        if let Some(name) = name {
            if let Some(known) = self.names.get(&name) {
                let message = format!(
                    "redefinition of group name {} as group {group}; was group {known}",
                    quoted(&name)
                );
                return Err(self.tokens.error(name.chars().count() + 1, message));
            }
            self.names.insert(name, group);
        }
        self.groups.push(None);
        let body = self.body(flags, depth, start)?;
        let width = Width::of(&body);
        self.groups[group as usize] = Some(width);
        Ok(Node::Group { capture: Some(group), scoped: false, body, width })
    }

    /// `(?P<name>…)` and `(?P=name)`.
    fn python_group(&mut self, flags: Flags, depth: u32, start: usize) -> Result<Node, Error> {
        if self.tokens.accept('<')? {
            let name = self.tokens.group_name('>')?;
            return self.capture(Some(name), flags, depth, start);
        }
        if self.tokens.accept('=')? {
            let name = self.tokens.group_name(')')?;
            let back = name.chars().count() + 1;
            let group = self.named_group(&name)?;
            return self.backref(group, back, &flags);
        }
        match self.tokens.get()? {
            None => Err(self.tokens.error(0, "unexpected end of pattern")),
            Some(token) => Err(self.unknown_extension("?P", token)),
        }
    }

    fn named_group(&self, name: &str) -> Result<u32, Error> {
        self.names.get(name).copied().ok_or_else(|| {
            self.tokens.error(name.chars().count() + 1, format!("unknown group name {}", quoted(name)))
        })
    }

    fn look(&mut self, c: char, behind: bool, flags: Flags, depth: u32, start: usize) -> Result<Node, Error> {
        let outer = self.behind;
        if behind && outer.is_none() {
            self.behind = Some(self.groups.len() as u32);
        }
        let mut inner = flags;
        let body = self.alternatives(&mut inner, depth + 1)?;
        self.behind = outer;
        self.close(start)?;
        let width = Width::of(&body);
        Ok(Node::Look(Look { behind, negate: c == '!', body, width, offset: start }))
    }

    /// `(?(1)yes|no)` and `(?(name)yes|no)`.
    fn conditional(&mut self, mut flags: Flags, depth: u32, start: usize) -> Result<Node, Error> {
        let name = self.tokens.until(')', "group name")?;
        let back = name.chars().count() + 1;
        let group = if name.bytes().all(|b| b.is_ascii_digit()) {
            let group = name.parse::<u32>().unwrap_or(u32::MAX);
            if group == 0 {
                return Err(self.tokens.error(back, "bad group number"));
            }
            if group >= MAX_GROUPS {
                let message = format!("invalid group reference {}", name.trim_start_matches('0'));
                return Err(self.tokens.error(back, message));
            }
            if self.conditions.iter().all(|&(known, _)| known != group) {
                self.conditions.push((group, self.tokens.tell() - back));
            }
            group
        } else {
            self.tokens.check_group_name(&name)?;
            self.named_group(&name)?
        };
        self.check_behind(group)?;
        if depth >= DEPTH {
            return Err(self.tokens.error(1, format!("groups are nested more than {DEPTH} deep")));
        }
        let yes = self.sequence(&mut flags, depth + 1, false)?;
        let mut no = Vec::new();
        if self.tokens.accept('|')? {
            no = self.sequence(&mut flags, depth + 1, false)?;
            if self.tokens.next == Some(Token::Char('|')) {
                return Err(self.tokens.error(0, "conditional backref with more than two branches"));
            }
        }
        self.close(start)?;
        Ok(Node::Conditional { group, yes, no })
    }
}
