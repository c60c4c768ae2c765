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
    /// A list (`name` is none: a plain array when it is whole), tuple, set or frozenset.
    pub(super) fn sequence(&mut self, name: Option<&str>, depth: usize) -> Read<()> {
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
    pub(super) fn items(&mut self, kept: u32, depth: usize) -> Read<bool> {
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

    pub(super) fn dict(&mut self, depth: usize) -> Read<()> {
        let (total, kept) = (self.u32()?, self.u32()?);
        self.out.push('{');
        self.entries(kept, total, depth, true)?;
        self.out.push('}');
        Ok(())
    }

    /// The fields of a shape or the arguments of a call, as members of an object that is open; `more` when it
    /// has members already.
    pub(super) fn fields(&mut self, names: &[Name], depth: usize, mut more: bool) -> Read<()> {
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

    pub(super) fn array(&mut self, depth: usize) -> Read<()> {
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
