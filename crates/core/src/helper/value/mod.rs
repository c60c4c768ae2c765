//! Values of records → JSON text, with what was redacted or dropped in them.
//!
//! The bytes come from memory that the recorded program could have written over: every length is checked, and
//! what cannot be read makes the whole value `{"$corrupt":true}`.

mod containers;
mod scalars;

use std::fmt::Write;

use super::ids::{Numbers, object_key};
use super::names::{Name, Names};
use crate::wire::{tag, unread};

/// What stands for a value that cannot be read.
pub const CORRUPT: &str = r#"{"$corrupt":true}"#;
/// No recorder nests deeper; a value that does is damage.
const DEEPEST: usize = 200;

/// A place in a value that was redacted or dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: String,
    /// Number of [`crate::wire::value_kind::NAMES`].
    pub kind: u8,
    pub dropped: bool,
    pub rule: u32,
    pub pattern: u32,
    pub secret: bool,
}

#[derive(Debug)]
pub struct Corrupt;

type Read<T> = Result<T, Corrupt>;

/// What became of a value.
enum Put {
    Written,
    /// Nothing was written: it is unset.
    Missing,
    /// Nothing was written: a rule drops it.
    Dropped,
    /// Nothing was written: its holder ends here.
    Stop,
}

/// What decoding needs besides the bytes.
pub struct Decoder<'a> {
    pub names: &'a Names,
    pub ids: &'a mut Numbers,
    /// How many objects are remembered (see [`Numbers::number`]).
    pub id_limit: usize,
}

impl Decoder<'_> {
    /// Writes one value.
    pub fn value(&mut self, body: &[u8], out: &mut String, found: &mut Vec<Found>) -> Read<()> {
        self.whole(body, out, found, |reader| match reader.value(0)? {
            Put::Written => Ok(()),
            Put::Dropped => {
                reader.out.push_str(r#"{"$dropped":true}"#);
                Ok(())
            }
            Put::Missing | Put::Stop => Err(Corrupt),
        })
    }

    /// Writes the arguments of a call: one object, with the names of the parameters.
    pub fn arguments(
        &mut self,
        parameters: &[Name],
        body: &[u8],
        out: &mut String,
        found: &mut Vec<Found>,
    ) -> Read<()> {
        self.whole(body, out, found, |reader| {
            let count = usize::from(u16::from_le_bytes(reader.take()?));
            let parameters = parameters.get(..count).ok_or(Corrupt)?;
            reader.out.push('{');
            reader.fields(parameters, 0, false)?;
            reader.out.push('}');
            Ok(())
        })
    }

    fn whole(
        &mut self,
        body: &[u8],
        out: &mut String,
        found: &mut Vec<Found>,
        read: impl FnOnce(&mut Reader) -> Read<()>,
    ) -> Read<()> {
        let (start, places) = (out.len(), found.len());
        let mut reader = Reader {
            body,
            names: self.names,
            ids: self.ids,
            id_limit: self.id_limit,
            out,
            found,
            path: String::from("$"),
        };
        // What is left is the padding of the record's last word.
        let done = read(&mut reader).and_then(|()| {
            let rest = reader.body;
            if rest.len() < 8 && rest.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(Corrupt) }
        });
        if done.is_err() {
            out.truncate(start);
            found.truncate(places);
            out.push_str(CORRUPT);
        }
        done
    }
}

