"""What is encoded in texts and documents: redacted decoded, and encoded again as it was."""

import base64
import json
import random
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.policy.rulefile import Rule
from tamis.policy.rules import Rules

RULES = Rules(
    [
        Rule("word", "regex", r"sec[0-9]{4}ret", ignore_case=False, replacement="<W>"),
        Rule(
            "assigned", "regex", r"(?P<name>pass\w*)(?P<sign>: ?|=)\w{4,}", replacement=r"\g<name>\g<sign><A>"
        ),
        Rule("quoted", "regex", r'(x y": ")[^"]{3,}(")', replacement=r"\1<Q>\2"),
        Rule("spaced", "regex", r"\b[0-9](?:[ \n]?[0-9]){11}\b", replacement="<S>"),
        Rule("long", "regex", r"\b[0-9]{9}\b", replacement="<N>"),
    ]
)
WORD = "sec1234ret"


def escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def unescaped(text: str) -> str:
    return re.sub(r"\\u([0-9a-f]{4})", lambda match: chr(int(match[1], 16)), text)


def padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)


CODINGS: dict[str, tuple[Callable[[str], str], Callable[[str], str]]] = {
    "percent": (lambda text: quote(text, safe=""), unquote),
    "every character": (lambda text: "".join(f"%{byte:02X}" for byte in text.encode()), unquote),
    "base64": (
        lambda text: base64.b64encode(text.encode()).decode(),
        lambda text: base64.b64decode(text).decode(),
    ),
    "base64 for URLs, without padding": (
        lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
        lambda text: base64.urlsafe_b64decode(padded(text)).decode(),
    ),
    "hex": (lambda text: text.encode().hex(), lambda text: bytes.fromhex(text).decode()),
    "HEX": (lambda text: text.encode().hex().upper(), lambda text: bytes.fromhex(text).decode()),
    "escapes": (escaped, unescaped),
    "JSON": (lambda text: json.dumps({"x": text}), lambda text: json.loads(text)["x"]),
    "JSON in a string": (lambda text: json.dumps(f'a "quoted" {text}'), lambda text: json.loads(text)[11:]),
}


@pytest.mark.parametrize("name", CODINGS)
@pytest.mark.parametrize("around", ["{}", "see {} there", "x={}", "one\ntwo {}\nthree"])
def test_codings(name: str, around: str) -> None:
    """What is encoded is redacted, and encoded in the same way; what is around stays as it is."""
    encode, decode = CODINGS[name]
    for text in (f"the {WORD} is known", f"{WORD}!", f"password=abcdef und é {WORD}"):
        shown = around.format(encode(text))
        done = RULES.redact(shown).text
        before, after = around.split("{}")
        assert done.startswith(before)
        assert done.endswith(after)
        inner = done[len(before) : len(done) - len(after)]
        assert decode(inner) == RULES.redact(text, decode=False).text


@pytest.mark.parametrize("name", CODINGS)
def test_what_holds_nothing_is_left_alone(name: str) -> None:
    """Without a secret in it, an encoded text stays byte for byte."""
    encoded = f"see {CODINGS[name][0]('nothing of interest, and some more')} there"
    done = RULES.redact(encoded)
    assert (done.text, done.counts) == (encoded, {})


@pytest.mark.parametrize("seed", range(40))
def test_codings_in_codings(seed: int) -> None:
    """Up to eight encodings within one another, in any order."""
    source = random.Random(seed)
    names = [source.choice(list(CODINGS)) for _ in range(source.randint(2, 4))]
    text = f"the {WORD} is known"
    for name in names:
        text = CODINGS[name][0](text)
    done = RULES.redact(text)
    assert done.counts == {"word": 1}, names
    plain = done.text
    for name in reversed(names):
        plain = CODINGS[name][1](plain)
    assert plain == "the <W> is known"


def test_not_decoded() -> None:
    """One may do without."""
    text = base64.b64encode(f"the {WORD} is known".encode()).decode()
    assert RULES.redact(text, decode=False).text == text


def test_places_of_what_is_encoded() -> None:
    """The place of what is found in an encoded text is all of that text."""
    encoded = base64.b64encode(f"the {WORD} is known".encode()).decode()
    done = RULES.redact(f"é {encoded} {WORD}")
    assert done.positions == (("word", 2, 2 + len(encoded)), ("word", 3 + len(encoded), 13 + len(encoded)))


LOOK_ALIKES = [
    "window_request_handler/session_loader_queue_batch",
    "0123456789abcdef0123456789abcdef01234567",
    "100%25 of 5% and %zz",
    r"C:\users\name\new",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "\\ud800 alone",
    '{"a": ',
    "[[[[[[",
]


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_only_looks_encoded(text: str) -> None:
    """What decodes to no text, or is broken, stays as it is."""
    assert RULES.redact(f"{text} {WORD}").text == f"{text} <W>"


# Documents


