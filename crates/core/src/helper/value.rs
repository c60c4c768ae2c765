//! Values of records → JSON text, with what was redacted or dropped in them.
//!
//! The bytes come from memory that the recorded program could have written over: every length is checked, and
//! what cannot be read makes the whole value `{"$corrupt":true}`.

use std::fmt::Write;

use super::ids::{Numbers, object_key};
use super::names::{Name, Names, write_member, write_step, write_string};
use crate::wire::{tag, unread};

/// What stands for a value that cannot be read.
pub const CORRUPT: &str = r#"{"$corrupt":true}"#;
/// No recorder nests deeper; a value that does is damage.
const DEEPEST: usize = 200;
/// Whole integers are shown up to so many bytes, because turning them into decimals takes time that grows with
/// the square of their length.
const LONGEST_INT: usize = 2_048;

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

/// Text of a value: whether it was cut, and whether it needed escapes.
struct Text {
    text: String,
    cut: Option<u32>,
    escaped: bool,
}

/// Where an entry stands in the output, so that an object can become a list of pairs.
struct Entry {
    key: usize,
    value: usize,
    end: usize,
    doubled: bool,
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
        self.put(format_args!(r#"{{"$type":{name},"$id":{number}"#));
        Ok(())
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
                self.put(format_args!("{number}"));
            }
            tag::INT64 => {
                let number = i64::from_le_bytes(self.take()?);
                self.put(format_args!("{number}"));
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

    fn float(&mut self, number: f64) {
        if number.is_finite() {
            // Debug is the shortest text that reads back the same, always with a point or an exponent.
            self.put(format_args!("{number:?}"));
        } else {
            let name = if number.is_nan() {
                "nan"
            } else if number > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            self.put(format_args!(r#"{{"$float":"{name}"}}"#));
        }
    }

    fn big_int(&mut self) -> Read<()> {
        let negative = self.u8()? != 0;
        let bits = self.u32()?;
        let kept = usize::from(u16::from_le_bytes(self.take()?));
        let magnitude = self.bytes(kept)?;
        if (kept as u64) * 8 < u64::from(bits) || kept > LONGEST_INT {
            self.put(format_args!(r#"{{"$int":null,"$bits":{bits}}}"#));
        } else {
            let sign = if negative { "-" } else { "" };
            let digits = decimal(magnitude);
            self.put(format_args!(r#"{{"$int":"{sign}{digits}"}}"#));
        }
        Ok(())
    }

    /// A string value, its tag included.
    fn string(&mut self) -> Read<()> {
        let kind = self.u8()?;
        let text = self.text(kind)?;
        self.write_text(&text);
        Ok(())
    }

    fn text(&mut self, kind: u8) -> Read<Text> {
        if kind == tag::KEY {
            let id = self.u32()?;
            let key = self.names.keys.get(id).ok_or(Corrupt)?;
            return Ok(Text { text: key.to_string(), cut: None, escaped: false });
        }
        if kind == tag::STR_ASCII {
            let length = usize::from(self.u8()?);
            let bytes = self.bytes(length)?;
            let text = std::str::from_utf8(bytes).map_err(|_| Corrupt)?.to_owned();
            return Ok(Text { text, cut: None, escaped: false });
        }
        let (total, kept) = (self.u32()?, self.u32()? as usize);
        let cut = (kept < total as usize).then_some(total);
        let width = match kind {
            tag::STR_1 => 1,
            tag::STR_2 => 2,
            tag::STR_4 => 4,
            _ => return Err(Corrupt),
        };
        let bytes = self.bytes(kept.checked_mul(width).ok_or(Corrupt)?)?;
        let points = bytes.chunks_exact(width).map(|chunk| match *chunk {
            [a] => u32::from(a),
            [a, b] => u32::from(u16::from_le_bytes([a, b])),
            [a, b, c, d] => u32::from_le_bytes([a, b, c, d]),
            _ => u32::MAX,
        });
        if let Some(text) = points.clone().map(char::from_u32).collect() {
            return Ok(Text { text, cut, escaped: false });
        }
        Ok(Text { text: with_surrogates(points)?, cut, escaped: true })
    }

    fn write_text(&mut self, text: &Text) {
        if text.cut.is_none() && !text.escaped {
            return write_string(self.out, &text.text);
        }
        self.out.push_str(r#"{"$str":"#);
        write_string(self.out, &text.text);
        if let Some(total) = text.cut {
            self.put(format_args!(r#","$cut":{total}"#));
        }
        if text.escaped {
            self.out.push_str(r#","$escaped":true"#);
        }
        self.out.push('}');
    }

    fn byte_string(&mut self, name: &str) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        let bytes = self.bytes(kept as usize)?;
        let mut literal = String::with_capacity(bytes.len() + 8);
        for &byte in bytes {
            // As Rust escapes bytes, Python does: except for the double quote, which needs none between single ones.
            match byte {
                b'"' => literal.push('"'),
                _ => literal.extend(std::ascii::escape_default(byte).map(char::from)),
            }
        }
        self.put(format_args!(r#"{{"{name}":"#));
        write_string(self.out, &literal);
        if kept < total {
            self.put(format_args!(r#","$cut":{total}"#));
        }
        self.out.push('}');
        Ok(())
    }

    /// A list (`name` is none: a plain array when it is whole), tuple, set or frozenset.
    fn sequence(&mut self, name: Option<&str>, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        let start = self.out.len();
        let stopped = self.items(kept, depth)?;
        let cut = kept < total || stopped;
        let name = match name {
            Some(name) => name,
            None if cut => "$list",
            None => return Ok(()),
        };
        self.out.insert_str(start, &format!(r#"{{"{name}":"#));
        if cut {
            self.put(format_args!(r#","$cut":{total}"#));
        }
        self.out.push('}');
        Ok(())
    }

    /// `[…]`; whether a `STOP` ended it.
    fn items(&mut self, kept: u32, depth: usize) -> Read<bool> {
        self.out.push('[');
        let begin = self.out.len();
        let path = self.path.len();
        let mut stopped = false;
        for index in 0..kept {
            let before = self.out.len();
            if before > begin {
                self.out.push(',');
            }
            let _ = write!(self.path, "[{index}]");
            let put = self.value(depth + 1)?;
            self.path.truncate(path);
            match put {
                Put::Written => {}
                Put::Dropped | Put::Missing => self.out.truncate(before),
                Put::Stop => {
                    self.out.truncate(before);
                    stopped = true;
                    break;
                }
            }
        }
        self.out.push(']');
        Ok(stopped)
    }

    fn dict(&mut self, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        self.out.push('{');
        self.entries(kept, total, depth, true)?;
        self.out.push('}');
        Ok(())
    }

    /// The fields of a shape or the arguments of a call, as members of an object that is open; `more` when it
    /// has members already.
    fn fields(&mut self, names: &[Name], depth: usize, mut more: bool) -> Read<()> {
        let path = self.path.len();
        for name in names {
            let before = self.out.len();
            if more {
                self.out.push(',');
            }
            self.out.push_str(&name.member);
            self.path.push_str(&name.step);
            let put = self.value(depth + 1)?;
            self.path.truncate(path);
            match put {
                Put::Written => more = true,
                Put::Dropped | Put::Missing => self.out.truncate(before),
                Put::Stop => {
                    self.out.truncate(before);
                    let comma = if more { "," } else { "" };
                    self.put(format_args!(r#"{comma}"$cut":{}"#, names.len()));
                    break;
                }
            }
        }
        Ok(())
    }

    /// What an object shows after its type and number.
    fn members(&mut self, kind: u8, depth: usize) -> Read<()> {
        match kind {
            tag::FIELDS => {
                let id = self.u32()?;
                let names: &'a [Name] = self.names.shapes.get(id).ok_or(Corrupt)?;
                self.fields(names, depth, true)
            }
            tag::FIELDS_DYNAMIC => {
                let (total, kept) = (self.u32()?, self.u32()?);
                self.entries(kept, total, depth, false)
            }
            _ => Ok(()),
        }
    }

    /// An object that extends a builtin.
    fn extends(&mut self, depth: usize) -> Read<()> {
        self.object()?;
        let before = self.out.len();
        self.out.push_str(r#","$value":"#);
        match self.value(depth + 1)? {
            Put::Written => {}
            Put::Dropped | Put::Missing => self.out.truncate(before),
            Put::Stop => {
                self.out.truncate(before);
                self.out.push_str(r#","$cut":1}"#);
                return Ok(());
            }
        }
        match self.u8()? {
            tag::MISSING => {}
            tag::STOP => self.out.push_str(r#","$cut":1"#),
            kind @ (tag::FIELDS | tag::FIELDS_DYNAMIC) => {
                // The same object, told again.
                let (_kind, _address) = (self.u32()?, self.u64()?);
                self.members(kind, depth)?;
            }
            _ => return Err(Corrupt),
        }
        self.out.push('}');
        Ok(())
    }

    /// Entries of a dictionary, or fields of an object that has members already: as members when every key is
    /// a whole string, else as a list of pairs under `$dict`.
    fn entries(&mut self, kept: u32, total: u32, depth: usize, dict: bool) -> Read<()> {
        let start = self.out.len();
        let mut entries: Vec<Entry> = Vec::new();
        let mut pairs = dict && kept < total;
        if pairs {
            self.out.push_str(r#""$dict":["#);
        }
        let mut stopped = false;
        for _ in 0..kept {
            if self.peek()? == tag::STOP {
                self.u8()?;
                stopped = true;
                break;
            }
            let whole = self.key(start, &mut entries, &mut pairs, dict, depth)?;
            if !whole {
                stopped = true;
                break;
            }
        }
        if dict && stopped && !pairs {
            self.as_pairs(start, &entries, dict);
            pairs = true;
        }
        if pairs {
            self.out.push(']');
        }
        if stopped || kept < total {
            let comma = if pairs || !dict || !entries.is_empty() { "," } else { "" };
            self.put(format_args!(r#"{comma}"$cut":{total}"#));
        }
        Ok(())
    }

    /// One entry, with a comma before it where one is due; false when a `STOP` stands in it.
    fn key(
        &mut self,
        start: usize,
        entries: &mut Vec<Entry>,
        pairs: &mut bool,
        dict: bool,
        depth: usize,
    ) -> Read<bool> {
        let kind = self.peek()?;
        let text = match kind {
            tag::STR_ASCII | tag::STR_1 | tag::STR_2 | tag::STR_4 | tag::KEY => {
                self.u8()?;
                Some(self.text(kind)?)
            }
            _ => None,
        };
        let plain = text.as_ref().is_some_and(|text| text.cut.is_none() && !text.escaped);
        if !plain && !*pairs {
            self.as_pairs(start, entries, dict);
            *pairs = true;
        }
        let before = self.out.len();
        if !entries.is_empty() || !(dict || *pairs) {
            self.out.push(',');
        }
        if *pairs {
            self.out.push('[');
        }
        let (key, path) = (self.out.len(), self.path.len());
        let mut doubled = false;
        match &text {
            Some(text) if plain && !*pairs => {
                doubled = text.text.starts_with('$');
                write_member(self.out, &text.text);
            }
            Some(text) => {
                self.write_text(text);
                self.out.push(',');
            }
            None => {
                if !matches!(self.value(depth + 1)?, Put::Written) {
                    self.out.truncate(before);
                    return Ok(false);
                }
                self.out.push(',');
            }
        }
        match &text {
            Some(text) if plain => write_step(&mut self.path, &text.text),
            _ => {
                let shown = &self.out[key..self.out.len() - 1];
                let _ = write!(self.path, "[{shown}]");
            }
        }
        let value = self.out.len();
        let put = self.value(depth + 1)?;
        self.path.truncate(path);
        match put {
            Put::Written => {
                entries.push(Entry { key, value, end: self.out.len(), doubled });
                if *pairs {
                    self.out.push(']');
                }
            }
            Put::Dropped | Put::Missing => self.out.truncate(before),
            Put::Stop => {
                self.out.truncate(before);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Turns the members that were written from `start` on into pairs.
    fn as_pairs(&mut self, start: usize, entries: &[Entry], dict: bool) {
        let members = self.out.split_off(start);
        self.out.push_str(if dict { r#""$dict":["# } else { r#","$dict":["# });
        for (index, entry) in entries.iter().enumerate() {
            let key = &members[entry.key - start..entry.value - start - 1];
            let value = &members[entry.value - start..entry.end - start];
            let key = if entry.doubled { key.replacen("$$", "$", 1) } else { key.to_owned() };
            let comma = if index > 0 { "," } else { "" };
            self.put(format_args!("{comma}[{key},{value}]"));
        }
    }

    fn array(&mut self, depth: usize) -> Read<()> {
        let name = self.type_name()?;
        let _address = self.u64()?;
        self.put(format_args!(r#"{{"$type":{name},"$dtype":"#));
        self.string()?;
        self.out.push_str(r#","$shape":["#);
        for dimension in 0..self.u8()? {
            let size = self.u64()?;
            let comma = if dimension > 0 { "," } else { "" };
            self.put(format_args!("{comma}{size}"));
        }
        self.out.push_str(r#"],"$items":"#);
        let kept = self.u32()?;
        self.items(kept, depth)?;
        self.out.push('}');
        Ok(())
    }
}

/// Text with lone surrogates, which UTF-8 cannot hold: they become `\udXXX`, and a backslash is doubled so that
/// the two can be told apart.
fn with_surrogates(points: impl Iterator<Item = u32>) -> Read<String> {
    let mut text = String::new();
    for point in points {
        match char::from_u32(point) {
            Some('\\') => text.push_str("\\\\"),
            Some(point) => text.push(point),
            None if (0xd800..0xe000).contains(&point) => {
                let _ = write!(text, "\\u{point:04x}");
            }
            None => return Err(Corrupt),
        }
    }
    Ok(text)
}

/// The decimal digits of a number given by its bytes, least significant first.
fn decimal(magnitude: &[u8]) -> String {
    const GROUP: u64 = 1_000_000_000;
    let mut limbs: Vec<u32> = magnitude
        .chunks(4)
        .map(|chunk| chunk.iter().rev().fold(0, |limb, &byte| limb << 8 | u32::from(byte)))
        .collect();
    let mut groups = Vec::new();
    while limbs.iter().any(|&limb| limb != 0) {
        let mut rest = 0u64;
        for limb in limbs.iter_mut().rev() {
            let whole = rest << 32 | u64::from(*limb);
            *limb = (whole / GROUP) as u32;
            rest = whole % GROUP;
        }
        groups.push(rest);
        while limbs.last() == Some(&0) {
            limbs.pop();
        }
    }
    let Some(first) = groups.pop() else { return String::from("0") };
    let mut digits = first.to_string();
    for group in groups.iter().rev() {
        let _ = write!(digits, "{group:09}");
    }
    digits
}
