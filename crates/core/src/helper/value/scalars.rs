//! Numbers, text and bytes of values.

use std::borrow::Cow;
use std::fmt::Write;

use super::{Corrupt, Read, Reader};
use crate::helper::names::write_string;
use crate::wire::tag;

/// Whole integers are shown up to so many bytes, because turning them into decimals takes time that grows with
/// the square of their length.
const LONGEST_INT: usize = 2_048;

/// Text of a value: whether it was cut, and whether it needed escapes.
pub(super) struct Text<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) cut: Option<u32>,
    pub(super) escaped: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn float(&mut self, number: f64) {
        if number.is_finite() {
            // Debug is the shortest text that reads back the same, always with a point or an exponent.
            self.format(format_args!("{number:?}"));
        } else {
            let name = if number.is_nan() {
                "nan"
            } else if number > 0.0 {
                "inf"
            } else {
                "-inf"
            };
            self.format(format_args!(r#"{{"$float":"{name}"}}"#));
        }
    }

    pub(super) fn big_int(&mut self) -> Read<()> {
        let negative = self.u8()? != 0;
        let bits = self.u32()?;
        let kept = usize::from(u16::from_le_bytes(self.take()?));
        let magnitude = self.bytes(kept)?;
        if (kept as u64) * 8 < u64::from(bits) || kept > LONGEST_INT {
            self.format(format_args!(r#"{{"$int":null,"$bits":{bits}}}"#));
        } else {
            let sign = if negative { "-" } else { "" };
            let digits = decimal(magnitude);
            self.format(format_args!(r#"{{"$int":"{sign}{digits}"}}"#));
        }
        Ok(())
    }

    /// A string value, its tag included.
    pub(super) fn string(&mut self) -> Read<()> {
        let kind = self.u8()?;
        let text = self.text(kind)?;
        self.write_text(&text);
        Ok(())
    }

    pub(super) fn text(&mut self, kind: u8) -> Read<Text<'a>> {
        if kind == tag::KEY {
            let id = self.u32()?;
            let key = self.names.keys.get(id).ok_or(Corrupt)?;
            return Ok(Text { text: Cow::Borrowed(key), cut: None, escaped: false });
        }
        if kind == tag::STR_ASCII {
            let length = usize::from(self.u8()?);
            let bytes = self.bytes(length)?;
            let text = Cow::Borrowed(std::str::from_utf8(bytes).map_err(|_| Corrupt)?);
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
            return Ok(Text { text: Cow::Owned(text), cut, escaped: false });
        }
        Ok(Text { text: Cow::Owned(with_surrogates(points)?), cut, escaped: true })
    }

    pub(super) fn write_text(&mut self, text: &Text) {
        if text.cut.is_none() && !text.escaped {
            return write_string(self.out, &text.text);
        }
        self.put(r#"{"$str":"#);
        write_string(self.out, &text.text);
        if let Some(total) = text.cut {
            self.format(format_args!(r#","$cut":{total}"#));
        }
        if text.escaped {
            self.put(r#","$escaped":true"#);
        }
        self.out.push(b'}');
    }

    pub(super) fn byte_string(&mut self, name: &str) -> Read<()> {
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
        self.format(format_args!(r#"{{"{name}":"#));
        write_string(self.out, &literal);
        if kept < total {
            self.format(format_args!(r#","$cut":{total}"#));
        }
        self.out.push(b'}');
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
