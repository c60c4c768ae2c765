//! What travels through a ring: the records that the recorder writes and the helper reads.
//!
//! A record is a whole number of 8-byte words, little-endian, and never straddles the end of the ring. Its
//! first word is the header:
//!
//! ```text
//! bits 0..8   kind          bits 16..32  length of the record in words, this one included
//! bits 8..16  flags         bits 32..64  id (what it names depends on the kind)
//! ```
//!
//! The second word is the time in ticks (see [`crate::arena::Clock`]), except for `PAD`, which is a lone header
//! and means "go on at the start of the ring".
//!
//! | kind | id | words after the time |
//! |---|---|---|
//! | `CALL` | code | frame, task if `TASK`, then if `VALUE`: argument count (u16) and so many values |
//! | `RESUME` | code | frame, task if `TASK` |
//! | `RETURN`, `YIELD` | code | frame, one value if `VALUE` |
//! | `THROW` | code | frame, exception, one value if `VALUE` |
//! | `RAISE`, `RERAISE`, `HANDLED`, `UNWIND` | code | frame, exception, line, one value if `VALUE` |
//! | `THREAD` | thread | – (the records that follow belong to this thread, until the next `THREAD`) |
//! | `DEF_CODE` | code | see [`CodeDef`] |
//! | `DEF_TYPE` | type | string: `module.qualname` |
//! | `DEF_SHAPE` | shape | u16 count, so many strings: the names of fields, in order |
//! | `DEF_KEY` | key | string |
//! | `END` | how ([`end`]) | exit status (i64) |
//!
//! `frame`, `exception` and `task` are identities: addresses (a counter for the task) that are valid while the
//! thing lives; the helper turns them into numbers and writes them nowhere. Code, type, shape and key ids are
//! counters of one process; a definition comes before its first use. A forked child begins anew with both.
//!
//! `CALL`'s arguments come in the order of the code's parameter names. A value is a tag byte and what the tag
//! asks for, without alignment; the rest of the record's last word is zero. A string in a definition is a u32
//! length and UTF-8.

/// Kinds of records.
pub mod kind {
    pub const PAD: u8 = 0;
    pub const CALL: u8 = 1;
    pub const RETURN: u8 = 2;
    pub const YIELD: u8 = 3;
    pub const RESUME: u8 = 4;
    pub const THROW: u8 = 5;
    pub const RAISE: u8 = 6;
    pub const RERAISE: u8 = 7;
    pub const HANDLED: u8 = 8;
    pub const UNWIND: u8 = 9;
    pub const THREAD: u8 = 10;
    pub const DEF_CODE: u8 = 11;
    pub const DEF_TYPE: u8 = 12;
    pub const DEF_SHAPE: u8 = 13;
    pub const DEF_KEY: u8 = 14;
    pub const END: u8 = 15;
}

/// Flags of a record.
pub mod flag {
    /// A value (for `CALL`: the arguments) is there.
    pub const VALUE: u8 = 1;
    /// A task word is there: the number of the asyncio task, counted from 1 in the process; 0 for none.
    pub const TASK: u8 = 2;
    /// The exception was not seen before in its present flight: it gets a new number.
    pub const NEW: u8 = 4;
}

/// How a process ended its part of the recording (the id of `END`).
pub mod end {
    /// The interpreter finished; the exit status is known.
    pub const EXIT: u32 = 0;
    /// `stop()` was called; the process goes on.
    pub const STOP: u32 = 1;
}

