//! Containers and objects of values.

use std::fmt::Write;

use super::{Corrupt, Put, Read, Reader};
use crate::helper::names::{Name, write_member, write_step};
use crate::wire::tag;

/// Where an entry stands in the output, so that an object can become a list of pairs.
struct Entry {
    key: usize,
    value: usize,
    end: usize,
    doubled: bool,
}

impl<'a> Reader<'a> {
    /// A plain array when it is whole.
    pub(super) fn list(&mut self, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        let start = self.out.len();
        let stopped = self.items(kept, depth)?;
        if kept < total || stopped {
            self.out.splice(start..start, *br#"{"$list":"#);
            self.cut(total);
            self.out.push(b'}');
        }
        Ok(())
    }

    /// A tuple, set or frozenset.
    pub(super) fn named_sequence(&mut self, head: &str, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        self.put(head);
        let stopped = self.items(kept, depth)?;
        if kept < total || stopped {
            self.cut(total);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// `[…]`; whether a `STOP` ended it.
    pub(super) fn items(&mut self, kept: u32, depth: usize) -> Read<bool> {
        self.out.push(b'[');
        let begin = self.out.len();
        let mut stopped = false;
        for index in 0..kept {
            let before = self.out.len();
            if before > begin {
                self.out.push(b',');
            }
            let put = self.below(depth, |path, _| {
                let _ = write!(path, "[{index}]");
            })?;
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
        self.out.push(b']');
        Ok(stopped)
    }

    pub(super) fn dict(&mut self, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        self.out.push(b'{');
        self.entries(kept, total, depth, true)?;
        self.out.push(b'}');
        Ok(())
    }

    /// The fields of a shape or the arguments of a call, as members of an object that is open; `more` when it
    /// has members already.
    pub(super) fn fields(&mut self, names: &[Name], depth: usize, mut more: bool) -> Read<()> {
        for name in names {
            let before = self.out.len();
            // With the comma that it begins with.
            self.put(if more { &name.member } else { &name.member[1..] });
            match self.below(depth, |path, _| path.push_str(&name.step))? {
                Put::Written => more = true,
                Put::Dropped | Put::Missing => self.out.truncate(before),
                Put::Stop => {
                    self.out.truncate(before);
                    let comma = if more { "," } else { "" };
                    self.format(format_args!(r#"{comma}"$cut":{}"#, names.len()));
                    break;
                }
            }
        }
        Ok(())
    }

    /// What an object shows after its type and number.
    pub(super) fn members(&mut self, kind: u8, depth: usize) -> Read<()> {
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
    pub(super) fn extends(&mut self, depth: usize) -> Read<()> {
        self.object()?;
        let before = self.out.len();
        self.put(r#","$value":"#);
        match self.value(depth + 1)? {
            Put::Written => {}
            Put::Dropped | Put::Missing => self.out.truncate(before),
            Put::Stop => {
                self.out.truncate(before);
                self.put(r#","$cut":1}"#);
                return Ok(());
            }
        }
        match self.u8()? {
            tag::MISSING => {}
            tag::STOP => self.put(r#","$cut":1"#),
            kind @ (tag::FIELDS | tag::FIELDS_DYNAMIC) => {
                // The same object, told again.
                self.which()?;
                self.members(kind, depth)?;
            }
            _ => return Err(Corrupt),
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Entries of a dictionary, or fields of an object that has members already: as members when every key is
    /// a whole string, else as a list of pairs under `$dict`.
    fn entries(&mut self, kept: u32, total: u32, depth: usize, dict: bool) -> Read<()> {
        let start = self.out.len();
        let mut entries: Vec<Entry> = Vec::new();
        let mut pairs = dict && kept < total;
        if pairs {
            self.put(r#""$dict":["#);
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
            self.out.push(b']');
        }
        if stopped || kept < total {
            let comma = if pairs || !dict || !entries.is_empty() { "," } else { "" };
            self.format(format_args!(r#"{comma}"$cut":{total}"#));
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
            self.out.push(b',');
        }
        if *pairs {
            self.out.push(b'[');
        }
        let key = self.out.len();
        let mut doubled = false;
        match &text {
            Some(text) if plain && !*pairs => {
                doubled = text.text.starts_with('$');
                write_member(self.out, &text.text);
            }
            Some(text) => {
                self.write_text(text);
                self.out.push(b',');
            }
            None => {
                if !matches!(self.value(depth + 1)?, Put::Written) {
                    self.out.truncate(before);
                    return Ok(false);
                }
                self.out.push(b',');
            }
        }
        let value = self.out.len();
        let put = self.below(depth, |path, out| match &text {
            Some(text) if plain => write_step(path, &text.text),
            _ => {
                let shown = String::from_utf8_lossy(&out[key..out.len() - 1]);
                let _ = write!(path, "[{shown}]");
            }
        })?;
        match put {
            Put::Written => {
                entries.push(Entry { key, value, end: self.out.len(), doubled });
                if *pairs {
                    self.out.push(b']');
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
        self.put(if dict { r#""$dict":["# } else { r#","$dict":["# });
        for (index, entry) in entries.iter().enumerate() {
            if index > 0 {
                self.out.push(b',');
            }
            self.out.push(b'[');
            let key = &members[entry.key - start..entry.value - start - 1];
            if entry.doubled {
                self.out.push(b'"');
                self.out.extend_from_slice(&key[2..]);
            } else {
                self.out.extend_from_slice(key);
            }
            self.out.push(b',');
            self.out.extend_from_slice(&members[entry.value - start..entry.end - start]);
            self.out.push(b']');
        }
    }

    pub(super) fn array(&mut self, depth: usize) -> Read<()> {
        let (kind, _address) = self.which()?;
        let name = self.names.types.get(kind).ok_or(Corrupt)?.quoted();
        self.format(format_args!(r#"{{"$type":{name},"$dtype":"#));
        self.string()?;
        self.put(r#","$shape":["#);
        for dimension in 0..self.u8()? {
            let size = self.u64()?;
            let comma = if dimension > 0 { "," } else { "" };
            self.format(format_args!("{comma}{size}"));
        }
        self.put(r#"],"$items":"#);
        let kept = self.u32()?;
        self.items(kept, depth)?;
        self.out.push(b'}');
        Ok(())
    }
}
