//! From the text of a pattern to its tree, with the errors of `re` at its positions.

use hashbrown::HashMap;

use super::ast::{At, Case, Greed, Node, Repeat, Set, SetItem, Width};
use super::escapes::{self, Escape};
use super::join::{join, push_new, unpack};
use super::tokens::{Token, Tokens};
use super::{Error, Flags};

/// Deeper patterns are refused: the parser and the compiler call themselves once a level. `re` itself gives up
/// between 400 and 500.
pub(super) const DEPTH: u32 = 200;

/// What `re` takes for "without end", and so the first number that a repetition may not have.
const ENDLESS: u64 = u32::MAX as u64;

#[derive(Debug)]
pub(super) struct Parsed {
    pub body: Vec<Node>,
    pub groups: u32,
    pub names: HashMap<String, u32>,
}

pub(super) struct Parser {
    pub tokens: Tokens,
    /// For each group the width of what it matches, once it is closed. Group 0 never is.
    pub groups: Vec<Option<Width>>,
    pub names: HashMap<String, u32>,
    /// Inside a look-behind: how many groups there were when it began.
    pub behind: Option<u32>,
    /// The groups that conditions name by number, and where. They may come later in the pattern.
    pub conditions: Vec<(u32, usize)>,
    /// `(?u)` was given for the whole pattern.
    pub unicode: bool,
}

pub(super) fn parse(pattern: &str, mut flags: Flags) -> Result<Parsed, Error> {
    let mut parser = Parser {
        tokens: Tokens::new(pattern)?,
        groups: vec![None],
        names: HashMap::new(),
        behind: None,
        conditions: Vec::new(),
        unicode: false,
    };
    let body = parser.alternatives(&mut flags, 0)?;
    if flags.ascii && parser.unicode {
        return Err(Error::new(0, "ASCII and UNICODE flags are incompatible"));
    }
    if parser.tokens.next.is_some() {
        return Err(parser.tokens.error(0, "unbalanced parenthesis"));
    }
    let groups = parser.groups.len() as u32;
    for (group, offset) in parser.conditions {
        if group >= groups {
            return Err(Error::new(offset, format!("invalid group reference {group}")));
        }
    }
    Ok(Parsed { body, groups, names: parser.names })
}

fn case(flags: &Flags) -> Case {
    match (flags.ignore_case, flags.ascii) {
        (false, _) => Case::Exact,
        (true, true) => Case::Ascii,
        (true, false) => Case::Unicode,
    }
}

fn literal(code: u32, flags: &Flags) -> Node {
    Node::Literal { code, negate: false, case: case(flags) }
}

impl Parser {
    /// `a|b|c`, up to the end or a closing parenthesis.
    pub fn alternatives(&mut self, flags: &mut Flags, depth: u32) -> Result<Vec<Node>, Error> {
        if depth > DEPTH {
            return Err(self.tokens.error(1, format!("groups are nested more than {DEPTH} deep")));
        }
        let mut branches = Vec::new();
        loop {
            let first = depth == 0 && branches.is_empty();
            branches.push(self.sequence(flags, depth, first)?);
            if !self.tokens.accept('|')? {
                break;
            }
        }
        Ok(join(branches))
    }

    /// What stands between two `|`. `first`: flags for the whole pattern may stand at its beginning.
    pub fn sequence(&mut self, flags: &mut Flags, depth: u32, first: bool) -> Result<Vec<Node>, Error> {
        let mut items: Vec<Node> = Vec::new();
        while let Some(token) = self.tokens.next {
            if matches!(token, Token::Char('|' | ')')) {
                break;
            }
            self.tokens.get()?;
            let c = match token {
                Token::Escape(c) => {
                    items.push(self.escape(c, flags)?);
                    continue;
                }
                Token::Char(c) => c,
            };
            match c {
                ' ' | '\t' | '\n' | '\r' | '\x0b' | '\x0c' if flags.verbose => {}
                '#' if flags.verbose => {
                    while !matches!(self.tokens.get()?, None | Some(Token::Char('\n'))) {}
                }
                '[' => items.push(self.set(flags)?),
                '*' | '+' | '?' | '{' => self.repeat(c, flags, &mut items)?,
                '.' => items.push(Node::Any { newline: flags.dotall }),
                '^' if flags.multiline => items.push(Node::At(At::LineStart)),
                '^' => items.push(Node::At(At::Start)),
                '$' if flags.multiline => items.push(Node::At(At::LineEnd)),
                '$' => items.push(Node::At(At::EndOrLastNewline)),
                '(' => {
                    let may_set_flags = first && items.is_empty();
                    items.extend(self.group(flags, depth, may_set_flags)?);
                }
                c => items.push(literal(u32::from(c), flags)),
            }
        }
        Ok(unpack(items))
    }

    fn escape(&mut self, c: char, flags: &Flags) -> Result<Node, Error> {
        match c {
            'A' => return Ok(Node::At(At::Start)),
            'Z' => return Ok(Node::At(At::End)),
            'b' | 'B' => return Ok(Node::At(At::Boundary { ascii: flags.ascii, negate: c == 'B' })),
            _ => {}
        }
        match escapes::outside(&mut self.tokens, c, flags.ascii)? {
            Escape::Code(code) => Ok(literal(code, flags)),
            Escape::Category(category) => Ok(Node::Set(Set {
                negate: false,
                items: vec![SetItem::Category(category)],
                case: case(flags),
            })),
            Escape::Group(group) => {
                let digits = if group < 10 { 1 } else { 2 };
                if group as usize >= self.groups.len() {
                    return Err(self.tokens.error(digits, format!("invalid group reference {group}")));
                }
                self.backref(group, digits + 1, flags)
            }
        }
    }

