//! Every tag, as JSON.

use super::*;
use crate::helper::names::members;
use crate::wire::{object, value_kind};
use proptest::prelude::*;

/// Bytes of a value, put together from parts.
macro_rules! blob {
    ($($part:expr),* $(,)?) => {{
        let mut bytes: Vec<u8> = Vec::new();
        $(bytes.extend_from_slice(&Part::bytes($part));)*
        bytes
    }};
}

trait Part {
    fn bytes(self) -> Vec<u8>;
}

impl Part for u8 {
    fn bytes(self) -> Vec<u8> {
        vec![self]
    }
}

impl Part for u16 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl Part for u32 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl Part for i32 {
    fn bytes(self) -> Vec<u8> {
        (self as u32).bytes()
    }
}

impl Part for u64 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl Part for f64 {
    fn bytes(self) -> Vec<u8> {
        self.to_le_bytes().to_vec()
    }
}

impl Part for &str {
    fn bytes(self) -> Vec<u8> {
        self.as_bytes().to_vec()
    }
}

impl Part for Vec<u8> {
    fn bytes(self) -> Vec<u8> {
        self
    }
}

fn names() -> Names {
    let mut names = Names::default();
    for (id, name) in
        ["m.T", "m.Stack", "datetime.datetime", "numpy.ndarray", "str", "list"].iter().enumerate()
    {
        names.types.set(id as u32, TypeName::new(name));
    }
    names.keys.set(0, "key".into());
    names.keys.set(1, "$odd".into());
    names.shapes.set(0, members(&["x".into(), "y z".into(), "$v".into(), "x".into()]));
    names
}

fn short(text: &str) -> Vec<u8> {
    blob!(tag::STR_ASCII, text.len() as u8, text)
}

fn int(number: u8) -> Vec<u8> {
    blob!(tag::INT8, number)
}

/// An object at address 64.
fn thing(kind: u32) -> u64 {
    object::word(kind, 64).unwrap()
}

fn redacted() -> Vec<u8> {
    blob!(tag::REDACTED, value_kind::ATTRIBUTE, 1u8, 3u32, 4u32, 4u32)
}

fn dropped() -> Vec<u8> {
    blob!(tag::DROPPED, value_kind::RETURN, 0u8, crate::wire::NONE_ID, crate::wire::NONE_ID)
}

fn read(body: &[u8]) -> (String, Vec<Found>) {
    let (names, mut ids) = (names(), Numbers::new());
    let (mut out, mut found) = (Vec::new(), Vec::new());
    let _ = Decoder { names: &names, ids: &mut ids, id_limit: 16 }.value(body, &mut out, &mut found);
    (String::from_utf8(out).unwrap(), found)
}

fn read_arguments(parameters: &[&str], body: &[u8]) -> (String, Vec<Found>) {
    let (names, mut ids) = (names(), Numbers::new());
    let parameters = members(&parameters.iter().map(|&name| name.into()).collect::<Vec<_>>());
    let (mut out, mut found) = (Vec::new(), Vec::new());
    let mut decoder = Decoder { names: &names, ids: &mut ids, id_limit: 16 };
    let _ = decoder.arguments(&parameters, body, &mut out, &mut found);
    (String::from_utf8(out).unwrap(), found)
}