/// Tags of values. `type` is a type id (u32); `object` says which one, see [`object`].
pub mod tag {
    pub const NONE: u8 = 0;
    pub const TRUE: u8 = 1;
    pub const FALSE: u8 = 2;
    /// i8
    pub const INT8: u8 = 3;
    /// i64
    pub const INT64: u8 = 4;
    /// negative (u8), bits in all (u32), kept bytes (u16), so many bytes of the magnitude, least significant
    /// first. When fewer bytes are kept than the number has, only its size is told.
    pub const BIGINT: u8 = 5;
    /// f64
    pub const FLOAT: u8 = 6;
    /// two f64
    pub const COMPLEX: u8 = 7;
    pub const ELLIPSIS: u8 = 8;
    pub const NOT_IMPLEMENTED: u8 = 9;
    /// length (u8), so many bytes of ASCII; whole
    pub const STR_ASCII: u8 = 10;
    /// length in all and kept (two u32, code points), kept bytes of Latin-1
    pub const STR_1: u8 = 11;
    /// the same, two bytes a code point
    pub const STR_2: u8 = 12;
    /// the same, four bytes a code point
    pub const STR_4: u8 = 13;
    /// length in all and kept (two u32), the bytes
    pub const BYTES: u8 = 14;
    pub const BYTEARRAY: u8 = 15;
    /// key id (u32): a string that was defined by `DEF_KEY`
    pub const KEY: u8 = 16;
    /// items in all and kept (two u32), the items
    pub const LIST: u8 = 17;
    pub const TUPLE: u8 = 18;
    pub const SET: u8 = 19;
    pub const FROZENSET: u8 = 20;
    /// entries in all and kept (two u32), key and value in turn
    pub const DICT: u8 = 21;
    /// object: of which no more is told (the receiver, or below the depth that is read)
    pub const OBJECT: u8 = 22;
    /// object, shape (u32), a value for each name of the shape (`MISSING` where it is unset)
    pub const FIELDS: u8 = 23;
    /// object, fields in all and kept (two u32), key and value in turn
    pub const FIELDS_DYNAMIC: u8 = 24;
    /// object, a builtin value that it extends (a subclass of list, str, int …), and then its
    /// fields (`FIELDS` or `FIELDS_DYNAMIC` of the same object) or `MISSING`
    pub const EXTENDS: u8 = 25;
    /// type, a string value: a well-known type as text (`datetime`, `Decimal`, `Path` …)
    pub const TEXT: u8 = 26;
    /// object, dtype (a string value), dimensions (u8), so many u64, items kept (u32), the items
    pub const ARRAY: u8 = 27;
    /// type, items in all (u32): a builtin container below the depth that is read
    pub const CONTAINER: u8 = 28;
    /// a container that holds itself: how many levels up it stands (u8)
    pub const CYCLE: u8 = 29;
    /// no value here: an unset field or an unbound parameter
    pub const MISSING: u8 = 30;
    /// kind of value ([`value_kind`], u8), secret (u8), rule (u32), pattern (u32), type: name and type stay
    pub const REDACTED: u8 = 31;
    /// kind of value (u8), secret (u8), rule (u32), pattern (u32): absent from its holder
    pub const DROPPED: u8 = 32;
    /// type, why ([`unread`], u8): it could not be decided or read, and so was not captured
    pub const UNREAD: u8 = 33;
    /// nothing more of the holder was read, because the bound of bytes was met: stands in place of an item or
    /// a key; the holder has no entries after it, whatever its count says
    pub const STOP: u8 = 34;
    /// i16
    pub const INT16: u8 = 35;
    /// i32
    pub const INT32: u8 = 36;
    /// object, items in all (u32): an object that extends a container, below the depth that is read
    pub const SIZED: u8 = 37;
}

/// An object by type and address: in one word where they fit, as they nearly always do; else `LONG`, the type (u32) and
/// the address (u64).
pub mod object {
    const TYPE_SHIFT: u32 = 48;
    /// What the type's place holds when both follow.
    pub const LONG: u64 = 0xffff << TYPE_SHIFT;

    #[inline(always)]
    pub const fn word(kind: u32, address: u64) -> Option<u64> {
        let fits = kind < 0xffff && address >> TYPE_SHIFT == 0;
        if fits { Some((kind as u64) << TYPE_SHIFT | address) } else { None }
    }

    /// Type and address of a word that is not `LONG`.
    #[inline(always)]
    pub const fn parts(word: u64) -> (u32, u64) {
        ((word >> TYPE_SHIFT) as u32, word & ((1 << TYPE_SHIFT) - 1))
    }
}

/// Why a value is `UNREAD`.
pub mod unread {
    /// The policy could not be decided for it (a pattern met its bound of work).
    pub const UNDECIDED: u8 = 0;
    /// The layout of the object or frame is not known on this interpreter.
    pub const LAYOUT: u8 = 1;
}

/// What a redacted or dropped value was, as the counters of the trace name it.
pub mod value_kind {
    pub const ARGUMENT: u8 = 0;
    pub const LOCAL: u8 = 1;
    pub const GLOBAL: u8 = 2;
    pub const RETURN: u8 = 3;
    pub const ATTRIBUTE: u8 = 4;
    /// Whatever else it is: its type decided.
    pub const TYPE: u8 = 5;
    /// Names in the trace, by number.
    pub const NAMES: [&str; 6] = ["argument", "local", "global", "return", "attribute", "type"];
}

/// "No rule" or "no pattern": the chain's default decided, or the rule's own default did.
pub const NONE_ID: u32 = u32::MAX;

/// No record is longer (bytes). The writer makes sure of so much room before it begins one.
pub const MAX_RECORD: usize = 64 * 1024;

