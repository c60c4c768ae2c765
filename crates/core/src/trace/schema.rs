//! The tables of a trace: every column with its type and its meaning. The page `docs/trace.md` is made from
//! these sentences, so that the two cannot disagree.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef};

/// The version of the directory's layout and of these tables.
pub const FORMAT: u32 = 1;

/// Types of columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Int32,
    Int64,
    Bool,
    Text,
    /// A text of a small fixed set, as a dictionary with 8-bit keys.
    Word,
    Texts,
}

impl Kind {
    pub fn arrow(self) -> DataType {
        match self {
            Kind::Int32 => DataType::Int32,
            Kind::Int64 => DataType::Int64,
            Kind::Bool => DataType::Boolean,
            Kind::Text => DataType::Utf8,
            Kind::Word => DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8)),
            Kind::Texts => DataType::List(Arc::new(Field::new("item", DataType::Utf8, false))),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Kind::Int32 => "int32",
            Kind::Int64 => "int64",
            Kind::Bool => "bool",
            Kind::Text => "utf8",
            Kind::Word => "dictionary<uint8, utf8>",
            Kind::Texts => "list<utf8>",
        }
    }
}

pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub nullable: bool,
    pub meaning: &'static str,
}

pub struct Table {
    pub name: &'static str,
    /// What one row is.
    pub meaning: &'static str,
    pub columns: &'static [Column],
}

impl Table {
    pub fn arrow(&self) -> SchemaRef {
        let field = |column: &Column| Field::new(column.name, column.kind.arrow(), column.nullable);
        Arc::new(Schema::new(self.columns.iter().map(field).collect::<Vec<_>>()))
    }

    /// The table as the documentation shows it.
    pub fn markdown(&self) -> String {
        let mut text = format!("{}\n\n| column | type | meaning |\n|---|---|---|\n", self.meaning);
        for column in self.columns {
            let null = if column.nullable { ", null" } else { "" };
            text += &format!("| `{}` | {}{null} | {} |\n", column.name, column.kind.name(), column.meaning);
        }
        text
    }
}

const fn column(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, nullable: false, meaning }
}

const fn nullable(name: &'static str, kind: Kind, meaning: &'static str) -> Column {
    Column { name, kind, nullable: true, meaning }
}

/// The words of `events.kind`, by number.
pub const EVENT_KINDS: [&str; 11] = [
    "call",
    "return",
    "yield",
    "resume",
    "throw",
    "raise",
    "reraise",
    "handled",
    "unwind",
    "abandoned",
    "unfinished",
];

/// Numbers of [`EVENT_KINDS`].
pub mod event {
    pub const CALL: u8 = 0;
    pub const RETURN: u8 = 1;
    pub const YIELD: u8 = 2;
    pub const RESUME: u8 = 3;
    pub const THROW: u8 = 4;
    pub const RAISE: u8 = 5;
    pub const RERAISE: u8 = 6;
    pub const HANDLED: u8 = 7;
    pub const UNWIND: u8 = 8;
    pub const ABANDONED: u8 = 9;
    pub const UNFINISHED: u8 = 10;
}

pub const EVENTS: Table = Table {
    name: "events",
    meaning: "One row for each event. The rows of a part come in the order in which things happened; where \
              several processes record at once, their rows come in turns.",
    columns: &[
        column("segment", Kind::Int32, "Number of the segment that holds the row"),
        column("part", Kind::Int32, "The process: row of `processes`"),
        column("thread", Kind::Int32, "The thread, counted in its part from 0"),
        column(
            "seq",
            Kind::Int64,
            "Counts the events of a thread from 0; (`part`, `thread`, `seq`) is the key",
        ),
        column("time", Kind::Int64, "Monotonic nanoseconds since the start of the recording"),
        column(
            "kind",
            Kind::Word,
            "`call`, `return`, `yield`, `resume`, `throw`, `raise`, `reraise`, `handled`, `unwind`, \
             `abandoned`, `unfinished`",
        ),
        column(
            "call",
            Kind::Int64,
            "The call that the event belongs to, counted in the part from 0 in order of start",
        ),
        nullable(
            "parent",
            Kind::Int64,
            "On call, return, unwind, abandoned and unfinished rows: the call that first started it; null at \
             a thread's root",
        ),
        nullable("resumed_by", Kind::Int64, "On resume and throw rows: the call that resumed it"),
        column("code", Kind::Int32, "The code: row of `code`"),
        nullable("line", Kind::Int32, "On raise, reraise, handled and unwind rows: the line"),
        nullable(
            "value",
            Kind::Int32,
            "(`segment`, `value`) is a row of `values`: the arguments on call, what leaves on return and \
             yield, the exception on raise and throw when it is new",
        ),
        nullable(
            "start",
            Kind::Int64,
            "On return, unwind, yield, abandoned and unfinished rows: when the call started, as `time`; null \
             for a call that began before the recording",
        ),
        nullable(
            "own",
            Kind::Int64,
            "On the same rows: nanoseconds of its own since the call was last started or resumed, its \
             children's taken off; sums up without counting anything twice",
        ),
        nullable(
            "own_total",
            Kind::Int64,
            "On return, unwind, abandoned and unfinished rows of calls that were suspended: own time over \
             all runs; null where it is the same as `own`",
        ),
        nullable("task", Kind::Int32, "The asyncio task, counted in the part from 1"),
        nullable(
            "exception",
            Kind::Int64,
            "On raise, reraise, handled, unwind and throw rows: the exception, counted in the part from 0",
        ),
    ],
};

