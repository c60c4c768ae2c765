//! One Parquet file of a trace, with the tail that holds the same rows until the file is complete.
//!
//! Rows go to the tail a little later than to Parquet: the file of a segment that fills quickly is complete before,
//! and its rows are written once instead of twice.

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use arrow_array::RecordBatch;
use arrow_schema::{DataType, SchemaRef};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use super::tail::Tail;

/// Rows of one row group: small enough that a reader goes through them with little memory.
const ROW_GROUP_ROWS: usize = 256 * 1024;
const ROW_GROUP_BYTES: usize = 8 * 1024 * 1024;

/// Rows that are saved at once when a file could not be written.
const PIECE: usize = 1024;

/// What turns the rows of a table into a Parquet file.
pub trait Encoder: Sized {
    type Rows;

    fn create(file: File, schema: &SchemaRef) -> io::Result<Self>;
    fn write(&mut self, rows: &Self::Rows) -> io::Result<()>;
    fn finish(self) -> io::Result<File>;
    /// The rows as a tail takes them.
    fn batch(rows: &Self::Rows, schema: &SchemaRef) -> io::Result<RecordBatch>;
}

/// The tables that grow slowly.
impl Encoder for ArrowWriter<File> {
    type Rows = RecordBatch;

    fn create(file: File, schema: &SchemaRef) -> io::Result<Self> {
        ArrowWriter::try_new(file, schema.clone(), Some(properties(schema))).map_err(failure)
    }

    fn write(&mut self, rows: &RecordBatch) -> io::Result<()> {
        ArrowWriter::write(self, rows).map_err(failure)
    }

    fn finish(self) -> io::Result<File> {
        self.into_inner().map_err(failure)
    }

    fn batch(rows: &RecordBatch, _schema: &SchemaRef) -> io::Result<RecordBatch> {
        Ok(rows.clone())
    }
}

/// A file that is being written under a temporary name, and its tail.
pub struct Segment<E: Encoder> {
    temporary: PathBuf,
    path: PathBuf,
    parquet: E,
    tail: LateTail<E>,
}

/// A tail, and the rows that are in Parquet but not in the tail yet.
struct LateTail<E: Encoder> {
    path: PathBuf,
    schema: SchemaRef,
    /// Made when the first rows have waited long enough.
    tail: Option<Tail>,
    waiting: VecDeque<(Instant, E::Rows)>,
    /// Rows that need not wait any more: their room can be used again.
    done: Vec<E::Rows>,
}

impl<E: Encoder> LateTail<E> {
    fn write(&mut self, patience: Duration) -> io::Result<()> {
        while self.waiting.front().is_some_and(|(since, _)| since.elapsed() >= patience)
            && let Some((_, rows)) = self.waiting.pop_front()
        {
            let batch = E::batch(&rows, &self.schema)?;
            self.tail()?.write(&batch)?;
            self.done.push(rows);
        }
        Ok(())
    }

    /// Writes all that waits, in small pieces: where little room is left, as much as there is room for.
    fn save(&mut self) -> io::Result<()> {
        while let Some((_, rows)) = self.waiting.pop_front() {
            let batch = E::batch(&rows, &self.schema)?;
            for first in (0..batch.num_rows()).step_by(PIECE) {
                let piece = batch.slice(first, PIECE.min(batch.num_rows() - first));
                self.tail()?.write(&piece)?;
            }
        }
        Ok(())
    }

    fn tail(&mut self) -> io::Result<&mut Tail> {
        match &mut self.tail {
            Some(tail) => Ok(tail),
            none => Ok(none.insert(Tail::create(&self.path, &self.schema)?)),
        }
    }
}

impl<E: Encoder> Segment<E> {
    /// Begins `NAME.parquet` in `directory`, whose tail is `TAIL.arrows`.
    pub fn create(directory: &Path, name: &str, tail: &str, schema: &SchemaRef) -> io::Result<Segment<E>> {
        let temporary = directory.join(format!(".{name}.parquet.part"));
        let path = directory.join(format!("{name}.parquet"));
        let parquet = E::create(create(&temporary)?, schema)?;
        let tail = LateTail {
            path: directory.join(format!("{tail}.arrows")),
            schema: schema.clone(),
            tail: None,
            waiting: VecDeque::new(),
            done: Vec::new(),
        };
        Ok(Segment { temporary, path, parquet, tail })
    }

    /// Begins `NAME.parquet` for what a tail holds already.
    pub fn with_tail(directory: &Path, name: &str, tail: Tail, schema: &SchemaRef) -> io::Result<Segment<E>> {
        let mut segment = Segment::create(directory, name, "", schema)?;
        segment.tail.tail = Some(tail);
        Ok(segment)
    }