/// Makes the header word of a record of `words` words.
#[inline(always)]
pub const fn header(kind: u8, flags: u8, words: usize, id: u32) -> u64 {
    kind as u64 | (flags as u64) << 8 | ((words as u64) & 0xffff) << 16 | (id as u64) << 32
}

/// A header word taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub kind: u8,
    pub flags: u8,
    pub words: usize,
    pub id: u32,
}

impl Header {
    #[inline(always)]
    pub const fn parse(word: u64) -> Header {
        Header {
            kind: word as u8,
            flags: (word >> 8) as u8,
            words: (word >> 16) as usize & 0xffff,
            id: (word >> 32) as u32,
        }
    }
}

/// The body of a `DEF_CODE` record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct CodeDef {
    /// Bits of [`code_flag`].
    pub flags: u32,
    pub first_line: u32,
    /// The rule that decided whether it is traced, by its number in the chain, or [`NONE_ID`]: the default.
    pub rule: u32,
    pub module: String,
    pub qualname: String,
    /// The file as it is shown: relative to the project root, or absolute with the home directory as `~`.
    pub file: String,
    /// The parameters, in the order of the arguments of `CALL`.
    pub parameters: Vec<String>,
}

pub mod code_flag {
    pub const TRACED: u32 = 1;
    pub const GENERATOR: u32 = 2;
    pub const COROUTINE: u32 = 4;
    pub const ASYNC_GENERATOR: u32 = 8;
    /// The verdict could not be decided: not captured.
    pub const UNDECIDED: u32 = 16;
}

impl CodeDef {
    /// Appends the body (flags, first line, rule: u32 each; module, qualname, file; u16 count and parameters).
    pub fn encode(&self, out: &mut Vec<u8>) {
        for number in [self.flags, self.first_line, self.rule] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        for text in [&self.module, &self.qualname, &self.file] {
            put_str(out, text);
        }
        put_strs(out, &self.parameters);
    }

    /// Reads the body back; `None` when it is cut or not UTF-8.
    pub fn decode(mut body: &[u8]) -> Option<CodeDef> {
        let body = &mut body;
        Some(CodeDef {
            flags: take_u32(body)?,
            first_line: take_u32(body)?,
            rule: take_u32(body)?,
            module: take_str(body)?,
            qualname: take_str(body)?,
            file: take_str(body)?,
            parameters: take_strs(body)?,
        })
    }
}

/// Appends a string of a definition.
pub fn put_str(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Appends a counted list of strings (`DEF_SHAPE`, parameters).
pub fn put_strs(out: &mut Vec<u8>, texts: &[String]) {
    out.extend_from_slice(&(texts.len() as u16).to_le_bytes());
    for text in texts {
        put_str(out, text);
    }
}

pub fn take_u32(body: &mut &[u8]) -> Option<u32> {
    let (number, rest) = body.split_first_chunk::<4>()?;
    *body = rest;
    Some(u32::from_le_bytes(*number))
}

pub fn take_str(body: &mut &[u8]) -> Option<String> {
    let length = take_u32(body)? as usize;
    let (text, rest) = body.split_at_checked(length)?;
    *body = rest;
    Some(std::str::from_utf8(text).ok()?.to_owned())
}

pub fn take_strs(body: &mut &[u8]) -> Option<Vec<String>> {
    let (count, rest) = body.split_first_chunk::<2>()?;
    *body = rest;
    (0..u16::from_le_bytes(*count)).map(|_| take_str(body)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A header says the same after a round trip.
    #[test]
    fn header_round_trip() {
        let word = header(kind::UNWIND, flag::VALUE | flag::NEW, 0xffff, 0xdead_beef);
        let expected =
            Header { kind: kind::UNWIND, flags: flag::VALUE | flag::NEW, words: 0xffff, id: 0xdead_beef };
        assert_eq!(Header::parse(word), expected);
    }

    /// A code definition says the same after a round trip, and a cut one is refused.
    #[test]
    fn code_round_trip() {
        let code = CodeDef {
            flags: code_flag::TRACED,
            first_line: 7,
            rule: NONE_ID,
            module: "häuser.ärzte".into(),
            qualname: "A.f".into(),
            file: "a/b.py".into(),
            parameters: vec!["self".into(), "naïve".into()],
        };
        let mut body = Vec::new();
        code.encode(&mut body);
        assert_eq!(CodeDef::decode(&body), Some(code));
        for cut in 0..body.len() {
            assert_eq!(CodeDef::decode(&body[..cut]), None);
        }
    }
}
