//! Flags inside a pattern: `(?i)`, `(?a-m:…)`.

use super::tokens::{Token, Tokens};
use super::{Error, Flags};

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct FlagSet(u8);

const IGNORE_CASE: u8 = 1;
const MULTILINE: u8 = 2;
const DOTALL: u8 = 4;
const VERBOSE: u8 = 8;
const ASCII: u8 = 16;
const UNICODE: u8 = 32;
const LOCALE: u8 = 64;
/// Only one of these may hold at a place.
const TYPES: u8 = ASCII | UNICODE | LOCALE;

pub(super) enum Inline {
    Global(FlagSet),
    Scoped { add: FlagSet, remove: FlagSet },
}

impl FlagSet {
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub fn unicode(self) -> bool {
        self.0 & UNICODE != 0
    }

    fn write(self, value: bool, flags: &mut Flags) {
        let fields = [
            (IGNORE_CASE, &mut flags.ignore_case),
            (MULTILINE, &mut flags.multiline),
            (DOTALL, &mut flags.dotall),
            (VERBOSE, &mut flags.verbose),
            (ASCII, &mut flags.ascii),
        ];
        for (bit, field) in fields {
            if self.0 & bit != 0 {
                *field = value;
            }
        }
    }

    pub fn add_to(self, flags: &mut Flags) {
        self.write(true, flags);
    }

    /// Like `add_to`, for a group: `u` takes `a` away there.
    pub fn scope_to(self, flags: &mut Flags) {
        flags.ascii &= !self.unicode();
        self.write(true, flags);
    }

    pub fn remove_from(self, flags: &mut Flags) {
        self.write(false, flags);
    }
}

fn bit(c: char) -> Option<u8> {
    Some(match c {
        'i' => IGNORE_CASE,
        'm' => MULTILINE,
        's' => DOTALL,
        'x' => VERBOSE,
        'a' => ASCII,
        'u' => UNICODE,
        'L' => LOCALE,
        _ => return None,
    })
}

/// Whether flags can begin with this character.
pub(super) fn begins(c: char) -> bool {
    c == '-' || bit(c).is_some()
}

/// The flags from `first`, which is already taken, up to the `)` or `:` that ends them.
pub(super) fn parse(tokens: &mut Tokens, first: char) -> Result<Inline, Error> {
    let (mut add, mut remove) = (0, 0);
    let mut c = first;
    while let Some(flag) = bit(c) {
        if flag == LOCALE {
            return Err(tokens.error(0, "bad inline flags: cannot use 'L' flag with a str pattern"));
        }
        add |= flag;
        if flag & TYPES != 0 && add & TYPES != flag {
            let message = "bad inline flags: flags 'a', 'u' and 'L' are incompatible";
            return Err(tokens.error(0, message));
        }
        c = next(tokens, "missing -, : or )", |c| matches!(c, ')' | '-' | ':'))?;
    }
    if c == ')' {
        return Ok(Inline::Global(FlagSet(add)));
    }
    if c == '-' {
        c = next(tokens, "missing flag", |_| false)?;
        while let Some(flag) = bit(c) {
            if flag & TYPES != 0 {
                let message = "bad inline flags: cannot turn off flags 'a', 'u' and 'L'";
                return Err(tokens.error(0, message));
            }
            remove |= flag;
            c = next(tokens, "missing :", |c| c == ':')?;
        }
    }
    if add & remove != 0 {
        return Err(tokens.error(1, "bad inline flags: flag turned on and off"));
    }
    Ok(Inline::Scoped { add: FlagSet(add), remove: FlagSet(remove) })
}

/// The next flag, or a character that ends the flags here; `missing` says what else could have stood there.
fn next(tokens: &mut Tokens, missing: &str, ends: impl Fn(char) -> bool) -> Result<char, Error> {
    match tokens.get()? {
        None => Err(tokens.error(0, missing)),
        Some(Token::Char(c)) if ends(c) || bit(c).is_some() => Ok(c),
        Some(Token::Char(c)) if c.is_alphabetic() => Err(tokens.error(1, "unknown flag")),
        Some(token) => Err(tokens.error(token.len(), missing)),
    }
}
