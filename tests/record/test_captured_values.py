"""Values as a recording shows them: every kind of value, what bounds say, names that are covered at any
depth."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path, PosixPath
from typing import Any, NamedTuple

import pytest
import recording
from recording import Recorded, filter_text

POSIX_PATH = f"{PosixPath.__module__}.PosixPath"


class Row(NamedTuple):
    """A value: how a program makes it, and how the trace shows it (without numbers of objects)."""

    name: str
    expression: str
    expected: Any
    setup: str = ""


def of(kind: str, **fields: Any) -> dict[str, Any]:
    """An object of a class of the program."""
    return {"$type": f"__main__.{kind}", **fields}


def known(kind: str, value: Any) -> dict[str, Any]:
    return {"$type": kind, "$value": value}


PLAIN = [
    Row("none", "None", None),
    Row("booleans", "[True, False]", [True, False]),
    Row("small ints", "[0, 1, -1, 127, -128, 128]", [0, 1, -1, 127, -128, 128]),
    Row("64-bit ints", "[2**63 - 1, -2**63]", [2**63 - 1, -(2**63)]),
    Row("larger int", "2**63", {"$int": str(2**63)}),
    Row("large negative int", "-2**200", {"$int": str(-(2**200))}),
    Row("huge int", "1 << 8999", {"$int": None, "$bits": 9000}),
    Row("floats", "[1.0, -0.5, 1e300]", [1.0, -0.5, 1e300]),
    Row("no numbers", "float('nan')", {"$float": "nan"}),
    Row("infinite", "[float('inf'), -float('inf')]", [{"$float": "inf"}, {"$float": "-inf"}]),
    Row("complex", "complex(1, float('inf'))", {"$complex": [1.0, {"$float": "inf"}]}),
    Row("constants", "[..., NotImplemented]", [{"$const": "Ellipsis"}, {"$const": "NotImplemented"}]),
    Row("texts", r"['', 'a\n\"\0', 'ä', '€', '😀']", ["", 'a\n"\0', "ä", "€", "😀"]),
    Row("lone surrogate", r"'a\udc80ä'", {"$str": "a\\udc80ä", "$escaped": True}),
    Row("bytes", r"b'a\x00\xff\'\"\\\n'", {"$bytes": "a\\x00\\xff\\'\"\\\\\\n"}),
    Row("bytearray", "bytearray(b'ab')", {"$bytearray": "ab"}),
]

CONTAINERS = [
    Row("empty", "[(), [], {}]",
        [{"$type": "tuple", "$len": 0}, {"$type": "list", "$len": 0}, {"$type": "dict", "$len": 0}]),
    Row("empty set", "set()", {"$set": []}),
    Row("tuple", "(1, 'a')", {"$tuple": [1, "a"]}),
    Row("set", "{7}", {"$set": [7]}),
    Row("frozenset", "frozenset(['a'])", {"$frozenset": ["a"]}),
    Row("dict", "{'a': 1, 'ä b': None}", {"a": 1, "ä b": None}),
    Row("keys that begin with $", "{'$type': 1, '$$': 2, 'a$': 3}", {"$$type": 1, "$$$": 2, "a$": 3}),
    Row("keys that are no texts", "{1: 'a', None: 'b', b'k': 'c', (1, 2): 'd'}",
        {"$dict": [[1, "a"], [None, "b"], [{"$bytes": "k"}, "c"], [{"$type": "tuple", "$len": 2}, "d"]]}),
    Row("keys that look alike", "{1: 'a', '1': 'b'}", {"$dict": [[1, "a"], ["1", "b"]]}),
    Row("key with a lone surrogate", r"{'\udc80': 1}",
        {"$dict": [[{"$str": "\\udc80", "$escaped": True}, 1]]}),
    Row("beyond the depth", "[[1, 2], {'a': {}}]",
        [{"$type": "list", "$len": 2}, {"$type": "dict", "$len": 1}]),
    Row("list in itself", "cyclic", [1, {"$cycle": 1}], "cyclic = [1]; cyclic.append(cyclic)"),
    Row("dict in itself", "loop", {"me": {"$cycle": 1}}, "loop = {}; loop['me'] = loop"),
    Row("range", "range(3)", {"$type": "range"}),
]  # fmt: skip

OBJECTS = [
    Row("instance", "Plain()", of("Plain", a=1, b="x"), """
        class Plain:
            def __init__(self):
                self.a, self.b = 1, 'x'
        """),
    Row("no fields", "object()", {"$type": "object"}),
    Row("deleted attribute", "less", of("Plain", b="x"), "less = Plain(); del less.a"),
    Row("late attribute", "more", of("Plain", a=1, b="x", c=3), "more = Plain(); more.c = 3"),
    Row("materialised dictionary", "shown", of("Plain", a=1, b="x"), "shown = Plain(); shown.__dict__"),
    Row("foreign dictionary", "given", of("Plain", z=1), "given = Plain(); given.__dict__ = {'z': 1}"),
    Row("field that begins with $", "dollar", of("Plain", **{"$$a": 1}),
        "dollar = Plain(); dollar.__dict__ = {'$a': 1}"),
    Row("object in itself", "own", of("Plain", a=1, b={"$type": "__main__.Plain"}),
        "own = Plain(); own.b = own"),
    Row("slots", "Slots()", of("Slots", x=1), """
        class Slots:
            __slots__ = ('x', 'unset')
            def __init__(self):
                self.x = 1
        """),
    Row("inherited slots", "More()", of("More", y=2, x=1), """
        class More(Slots):
            __slots__ = ('y',)
            def __init__(self):
                super().__init__()
                self.y = 2
        """),
    Row("slots and dictionary", "Both()", of("Both", x=1, z=3), """
        class Both(Slots):
            def __init__(self):
                super().__init__()
                self.z = 3
        """),
    Row("private slot", "Private()", of("Private", _Private__x=1), """
        class Private:
            __slots__ = ('__x',)
            def __init__(self):
                self.__x = 1
        """),
    Row("dataclass", "Point(1, 2)", of("Point", x=1, y=2), """
        from dataclasses import dataclass
        @dataclass
        class Point:
            x: int
            y: int = 0
        """),
    Row("dataclass with slots", "Fixed(1)", of("Fixed", x=1), """
        @dataclass(slots=True, frozen=True)
        class Fixed:
            x: int
        """),
    Row("named tuple", "Pair(1, 'b')", of("Pair", left=1, right="b"), """
        from collections import namedtuple
        Pair = namedtuple('Pair', 'left right')
        """),
    Row("typed named tuple", "Typed(1)", of("Typed", left=1), """
        from typing import NamedTuple
        class Typed(NamedTuple):
            left: int
        """),
    Row("enum", "[Colour.RED, Level.LOW, Flags.A | Flags.B]",
        [known("__main__.Colour", "RED"), known("__main__.Level", "LOW"), known("__main__.Flags", "A|B")], """
        import enum
        class Colour(enum.Enum):
            RED = 'r'
        class Level(enum.IntEnum):
            LOW = 1
        class Flags(enum.Flag):
            A = 1
            B = 2
        """),
    Row("exception", "ValueError('bad', 7)", {"$type": "ValueError", "args": {"$tuple": ["bad", 7]}}),
    Row("exception with fields", "error", of("Trouble", args={"$tuple": ["m"]}, code=5), """
        class Trouble(Exception):
            pass
        error = Trouble('m'); error.code = 5
        """),
    Row("local class", "make()", of("make.<locals>.Inner", a=1), """
        def make():
            class Inner:
                def __init__(self):
                    self.a = 1
            return Inner()
        """),
]  # fmt: skip

EXTENDING = [
    Row("int", "Int(5)", of("Int", **{"$value": 5}), "class Int(int): pass"),
    Row("str", "Str('a')", of("Str", **{"$value": "a"}), "class Str(str): pass"),
    Row("float", "Float(0.5)", of("Float", **{"$value": 0.5}), "class Float(float): pass"),
    Row("bytes", "Bytes(b'a')", of("Bytes", **{"$value": {"$bytes": "a"}}), "class Bytes(bytes): pass"),
    Row("list", "lst", of("List", **{"$value": [1]}, a=2),
        "class List(list): pass\nlst = List([1]); lst.a = 2"),
    Row("dict", "Dict(a=1)", of("Dict", **{"$value": {"a": 1}}), "class Dict(dict): pass"),
    Row("tuple", "Tuple((1,))", of("Tuple", **{"$value": {"$tuple": [1]}}), "class Tuple(tuple): pass"),
    Row("set", "Set([1])", of("Set", **{"$value": {"$set": [1]}}), "class Set(set): pass"),
    Row("bool is an int", "[True]", [True]),
    Row("ordered", "OrderedDict(a=1)", {"$type": "collections.OrderedDict", "$value": {"a": 1}},
        "from collections import OrderedDict, defaultdict, Counter"),
    Row("defaultdict", "defaultdict(list, a=1)", {"$type": "collections.defaultdict", "$value": {"a": 1},
        "default_factory": known("type", "list")}),
    Row("counter", "Counter('aa')", {"$type": "collections.Counter", "$value": {"a": 2}}),
]  # fmt: skip

KNOWN = [
    Row("datetime", "dt.datetime(2026, 1, 2, 3, 4, 5)", known("datetime.datetime", "2026-01-02T03:04:05"),
        "import datetime as dt"),
    Row("microseconds", "dt.datetime(2026, 1, 2, 3, 4, 5, 60)",
        known("datetime.datetime", "2026-01-02T03:04:05.000060")),
    Row("date", "dt.date(2026, 1, 2)", known("datetime.date", "2026-01-02")),
    Row("time", "dt.time(3, 4, 5)", known("datetime.time", "03:04:05")),
    Row("UTC", "dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc)",
        known("datetime.datetime", "2026-01-02T03:04:05+00:00")),
    Row("fixed offset", "dt.time(3, 4, 5, tzinfo=dt.timezone(-dt.timedelta(hours=5, minutes=30, seconds=7)))",
        known("datetime.time", "03:04:05-05:30:07")),
    Row("zone whose code would run", "dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=ZoneInfo('UTC'))",
        known("datetime.datetime", "2026-01-02T03:04:05[tz]"), "from zoneinfo import ZoneInfo"),
    Row("decimal", "Decimal('1.50')", known("decimal.Decimal", "1.50"), "from decimal import Decimal"),
    Row("uuid", "UUID(int=7)", known("uuid.UUID", "00000000-0000-0000-0000-000000000007"),
        "from uuid import UUID"),
    Row("path", "Path('/a') / 'b.txt'", known(POSIX_PATH, "/a/b.txt"), "from pathlib import Path"),
    Row("relative path", "Path('a/') / 'b' / 'c.d'", known(POSIX_PATH, "a/b/c.d")),
    Row("path beyond ASCII", "Path('h\u00e4user') / '\u6587\U0001f600'",
        known(POSIX_PATH, "h\u00e4user/\u6587\U0001f600")),
    Row("path that has told its text", "[p := Path('\u00fc', 'x'), str(p)][0]",
        known(POSIX_PATH, "\u00fc/x")),
    Row("path that begins anew", "Path('a', '/b')", known(POSIX_PATH, "/b")),
    Row("function", "make", known("function", "make")),
    Row("builtin function", "len", {"$type": "builtin_function_or_method"}),
    Row("class", "[Plain, int]", [known("type", "Plain"), known("type", "int")]),
    Row("method", "Plain().__init__", known("method", "Plain.__init__")),
    Row("module", "dt", known("module", "datetime")),
]  # fmt: skip

TABLE = [*PLAIN, *CONTAINERS, *OBJECTS, *EXTENDING, *KNOWN]


def program(rows: list[Row]) -> str:
    """Passes each value to a function, in the order of the rows."""
    lines = ["def keep(value):", "    return value"]
    for row in rows:
        lines += [textwrap.dedent(row.setup), f"keep({row.expression})"]
    return "\n".join(lines) + "\n"


def without_numbers(value: Any) -> Any:
    """The value without the numbers of objects and without what only the module has."""
    if isinstance(value, dict):
        if "$type" in value:
            value = {key: item for key, item in value.items() if key != "$id"}
        return {key: without_numbers(item) for key, item in value.items()}
    return [without_numbers(item) for item in value] if isinstance(value, list) else value


def recorded_rows(folder: Path, rows: list[Row], **options: Any) -> Recorded:
    folder.mkdir(exist_ok=True)
    return recording.record(folder, program(rows), **options).ok()


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    recorded = recorded_rows(tmp_path_factory.mktemp("table"), TABLE)
    yield recorded
    recorded.trace.close()


@pytest.mark.parametrize(("index", "row"), list(enumerate(TABLE)), ids=[row.name for row in TABLE])
def test_values(table: Recorded, index: int, row: Row) -> None:
    """Every kind of value is shown as what it is, the same as an argument and as a result."""
    argument = table.arguments("keep")[index]["value"]
    assert without_numbers(argument) == row.expected
    # 1 == True == 1.0, but not in a record.
    assert json.dumps(without_numbers(argument), sort_keys=True) == json.dumps(row.expected, sort_keys=True)
    assert without_numbers(table.results("keep")[index]) == row.expected


def test_types_only_by_the_public_api(tmp_path: Path) -> None:
    """Without reading by slot, builtin values are the same, and objects are told by their type only."""
    recorded = recorded_rows(
        tmp_path / "api", [*PLAIN, *CONTAINERS, *OBJECTS, *EXTENDING], api="by_slot=False"
    )
    rows = zip(recorded.arguments("keep"), [*PLAIN, *CONTAINERS, *OBJECTS, *EXTENDING], strict=True)
    for arguments, row in rows:
        value = without_numbers(arguments["value"])
        if row in OBJECTS and "$value" not in str(row.expected) and "tuple" not in row.name:
            assert value == {"$type": row.expected["$type"]} or "exception" in row.name, row.name
        elif row not in OBJECTS:
            expected = row.expected
            if row in EXTENDING and isinstance(expected, dict):
                expected = {key: item for key, item in expected.items() if key in ("$type", "$value")}
            assert value == expected, row.name
    recorded.trace.close()


# What bounds leave

CUTS = [
    Row("text", "'x' * 300", {"$str": "x" * 200, "$cut": 300}),
    Row("wide text", "'€' * 300", {"$str": "€" * 200, "$cut": 300}),
    Row("bytes", "b'x' * 300", {"$bytes": "x" * 200, "$cut": 300}),
    Row("list", "list(range(50))", {"$list": list(range(20)), "$cut": 50}),
    Row("tuple", "tuple(range(50))", {"$tuple": list(range(20)), "$cut": 50}),
    Row("set", "set(range(50))", {"$set": list(range(20)), "$cut": 50}),
    Row("dict", "dict.fromkeys(map(str, range(50)))",
        {"$dict": [[str(i), None] for i in range(20)], "$cut": 50}),
    Row("fields", "many", of("Many", **{f"f{i}": i for i in range(20)}, **{"$cut": 40}), """
        class Many:
            def __init__(self):
                for i in range(40):
                    setattr(self, f'f{i}', i)
        many = Many()
        """),
    Row("slots", "Wide()", of("Wide", **{f"s{i:02}": i for i in range(20)}, **{"$cut": 30}), """
        class Wide:
            __slots__ = tuple(f's{i:02}' for i in range(30))
            def __init__(self):
                for i in range(30):
                    setattr(self, f's{i:02}', i)
        """),
]  # fmt: skip


def test_cuts(tmp_path: Path) -> None:
    """A bound keeps the beginning and says how much there was."""
    recorded = recorded_rows(tmp_path / "cuts", CUTS)
    for row, arguments in zip(CUTS, recorded.arguments("keep"), strict=True):
        assert without_numbers(arguments["value"]) == row.expected, row.name
    recorded.trace.close()


def total_of(value: Any) -> int:
    """Characters of text in a value."""
    if isinstance(value, dict):
        return sum(map(total_of, value.values()))
    if isinstance(value, list):
        return sum(map(total_of, value))
    return len(value) if isinstance(value, str) else 0


BIG = [
    Row("list", "['x' * 1000] * 20", None),
    Row("dict", "{str(i): 'x' * 1000 for i in range(20)}", None),
    Row("set", "{str(i) * 400 for i in range(20)}", None),
    Row("list with fields", "full", None,
        "class L(list): pass\nfull = L(['x' * 1000] * 20); full.late = 'x'"),
    Row("dict with fields", "held", None, """
        class D(dict): pass
        held = D({str(i): 'x' * 1000 for i in range(20)}); held.late = 'x'
        """),
    Row("object", "wide", None, """
        class W: pass
        wide = W()
        for i in range(20): setattr(wide, f'f{i}', 'x' * 1000)
        """),
    Row("named tuple", "row", None, """
        from collections import namedtuple
        row = namedtuple('T', [f'f{i}' for i in range(20)])(*['x' * 1000] * 20)
        """),
    Row("exception", "ValueError(*['x' * 1000] * 20)", None),
]  # fmt: skip


def test_bytes_of_an_event(tmp_path: Path) -> None:
    """The values of one event take no more than a bound, whatever they are, and say that they were cut."""
    recorded = recorded_rows(tmp_path / "big", BIG, options=["--string", "1000"])
    for row, arguments in zip(BIG, recorded.arguments("keep"), strict=True):
        text = json.dumps(arguments)
        assert "$corrupt" not in text, row.name
        assert 3000 < total_of(arguments) < 8000, row.name
        assert "$cut" in text, row.name
    recorded.trace.close()


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_depth(record: Callable[..., Recorded], depth: int) -> None:
    """`--depth` shows so many levels; what lies below is its type and length."""
    recorded = record(
        """
        class Node:
            def __init__(self, below):
                self.below = below
        def keep(value): pass
        keep([[['x']]])
        keep(Node(Node(Node('x'))))
        """,
        options=["--depth", str(depth)],
    ).ok()
    lists, nodes = (arguments["value"] for arguments in recorded.arguments("keep"))
    for _ in range(depth):
        lists = lists[0]
        assert nodes["$type"] == "__main__.Node"
        nodes = nodes["below"]
    assert lists == ("x" if depth == 3 else {"$type": "list", "$len": 1})
    assert nodes == "x" if depth == 3 else set(nodes) == {"$type", "$id"}


def test_receiver(record: Callable[..., Recorded]) -> None:
    """The receiver is its type and number; `--receiver 1` shows its fields."""
    source = """
        class Box:
            def __init__(self):
                self.a = 1
            def method(self, other): pass
            @classmethod
            def of(cls): pass
        box = Box()
        box.method(box)
        Box.of()
        """
    hidden = record(source).arguments("Box.method")[0]
    assert set(hidden["self"]) == {"$type", "$id"}
    assert hidden["other"]["a"] == 1
    assert hidden["self"]["$id"] == hidden["other"]["$id"]
    assert record(source, options=["--receiver", "1"]).arguments("Box.method")[0]["self"]["a"] == 1


def test_numbers_of_objects(record: Callable[..., Recorded]) -> None:
    """An object keeps its number while it lives, and two objects that live have two."""
    recorded = record("""
        class Box: pass
        def keep(value): pass
        one, two = Box(), Box()
        for box in (one, two, one):
            keep(box)
        """)
    first, second, third = (arguments["value"]["$id"] for arguments in recorded.arguments("keep"))
    assert first == third != second


# What a function is given

PARAMETERS = """
    def rest(a, /, b=2, *args, c, d=4, **kwargs): pass
    rest(1, c=3)
    rest(1, 2, 3, 4, c=5, x=6)

    def cells(a, b):
        def inner():
            return a, b
        b = 3
        return inner
    cells(1, 2)

    def shadowed(x):
        ys = [x for x in (7, 8)]
        return x
    shadowed(1)

    def star_cells(*args, **kwargs):
        return lambda: (args, kwargs)
    star_cells(1, k=2)

    class Body:
        field = 1
        def method(self, value):
            return super().__repr__, value
    Body().method(5)

    def generator(a):
        yield a
    list(generator(9))

    async def coroutine(a):
        return a
    try:
        coroutine(4).send(None)
    except StopIteration:
        pass

    (lambda p: p)(8)

    def deleted(a):
        del a
        raise_or_not()
    def raise_or_not(): pass
    deleted(1)
    """

GIVEN: list[tuple[str, list[Any]]] = [
    ("rest", [
        {"a": 1, "b": 2, "c": 3, "d": 4, "args": {"$tuple": []}, "kwargs": {}},
        {"a": 1, "b": 2, "c": 5, "d": 4, "args": {"$tuple": [3, 4]}, "kwargs": {"x": 6}},
    ]),
    ("cells", [{"a": 1, "b": 2}]),
    ("shadowed", [{"x": 1}]),
    ("star_cells", [{"args": {"$tuple": [1]}, "kwargs": {"k": 2}}]),
    ("Body.method", [{"self": {"$type": "__main__.Body"}, "value": 5}]),
    ("generator", [{"a": 9}]),
    ("coroutine", [{"a": 4}]),
    ("<lambda>", [{"p": 8}]),
    ("deleted", [{"a": 1}]),
]  # fmt: skip


@pytest.mark.parametrize("api", [None, "by_slot=False"])
def test_arguments(record: Callable[..., Recorded], api: str | None) -> None:
    """A call has its arguments as they were passed: positional, keyword, rest, defaults, and those that inner
    functions share. A class body and a module have none."""
    recorded = record(PARAMETERS, api=api).ok()
    for qualname, expected in GIVEN:
        seen = [without_numbers(arguments) for arguments in recorded.arguments(qualname)]
        assert seen == expected, qualname
    for qualname in ("Body", "<module>"):
        assert all(not arguments for arguments in recorded.arguments(qualname))


def test_no_values(record: Callable[..., Recorded]) -> None:
    """`--no-values` records structure and time: no value of the program is in the trace, not even a type."""
    word = "needle" + "word"
    recorded = record(
        f"""
        class Thing: pass
        def keep(value, more=None):
            yield value
            raise ValueError(value)
        try:
            list(keep("{word}", Thing()))
        except ValueError:
            pass
        """,
        options=["--no-values"],
    ).ok()
    assert recorded.trace.table("values").num_rows == 0
    assert word not in recorded.everything()
    assert "Thing" not in str(recorded.trace.table("values").to_pylist())
    assert recorded.outcomes("keep") == ["raised"]
    assert recorded.kinds("keep")[:4] == ["call", "yield", "resume", "raise"]


# Names that are covered

COVERED = """
    [[scope.rules]]
    selector = "pkg:*"
    [[scope.rules.value_patterns]]
    selector = "attr:literal:hush"
    action = "ACTION"
    [[scope.rules.value_patterns]]
    selector = "arg:literal:hush"
    action = "ACTION"
    """
SECRET = "open" + "sesame"
HOLDERS = [
    Row("dictionary", "{'hush': SECRET, 'kept': 1}", None),
    Row("bytes as key", "{b'hush': SECRET, b'kept': 1}", None),
    Row("instance", "Plain()", None,
        "class Plain:\n    def __init__(self): self.hush, self.kept = SECRET, 1"),
    Row("materialised", "plain", None, "plain = Plain(); plain.__dict__"),
    Row("own dictionary", "other", None, "other = Plain(); other.__dict__ = {'hush': SECRET, 'kept': 1}"),
    Row("slots", "Slots()", None, """
        class Slots:
            __slots__ = ('hush', 'kept')
            def __init__(self): self.hush, self.kept = SECRET, 1
        """),
    Row("slots and dictionary", "Both()", None, """
        class Both(Slots):
            def __init__(self): super().__init__(); self.more = 2
        """),
    Row("dictionary below slots", "Below()", None, """
        class Base: __slots__ = ('kept',)
        class Below(Base):
            def __init__(self): self.kept, self.hush = 1, SECRET
        """),
    Row("dataclass", "Data(SECRET, 1)", None, """
        from dataclasses import dataclass
        @dataclass
        class Data:
            hush: str
            kept: int
        """),
    Row("named tuple", "Named(SECRET, 1)", None, """
        from collections import namedtuple
        Named = namedtuple('Named', 'hush kept')
        """),
    Row("dictionary of a class of its own", "Dict(hush=SECRET, kept=1)", None, "class Dict(dict): pass"),
    Row("field of a list of its own", "full", None,
        "class L(list): pass\nfull = L(); full.hush, full.kept = SECRET, 1"),
    Row("keyword arguments", "**{'hush': SECRET, 'kept': 1}", None),
    Row("exception", "error", None, "error = ValueError('m'); error.hush, error.kept = SECRET, 1"),
    Row("key of a class of its own", "{Key('hush'): SECRET, 'kept': 1}", None, "class Key(str): pass"),
    Row("in an instance's field, two levels below", "outer", None, """
        outer = Plain(); outer.hush = 0; outer.kept = [{'a': ({'hush': SECRET, 'kept': 1},)}]
        """),
    Row("ordered", "OrderedDict(hush=SECRET, kept=1)", None, "from collections import OrderedDict"),
    Row("weird inline", "odd", None, "odd = Plain(); del odd.hush; odd.later = 1; odd.hush = SECRET"),
]  # fmt: skip


@pytest.mark.parametrize("action", ["redact", "drop"])
def test_attributes_at_every_depth(tmp_path: Path, action: str) -> None:
    """An `attr` rule holds for fields, slots, dataclasses, named tuples and maphushg keys in text and
    bytes, at every depth: `redact` keeps the type and nothing else, `drop` removes the name as well."""
    source = f"SECRET = {SECRET!r}\ndef keep(value=None, **rest): return value\n"
    for row in HOLDERS:
        source += textwrap.dedent(
            row.setup
        ) + f"\nkeep({row.expression})\nkeep([({{'in': {row.expression}}},)])\n".replace("{'in': **", "{**")
    folder = tmp_path / action
    folder.mkdir()
    text = filter_text(COVERED.replace("ACTION", action))
    recorded = recording.record(folder, source, filters=[text], options=["--depth", "8"]).ok()
    assert SECRET not in recorded.everything()
    arguments = recorded.arguments("keep")
    assert len(arguments) == 2 * len(HOLDERS)
    for index, seen in enumerate(arguments):
        shown = json.dumps(seen)
        name = HOLDERS[index // 2].name
        assert "kept" in shown, name
        if action == "redact":
            assert '"hush"' in shown, name
            assert '{"$redacted": true, "$type": "str"}' in shown, name
        elif "own" not in name:
            assert "hush" not in shown, name
    ledger = [row for row in recorded.trace.redactions() if row.filter == "test"]
    assert {row.action for row in ledger} == {action}
    assert {row.kind for row in ledger if row.qualname == "keep"} == {"attribute"}
    events = {(row.part, row.thread, row.seq) for row in ledger if row.event == "call"}
    assert len(events) >= 2 * len(HOLDERS)
    recorded.trace.close()


def test_redacted_keeps_the_type(record: Callable[..., Recorded]) -> None:
    """A redacted value keeps name and type; a dropped argument is absent, and a dropped result leaves a
    marker so that call and return still pair."""
    rules = """
        [[scope.rules]]
        selector = "pkg:*"
        [[scope.rules.value_patterns]]
        selector = "arg:hidden"
        action = "redact"
        [[scope.rules.value_patterns]]
        selector = "arg:gone"
        action = "drop"
        [[scope.rules.value_patterns]]
        selector = "ret:hide"
        action = "redact"
        [[scope.rules.value_patterns]]
        selector = "ret:lose"
        action = "drop"
        """
    recorded = record(
        f"""
        class Box:
            def __init__(self): self.field = {SECRET!r}
        def hide(hidden, gone, kept): return hidden
        def lose(): return {SECRET!r}
        for value in ({SECRET!r}, 17, [{SECRET!r}], Box(), None):
            hide(value, value, 1)
        lose()
        """,
        filters=[filter_text(rules)],
    ).ok()
    kinds = ["str", "int", "list", "__main__.Box", "NoneType"]
    marks = [{"$redacted": True, "$type": kind} for kind in kinds]
    assert recorded.arguments("hide") == [{"hidden": mark, "kept": 1} for mark in marks]
    assert recorded.results("hide") == marks
    assert recorded.results("lose") == [{"$dropped": True}]
    assert SECRET not in recorded.everything()
    stats = recorded.stats
    none = {"local": 0, "global": 0, "attribute": 0, "type": 0}
    assert stats["value_redactions"] == {**none, "argument": 5, "return": 5}
    assert stats["value_drops"] == {**none, "argument": 5, "return": 1}


def test_functions_that_differ_in_names_only(record: Callable[..., Recorded]) -> None:
    """Functions made from text, such as a dataclass's `__init__`, are told apart by their parameters: what
    was decided for one says nothing about another."""
    recorded = record(f"""
        from dataclasses import dataclass
        @dataclass
        class User:
            name: str
            mail: str
        @dataclass
        class Login:
            name: str
            password: str
        User("a", "b")
        Login("a", {SECRET!r})
        for parameter, value in (("plain", "shown"), ("password", {SECRET!r})):
            exec(f"def function({{parameter}}): pass\\nfunction({{value!r}})")
        """).ok()
    assert SECRET not in recorded.everything()
    assert recorded.arguments("function") == [
        {"plain": "shown"},
        {"password": {"$redacted": True, "$type": "str"}},
    ]
