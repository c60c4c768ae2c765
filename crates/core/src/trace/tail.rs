//! A tail: the rows of a table that are not in Parquet yet, as an Arrow IPC stream that grows with every batch.
//! Whoever reads it after a crash takes whole batches up to the torn end.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_ipc::CompressionType;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::SchemaRef;

use super::segment::{create, failure};

pub struct Tail {
    path: PathBuf,
    stream: StreamWriter<BufWriter<File>>,
}

impl Tail {
    pub fn create(path: &Path, schema: &SchemaRef) -> io::Result<Tail> {
        let options = IpcWriteOptions::default()
            .try_with_compression(Some(CompressionType::LZ4_FRAME))
            .map_err(failure)?;
        let file = BufWriter::with_capacity(128 * 1024, create(path)?);
        let mut stream = StreamWriter::try_new_with_options(file, schema, options).map_err(failure)?;
        stream.flush().map_err(failure)?;
        Ok(Tail { path: path.to_owned(), stream })
    }

    /// Appends a batch and hands it to the system, which keeps it even if the helper is killed.
    pub fn write(&mut self, batch: &RecordBatch) -> io::Result<()> {
        self.stream.write(batch).map_err(failure)?;
        self.stream.flush().map_err(failure)
    }

    pub fn remove(self) -> io::Result<()> {
        std::fs::remove_file(&self.path)
    }
}
