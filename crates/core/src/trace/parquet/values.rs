//! The table `values`.

use std::fs::File;
use std::io;

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::basic::Encoding;

use super::chunk::{Chunk, Codec};
use super::delta::Delta;
use super::file::Target;
use crate::trace::rows::Values;
use crate::trace::segment::{Encoder, failure};

/// Small batches wait until a page is worth its header; a large one is a page as it is.
const PAGE: usize = 256 * 1024;

pub struct ValuesFile {
    target: Target,
    segment: i32,
    first: i32,
    /// Once the first page has come.
    json: Option<Chunk>,
    waiting: Vec<u8>,
    waiting_rows: usize,
    rows: usize,
}

impl Encoder for ValuesFile {
    type Rows = Values;

    fn create(file: File, schema: &SchemaRef) -> io::Result<ValuesFile> {
        let target = Target::new(file, schema)?;
        let waiting = Vec::new();
        Ok(ValuesFile { target, segment: 0, first: 0, json: None, waiting, waiting_rows: 0, rows: 0 })
    }

    fn write(&mut self, values: &Values) -> io::Result<()> {
        if self.rows == 0 {
            (self.segment, self.first) = (values.segment, values.first);
        }
        self.rows += values.len();
        if self.waiting.len() + values.plain().len() < PAGE {
            self.waiting.extend_from_slice(values.plain());
            self.waiting_rows += values.len();
            return Ok(());
        }
        self.close_page()?;
        self.page(values.len(), values.plain())
    }

    fn finish(mut self) -> io::Result<File> {
        self.close_page()?;
        let mut segment =
            Chunk::new(self.target.columns.column(0), Codec::Lz4, Encoding::DELTA_BINARY_PACKED);
        let mut number = Chunk::new(self.target.columns.column(1), Codec::Lz4, Encoding::DELTA_BINARY_PACKED);
        if self.rows > 0 {
            let first = i64::from(self.first);
            let numbers: Vec<i64> = (first..first + self.rows as i64).collect();
            column(&mut segment, &vec![self.segment.into(); self.rows])?;
            column(&mut number, &numbers)?;
        }
        self.target.finish([segment, number].into_iter().chain(self.json), self.rows > 0)
    }

    fn batch(rows: &Values, schema: &SchemaRef) -> io::Result<RecordBatch> {
        rows.batch(schema).map_err(failure)
    }
}

impl ValuesFile {
    fn close_page(&mut self) -> io::Result<()> {
        if self.waiting_rows > 0 {
            let mut waiting = std::mem::take(&mut self.waiting);
            self.page(self.waiting_rows, &waiting)?;
            waiting.clear();
            (self.waiting, self.waiting_rows) = (waiting, 0);
        }
        Ok(())
    }

    fn page(&mut self, rows: usize, plain: &[u8]) -> io::Result<()> {
        let json = match &mut self.json {
            Some(json) => json,
            none => {
                let codec = Codec::for_text(plain)?;
                none.insert(Chunk::new(self.target.columns.column(2), codec, Encoding::PLAIN))
            }
        };
        json.page(rows, 0, plain)
    }
}

fn column(chunk: &mut Chunk, numbers: &[i64]) -> io::Result<()> {
    let (mut delta, mut body) = (Delta::new(true, true), Vec::new());
    delta.extend(numbers);
    chunk.widen(delta.finish(&mut body));
    chunk.page(numbers.len(), 0, &body)
}