/// Every kind of value has the JSON that the schema of values tells, and that JSON can be parsed.
#[test]
fn every_tag() {
    let big = [0u8, 0, 0, 0, 0, 0, 0, 0, 1];
    let table: Vec<(Vec<u8>, &str)> = vec![
        (blob!(tag::NONE), "null"),
        (blob!(tag::TRUE), "true"),
        (blob!(tag::FALSE), "false"),
        (blob!(tag::INT8, 0xffu8), "-1"),
        (blob!(tag::INT8, 7u8), "7"),
        (blob!(tag::INT8, 10u8), "10"),
        (blob!(tag::INT16, 0x8000u16), "-32768"),
        (blob!(tag::INT32, 0x7fff_ffffu32), "2147483647"),
        (blob!(tag::INT64, i64::MIN as u64), "-9223372036854775808"),
        (blob!(tag::BIGINT, 0u8, 65u32, 9u16, big.to_vec()), r#"{"$int":"18446744073709551616"}"#),
        (blob!(tag::BIGINT, 1u8, 65u32, 9u16, big.to_vec()), r#"{"$int":"-18446744073709551616"}"#),
        (blob!(tag::BIGINT, 0u8, 9000u32, 2u16, vec![1, 2]), r#"{"$int":null,"$bits":9000}"#),
        (blob!(tag::FLOAT, 1.0), "1.0"),
        (blob!(tag::FLOAT, 1e300), "1e300"),
        (blob!(tag::FLOAT, -0.0), "-0.0"),
        (blob!(tag::FLOAT, f64::NAN), r#"{"$float":"nan"}"#),
        (blob!(tag::FLOAT, f64::NEG_INFINITY), r#"{"$float":"-inf"}"#),
        (blob!(tag::COMPLEX, 1.5, f64::INFINITY), r#"{"$complex":[1.5,{"$float":"inf"}]}"#),
        (blob!(tag::ELLIPSIS), r#"{"$const":"Ellipsis"}"#),
        (blob!(tag::NOT_IMPLEMENTED), r#"{"$const":"NotImplemented"}"#),
        (short("a\"b\\\n\u{1}"), r#""a\"b\\\n\u0001""#),
        (blob!(tag::STR_1, 1u32, 1u32, vec![0xe4]), r#""ä""#),
        (blob!(tag::STR_1, 9u32, 2u32, "ab"), r#"{"$str":"ab","$cut":9}"#),
        (blob!(tag::STR_2, 2u32, 2u32, 0x20acu16, 0x41u16), r#""€A""#),
        (blob!(tag::STR_2, 2u32, 2u32, 0xd800u16, 0x5cu16), r#"{"$str":"\\ud800\\\\","$escaped":true}"#),
        (blob!(tag::STR_2, 5u32, 1u32, 0xdfffu16), r#"{"$str":"\\udfff","$cut":5,"$escaped":true}"#),
        (blob!(tag::STR_4, 1u32, 1u32, 0x1f600u32), r#""😀""#),
        (blob!(tag::STR_4, 1u32, 1u32, 0x110000u32), CORRUPT),
        (
            blob!(tag::BYTES, 6u32, 6u32, vec![0, b'a', b'\'', b'"', b'\\', 0xff]),
            r#"{"$bytes":"\\x00a\\'\"\\\\\\xff"}"#,
        ),
        (blob!(tag::BYTEARRAY, 4u32, 1u32, "a"), r#"{"$bytearray":"a","$cut":4}"#),
        (blob!(tag::KEY, 0u32), r#""key""#),
        (blob!(tag::KEY, 9u32), CORRUPT),
        (blob!(tag::LIST, 2u32, 2u32, int(1), tag::NONE), "[1,null]"),
        (blob!(tag::LIST, 5u32, 1u32, int(1)), r#"{"$list":[1],"$cut":5}"#),
        (blob!(tag::LIST, 2u32, 2u32, int(1), tag::STOP), r#"{"$list":[1],"$cut":2}"#),
        (blob!(tag::LIST, 3u32, 3u32, dropped(), int(2), dropped()), "[2]"),
        (blob!(tag::LIST, 3u32, 3u32, int(1)), CORRUPT),
        (blob!(tag::TUPLE, 1u32, 1u32, int(1)), r#"{"$tuple":[1]}"#),
        (blob!(tag::SET, 0u32, 0u32), r#"{"$set":[]}"#),
        (blob!(tag::FROZENSET, 9u32, 1u32, int(1)), r#"{"$frozenset":[1],"$cut":9}"#),
        (blob!(tag::DICT, 0u32, 0u32), "{}"),
        (blob!(tag::DICT, 2u32, 2u32, tag::KEY, 1u32, int(1), short("b"), int(2)), r#"{"$$odd":1,"b":2}"#),
        (
            blob!(tag::DICT, 3u32, 3u32, tag::KEY, 1u32, int(1), int(7), int(2), short("b"), int(3)),
            r#"{"$dict":[["$odd",1],[7,2],["b",3]]}"#,
        ),
        (blob!(tag::DICT, 9u32, 1u32, short("$a"), int(1)), r#"{"$dict":[["$a",1]],"$cut":9}"#),
        (blob!(tag::DICT, 2u32, 2u32, short("a"), int(1), tag::STOP), r#"{"$dict":[["a",1]],"$cut":2}"#),
        (
            blob!(tag::DICT, 2u32, 2u32, short("a"), int(1), short("b"), tag::STOP),
            r#"{"$dict":[["a",1]],"$cut":2}"#,
        ),
        (blob!(tag::DICT, 1u32, 1u32, tag::STOP), r#"{"$dict":[],"$cut":1}"#),
        (blob!(tag::DICT, 2u32, 2u32, short("a"), dropped(), short("b"), int(1)), r#"{"b":1}"#),
        (
            blob!(tag::DICT, 1u32, 1u32, tag::STR_1, 9u32, 1u32, "k", int(1)),
            r#"{"$dict":[[{"$str":"k","$cut":9},1]]}"#,
        ),
        (
            blob!(tag::DICT, 1u32, 1u32, short("d"), tag::DICT, 1u32, 1u32, int(1), int(2)),
            r#"{"d":{"$dict":[[1,2]]}}"#,
        ),
        (blob!(tag::OBJECT, thing(0)), r#"{"$type":"m.T","$id":0}"#),
        (blob!(tag::OBJECT, object::LONG, 1u32, u64::MAX), r#"{"$type":"m.Stack","$id":0}"#),
        (blob!(tag::OBJECT, object::LONG, 9u32, 64u64), CORRUPT),
        (
            blob!(tag::LIST, 3u32, 3u32, tag::OBJECT, thing(0), tag::OBJECT, thing(1), tag::OBJECT, thing(0)),
            r#"[{"$type":"m.T","$id":0},{"$type":"m.Stack","$id":1},{"$type":"m.T","$id":0}]"#,
        ),
        (
            blob!(tag::FIELDS, thing(0), 0u32, int(1), tag::MISSING, int(3), int(4)),
            r#"{"$type":"m.T","$id":0,"x":1,"$$v":3,"x (2)":4}"#,
        ),
        (blob!(tag::FIELDS, thing(0), 0u32, int(1), tag::STOP), r#"{"$type":"m.T","$id":0,"x":1,"$cut":4}"#),
        (
            blob!(tag::FIELDS_DYNAMIC, thing(0), 3u32, 1u32, short("a"), int(1)),
            r#"{"$type":"m.T","$id":0,"a":1,"$cut":3}"#,
        ),
        (
            blob!(tag::FIELDS_DYNAMIC, thing(0), 2u32, 2u32, short("a"), int(1), int(7), int(2)),
            r#"{"$type":"m.T","$id":0,"$dict":[["a",1],[7,2]]}"#,
        ),
        (
            blob!(tag::EXTENDS, thing(1), tag::LIST, 1u32, 1u32, int(1), tag::MISSING),
            r#"{"$type":"m.Stack","$id":0,"$value":[1]}"#,
        ),
        (
            blob!(
                tag::EXTENDS,
                thing(1),
                int(1),
                tag::FIELDS_DYNAMIC,
                thing(1),
                1u32,
                1u32,
                short("a"),
                int(2)
            ),
            r#"{"$type":"m.Stack","$id":0,"$value":1,"a":2}"#,
        ),
        (blob!(tag::EXTENDS, thing(1), tag::STOP), r#"{"$type":"m.Stack","$id":0,"$cut":1}"#),
        (
            blob!(tag::TEXT, 2u32, short("2026-01-02")),
            r#"{"$type":"datetime.datetime","$value":"2026-01-02"}"#,
        ),
        (blob!(tag::TEXT, 2u32, int(1)), CORRUPT),
        (
            blob!(tag::ARRAY, thing(3), short("float64"), 2u8, 2u64, 3u64, 1u32, tag::FLOAT, 0.5),
            r#"{"$type":"numpy.ndarray","$dtype":"float64","$shape":[2,3],"$items":[0.5]}"#,
        ),
        (blob!(tag::CONTAINER, 5u32, 5u32), r#"{"$type":"list","$len":5}"#),
        (blob!(tag::SIZED, thing(1), 3u32), r#"{"$type":"m.Stack","$id":0,"$len":3}"#),
        (blob!(tag::CYCLE, 2u8), r#"{"$cycle":2}"#),
        (blob!(tag::MISSING), CORRUPT),
        (blob!(tag::STOP), CORRUPT),
        (redacted(), r#"{"$redacted":true,"$type":"str"}"#),
        (dropped(), r#"{"$dropped":true}"#),
        (blob!(tag::UNREAD, 0u32, unread::LAYOUT), r#"{"$type":"m.T","$unread":"layout"}"#),
        (blob!(tag::UNREAD, 0u32, unread::UNDECIDED), r#"{"$type":"m.T","$unread":"undecided"}"#),
        (blob!(tag::UNREAD, 0u32, 9u8), CORRUPT),
        (blob!(200u8), CORRUPT),
        (vec![], CORRUPT),
        ([tag::LIST, 1, 0, 0, 0, 1, 0, 0, 0].repeat(1_000), CORRUPT),
    ];
    for (body, expected) in table {
        let (mut padded, got) = (body.clone(), read(&body).0);
        assert_eq!(got, expected, "{body:?}");
        assert!(serde_json::from_str::<serde_json::Value>(&got).is_ok(), "{got}");
        if expected == CORRUPT {
            continue;
        }
        // A record ends with a whole word: zeros behind a value are no part of it, anything else is damage.
        padded.extend([0; 3]);
        assert_eq!(read(&padded).0, expected);
        padded.push(9);
        assert_eq!(read(&padded).0, CORRUPT);
    }
}

/// The ledger names the place of what was redacted or dropped, at every depth.
#[test]
fn places() {
    let table = [
        (redacted(), "$"),
        (blob!(tag::LIST, 2u32, 2u32, int(1), redacted()), "$[1]"),
        (blob!(tag::DICT, 1u32, 1u32, short("pin"), redacted()), "$.pin"),
        (blob!(tag::DICT, 1u32, 1u32, short("X-Key"), redacted()), r#"$["X-Key"]"#),
        (blob!(tag::DICT, 1u32, 1u32, tag::BYTES, 3u32, 3u32, "pin", redacted()), r#"$[{"$bytes":"pin"}]"#),
        (blob!(tag::FIELDS, thing(0), 0u32, int(1), redacted(), int(3), int(4)), r#"$["y z"]"#),
        (
            blob!(
                tag::EXTENDS,
                thing(1),
                int(1),
                tag::FIELDS_DYNAMIC,
                thing(1),
                1u32,
                1u32,
                tag::KEY,
                0u32,
                tag::TUPLE,
                1u32,
                1u32,
                redacted(),
                0u8,
                0u8
            ),
            "$.key[0]",
        ),
    ];
    for (body, path) in table {
        let found = read(&body).1;
        let expected = Found {
            path: path.into(),
            kind: value_kind::ATTRIBUTE,
            dropped: false,
            rule: 3,
            pattern: 4,
            secret: true,
        };
        assert_eq!(found, [expected], "{body:?}");
    }
}

/// Arguments are one object in the order of the parameters; unbound and dropped ones are absent, and the ledger
/// has the dropped ones.
#[test]
fn arguments() {
    let body = blob!(4u16, int(1), tag::MISSING, dropped(), redacted());
    let (json, found) = read_arguments(&["self", "b", "c", "password"], &body);
    assert_eq!(json, r#"{"self":1,"password":{"$redacted":true,"$type":"str"}}"#);
    let paths: Vec<_> = found.iter().map(|found| (found.path.as_str(), found.dropped)).collect();
    assert_eq!(paths, [("$.c", true), ("$.password", false)]);
    assert_eq!(read_arguments(&["a", "b"], &blob!(2u16, int(1), tag::STOP)).0, r#"{"a":1,"$cut":2}"#);
    assert_eq!(read_arguments(&["a"], &blob!(2u16, int(1), int(2))).0, CORRUPT);
    assert_eq!(read_arguments(&[], &blob!(0u16)).0, "{}");
}

proptest! {
    /// Whatever bytes there are: JSON that can be parsed, and nothing in the ledger of a damaged value.
    #[test]
    fn any_bytes(mut body in proptest::collection::vec(prop_oneof![0u8..38, any::<u8>(), Just(0)], 0..200)) {
        let (json, found) = read(&body);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{}", json);
        prop_assert!(json != CORRUPT || found.is_empty());
        body.splice(0..0, [tag::DICT, 3, 0, 0, 0, 3, 0, 0, 0]);
        prop_assert!(serde_json::from_str::<serde_json::Value>(&read(&body).0).is_ok());
    }
}
