//! A Parquet file of one row group, from chunks that are complete.

use std::fs::File;
use std::io;
use std::sync::Arc;

use arrow_schema::SchemaRef;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::SchemaDescriptor;

use super::chunk::Chunk;
use crate::trace::segment::{created_by, failure};

pub struct Target {
    file: File,
    properties: WriterProperties,
    pub columns: SchemaDescriptor,
}

impl Target {
    pub fn new(file: File, schema: &SchemaRef) -> io::Result<Target> {
        let mut properties =
            WriterProperties::builder().set_created_by(created_by()).set_offset_index_disabled(true).build();
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let columns = ArrowSchemaConverter::new().convert(schema).map_err(failure)?;
        Ok(Target { file, properties, columns })
    }

    /// Writes everything; the file is whole then. Without rows it has no row group.
    pub fn finish(self, chunks: impl IntoIterator<Item = Chunk>, any: bool) -> io::Result<File> {
        let schema = self.columns.root_schema_ptr();
        let mut writer =
            SerializedFileWriter::new(self.file, schema, Arc::new(self.properties)).map_err(failure)?;
        if any {
            let mut group = writer.next_row_group().map_err(failure)?;
            for chunk in chunks {
                let (pages, about) = chunk.close().map_err(failure)?;
                group.append_column(&pages, about).map_err(failure)?;
            }
            group.close().map_err(failure)?;
        }
        writer.into_inner().map_err(failure)
    }
}
