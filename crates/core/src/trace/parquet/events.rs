//! The table `events`.

use std::fs::File;
use std::io;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::basic::{Encoding, Type};

use super::chunk::{Chunk, Codec};
use super::delta::{Delta, varint};
use super::file::Target;
use super::levels::Levels;
use crate::trace::rows::{Events, NULL, NULL32, Row};
use crate::trace::schema::{EVENT_KINDS, EVENTS};
use crate::trace::segment::{Encoder, failure};

const PAGE_ROWS: usize = 32 * 1024;
/// Rows that are looked at together: as many as a word has bits, and as fit into the quickest cache.
const STEP: usize = 64;
const KIND_BITS: u8 = 4;
/// Columns by which readers look for rows: their smallest and greatest value is written.
const BOUNDED: [&str; 3] = ["part", "time", "call"];

struct Column {
    chunk: Chunk,
    numbers: Delta,
    levels: Option<Levels>,
}

pub struct EventsFile {
    target: Target,
    segment: i32,
    columns: Vec<Column>,
    kinds: Vec<u8>,
    page_rows: usize,
    rows: usize,
    body: Vec<u8>,
}

/// Places in the schema.
mod column {
    pub const SEGMENT: usize = 0;
    pub const PART: usize = 1;
    pub const THREAD: usize = 2;
    pub const SEQ: usize = 3;
    pub const TIME: usize = 4;
    pub const KIND: usize = 5;
    pub const CALL: usize = 6;
    pub const PARENT: usize = 7;
    pub const RESUMED_BY: usize = 8;
    pub const CODE: usize = 9;
    pub const LINE: usize = 10;
    pub const VALUE: usize = 11;
    pub const START: usize = 12;
    pub const OWN: usize = 13;
    pub const OWN_TOTAL: usize = 14;
    pub const TASK: usize = 15;
    pub const EXCEPTION: usize = 16;
}

impl Encoder for EventsFile {
    type Rows = Events;

    fn create(file: File, schema: &SchemaRef) -> io::Result<EventsFile> {
        let target = Target::new(file, schema)?;
        let columns = EVENTS.columns.iter().enumerate().map(|(place, about)| {
            let column = target.columns.column(place);
            let narrow = column.physical_type() == Type::INT32;
            let encoding = match place {
                column::KIND => Encoding::RLE_DICTIONARY,
                _ => Encoding::DELTA_BINARY_PACKED,
            };
            Column {
                chunk: Chunk::new(column, Codec::Lz4, encoding),
                numbers: Delta::new(narrow, BOUNDED.contains(&about.name)),
                levels: about.nullable.then(Levels::default),
            }
        });
        let mut columns: Vec<Column> = columns.collect();
        let mut words = Vec::new();
        for word in EVENT_KINDS {
            words.extend_from_slice(&(word.len() as u32).to_le_bytes());
            words.extend_from_slice(word.as_bytes());
        }
        columns[column::KIND].chunk.dictionary(&words, EVENT_KINDS.len() as u32)?;
        let (kinds, body) = (Vec::new(), Vec::new());
        Ok(EventsFile { target, segment: 0, columns, kinds, page_rows: 0, rows: 0, body })
    }

    fn write(&mut self, events: &Events) -> io::Result<()> {
        self.segment = events.segment;
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { self.write_wide(events) };
        }
        self.write_steps(events)
    }

    fn finish(mut self) -> io::Result<File> {
        self.close_page()?;
        self.target.finish(self.columns.into_iter().map(|column| column.chunk), self.rows > 0)
    }

    fn batch(rows: &Events, schema: &SchemaRef) -> io::Result<RecordBatch> {
        rows.batch(schema).map_err(failure)
    }
}

