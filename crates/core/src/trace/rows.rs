//! Rows on their way to the files: what the helper fills, and its turn into Arrow.

use std::sync::{Arc, OnceLock};

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::{ArrowPrimitiveType, Int32Type, Int64Type};
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch,
    StringArray, UInt8Array,
};
use arrow_buffer::{ArrowNativeType, Buffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};

use super::schema::EVENT_KINDS;

/// Stands for null in a [`Row`].
pub const NULL: i64 = i64::MIN;
pub const NULL32: i32 = i32::MIN;

/// What most rows of `events` have: as much as a line of the processor's cache holds.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Row {
    pub time: i64,
    pub seq: i64,
    pub call: i64,
    pub parent: i64,
    pub start: i64,
    pub own: i64,
    pub code: i32,
    pub value: i32,
    pub thread: i32,
    /// See [`Row::origin`].
    pub origin: u32,
}

const _: () = assert!(size_of::<Row>() == 64);

impl Row {
    /// Which process (of sixteen million at most), and the number of the event's kind.
    #[inline(always)]
    pub fn origin(part: i32, kind: u8) -> u32 {
        (part as u32) << 8 | u32::from(kind)
    }

    #[inline(always)]
    pub fn part(&self) -> i32 {
        (self.origin >> 8) as i32
    }

    #[inline(always)]
    pub fn kind(&self) -> u8 {
        self.origin as u8
    }
}

/// Rows of `events`. Columns that most rows lack are kept apart.
#[derive(Default)]
pub struct Events {
    pub segment: i32,
    pub rows: Vec<Row>,
    /// How many rows are of each kind.
    pub kinds: [u64; EVENT_KINDS.len()],
    pub resumed_by: Sparse<i64>,
    pub line: Sparse<i32>,
    pub own_total: Sparse<i64>,
    pub task: Sparse<i32>,
    pub exception: Sparse<i64>,
}

/// A column of which most rows are null: rows, in order, and their values.
#[derive(Default)]
pub struct Sparse<T>(Vec<(u32, T)>);

impl<T: ArrowNativeType> Sparse<T> {
    #[inline(always)]
    pub fn put(&mut self, row: usize, value: T) {
        self.0.push((row as u32, value));
    }

    pub fn entries(&self) -> &[(u32, T)] {
        &self.0
    }

    fn array<P: ArrowPrimitiveType<Native = T>>(&self, rows: usize) -> ArrayRef {
        let mut entries = self.0.iter().peekable();
        let values =
            (0..rows).map(|row| entries.next_if(|entry| entry.0 as usize == row).map(|entry| entry.1));
        Arc::new(PrimitiveArray::<P>::from_iter(values))
    }
}

impl Events {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets the rows, and keeps the room that they took for those of a segment.
    pub fn emptied(mut self, segment: i32) -> Events {
        self.segment = segment;
        self.rows.clear();
        self.kinds.fill(0);
        self.resumed_by.0.clear();
        self.line.0.clear();
        self.own_total.0.clear();
        self.task.0.clear();
        self.exception.0.clear();
        self
    }

    pub fn batch(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let kind = UInt8Array::from_iter_values(self.rows.iter().map(Row::kind));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![self.segment; rows])),
            self.ints(Row::part),
            self.ints(|row| row.thread),
            self.longs(|row| row.seq),
            self.longs(|row| row.time),
            Arc::new(DictionaryArray::try_new(kind, kinds())?),
            self.longs(|row| row.call),
            self.longs(|row| row.parent),
            self.resumed_by.array::<Int64Type>(rows),
            self.ints(|row| row.code),
            self.line.array::<Int32Type>(rows),
            self.ints(|row| row.value),
            self.longs(|row| row.start),
            self.longs(|row| row.own),
            self.own_total.array::<Int64Type>(rows),
            self.task.array::<Int32Type>(rows),
            self.exception.array::<Int64Type>(rows),
        ];
        RecordBatch::try_new(schema.clone(), columns)
    }

    fn longs(&self, of: impl Fn(&Row) -> i64) -> ArrayRef {
        let values = self.rows.iter().map(|row| Some(of(row)).filter(|&value| value != NULL));
        Arc::new(Int64Array::from_iter(values))
    }

    fn ints(&self, of: impl Fn(&Row) -> i32) -> ArrayRef {
        let values = self.rows.iter().map(|row| Some(of(row)).filter(|&value| value != NULL32));
        Arc::new(Int32Array::from_iter(values))
    }
}

/// The dictionary of `events.kind`: one array for all batches, so that a tail sends it once.
fn kinds() -> ArrayRef {
    static KINDS: OnceLock<ArrayRef> = OnceLock::new();
    KINDS.get_or_init(|| Arc::new(StringArray::from(EVENT_KINDS.to_vec()))).clone()
}

