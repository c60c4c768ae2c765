//! The pages of one column, and what the footer says of them.

use std::io;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::page::{CompressedPage, Page, PageWriteSpec, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::statistics::Statistics;
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;

use crate::trace::segment::failure;

/// How a column is compressed: numbers are packed already, and text is worth more time.
pub enum Codec {
    Stored,
    Lz4,
    Zstd(Box<zstd::bulk::Compressor<'static>>),
}

/// On the JSON of a trace hardly slower than the levels below it, and smaller than any of them.
const ZSTD_LEVEL: i32 = 1;

const SAMPLE: usize = 64 * 1024;
const ENOUGH: usize = 12;
/// A column whose first page loses less than a fifth by compression is not worth the time.
const WORTH: (usize, usize) = (4, 5);

impl Codec {
    fn zstd() -> io::Result<Codec> {
        Ok(Codec::Zstd(Box::new(zstd::bulk::Compressor::new(ZSTD_LEVEL)?)))
    }

    /// For text of which `sample` is typical: where even LZ4 leaves little of it, the rest is not worth zstd's time.
    pub fn for_text(sample: &[u8]) -> io::Result<Codec> {
        let left = lz4_flex::block::compress(&sample[..sample.len().min(SAMPLE)]).len();
        if sample.len() >= SAMPLE && left * ENOUGH <= SAMPLE { Ok(Codec::Lz4) } else { Codec::zstd() }
    }

    fn compress(&mut self, body: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Codec::Stored => Ok(body.to_vec()),
            Codec::Lz4 => Ok(lz4_flex::block::compress(body)),
            Codec::Zstd(compressor) => compressor.compress(body),
        }
    }

    fn name(&self) -> Compression {
        match self {
            Codec::Stored => Compression::UNCOMPRESSED,
            Codec::Lz4 => Compression::LZ4_RAW,
            Codec::Zstd(_) => Compression::ZSTD(ZstdLevel::default()),
        }
    }
}

pub struct Chunk {
    column: ColumnDescPtr,
    codec: Codec,
    encoding: Encoding,
    pages: TrackedWrite<Vec<u8>>,
    rows: i64,
    absent: u64,
    compressed: usize,
    uncompressed: usize,
    first_page: Option<u64>,
    dictionary: bool,
    /// Smallest and greatest value, for columns by which readers look for rows.
    bounds: Option<(i64, i64)>,
}

impl Chunk {
    pub fn new(column: ColumnDescPtr, codec: Codec, encoding: Encoding) -> Chunk {
        Chunk {
            column,
            codec,
            encoding,
            pages: TrackedWrite::new(Vec::new()),
            rows: 0,
            absent: 0,
            compressed: 0,
            uncompressed: 0,
            first_page: None,
            dictionary: false,
            bounds: None,
        }
    }

    /// Begins with a dictionary: `count` values, one after the other.
    pub fn dictionary(&mut self, body: &[u8], count: u32) -> io::Result<()> {
        let buf = self.codec.compress(body)?.into();
        let page =
            Page::DictionaryPage { buf, num_values: count, encoding: Encoding::PLAIN, is_sorted: false };
        self.put(page, body.len())?;
        self.dictionary = true;
        Ok(())
    }

    /// Appends a page: levels, if the column has any, and values.
    pub fn page(&mut self, rows: usize, absent: usize, body: &[u8]) -> io::Result<()> {
        let mut compressed = self.codec.compress(body)?;
        // All pages of a column have one codec.
        if self.pages.bytes_written() == 0 && compressed.len() * WORTH.1 > body.len() * WORTH.0 {
            self.codec = Codec::Stored;
            compressed = body.to_vec();
        }
        let page = Page::DataPage {
            buf: compressed.into(),
            num_values: rows as u32,
            encoding: self.encoding,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let written = self.put(page, body.len())?;
        self.first_page.get_or_insert(written.offset);
        self.rows += rows as i64;
        self.absent += absent as u64;
        Ok(())
    }

    fn put(&mut self, page: Page, uncompressed: usize) -> io::Result<PageWriteSpec> {
        let page = CompressedPage::new(page, uncompressed);
        let written = SerializedPageWriter::new(&mut self.pages).write_page(page).map_err(failure)?;
        self.compressed += written.compressed_size;
        self.uncompressed += written.uncompressed_size;
        Ok(written)
    }

    pub fn widen(&mut self, bounds: Option<(i64, i64)>) {
        if let Some((low, high)) = bounds {
            let (lowest, highest) = self.bounds.unwrap_or((low, high));
            self.bounds = Some((low.min(lowest), high.max(highest)));
        }
    }

    /// The pages, and what is to be said of them.
    pub fn close(self) -> Result<(Bytes, ColumnCloseResult), ParquetError> {
        let mut encodings = vec![self.encoding, Encoding::RLE];
        if self.dictionary {
            encodings.push(Encoding::PLAIN);
        }
        let mut about = ColumnChunkMetaData::builder(self.column.clone())
            .set_compression(self.codec.name())
            .set_encodings(encodings)
            .set_num_values(self.rows)
            .set_total_compressed_size(self.compressed as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_data_page_offset(self.first_page.unwrap_or(0) as i64)
            .set_dictionary_page_offset(self.dictionary.then_some(0));
        if let Some((low, high)) = self.bounds {
            let narrow = self.column.physical_type() == parquet::basic::Type::INT32;
            about = about.set_statistics(if narrow {
                Statistics::int32(Some(low as i32), Some(high as i32), None, Some(self.absent), false)
            } else {
                Statistics::int64(Some(low), Some(high), None, Some(self.absent), false)
            });
        }
        let closed = ColumnCloseResult {
            bytes_written: self.compressed as u64,
            rows_written: self.rows as u64,
            metadata: about.build()?,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok((self.pages.into_inner()?.into(), closed))
    }
}