pub const VALUES: Table = Table {
    name: "values",
    meaning: "One row for each distinct value of a segment.",
    columns: &[
        column("segment", Kind::Int32, "Number of the segment"),
        column("value", Kind::Int32, "Counts the values of the segment from 0"),
        column("json", Kind::Text, "The value as JSON, see `value.schema.json`"),
    ],
};

pub const REDACTIONS: Table = Table {
    name: "redactions",
    meaning: "The ledger: one row for each distinct value and each place in it that was redacted or dropped. \
              Joined with `events` by (`segment`, `value`) it gives a row for each event.",
    columns: &[
        column("segment", Kind::Int32, "Number of the segment"),
        column("value", Kind::Int32, "The value: row of `values`"),
        column(
            "path",
            Kind::Text,
            "Where in the value: `$` is the value itself, `$.password`, `$.rows[3].pin`",
        ),
        column(
            "kind",
            Kind::Text,
            "`argument`, `local`, `global`, `return`, `attribute`, or `type` where a `type` pattern decided",
        ),
        column("action", Kind::Text, "`redact` or `drop`"),
        column("filter", Kind::Text, "Name of the filter that decided"),
        nullable("rule", Kind::Text, "Selector of the rule that decided; null: the filter's default"),
        nullable("pattern", Kind::Text, "Selector of the pattern that decided; null: the rule's default"),
        column("secret", Kind::Bool, "A redact or drop pattern matches it, and not only a default"),
    ],
};

pub const CODE: Table = Table {
    name: "code",
    meaning: "One row for each code object, over all processes; equal ones are one row.",
    columns: &[
        column("code", Kind::Int32, "Number of the code object"),
        column("module", Kind::Text, "Its module"),
        column("qualname", Kind::Text, "Its qualified name in the module; `<module>` for the module's body"),
        column(
            "file",
            Kind::Text,
            "Its file, relative to the project root, or absolute with `~` for the home directory",
        ),
        column("line", Kind::Int32, "Its first line"),
        column("kind", Kind::Text, "`function`, `generator`, `coroutine`, `async generator`"),
        column("traced", Kind::Bool, "False: skipped, it has no events"),
        column("filter", Kind::Text, "Name of the filter that decided whether it is traced"),
        nullable("rule", Kind::Text, "Selector of the rule that decided; null: the filter's default"),
        nullable("rule_line", Kind::Int32, "Line of that rule in its file"),
        nullable("reason", Kind::Text, "The rule's own reason, or why it could not be decided"),
        column("parameters", Kind::Texts, "Names of the parameters, in order"),
    ],
};

pub const PROCESSES: Table = Table {
    name: "processes",
    meaning: "One row for each process that recorded. (In a tail, where a process that ends gets a second row, \
              the last row of a part holds.)",
    columns: &[
        column("part", Kind::Int32, "Number of the process, in the order in which they joined"),
        nullable("parent", Kind::Int32, "The part that started it; null for the first"),
        column("command", Kind::Text, "What it runs"),
        column("started", Kind::Int64, "When it joined, nanoseconds since the start of the recording"),
        nullable("ended", Kind::Int64, "When it ended; null while it records"),
        column(
            "end",
            Kind::Text,
            "`exit`, `stop` (the recording was stopped), `lost` (killed, crashed, replaced by another program \
             or ended at once by `os._exit`), `recording`",
        ),
        nullable("exit_status", Kind::Int32, "Its exit status, where it is known"),
    ],
};

pub const TABLES: [&Table; 5] = [&EVENTS, &VALUES, &REDACTIONS, &CODE, &PROCESSES];