def model(value: Any, name: str | None = None) -> Any:
    """The rules on a value, as the page says it: alone, then behind its name."""
    if isinstance(value, dict):
        return {model_text(key): model(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [model(inner, name) for inner in value]
    if isinstance(value, bool) or value is None:
        return value
    shown = value if isinstance(value, str) else json.dumps(value)
    if not isinstance(value, str) and sum(map(str.isdigit, shown)) < 6:
        return value
    text = model_text(shown)
    if name is not None:
        for before, after in ((f"{name}: ", ""), (f'"{name}": "', '"')):
            assigned = RULES.redact(f"{before}{text}{after}", decode=False).text
            if assigned.startswith(before) and assigned.endswith(after):
                text = assigned[len(before) : len(assigned) - len(after)]
    return value if text == shown else text


def model_text(text: str) -> str:
    return RULES.redact(text, decode=False).text


words = st.sampled_from(
    ["a", "password", "é", "\n", '"', "\\", WORD, " ", "abcdef", ": ", "123456789", "\U0001f600"]
)
texts = st.lists(words, max_size=5).map("".join)
scalars = st.one_of(
    st.none(), st.booleans(), st.floats(allow_nan=False), st.integers(-(10**12), 10**12), texts,
    st.sampled_from([123456789, -123456789, 0.123456789]),
)  # fmt: skip
names = st.sampled_from(["a", "password", "n", "é", "x y"])
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
).filter(lambda value: isinstance(value, dict | list))


def of_stream(data: bytes, format: str, cuts: list[int]) -> bytes:
    stream = RULES.stream(format)
    pieces = [data[start:end] for start, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
    return b"".join(map(stream.push, pieces)) + stream.finish()


@given(documents, st.booleans())
def test_documents(value: Any, ascii: bool) -> None:
    """Of any document, what comes out is JSON, and each of its values is what the rules make of it."""
    text = json.dumps(value, ensure_ascii=ascii)
    done = of_stream(text.encode(), "json", []).decode()
    assert json.loads(done) == model(value)
    if model(value) == value:
        assert done == text


@given(documents)
def test_documents_as_values(value: Any) -> None:
    """`redact_json` gives the same for a value."""
    before = json.dumps(value)
    done = RULES.redact_json(value)
    assert done.value == model(value)
    assert (done.counts == {}) == (done.value == value)
    assert json.dumps(value) == before


def test_keys() -> None:
    """Keys are texts, too; those that become equal are numbered."""
    value = {WORD: 1, "sec9999ret": 2, "<W>": 3, "k": {WORD: 4}}
    assert RULES.redact_json(value).value == {"<W> (2)": 1, "<W> (3)": 2, "<W>": 3, "k": {"<W>": 4}}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ({"id": "msg_sec1234ret00"}, True),
        ({"id": f"x {WORD}"}, False),
        ({"call_id": "call_" + WORD}, True),
        ({"uuid": "123456789"}, False),
        ({"sessionId": "12345678-1234-1234-1234-123456789123"}, True),
        ({"signature": "sec1234ret+" * 10}, True),
        ({"signature": f"by {WORD}"}, False),
        ({"encrypted_content": "sec1234ret/" * 10 + "=="}, True),
        ({"source": {"type": "base64", "data": "iVBORw0KGgo" + "sec1234ret/" * 10}}, True),
        ({"data": "sec1234ret/" * 10}, False),
        ({"token": "msg_" + WORD}, False),
    ],
)
def test_what_is_protected(value: dict[str, Any], kept: bool) -> None:
    """Ids, signatures, encrypted content and images stay: each by its name and by its shape."""
    assert (RULES.redact_json(value).value == value) is kept


@pytest.mark.parametrize("value", [f'say "{WORD}" \\u', "nothing", "", 123456789, 1, None, -1.5])
def test_a_document_that_is_one_value(value: Any) -> None:
    """A text, a number or nothing may be a document by itself."""
    done = of_stream(json.dumps(value).encode(), "json", []).decode()
    assert json.loads(done) == model(value)
    assert RULES.redact_json(value).value == model(value)


def test_what_json_cannot_hold() -> None:
    """A value that is no JSON is a mistake of the caller."""
    with pytest.raises(TypeError):
        RULES.redact_json({"a": object()})
    with pytest.raises(ValueError, match="role"):
        RULES.redact_json({}, role="nobody")


def test_a_document_in_a_document() -> None:
    """A text that is a document is one: its values are seen behind their names, and it stays JSON."""
    inner = json.dumps({"password": "abcdef", "list": [WORD]})
    done = RULES.redact_json({"arguments": inner, "more": json.dumps({"deep": inner})}).value
    assert json.loads(done["arguments"]) == {"password": "<A>", "list": ["<W>"]}
    assert json.loads(json.loads(done["more"])["deep"]) == {"password": "<A>", "list": ["<W>"]}


FIELDS = [
    ("tool.output", {"tool": {"output": "<W>", "input": WORD}, "output": WORD}),
    ("**.output", {"tool": {"output": "<W>", "input": WORD}, "output": "<W>"}),
    ("tool.*", {"tool": {"output": "<W>", "input": "<W>"}, "output": WORD}),
    ("tool", {"tool": {"output": "<W>", "input": "<W>"}, "output": WORD}),
]