impl EventsFile {
    /// [`EventsFile::write_steps`], four numbers at a time.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn write_wide(&mut self, events: &Events) -> io::Result<()> {
        self.write_steps(events)
    }

    #[inline(always)]
    fn write_steps(&mut self, events: &Events) -> io::Result<()> {
        let mut resumed_by = events.resumed_by.entries();
        let mut line = events.line.entries();
        let mut own_total = events.own_total.entries();
        let mut task = events.task.entries();
        let mut exception = events.exception.entries();
        for (step, rows) in events.rows.chunks(STEP).enumerate() {
            if self.page_rows + rows.len() > PAGE_ROWS {
                self.close_page()?;
            }
            let first = step * STEP;
            self.dense(rows);
            self.sparse(column::RESUMED_BY, &mut resumed_by, first, rows.len());
            self.sparse(column::LINE, &mut line, first, rows.len());
            self.sparse(column::OWN_TOTAL, &mut own_total, first, rows.len());
            self.sparse(column::TASK, &mut task, first, rows.len());
            self.sparse(column::EXCEPTION, &mut exception, first, rows.len());
            self.page_rows += rows.len();
        }
        Ok(())
    }

    #[inline(always)]
    fn dense(&mut self, rows: &[Row]) {
        let columns = &mut self.columns;
        steady(&mut columns[column::PART], rows, |row| row.part().into());
        steady(&mut columns[column::THREAD], rows, |row| row.thread.into());
        all(&mut columns[column::SEQ], rows, |row| row.seq);
        all(&mut columns[column::TIME], rows, |row| row.time);
        all(&mut columns[column::CALL], rows, |row| row.call);
        all(&mut columns[column::CODE], rows, |row| row.code.into());
        some(&mut columns[column::PARENT], rows, NULL, |row| row.parent);
        some(&mut columns[column::VALUE], rows, NULL32.into(), |row| row.value.into());
        some(&mut columns[column::START], rows, NULL, |row| row.start);
        some(&mut columns[column::OWN], rows, NULL, |row| row.own);
        self.kinds.extend(rows.iter().map(Row::kind));
    }

    /// The entries of the rows from `first` on.
    #[inline]
    fn sparse<T: Copy + Into<i64>>(
        &mut self,
        place: usize,
        entries: &mut &[(u32, T)],
        first: usize,
        rows: usize,
    ) {
        let column = &mut self.columns[place];
        let here = entries.iter().take_while(|entry| (entry.0 as usize) < first + rows).count();
        let (now, later) = entries.split_at(here);
        *entries = later;
        let mask = now.iter().fold(0, |mask, entry| mask | 1 << (entry.0 as usize - first));
        for entry in now {
            column.numbers.extend(&[entry.1.into()]);
        }
        if let Some(levels) = &mut column.levels {
            levels.push(mask, rows);
        }
    }

    fn close_page(&mut self) -> io::Result<()> {
        let (rows, segment) = (self.page_rows, self.segment);
        if rows == 0 {
            return Ok(());
        }
        self.columns[column::SEGMENT].numbers.extend(&vec![segment.into(); rows]);
        for (place, column) in self.columns.iter_mut().enumerate() {
            self.body.clear();
            let absent = column.levels.as_mut().map_or(0, |levels| levels.finish(&mut self.body));
            if place == column::KIND {
                indices(&self.kinds, &mut self.body);
                self.kinds.clear();
            } else {
                column.chunk.widen(column.numbers.finish(&mut self.body));
            }
            column.chunk.page(rows, absent, &self.body)?;
        }
        self.rows += rows;
        self.page_rows = 0;
        Ok(())
    }
}

/// A column that every row has.
#[inline(always)]
fn all(column: &mut Column, rows: &[Row], of: impl Fn(&Row) -> i64) {
    let mut values = [0; STEP];
    for (value, row) in values.iter_mut().zip(rows) {
        *value = of(row);
    }
    column.numbers.extend(&values[..rows.len()]);
}

/// A column that every row has, and most have the same.
#[inline(always)]
fn steady(column: &mut Column, rows: &[Row], of: impl Fn(&Row) -> i64) {
    let (first, last) = (of(&rows[0]), of(&rows[rows.len() - 1]));
    if column.numbers.ends_with(first) && first == last && rows.iter().all(|row| of(row) == first) {
        column.numbers.repeat(rows.len());
    } else {
        all(column, rows, of);
    }
}

/// A column that is `null` in some rows.
#[inline(always)]
fn some(column: &mut Column, rows: &[Row], null: i64, of: impl Fn(&Row) -> i64) {
    if rows.iter().all(|row| of(row) != null) {
        if let Some(levels) = &mut column.levels {
            levels.push(u64::MAX >> (STEP - rows.len()), rows.len());
        }
        return all(column, rows, of);
    }
    let (mut values, mut present, mut mask) = ([0; STEP], 0, 0);
    for (index, row) in rows[..rows.len().min(STEP)].iter().enumerate() {
        let value = of(row);
        values[present] = value;
        present += usize::from(value != null);
        mask |= u64::from(value != null) << index;
    }
    if let Some(levels) = &mut column.levels {
        levels.push(mask, rows.len());
    }
    column.numbers.extend(&values[..present]);
}

/// Numbers of words of the dictionary: one run of numbers of four bits.
fn indices(kinds: &[u8], out: &mut Vec<u8>) {
    out.push(KIND_BITS);
    varint(out, (kinds.len().div_ceil(8) as u64) << 1 | 1);
    let mut eights = kinds.chunks_exact(8);
    for eight in &mut eights {
        out.extend([eight[0] | eight[1] << 4, eight[2] | eight[3] << 4]);
        out.extend([eight[4] | eight[5] << 4, eight[6] | eight[7] << 4]);
    }
    let mut last = [0; 8];
    let rest = eights.remainder();
    if !rest.is_empty() {
        last[..rest.len()].copy_from_slice(rest);
        out.extend(last.chunks_exact(2).map(|two| two[0] | two[1] << 4));
    }
}

const _: () = assert!(EVENT_KINDS.len() <= 1 << KIND_BITS);
