//! A recorder without Python: writes records as the real one does, and reads traces back.
#![allow(dead_code)] // Each test program uses a part of it.
#![allow(clippy::unwrap_used)]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tamis_core::arena::{Arena, Clock, Writer};
use tamis_core::helper::{Config, run};
use tamis_core::wire::{CodeDef, NONE_ID, code_flag, flag, header, kind, put_str, put_strs, tag};

pub struct Recorder {
    pub writer: Writer,
    clock: Clock,
    /// A time for the next record, instead of the clock's.
    pub at: Option<u64>,
    /// Records that were published.
    pub published: u64,
}

impl Recorder {
    pub fn join(arena: &Arena, parent: u32) -> Recorder {
        let slice = arena.reserve(parent).unwrap();
        Recorder::join_reserved(arena, slice)
    }

    pub fn join_reserved(arena: &Arena, slice: usize) -> Recorder {
        let writer = arena.join(slice, "python program.py");
        Recorder { writer, clock: arena.clock(), at: None, published: 0 }
    }

    pub fn put(&mut self, kind: u8, flags: u8, id: u32, words: &[u64]) {
        let place = loop {
            match self.writer.place() {
                Some(place) => break place,
                None => std::thread::sleep(std::time::Duration::from_micros(200)),
            }
        };
        let time = self.at.unwrap_or_else(|| self.clock.ticks());
        // SAFETY: the place has room for the longest record.
        unsafe {
            place.write(header(kind, flags, words.len() + 2, id));
            place.add(1).write(time);
            place.add(2).copy_from_nonoverlapping(words.as_ptr(), words.len());
        }
        self.writer.publish(words.len() + 2);
        self.published += 1;
    }

    pub fn code(&mut self, id: u32, qualname: &str, parameters: &[&str]) {
        self.code_of(id, qualname, parameters, NONE_ID, code_flag::TRACED);
    }

    pub fn code_of(&mut self, id: u32, qualname: &str, parameters: &[&str], rule: u32, flags: u32) {
        let definition = CodeDef {
            flags,
            first_line: 1 + id,
            rule,
            module: "program".into(),
            qualname: qualname.into(),
            file: "program.py".into(),
            parameters: parameters.iter().map(|&name| name.into()).collect(),
        };
        let mut body = Vec::new();
        definition.encode(&mut body);
        self.put(kind::DEF_CODE, 0, id, &words(&body));
    }

    pub fn define(&mut self, kind: u8, id: u32, name: &str) {
        let mut body = Vec::new();
        put_str(&mut body, name);
        self.put(kind, 0, id, &words(&body));
    }

    pub fn shape(&mut self, id: u32, names: &[&str]) {
        let mut body = Vec::new();
        put_strs(&mut body, &names.iter().map(|&name| name.into()).collect::<Vec<_>>());
        self.put(kind::DEF_SHAPE, 0, id, &words(&body));
    }

    pub fn thread(&mut self, thread: u32) {
        self.put(kind::THREAD, 0, thread, &[]);
    }

    pub fn call(&mut self, code: u32, frame: u64) {
        self.put(kind::CALL, 0, code, &[frame]);
    }

    pub fn call_with(&mut self, code: u32, frame: u64, arguments: &[Vec<u8>]) {
        let mut body = (arguments.len() as u16).to_le_bytes().to_vec();
        body.extend(arguments.concat());
        let mut all = vec![frame];
        all.extend(words(&body));
        self.put(kind::CALL, flag::VALUE, code, &all);
    }

    pub fn leave(&mut self, code: u32, frame: u64) {
        self.put(kind::RETURN, 0, code, &[frame]);
    }

    pub fn leave_with(&mut self, code: u32, frame: u64, value: &[u8]) {
        let mut all = vec![frame];
        all.extend(words(value));
        self.put(kind::RETURN, flag::VALUE, code, &all);
    }

    pub fn end(mut self, how: u32, status: i64) {
        self.put(kind::END, 0, how, &[status as u64]);
        self.writer.finish();
    }
}