@pytest.mark.parametrize(("path", "expected"), FIELDS)
def test_fields(path: str, expected: Any) -> None:
    """A rule for fields changes these and what is in them; to a text without a role it applies as well."""
    rules = Rules([Rule("f", "regex", r"sec[0-9]{4}ret", scope="field", fields=(path,), replacement="<W>")])
    value = {"tool": {"output": WORD, "input": WORD}, "output": WORD}
    assert rules.redact_json(value).value == expected
    assert rules.redact_json(value, role="other").value == expected
    assert rules.redact(WORD).text == "<W>"
    assert rules.redact(WORD, role="other").text == WORD


def test_fields_in_a_text_that_is_a_document() -> None:
    """A path goes on into a text that holds JSON, and into lists."""
    rules = Rules([Rule("f", "literal", WORD, scope="field", fields=("a[1].b.c",), replacement="<W>")])
    value = {"a": [WORD, {"b": json.dumps({"c": WORD, "d": WORD})}]}
    done = rules.redact_json(value).value
    assert (done["a"][0], json.loads(done["a"][1]["b"])) == (WORD, {"c": "<W>", "d": WORD})


# Streams

PIECES = [
    b"text ", WORD.encode(), b"\n", b"\xff", "é".encode(), b"\xf0\x9f", b'{"a": "x"}', b"\r\n",
    json.dumps({"password": "abcdef", "é": WORD}).encode(), b'{"broken ', "\U0010ff41".encode(),
    b"password=abcdef", base64.b64encode(f"the {WORD} is".encode()),
]  # fmt: skip


@pytest.mark.parametrize("format", ["text", "jsonl", "json"])
@given(
    data=st.lists(st.sampled_from(PIECES), max_size=8).map(b"".join),
    cuts=st.lists(st.integers(0, 400), max_size=6),
)
def test_streams(format: str, data: bytes, cuts: list[int]) -> None:
    """Wherever a stream is cut, the same comes out; bytes that are no text stay."""
    whole = of_stream(data, format, [])
    assert of_stream(data, format, sorted(min(cut, len(data)) for cut in cuts)) == whole
    assert WORD.encode() not in whole
    assert whole.count(b"\xff") == data.count(b"\xff")
    text = data.decode("utf-8", "ignore")
    if data == text.encode() and format == "text" and "\U0010ff41" not in text:
        assert whole.decode() == RULES.redact(text).text


def test_places_in_a_stream() -> None:
    """Changes come with line and column, in characters."""
    stream = RULES.stream("text")
    stream.push(f"é {WORD}\n\né{WORD}".encode())
    stream.push(b" password=abc")
    stream.push(b"def")
    stream.finish()
    assert [(change.id, change.line, change.column) for change in stream.changes] == [
        ("word", 1, 3), ("word", 3, 2), ("assigned", 3, 13),
    ]  # fmt: skip
    assert stream.counts == {"word": 2, "assigned": 1}


def test_lines_of_json() -> None:
    """Each line is a document, or a text if it is none, which is counted when it begins like one."""
    lines = [
        json.dumps({"password": "abcdef"}),
        f"plain {WORD}",
        '{"broken": ' + WORD,
        "",
        "[1, 2]",
        '"text"',
    ]
    stream = RULES.stream("jsonl")
    done = stream.push("\r\n".join(lines).encode())
    changes = stream.changes
    done += stream.finish()
    assert done.decode().split("\r\n") == [
        '{"password": "<A>"}',
        "plain <W>",
        '{"broken": <W>',
        "",
        "[1, 2]",
        '"text"',
    ]
    assert stream.broken == 1
    assert [change.line for change in changes] == [1, 2, 3]


def test_a_long_stream() -> None:
    """Of a stream longer than any window nothing is missed, and nothing kept: secrets across all cuts."""
    source = random.Random(5)
    piece = "".join(source.choice(["word ", "\n", "x" * 40, "é"]) for _ in range(3_000))
    data = f"{piece}{WORD} ".encode() * 60
    stream = RULES.stream("text")
    out, most = b"", 0
    for start in range(0, len(data), 100_003):
        out += stream.push(data[start : start + 100_003])
        most = max(most, start + 100_003 - len(out))
    out += stream.finish()
    assert out == data.replace(WORD.encode(), b"<W>")
    assert stream.counts == {"word": 60}
    assert most < 1_000_000


def test_a_long_line() -> None:
    """Text without a newline is cut where no match is."""
    text = (WORD + "x" * 13) * 100_000
    assert RULES.redact(text).text == ("<W>" + "x" * 13) * 100_000


def test_a_long_encoded_word() -> None:
    """An encoded word that is longer than any window is cut, though not in what is changed."""
    plain = ("x" * 50 + f"{WORD}.") * 6_000
    encoded = "".join(f"%{byte:02X}" for byte in plain.encode())
    assert unquote(RULES.redact(encoded).text) == plain.replace(WORD, "<W>")
