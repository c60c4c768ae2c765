//! What is written here is read back by the `parquet` crate, and compared with the same rows as a tail has them.

use std::fs::File;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;

use super::{EventsFile, ValuesFile};
use crate::trace::rows::{Events, NULL, NULL32, Row, Values};
use crate::trace::schema::{EVENT_KINDS, EVENTS, VALUES};
use crate::trace::segment::Encoder;

/// Writes batches, and returns what the file says they are and what they are.
fn both<E: Encoder>(schema: &SchemaRef, batches: &[E::Rows]) -> (RecordBatch, RecordBatch) {
    let mut encoder = E::create(tempfile::tempfile().unwrap(), schema).unwrap();
    for batch in batches {
        encoder.write(batch).unwrap();
    }
    let file = encoder.finish().unwrap();
    let expected: Vec<_> = batches.iter().map(|batch| E::batch(batch, schema).unwrap()).collect();
    (read(file, schema), joined(schema, &expected))
}

fn read(file: File, schema: &SchemaRef) -> RecordBatch {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    assert_eq!(reader.schema().fields(), schema.fields());
    let batches: Vec<_> = reader.with_batch_size(1 << 20).build().unwrap().map(Result::unwrap).collect();
    joined(schema, &batches)
}

fn joined(schema: &SchemaRef, batches: &[RecordBatch]) -> RecordBatch {
    arrow_select::concat::concat_batches(schema, batches).unwrap()
}

const EMPTY: Row = Row {
    time: 0,
    seq: 0,
    call: 0,
    parent: NULL,
    start: NULL,
    own: NULL,
    code: 0,
    value: NULL32,
    thread: 0,
    origin: 0,
};

/// Numbers that differ by as much as numbers can, and ones that hardly differ.
fn numbers() -> impl Strategy<Value = i64> {
    prop_oneof![
        any::<i64>().prop_filter("stands for null", |&number| number != NULL),
        Just(i64::MAX),
        Just(i64::MIN + 1),
        0..100i64,
        Just(7)
    ]
}

fn nullable() -> impl Strategy<Value = i64> {
    prop_oneof![numbers(), Just(NULL)]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let shorts = prop_oneof![any::<i32>(), 0..5i32, Just(NULL32)];
    let row = (numbers(), nullable(), nullable(), nullable(), shorts, 0..3i32, 0..EVENT_KINDS.len() as u8)
        .prop_map(|(time, parent, start, own, value, thread, kind)| Row {
            time,
            seq: time / 2,
            call: i64::from(thread),
            parent,
            start,
            own,
            code: if value == NULL32 { 0 } else { value },
            value,
            thread,
            origin: Row::origin(thread * 70_000, kind),
        });
    proptest::collection::vec(row, 0..400)
}

fn events(segment: i32, rows: Vec<Row>, seldom: &[usize]) -> Events {
    let mut events = Events::default().emptied(segment);
    for (index, row) in rows.into_iter().enumerate() {
        events.rows.push(row);
        if seldom.contains(&index) {
            events.resumed_by.put(index, row.time);
            events.line.put(index, row.code);
        }
        if index % 3 == 1 {
            events.task.put(index, i32::MIN + 1);
            events.exception.put(index, i64::MAX - index as i64);
            events.own_total.put(index, row.call);
        }
    }
    events
}

proptest! {
    /// Any rows in any batches come out as they went in.
    #[test]
    fn any_events(batches in proptest::collection::vec((rows(), proptest::collection::vec(0..400usize, 0..9)), 0..4)) {
        let batches: Vec<_> = batches.into_iter().map(|(rows, seldom)| events(3, rows, &seldom)).collect();
        let (found, expected) = both::<EventsFile>(&EVENTS.arrow(), &batches);
        prop_assert_eq!(found, expected);
    }

    /// Any texts in any batches come out as they went in, with their numbers.
    #[test]
    fn any_values(batches in proptest::collection::vec(proptest::collection::vec(".{0,40}", 1..50), 0..5)) {
        let (mut first, mut given) = (0, Vec::new());
        for texts in &batches {
            let mut values = Values::default().emptied(9, first);
            texts.iter().for_each(|text| values.push(|out| out.extend_from_slice(text.as_bytes())));
            first += texts.len() as i32;
            given.push(values);
        }
        let (found, expected) = both::<ValuesFile>(&VALUES.arrow(), &given);
        prop_assert_eq!(found, expected);
    }
}

/// Pages end where they must: as many rows as a page, one more, several pages, and blocks that are just full.
#[test]
fn bounds_of_pages_and_blocks() {
    for count in [0, 1, 2, 63, 64, 65, 127, 128, 129, 130, 257, 32_767, 32_768, 32_769, 70_001] {
        let row = |index: i64| Row {
            time: index * 1_000 + index % 7,
            seq: index,
            parent: if index % 2 == 0 { NULL } else { index / 5 },
            own: 5,
            origin: Row::origin(1, (index % 11) as u8),
            ..EMPTY
        };
        let all: Vec<_> = (0..count).map(row).collect();
        let batches: Vec<_> = all.chunks(8_192).map(|rows| events(0, rows.to_vec(), &[0, 70])).collect();
        let (found, expected) = both::<EventsFile>(&EVENTS.arrow(), &batches);
        assert_eq!(found.num_rows(), count as usize);
        assert_eq!(found, expected, "{count} rows");
    }
}

/// A page of JSON is not held back when it is large, and small ones are put together.
#[test]
fn small_and_large_values() {
    let batch = |first: i32, count: usize, length: usize| {
        let mut values = Values::default().emptied(0, first);
        for index in 0..count {
            values.push(|out| out.extend_from_slice(index.to_string().repeat(length).as_bytes()));
        }
        values
    };
    // Of one kind of text LZ4 leaves hardly anything, of the other zstd more.
    let batches = [batch(0, 3, 10), batch(3, 400, 1_000), batch(403, 2, 5), batch(405, 1, 300_000)];
    for batches in [&batches[..], &[batch(0, 90_000, 1), batch(90_000, 5, 1)]] {
        let (found, expected) = both::<ValuesFile>(&VALUES.arrow(), batches);
        assert_eq!(found, expected);
    }
}

/// Readers find rows by the smallest and the greatest value of a column.
#[test]
fn bounds_of_columns() {
    let rows = [5, -3, 90].map(|time| Row { time, ..EMPTY });
    let mut encoder = EventsFile::create(tempfile::tempfile().unwrap(), &EVENTS.arrow()).unwrap();
    encoder.write(&events(0, rows.to_vec(), &[])).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(encoder.finish().unwrap()).unwrap();
    let group = reader.metadata().row_group(0);
    let column = |name: &str| group.columns().iter().find(|column| column.column_path().string() == name);
    let bounds = column("time").and_then(|column| column.statistics()).unwrap();
    assert_eq!(bounds.min_bytes_opt(), Some(&(-3i64).to_le_bytes()[..]));
    assert_eq!(bounds.max_bytes_opt(), Some(&90i64.to_le_bytes()[..]));
    assert!(column("own").is_some_and(|column| column.statistics().is_none()));
}