    pub fn write(&mut self, rows: E::Rows) -> io::Result<()> {
        let written = self.parquet.write(&rows);
        // Also after a failure: the tail is where these rows are safe then.
        self.tail.waiting.push_back((Instant::now(), rows));
        written
    }

    /// Writes the rows to the tail that have waited for so long.
    pub fn write_tail(&mut self, patience: Duration) -> io::Result<()> {
        self.tail.write(patience)
    }

    /// Rows whose room can be used again.
    pub fn done(&mut self) -> std::vec::Drain<'_, E::Rows> {
        self.tail.done.drain(..)
    }

    /// Completes the Parquet file; it still has to get its name ([`Complete::put_in_place`]). Also returns the rows
    /// that are done with.
    pub fn complete(self) -> io::Result<(Complete, Vec<E::Rows>)> {
        let Segment { temporary, path, parquet, mut tail } = self;
        match parquet.finish() {
            Ok(file) => {
                tail.done.extend(tail.waiting.into_iter().map(|(_, rows)| rows));
                Ok((Complete { temporary, path, file, tail: tail.tail }, tail.done))
            }
            Err(error) => {
                let _ = std::fs::remove_file(&temporary);
                let _ = tail.save();
                Err(error)
            }
        }
    }

    /// Gives up the Parquet file, and the room that it took, which tails may need for the same rows.
    pub fn abandon(self) -> Abandoned<E> {
        let Segment { temporary, parquet, tail, .. } = self;
        drop(parquet);
        // There is nothing else to do when even that fails.
        let _ = std::fs::remove_file(&temporary);
        Abandoned(tail)
    }
}

/// What is left of a segment that was given up.
pub struct Abandoned<E: Encoder>(LateTail<E>);

impl<E: Encoder> Abandoned<E> {
    /// Saves the rows that are not in the tail yet, as far as there is room.
    pub fn save(mut self) {
        let _ = self.0.save();
    }
}

/// A complete file under its temporary name.
pub struct Complete {
    temporary: PathBuf,
    path: PathBuf,
    file: File,
    tail: Option<Tail>,
}

impl Complete {
    /// Gives the file its name; then the tail is not needed any more.
    ///
    /// The data is synchronised first: after a power failure there must not be a name without its rows when the
    /// tail is gone. That takes the disk's time, so it is done beside the writing.
    pub fn put_in_place(self) -> io::Result<()> {
        self.file.sync_data()?;
        std::fs::rename(&self.temporary, &self.path)?;
        self.tail.map_or(Ok(()), Tail::remove)
    }
}

/// What the footer of every file says of its maker.
pub fn created_by() -> String {
    format!("tamis {}", env!("CARGO_PKG_VERSION"))
}

fn properties(schema: &SchemaRef) -> WriterProperties {
    let mut properties = WriterProperties::builder()
        .set_created_by(created_by())
        .set_compression(Compression::LZ4_RAW)
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES));
    for field in schema.fields() {
        if matches!(field.data_type(), DataType::Int32 | DataType::Int64) {
            let column = ColumnPath::from(field.name().as_str());
            properties = properties
                .set_column_dictionary_enabled(column.clone(), false)
                .set_column_encoding(column, Encoding::DELTA_BINARY_PACKED);
        }
    }
    properties.build()
}

/// Makes a file that only its owner may read, and that was not there before.
pub fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Makes the file that says that somebody writes the trace, and locks it for as long as it stays open.
pub fn lock(path: &Path) -> io::Result<File> {
    let file = create(path)?;
    // SAFETY: an open descriptor of ours.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(file)
}

/// Puts a whole file in place at once: a reader sees the old one or the new one.
pub fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut temporary = path.to_owned();
    temporary.as_mut_os_string().push(".part");
    let _ = std::fs::remove_file(&temporary);
    let written = create(&temporary).and_then(|mut file| {
        file.write_all(text)?;
        file.sync_data()
    });
    let done = written.and_then(|()| std::fs::rename(&temporary, path));
    if done.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    done
}

/// The error of the system inside an error of Arrow or Parquet, where there is one: a full disk must be called
/// a full disk.
pub fn failure(error: impl std::error::Error + Send + Sync + 'static) -> io::Error {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = source {
        if let Some(code) = inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return io::Error::from_raw_os_error(code);
        }
        if let Some(arrow_schema::ArrowError::IoError(_, inner)) = inner.downcast_ref()
            && let Some(code) = inner.raw_os_error()
        {
            return io::Error::from_raw_os_error(code);
        }
        if let Some(parquet::errors::ParquetError::External(inner)) = inner.downcast_ref()
            && let Some(code) = inner.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error)
        {
            return io::Error::from_raw_os_error(code);
        }
        source = inner.source();
    }
    io::Error::other(error)
}