    /// A reference to a group that exists; `back`: how long its text is, for an error.
    pub fn backref(&mut self, group: u32, back: usize, flags: &Flags) -> Result<Node, Error> {
        let Some(width) = self.groups[group as usize] else {
            return Err(self.tokens.error(back, "cannot refer to an open group"));
        };
        self.check_behind(group)?;
        Ok(Node::Backref { group, case: case(flags), width })
    }

    /// Inside a look-behind only groups that were closed before it can be referred to.
    pub fn check_behind(&self, group: u32) -> Result<(), Error> {
        let Some(known) = self.behind else { return Ok(()) };
        if self.groups.get(group as usize).copied().flatten().is_none() {
            return Err(self.tokens.error(0, "cannot refer to an open group"));
        }
        if group >= known {
            return Err(self
                .tokens
                .error(0, "cannot refer to group defined in the same lookbehind subpattern"));
        }
        Ok(())
    }

    fn set(&mut self, flags: &Flags) -> Result<Node, Error> {
        let here = self.tokens.tell() - 1;
        let negate = self.tokens.accept('^')?;
        let mut items: Vec<SetItem> = Vec::new();
        loop {
            let this = self.set_token(here)?;
            if this == Token::Char(']') && !items.is_empty() {
                break;
            }
            let low = self.set_item(this, flags)?;
            if !self.tokens.accept('-')? {
                push_new(&mut items, low);
                continue;
            }
            let that = self.set_token(here)?;
            if that == Token::Char(']') {
                push_new(&mut items, low);
                push_new(&mut items, SetItem::Literal(u32::from('-')));
                break;
            }
            let high = self.set_item(that, flags)?;
            match (low, high) {
                (SetItem::Literal(low), SetItem::Literal(high)) if low <= high => {
                    push_new(&mut items, SetItem::Range(low, high));
                }
                _ => {
                    let message = format!("bad character range {}-{}", this.text(), that.text());
                    return Err(self.tokens.error(this.len() + 1 + that.len(), message));
                }
            }
        }
        let case = case(flags);
        Ok(match items[..] {
            [SetItem::Literal(code)] => Node::Literal { code, negate, case },
            _ => Node::Set(Set { negate, items, case }),
        })
    }

    fn set_token(&mut self, here: usize) -> Result<Token, Error> {
        match self.tokens.get()? {
            Some(token) => Ok(token),
            None => Err(Error::new(here, "unterminated character set")),
        }
    }

    fn set_item(&mut self, token: Token, flags: &Flags) -> Result<SetItem, Error> {
        let c = match token {
            Token::Char(c) => return Ok(SetItem::Literal(u32::from(c))),
            Token::Escape(c) => c,
        };
        Ok(match escapes::in_set(&mut self.tokens, c, flags.ascii)? {
            Escape::Category(category) => SetItem::Category(category),
            Escape::Code(code) | Escape::Group(code) => SetItem::Literal(code),
        })
    }

    fn repeat(&mut self, c: char, flags: &Flags, items: &mut Vec<Node>) -> Result<(), Error> {
        let here = self.tokens.tell();
        let (min, max) = match c {
            '?' => (0, Some(1)),
            '*' => (0, None),
            '+' => (1, None),
            _ => match self.bounds(here)? {
                Some(bounds) => bounds,
                None => {
                    items.push(literal(u32::from('{'), flags));
                    return Ok(());
                }
            },
        };
        let item = match items.pop() {
            None | Some(Node::At(_)) => return Err(Error::new(here - 1, "nothing to repeat")),
            Some(Node::Repeat(_)) => return Err(Error::new(here - 1, "multiple repeat")),
            Some(item) => item,
        };
        let greed = if self.tokens.accept('?')? {
            Greed::Lazy
        } else if self.tokens.accept('+')? {
            Greed::Possessive
        } else {
            Greed::Greedy
        };
        items.push(Node::Repeat(Repeat::new(min, max, greed, unpack(vec![item]))));
        Ok(())
    }

    /// What stands in the braces, or `None` when the brace is an ordinary character.
    fn bounds(&mut self, here: usize) -> Result<Option<(u32, Option<u32>)>, Error> {
        let is_digit = |c: char| c.is_ascii_digit();
        if self.tokens.next == Some(Token::Char('}')) {
            return Ok(None);
        }
        let (mut low, mut high) = (String::new(), String::new());
        self.tokens.take_while(usize::MAX, is_digit, &mut low)?;
        if self.tokens.accept(',')? {
            self.tokens.take_while(usize::MAX, is_digit, &mut high)?;
        } else {
            high.clone_from(&low);
        }
        if !self.tokens.accept('}')? {
            self.tokens.seek(here)?;
            return Ok(None);
        }
        let number = |digits: &str| match digits.parse::<u64>() {
            Ok(number) if number < ENDLESS => Ok(number as u32),
            _ => Err(Error::new(here, "the repetition number is too large")),
        };
        let min = if low.is_empty() { 0 } else { number(&low)? };
        let max = if high.is_empty() { None } else { Some(number(&high)?) };
        if max.is_some_and(|max| max < min) {
            return Err(Error::new(here, "min repeat greater than max repeat"));
        }
        Ok(Some((min, max)))
    }
}
