//! Values of records → JSON text, with what was redacted or dropped in them.
//!
//! The bytes come from memory that the recorded program could have written over: every length is checked, and
//! what cannot be read makes the whole value `{"$corrupt":true}`.

mod bytes;
mod containers;
mod scalars;

use std::io::Write;

use bytes::{append, append_number};

use super::ids::{Numbers, object_key};
use super::names::{Name, Names, TypeName};
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
    pub fn value(&mut self, body: &[u8], out: &mut Vec<u8>, found: &mut Vec<Found>) -> Read<()> {
        self.whole(body, out, found, |reader| match reader.value(0)? {
            Put::Written => Ok(()),
            Put::Dropped => {
                reader.put(r#"{"$dropped":true}"#);
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
        out: &mut Vec<u8>,
        found: &mut Vec<Found>,
    ) -> Read<()> {
        self.whole(body, out, found, |reader| {
            let count = usize::from(u16::from_le_bytes(reader.take()?));
            let parameters = parameters.get(..count).ok_or(Corrupt)?;
            reader.out.push(b'{');
            reader.fields(parameters, 0, false)?;
            reader.out.push(b'}');
            Ok(())
        })
    }

    fn whole(
        &mut self,
        body: &[u8],
        out: &mut Vec<u8>,
        found: &mut Vec<Found>,
        read: impl Fn(&mut Reader) -> Read<()>,
    ) -> Read<()> {
        let (start, places) = (out.len(), found.len());
        // Hardly any value has a place that is redacted, so where one stands is followed on a second reading only.
        let mut path = None;
        let done = loop {
            let (names, id_limit) = (self.names, self.id_limit);
            let mut reader =
                Reader { body, names, ids: self.ids, id_limit, out, found, path, wants_path: false };
            // What is left is the padding of the record's last word.
            let done = read(&mut reader).and_then(|()| {
                let rest = reader.body;
                if rest.len() < 8 && rest.iter().all(|&byte| byte == 0) { Ok(()) } else { Err(Corrupt) }
            });
            if !reader.wants_path {
                break done;
            }
            path = Some(String::from("$"));
            out.truncate(start);
        };
        if done.is_err() {
            out.truncate(start);
            found.truncate(places);
            out.extend_from_slice(CORRUPT.as_bytes());
        }
        done
    }
}

struct Reader<'a> {
    body: &'a [u8],
    names: &'a Names,
    ids: &'a mut Numbers,
    id_limit: usize,
    out: &'a mut Vec<u8>,
    found: &'a mut Vec<Found>,
    /// Where the value stands that is read now, if that is followed.
    path: Option<String>,
    /// It is not, and was asked for.
    wants_path: bool,
}

impl<'a> Reader<'a> {
    fn type_name(&mut self) -> Read<&'a str> {
        let id = self.u32()?;
        self.names.types.get(id).map(TypeName::quoted).ok_or(Corrupt)
    }

    /// Writes `{"$type":…,"$id":…`.
    #[inline]
    fn object(&mut self) -> Read<()> {
        let (kind, address) = self.which()?;
        let name = self.names.types.get(kind).ok_or(Corrupt)?;
        let number = self.ids.number(object_key(kind, address), false, self.id_limit);
        self.put(name.object());
        self.integer(number.into());
        Ok(())
    }

    #[inline(always)]
    fn put(&mut self, text: &str) {
        append(self.out, text.as_bytes());
    }

    /// Most of what values are made of: worth more than the general way to format.
    #[inline]
    fn integer(&mut self, number: i64) {
        match u8::try_from(number) {
            Ok(digit @ 0..=9) => self.out.push(b'0' + digit),
            _ => append_number(self.out, number),
        }
    }

    fn format(&mut self, text: std::fmt::Arguments) {
        // Writing to memory cannot fail.
        let _ = self.out.write_fmt(text);
    }

    /// `,"$cut":` and how much there was in all.
    fn cut(&mut self, total: u32) {
        self.put(r#","$cut":"#);
        self.integer(total.into());
    }

    fn value(&mut self, depth: usize) -> Read<Put> {
        if depth > DEEPEST {
            return Err(Corrupt);
        }
        match self.u8()? {
            tag::NONE => self.put("null"),
            tag::TRUE => self.put("true"),
            tag::FALSE => self.put("false"),
            tag::INT8 => {
                let number = i8::from_le_bytes(self.take()?);
                self.integer(number.into());
            }
            tag::INT16 => {
                let number = i16::from_le_bytes(self.take()?);
                self.integer(number.into());
            }
            tag::INT32 => {
                let number = i32::from_le_bytes(self.take()?);
                self.integer(number.into());
            }
            tag::INT64 => {
                let number = i64::from_le_bytes(self.take()?);
                self.integer(number);
            }
            kind @ (tag::STR_ASCII | tag::STR_1 | tag::STR_2 | tag::STR_4 | tag::KEY) => {
                let text = self.text(kind)?;
                self.write_text(&text);
            }
            kind @ (tag::OBJECT | tag::FIELDS | tag::FIELDS_DYNAMIC) => {
                self.object()?;
                self.members(kind, depth)?;
                self.out.push(b'}');
            }
            tag::SIZED => {
                self.object()?;
                self.put(r#","$len":"#);
                let length = self.u32()?;
                self.integer(length.into());
                self.out.push(b'}');
            }
            tag::CONTAINER => {
                let (name, length) = (self.type_name()?, self.u32()?);
                self.put(r#"{"$type":"#);
                self.put(name);
                self.put(r#","$len":"#);
                self.integer(length.into());
                self.out.push(b'}');
            }
            tag::LIST => self.list(depth)?,
            tag::TUPLE => self.named_sequence(r#"{"$tuple":"#, depth)?,
            tag::SET => self.named_sequence(r#"{"$set":"#, depth)?,
            tag::FROZENSET => self.named_sequence(r#"{"$frozenset":"#, depth)?,
            tag::DICT => self.dict(depth)?,
            tag::EXTENDS => self.extends(depth)?,
            tag::MISSING => return Ok(Put::Missing),
            tag::STOP => return Ok(Put::Stop),
            tag::DROPPED => {
                self.place(true)?;
                return Ok(Put::Dropped);
            }
            other => self.seldom(other, depth)?,
        }
        Ok(Put::Written)
    }

    /// Values that few programs have many of.
    fn seldom(&mut self, kind: u8, depth: usize) -> Read<()> {
        match kind {
            tag::BIGINT => self.big_int()?,
            tag::FLOAT => {
                let number = self.f64()?;
                self.float(number);
            }
            tag::COMPLEX => {
                let (real, imaginary) = (self.f64()?, self.f64()?);
                self.put(r#"{"$complex":["#);
                self.float(real);
                self.out.push(b',');
                self.float(imaginary);
                self.put("]}");
            }
            tag::ELLIPSIS => self.put(r#"{"$const":"Ellipsis"}"#),
            tag::NOT_IMPLEMENTED => self.put(r#"{"$const":"NotImplemented"}"#),
            tag::BYTES => self.byte_string("$bytes")?,
            tag::BYTEARRAY => self.byte_string("$bytearray")?,
            tag::TEXT => {
                let name = self.type_name()?;
                self.format(format_args!(r#"{{"$type":{name},"$value":"#));
                self.string()?;
                self.out.push(b'}');
            }
            tag::ARRAY => self.array(depth)?,
            tag::CYCLE => {
                let levels = self.u8()?;
                self.format(format_args!(r#"{{"$cycle":{levels}}}"#));
            }
            tag::REDACTED => {
                self.place(false)?;
                let name = self.type_name()?;
                self.format(format_args!(r#"{{"$redacted":true,"$type":{name}}}"#));
            }
            tag::UNREAD => {
                let name = self.type_name()?;
                let why = match self.u8()? {
                    unread::UNDECIDED => "undecided",
                    unread::LAYOUT => "layout",
                    _ => return Err(Corrupt),
                };
                self.format(format_args!(r#"{{"$type":{name},"$unread":"{why}"}}"#));
            }
            _ => return Err(Corrupt),
        }
        Ok(())
    }

    fn place(&mut self, dropped: bool) -> Read<()> {
        let (kind, secret) = (self.u8()?, self.u8()?);
        let (rule, pattern) = (self.u32()?, self.u32()?);
        if usize::from(kind) >= crate::wire::value_kind::NAMES.len() {
            return Err(Corrupt);
        }
        let Some(path) = self.path.clone() else {
            self.wants_path = true;
            return Err(Corrupt);
        };
        self.found.push(Found { path, kind, dropped, rule, pattern, secret: secret != 0 });
        Ok(())
    }

    /// Reads a value one level down, whose place `step` appends to the path.
    #[inline(always)]
    fn below(&mut self, depth: usize, step: impl FnOnce(&mut String, &[u8])) -> Read<Put> {
        let Some(path) = &mut self.path else { return self.value(depth + 1) };
        let length = path.len();
        step(path, self.out);
        let put = self.value(depth + 1);
        if let Some(path) = &mut self.path {
            path.truncate(length);
        }
        put
    }
}

#[cfg(test)]
mod tests;
