//! What a process has defined: types, shapes, keys; each made ready for JSON once.

use crate::wire;

/// A name as a member of a JSON object, and as a step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `"name":`, escaped.
    pub member: Box<str>,
    /// `.name`, or `["odd name"]`.
    pub step: Box<str>,
}

impl Name {
    pub fn new(text: &str) -> Name {
        let mut member = String::new();
        write_member(&mut member, text);
        let mut step = String::new();
        write_step(&mut step, text);
        Name { member: member.into(), step: step.into() }
    }
}

/// The definitions of one process, by id.
#[derive(Default)]
pub struct Names {
    /// As JSON strings.
    pub types: Table<Box<str>>,
    pub shapes: Table<Box<[Name]>>,
    pub keys: Table<Box<str>>,
    /// The parameters of code objects.
    pub parameters: Table<Box<[Name]>>,
}

/// Ids are counters. One that is far beyond those met so far is damage, not a definition.
const MOST_AHEAD: usize = 4_096;

/// Definitions of one kind.
pub struct Table<T>(Vec<Option<T>>);

impl<T> Default for Table<T> {
    fn default() -> Table<T> {
        Table(Vec::new())
    }
}

impl<T> Table<T> {
    pub fn get(&self, id: u32) -> Option<&T> {
        self.0.get(id as usize)?.as_ref()
    }

    /// Keeps a definition; false when its id cannot be one.
    pub fn set(&mut self, id: u32, definition: T) -> bool {
        let id = id as usize;
        if id > self.0.len() + MOST_AHEAD {
            return false;
        }
        if id >= self.0.len() {
            self.0.resize_with(id + 1, || None);
        }
        self.0[id] = Some(definition);
        true
    }
}

impl Names {
    /// Takes in a `DEF_TYPE`, `DEF_SHAPE` or `DEF_KEY`; false when it is none.
    pub fn define(&mut self, kind: u8, id: u32, mut body: &[u8]) -> bool {
        let body = &mut body;
        match kind {
            wire::kind::DEF_SHAPE => match wire::take_strs(body) {
                Some(names) => self.shapes.set(id, members(&names)),
                None => false,
            },
            wire::kind::DEF_TYPE => match wire::take_str(body) {
                Some(name) => {
                    let mut quoted = String::new();
                    write_string(&mut quoted, &name);
                    self.types.set(id, quoted.into())
                }
                None => false,
            },
            _ => match wire::take_str(body) {
                Some(key) => self.keys.set(id, key.into()),
                None => false,
            },
        }
    }
}

/// Names of one object's members. A class may have a slot of the same name as its base: the later ones get a
/// number, because a JSON object has each name once.
pub fn members(names: &[String]) -> Box<[Name]> {
    let mut seen = hashbrown::HashMap::new();
    let mut unique = |name: &String| {
        let count = seen.entry(name.clone()).and_modify(|count| *count += 1).or_insert(1);
        if *count == 1 { Name::new(name) } else { Name::new(&format!("{name} ({count})")) }
    };
    names.iter().map(&mut unique).collect()
}

/// Writes `"name":`; a name that begins with `$` gets one more.
pub fn write_member(out: &mut String, name: &str) {
    if name.starts_with('$') {
        let start = out.len();
        write_string(out, name);
        out.insert(start + 1, '$');
    } else {
        write_string(out, name);
    }
    out.push(':');
}

/// Writes the step of a path that leads to a name.
pub fn write_step(out: &mut String, name: &str) {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        out.push('.');
        out.push_str(name);
    } else {
        out.push('[');
        write_string(out, name);
        out.push(']');
    }
}

/// Writes a JSON string.
pub fn write_string(out: &mut String, text: &str) {
    out.push('"');
    let mut done = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.push_str(&text[done..index]);
        done = index + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            _ => {
                const HEX: [char; 16] =
                    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
                out.push_str("\\u00");
                out.push(HEX[usize::from(byte >> 4)]);
                out.push(HEX[usize::from(byte & 15)]);
            }
        }
    }
    out.push_str(&text[done..]);
    out.push('"');
}