struct Reader<'a> {
    body: &'a [u8],
    names: &'a Names,
    ids: &'a mut Numbers,
    id_limit: usize,
    out: &'a mut String,
    found: &'a mut Vec<Found>,
    /// Where the value stands that is read now.
    path: String,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.body.split_first_chunk::<N>().ok_or(Corrupt)?;
        self.body = rest;
        Ok(*bytes)
    }

    fn bytes(&mut self, count: usize) -> Read<&'a [u8]> {
        let (bytes, rest) = self.body.split_at_checked(count).ok_or(Corrupt)?;
        self.body = rest;
        Ok(bytes)
    }

    fn u8(&mut self) -> Read<u8> {
        Ok(self.take::<1>()?[0])
    }

    fn u32(&mut self) -> Read<u32> {
        Ok(u32::from_le_bytes(self.take()?))
    }

    fn u64(&mut self) -> Read<u64> {
        Ok(u64::from_le_bytes(self.take()?))
    }

    fn f64(&mut self) -> Read<f64> {
        Ok(f64::from_le_bytes(self.take()?))
    }

    fn peek(&self) -> Read<u8> {
        self.body.first().copied().ok_or(Corrupt)
    }

    fn type_name(&mut self) -> Read<&'a str> {
        let id = self.u32()?;
        self.names.types.get(id).map(|name| &**name).ok_or(Corrupt)
    }

    /// A type and an address: writes `{"$type":…,"$id":…`.
    fn object(&mut self) -> Read<()> {
        let kind = self.u32()?;
        let name = self.names.types.get(kind).ok_or(Corrupt)?;
        let key = object_key(kind, self.u64()?);
        let number = self.ids.number(key, false, self.id_limit);
        self.out.push_str(r#"{"$type":"#);
        self.out.push_str(name);
        self.out.push_str(r#","$id":"#);
        self.integer(number as i64);
        Ok(())
    }

    /// Most of what values are made of: worth more than the general way to format.
    fn integer(&mut self, number: i64) {
        self.out.push_str(itoa::Buffer::new().format(number));
    }

    fn put(&mut self, text: std::fmt::Arguments) {
        // Writing to a string cannot fail.
        let _ = self.out.write_fmt(text);
    }

    fn value(&mut self, depth: usize) -> Read<Put> {
        if depth > DEEPEST {
            return Err(Corrupt);
        }
        match self.u8()? {
            tag::NONE => self.out.push_str("null"),
            tag::TRUE => self.out.push_str("true"),
            tag::FALSE => self.out.push_str("false"),
            tag::INT8 => {
                let number = i8::from_le_bytes(self.take()?);
                self.integer(number.into());
            }
            tag::INT64 => {
                let number = i64::from_le_bytes(self.take()?);
                self.integer(number);
            }
            tag::BIGINT => self.big_int()?,
            tag::FLOAT => {
                let number = self.f64()?;
                self.float(number);
            }
            tag::COMPLEX => {
                let (real, imaginary) = (self.f64()?, self.f64()?);
                self.out.push_str(r#"{"$complex":["#);
                self.float(real);
                self.out.push(',');
                self.float(imaginary);
                self.out.push_str("]}");
            }
            tag::ELLIPSIS => self.out.push_str(r#"{"$const":"Ellipsis"}"#),
            tag::NOT_IMPLEMENTED => self.out.push_str(r#"{"$const":"NotImplemented"}"#),
            kind @ (tag::STR_ASCII | tag::STR_1 | tag::STR_2 | tag::STR_4 | tag::KEY) => {
                let text = self.text(kind)?;
                self.write_text(&text);
            }
            tag::BYTES => self.byte_string("$bytes")?,
            tag::BYTEARRAY => self.byte_string("$bytearray")?,
            tag::LIST => self.sequence(None, depth)?,
            tag::TUPLE => self.sequence(Some("$tuple"), depth)?,
            tag::SET => self.sequence(Some("$set"), depth)?,
            tag::FROZENSET => self.sequence(Some("$frozenset"), depth)?,
            tag::DICT => self.dict(depth)?,
            kind @ (tag::OBJECT | tag::FIELDS | tag::FIELDS_DYNAMIC) => {
                self.object()?;
                self.members(kind, depth)?;
                self.out.push('}');
            }
            tag::EXTENDS => self.extends(depth)?,
            tag::TEXT => {
                let name = self.type_name()?;
                self.put(format_args!(r#"{{"$type":{name},"$value":"#));
                self.string()?;
                self.out.push('}');
            }
            tag::ARRAY => self.array(depth)?,
            tag::CONTAINER => {
                let name = self.type_name()?;
                let (_address, length) = (self.u64()?, self.u32()?);
                self.put(format_args!(r#"{{"$type":{name},"$len":{length}}}"#));
            }
            tag::CYCLE => {
                let levels = self.u8()?;
                self.put(format_args!(r#"{{"$cycle":{levels}}}"#));
            }
            tag::MISSING => return Ok(Put::Missing),
            tag::STOP => return Ok(Put::Stop),
            tag::REDACTED => {
                self.place(false)?;
                let name = self.type_name()?;
                self.put(format_args!(r#"{{"$redacted":true,"$type":{name}}}"#));
            }
            tag::DROPPED => {
                self.place(true)?;
                return Ok(Put::Dropped);
            }
            tag::UNREAD => {
                let name = self.type_name()?;
                let why = match self.u8()? {
                    unread::UNDECIDED => "undecided",
                    unread::LAYOUT => "layout",
                    _ => return Err(Corrupt),
                };
                self.put(format_args!(r#"{{"$type":{name},"$unread":"{why}"}}"#));
            }
            _ => return Err(Corrupt),
        }
        Ok(Put::Written)
    }

    fn place(&mut self, dropped: bool) -> Read<()> {
        let (kind, secret) = (self.u8()?, self.u8()?);
        let (rule, pattern) = (self.u32()?, self.u32()?);
        if usize::from(kind) >= crate::wire::value_kind::NAMES.len() {
            return Err(Corrupt);
        }
        let path = self.path.clone();
        self.found.push(Found { path, kind, dropped, rule, pattern, secret: secret != 0 });
        Ok(())
    }
}

#[cfg(test)]
mod tests;