/// Bytes as words, the last one filled up with zeros.
pub fn words(bytes: &[u8]) -> Vec<u64> {
    let word = |chunk: &[u8]| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    };
    bytes.chunks(8).map(word).collect()
}

pub fn int(number: i64) -> Vec<u8> {
    [&[tag::INT64][..], &number.to_le_bytes()].concat()
}

pub fn text(text: &str) -> Vec<u8> {
    [&[tag::STR_ASCII, text.len() as u8][..], text.as_bytes()].concat()
}

/// A recording in this process: the helper runs in a thread.
pub struct Recording {
    pub arena: Arena,
    pub fd: i32,
    pub helper: JoinHandle<i32>,
    pub trace: tempfile::TempDir,
}

impl Recording {
    pub fn start(clock: Clock, mut config: serde_json::Value) -> Recording {
        let trace = tempfile::tempdir().unwrap();
        config["trace"] = trace.path().to_str().into();
        let config: Config = serde_json::from_value(config).unwrap();
        let (arena, fd) = Arena::create(clock).unwrap();
        let other = Arena::open(fd).unwrap();
        let thread = std::thread::Builder::new().name("tamis-helper".into());
        let helper = thread.spawn(move || run(other, config)).unwrap();
        Recording { arena, fd, helper, trace }
    }

    pub fn finish(self) -> (i32, tempfile::TempDir) {
        (self.helper.join().unwrap(), self.trace)
    }
}

/// The rows of all Parquet files of a table, in order.
pub fn sealed(directory: &Path, table: &str) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    for path in files(directory, table, "parquet") {
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
        batches.extend(reader.build().unwrap().map(Result::unwrap));
    }
    batches
}

/// The rows of all tails of a table, up to the last whole batch.
pub fn tails(directory: &Path, table: &str) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    let mut paths = files(directory, "tail", "arrows");
    paths.retain(|path| path.to_str().unwrap().ends_with(&format!("-{table}.arrows")));
    for path in paths {
        let Ok(reader) = arrow_ipc::reader::StreamReader::try_new_buffered(File::open(path).unwrap(), None)
        else {
            continue;
        };
        batches.extend(reader.map_while(Result::ok));
    }
    batches
}

pub fn files(directory: &Path, prefix: &str, extension: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.file_name().unwrap().to_str().unwrap().starts_with(prefix)
            && path.extension().is_some_and(|found| found == extension)
    });
    paths.sort();
    paths
}

pub fn metadata(directory: &Path) -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(directory.join("trace_metadata.json")).unwrap()).unwrap()
}

/// One cell as text; null as `-`.
pub fn cell(batch: &RecordBatch, column: &str, row: usize) -> String {
    let array = batch.column_by_name(column).unwrap_or_else(|| panic!("no column {column}"));
    if array.is_null(row) {
        return "-".into();
    }
    if let Some(array) = array.as_primitive_opt::<Int32Type>() {
        array.value(row).to_string()
    } else if let Some(array) = array.as_primitive_opt::<Int64Type>() {
        array.value(row).to_string()
    } else if let Some(array) = array.as_string_opt::<i32>() {
        array.value(row).into()
    } else if let Some(array) = array.as_boolean_opt() {
        array.value(row).to_string()
    } else if let Some(array) = array.as_list_opt::<i32>() {
        let texts = array.value(row);
        texts.as_string::<i32>().iter().map(Option::unwrap).collect::<Vec<_>>().join(",")
    } else {
        let array = array.as_dictionary::<arrow_array::types::UInt8Type>();
        array.values().as_string::<i32>().value(array.keys().value(row).into()).into()
    }
}

/// Rows as lines of the named columns.
pub fn lines(batches: &[RecordBatch], columns: &[&str]) -> Vec<String> {
    let rows = |batch: &RecordBatch| {
        let line = |row| columns.iter().map(|column| cell(batch, column, row)).collect::<Vec<_>>().join(" ");
        (0..batch.num_rows()).map(line).collect::<Vec<_>>()
    };
    batches.iter().flat_map(rows).collect()
}