/// Rows of `values`: one JSON text after the other, each with its length before it, as Parquet's plain encoding
/// wants texts.
#[derive(Default)]
pub struct Values {
    pub segment: i32,
    /// Number of the first row; the others follow.
    pub first: i32,
    rows: usize,
    plain: Vec<u8>,
}

const LENGTH: usize = size_of::<u32>();

impl Values {
    pub fn len(&self) -> usize {
        self.rows
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// Appends a text that `write` appends to what it is given.
    #[inline]
    pub fn push<T>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        let start = self.plain.len() + LENGTH;
        self.plain.extend_from_slice(&[0; LENGTH]);
        let done = write(&mut self.plain);
        let length = (self.plain.len() - start) as u32;
        self.plain[start - LENGTH..start].copy_from_slice(&length.to_le_bytes());
        self.rows += 1;
        done
    }

    /// Forgets the rows, and keeps the room that they took for those of a segment, from number `first` on.
    pub fn emptied(mut self, segment: i32, first: i32) -> Values {
        (self.segment, self.first, self.rows) = (segment, first, 0);
        self.plain.clear();
        self
    }

    pub fn batch(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let mut offsets = Vec::with_capacity(rows + 1);
        let mut texts = Vec::with_capacity(self.plain.len());
        offsets.push(0);
        let mut rest = &self.plain[..];
        while let Some((length, after)) = rest.split_first_chunk::<LENGTH>() {
            let (text, after) = after.split_at(u32::from_le_bytes(*length) as usize);
            texts.extend_from_slice(text);
            offsets.push(texts.len() as i32);
            rest = after;
        }
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let json = StringArray::try_new(offsets, Buffer::from_vec(texts), None)?;
        let numbers = Int32Array::from_iter_values(self.first..self.first + rows as i32);
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![self.segment; rows])), Arc::new(numbers), Arc::new(json)];
        RecordBatch::try_new(schema.clone(), columns)
    }
}

/// A row of `redactions`. The names are shared: few rules, many rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redaction {
    pub value: i32,
    pub path: String,
    pub kind: &'static str,
    pub action: &'static str,
    pub filter: Arc<str>,
    pub rule: Option<Arc<str>>,
    pub pattern: Option<Arc<str>>,
    pub secret: bool,
}

pub fn redactions(rows: &[Redaction], schema: &SchemaRef, segment: i32) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![segment; rows.len()])),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.value))),
        texts(rows.iter().map(|row| row.path.as_str())),
        texts(rows.iter().map(|row| row.kind)),
        texts(rows.iter().map(|row| row.action)),
        texts(rows.iter().map(|row| &*row.filter)),
        optional_texts(rows.iter().map(|row| row.rule.as_deref())),
        optional_texts(rows.iter().map(|row| row.pattern.as_deref())),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.secret)))),
    ];
    RecordBatch::try_new(schema.clone(), columns)
}

/// A row of `code`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub code: i32,
    pub module: String,
    pub qualname: String,
    pub file: String,
    pub line: i32,
    pub kind: &'static str,
    pub traced: bool,
    pub filter: Arc<str>,
    pub rule: Option<Arc<str>>,
    pub rule_line: Option<i32>,
    pub reason: Option<Arc<str>>,
    pub parameters: Vec<String>,
}

pub fn code(rows: &[Code], schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let mut parameters =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("item", DataType::Utf8, false));
    for row in rows {
        for name in &row.parameters {
            parameters.values().append_value(name);
        }
        parameters.append(true);
    }
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.code))),
        texts(rows.iter().map(|row| row.module.as_str())),
        texts(rows.iter().map(|row| row.qualname.as_str())),
        texts(rows.iter().map(|row| row.file.as_str())),
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.line))),
        texts(rows.iter().map(|row| row.kind)),
        Arc::new(BooleanArray::from_iter(rows.iter().map(|row| Some(row.traced)))),
        texts(rows.iter().map(|row| &*row.filter)),
        optional_texts(rows.iter().map(|row| row.rule.as_deref())),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.rule_line))),
        optional_texts(rows.iter().map(|row| row.reason.as_deref())),
        Arc::new(parameters.finish()),
    ];
    RecordBatch::try_new(schema.clone(), columns)
}

/// A row of `processes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    pub part: i32,
    pub parent: Option<i32>,
    pub command: String,
    pub started: i64,
    pub ended: Option<i64>,
    pub end: &'static str,
    pub exit_status: Option<i32>,
}

pub fn processes(rows: &[Process], schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.part))),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.parent))),
        texts(rows.iter().map(|row| row.command.as_str())),
        Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.started))),
        Arc::new(Int64Array::from_iter(rows.iter().map(|row| row.ended))),
        texts(rows.iter().map(|row| row.end)),
        Arc::new(Int32Array::from_iter(rows.iter().map(|row| row.exit_status))),
    ];
    RecordBatch::try_new(schema.clone(), columns)
}

fn texts<'a>(values: impl Iterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

fn optional_texts<'a>(values: impl Iterator<Item = Option<&'a str>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
