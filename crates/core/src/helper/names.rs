//! What a process has defined: types, shapes, keys; each made ready for JSON once.

use crate::wire;

/// A name as a member of a JSON object, and as a step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// `,"name":`, escaped.
    pub member: Box<str>,
    /// `.name`, or `["odd name"]`.
    pub step: Box<str>,
}

impl Name {
    pub fn new(text: &str) -> Name {
        let mut member = vec![b','];
        write_member(&mut member, text);
        let mut step = String::new();
        write_step(&mut step, text);
        Name { member: text_of(member), step: step.into() }
    }
}

/// A type's name, as JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeName {
    /// `{"$type":"name","$id":`
    head: Box<str>,
}

const BEFORE_NAME: &str = r#"{"$type":"#;
const BEHIND_NAME: &str = r#","$id":"#;

impl TypeName {
    pub fn new(text: &str) -> TypeName {
        let mut head = BEFORE_NAME.as_bytes().to_vec();
        write_string(&mut head, text);
        head.extend_from_slice(BEHIND_NAME.as_bytes());
        TypeName { head: text_of(head) }
    }

    /// How an object of the type begins: its number comes next.
    pub fn object(&self) -> &str {
        &self.head
    }

    /// The name as a JSON string.
    pub fn quoted(&self) -> &str {
        &self.head[BEFORE_NAME.len()..self.head.len() - BEHIND_NAME.len()]
    }
}

/// JSON is made as bytes, and all that goes into it is text.
fn text_of(json: Vec<u8>) -> Box<str> {
    String::from_utf8(json).unwrap_or_default().into()
}

/// The definitions of one process, by id.
#[derive(Default)]
pub struct Names {
    pub types: Table<TypeName>,
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
                Some(name) => self.types.set(id, TypeName::new(&name)),
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
pub fn write_member(out: &mut Vec<u8>, name: &str) {
    if name.starts_with('$') {
        let start = out.len();
        write_string(out, name);
        out.insert(start + 1, b'$');
    } else {
        write_string(out, name);
    }
    out.push(b':');
}

/// Writes the step of a path that leads to a name.
pub fn write_step(out: &mut String, name: &str) {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    if !name.is_empty() && name.chars().all(plain) {
        out.push('.');
        out.push_str(name);
    } else {
        let mut quoted = Vec::new();
        write_string(&mut quoted, name);
        out.push('[');
        out.push_str(&text_of(quoted));
        out.push(']');
    }
}

/// Writes a JSON string.
pub fn write_string(out: &mut Vec<u8>, text: &str) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    out.push(b'"');
    let mut done = 0;
    for (index, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&text.as_bytes()[done..index]);
        done = index + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
    }
    out.extend_from_slice(&text.as_bytes()[done..]);
    out.push(b'"');
}
