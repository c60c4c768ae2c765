//! Rows on their way to the files: plain vectors that the helper fills, and their turn into Arrow.

use std::sync::Arc;

use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Int32Array, Int64Array, PrimitiveArray, RecordBatch,
    StringArray, UInt8Array,
};
use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_schema::{ArrowError, DataType, Field, SchemaRef};

use super::schema::EVENT_KINDS;

/// Stands for null in the vectors of [`Events`].
pub const NULL: i64 = i64::MIN;
pub const NULL32: i32 = i32::MIN;

/// Rows of `events`. Columns that most rows lack are kept as (row, value) pairs.
#[derive(Default)]
pub struct Events {
    pub part: Vec<i32>,
    pub thread: Vec<i32>,
    pub seq: Vec<i64>,
    pub time: Vec<i64>,
    pub kind: Vec<u8>,
    pub call: Vec<i64>,
    pub parent: Vec<i64>,
    pub code: Vec<i32>,
    pub value: Vec<i32>,
    pub start: Vec<i64>,
    pub own: Vec<i64>,
    pub resumed_by: Sparse<i64>,
    pub line: Sparse<i32>,
    pub own_total: Sparse<i64>,
    pub task: Sparse<i32>,
    pub exception: Sparse<i64>,
}

/// A column of which most rows are null.
#[derive(Default)]
pub struct Sparse<T>(Vec<(u32, T)>);

impl<T: ArrowNativeType> Sparse<T> {
    #[inline(always)]
    pub fn put(&mut self, row: usize, value: T) {
        self.0.push((row as u32, value));
    }

    fn array<P: ArrowPrimitiveType<Native = T>>(&self, rows: usize) -> ArrayRef {
        if self.0.is_empty() {
            return Arc::new(PrimitiveArray::<P>::new_null(rows));
        }
        let mut values = vec![T::default(); rows];
        let mut valid = arrow_array::builder::BooleanBufferBuilder::new(rows);
        valid.append_n(rows, false);
        for &(row, value) in &self.0 {
            values[row as usize] = value;
            valid.set_bit(row as usize, true);
        }
        let nulls = NullBuffer::new(valid.finish());
        Arc::new(PrimitiveArray::<P>::new(values.into(), Some(nulls)))
    }
}

/// What every row of `events` has.
pub struct Event {
    pub thread: i32,
    pub seq: i64,
    pub time: i64,
    pub kind: u8,
    pub call: i64,
    pub code: i32,
}

impl Events {
    pub fn with_capacity(rows: usize) -> Events {
        Events {
            part: Vec::with_capacity(rows),
            thread: Vec::with_capacity(rows),
            seq: Vec::with_capacity(rows),
            time: Vec::with_capacity(rows),
            kind: Vec::with_capacity(rows),
            call: Vec::with_capacity(rows),
            parent: Vec::with_capacity(rows),
            code: Vec::with_capacity(rows),
            value: Vec::with_capacity(rows),
            start: Vec::with_capacity(rows),
            own: Vec::with_capacity(rows),
            ..Events::default()
        }
    }

    pub fn len(&self) -> usize {
        self.time.len()
    }

    pub fn is_empty(&self) -> bool {
        self.time.is_empty()
    }

    /// Appends a row; the caller sets the sparse columns of row `len() - 1` afterwards.
    #[inline(always)]
    pub fn push(&mut self, part: i32, event: Event, parent: i64, value: i32, start: i64, own: i64) {
        self.part.push(part);
        self.thread.push(event.thread);
        self.seq.push(event.seq);
        self.time.push(event.time);
        self.kind.push(event.kind);
        self.call.push(event.call);
        self.code.push(event.code);
        self.parent.push(parent);
        self.value.push(value);
        self.start.push(start);
        self.own.push(own);
    }

    pub fn batch(
        self,
        schema: &SchemaRef,
        segment: i32,
        kinds: &ArrayRef,
    ) -> Result<RecordBatch, ArrowError> {
        let rows = self.len();
        let kind = DictionaryArray::try_new(UInt8Array::from(self.kind), kinds.clone())?;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int32Array::from(vec![segment; rows])),
            Arc::new(Int32Array::from(self.part)),
            Arc::new(Int32Array::from(self.thread)),
            Arc::new(Int64Array::from(self.seq)),
            Arc::new(Int64Array::from(self.time)),
            Arc::new(kind),
            Arc::new(Int64Array::from(self.call)),
            Arc::new(longs(self.parent)),
            self.resumed_by.array::<arrow_array::types::Int64Type>(rows),
            Arc::new(Int32Array::from(self.code)),
            self.line.array::<arrow_array::types::Int32Type>(rows),
            Arc::new(ints(self.value)),
            Arc::new(longs(self.start)),
            Arc::new(longs(self.own)),
            self.own_total.array::<arrow_array::types::Int64Type>(rows),
            self.task.array::<arrow_array::types::Int32Type>(rows),
            self.exception.array::<arrow_array::types::Int64Type>(rows),
        ];
        RecordBatch::try_new(schema.clone(), columns)
    }
}

fn longs(values: Vec<i64>) -> Int64Array {
    let valid = BooleanBuffer::collect_bool(values.len(), |row| values[row] != NULL);
    Int64Array::new(values.into(), Some(NullBuffer::new(valid)))
}

fn ints(values: Vec<i32>) -> Int32Array {
    let valid = BooleanBuffer::collect_bool(values.len(), |row| values[row] != NULL32);
    Int32Array::new(values.into(), Some(NullBuffer::new(valid)))
}

/// The dictionary of `events.kind`: one array for all batches, so that a tail sends it once.
pub fn kinds() -> ArrayRef {
    Arc::new(StringArray::from(EVENT_KINDS.to_vec()))
}

/// Rows of `values`: one JSON text after the other.
#[derive(Default)]
pub struct Values {
    /// Number of the first row; the others follow.
    pub first: i32,
    pub ends: Vec<i32>,
    pub json: String,
}

impl Values {
    /// `likely`: how many bytes of JSON are likely to come.
    pub fn with_capacity(first: i32, likely: usize) -> Values {
        Values { first, ends: Vec::new(), json: String::with_capacity(likely + likely / 8) }
    }

    pub fn batch(self, schema: &SchemaRef, segment: i32) -> Result<RecordBatch, ArrowError> {
        let rows = self.ends.len();
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        offsets.extend_from_slice(&self.ends);
        let offsets = OffsetBuffer::new(ScalarBuffer::from(offsets));
        let json = StringArray::try_new(offsets, Buffer::from_vec(self.json.into_bytes()), None)?;
        let numbers = Int32Array::from_iter_values(self.first..self.first + rows as i32);
        let columns: Vec<ArrayRef> =
            vec![Arc::new(Int32Array::from(vec![segment; rows])), Arc::new(numbers), Arc::new(json)];
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
