"""The layout of filters: what changes, and that nothing else does."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tamis.errors import PolicyError
from tamis.policy.layout import laid_out

ROOT = Path(__file__).resolve().parents[2]


def laid(text: str) -> str:
    return laid_out(("x.toml", None, text.encode())).decode()


# what is written, what it becomes
TEXTS = [
    ("", ""),
    ("\n\n \n", ""),
    ("# only this", "# only this\n"),
    ("a=1", "a = 1\n"),
    ("  a   =\t1  # why  ", "a = 1  # why\n"),
    ("a . b = 1\n'c d'.\"e\" = 2", "a.b = 1\n'c d'.\"e\" = 2\n"),
    ("a = 1\n\n\n\nb = 2", "a = 1\n\nb = 2\n"),
    ("a = 1979-05-27 07:32:00", "a = 1979-05-27 07:32:00\n"),
    ("a = 1.5\nb = -inf", "a = 1.5\nb = -inf\n"),
    ("\ufeffa = 1", "a = 1\n"),
    ("a = 1\r\nb=2\r\n", "a = 1\r\nb = 2\r\n"),
    # tables
    ("[a]\n\nb = 1\n[ c . d ] # why\ne = 1", "[a]\nb = 1\n\n[c.d]  # why\ne = 1\n"),
    ("[[a]]\nb = 1\n[[a.c]]\nd = 1\n[[a]]\nb = 2",
     "[[a]]\nb = 1\n\n    [[a.c]]\n    d = 1\n\n[[a]]\nb = 2\n"),
    ("[[x.a]]\n[[x.a.'b']]\n[x.a.b.c]", "[[x.a]]\n\n    [[x.a.'b']]\n\n        [x.a.b.c]\n"),
    ("    [a.b]\n    c = 1", "[a.b]\nc = 1\n"),
    # lists and inline tables
    ("a = [1,2 , 3,]", "a = [1, 2, 3]\n"),
    ("a = [ ]\nb = {}", "a = []\nb = {}\n"),
    ("a = {b=1,c = {d=2}}", "a = { b = 1, c = { d = 2 } }\n"),
    ("a = [\n1,\n  2]", "a = [\n    1,\n    2,\n]\n"),
    ("a = [[1,2],[\n3]]", "a = [[1, 2], [\n    3,\n]]\n"),
    ("[[a]]\n[[a.b]]\nc = [\n{d=1}]", "[[a]]\n\n    [[a.b]]\n    c = [\n        { d = 1 },\n    ]\n"),
    ("a = [ # why\n1, # one\n# two\n2 # too\n, # three\n]",
     "a = [\n    # why\n    1,  # one\n    # two\n    2,  # too\n    # three\n]\n"),
    ("a = [\n# nothing yet\n]", "a = [\n    # nothing yet\n]\n"),
    ("a = [\n]", "a = []\n"),
    (f"a = ['{'x' * 60}', '{'y' * 60}']", f"a = [\n    '{'x' * 60}',\n    '{'y' * 60}',\n]\n"),
    (f"a = {{ b = '{'x' * 120}' }}", f"a = {{ b = '{'x' * 120}' }}\n"),
    ("a = {\nb = 1, # one\nc = 2\n}", "a = {\n    b = 1,  # one\n    c = 2\n}\n"),
    # text stays as it is
    ('a = """\n  x  \n\n\n# no comment\n"""', 'a = """\n  x  \n\n\n# no comment\n"""\n'),
    ("a = 'x  =  [1,2] # no'", "a = 'x  =  [1,2] # no'\n"),
    # comments
    ("# first\n\n\n[a]\nb = 1\n# about b\n\n# about c\n[c]",
     "# first\n\n[a]\nb = 1\n# about b\n\n# about c\n[c]\n"),
    ("[a]\nb = 1\n# about c\n[c]", "[a]\nb = 1\n\n# about c\n[c]\n"),
    ("[[a]]\n[[a.b]]\nc = 1\n# about c\n\n# of its own\n\n# about a\n[[a]]",
     "[[a]]\n\n    [[a.b]]\n    c = 1\n    # about c\n\n# of its own\n\n# about a\n[[a]]\n"),
    ("[[a]]\n# one\n# two\n[[a.b]]\n# three\n\nc = 1\n# the end",
     "[[a]]\n\n    # one\n    # two\n    [[a.b]]\n    # three\n\n    c = 1\n    # the end\n"),
    ("#:schema ./x.json\n[a]", "#:schema ./x.json\n[a]\n"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TEXTS)
def test_layout(text, expected):
    """Space is as it should be, all else is as it was; what is laid out stays so."""
    assert laid(text) == expected
    assert laid(expected) == expected


FILES = [*ROOT.glob("examples/**/*.toml"), *ROOT.glob("python/tamis/policy/builtin/*.toml")]


@pytest.mark.parametrize("file", [file for file in FILES if file.name != "template.toml"], ids=str)
def test_our_own_filters_are_laid_out(file: Path):
    """What we show and ship looks as the command would have it."""
    assert laid(file.read_text()) == file.read_text()


COMMENT = st.sampled_from(["# x", "#", "# [[a]]", "#\t= 1,"])
KEY = st.sampled_from(["a", "b", "c-d", '"e f"', "'g.h'", "i", "j", "k", "l"])
SCALAR = st.sampled_from(
    ["1", "1.5", "true", '"x # y"', "''", "1979-05-27 07:32:00", '"""\n[[z]]\n  """', "-0x1"]
)
SPACE = st.sampled_from(["", " ", "  ", "\t"])
# Between the entries of a list: lines and comments may stand there.
GAP = st.one_of(SPACE, st.builds("{}\n{}".format, SPACE, SPACE), st.builds(" {}\n".format, COMMENT))


def a_list(values):
    item = st.builds("{}{}{}".format, GAP, values, GAP)
    return st.builds(
        lambda items, end: f"[{','.join(items)}{end * bool(items)}]",
        st.lists(item, max_size=4),
        SPACE.map(lambda s: "," + s),
    )


def a_table(values):
    item = st.builds("{}={}{}".format, SPACE, SPACE, values)
    named = st.lists(item, max_size=3).map(
        lambda items: [f" k{place}{item}" for place, item in enumerate(items)]
    )
    return named.map(lambda items: f"{{{','.join(items)} }}")


VALUE = st.recursive(SCALAR, lambda values: st.one_of(a_list(values), a_table(values)), max_leaves=8)
LINE = st.one_of(
    SPACE,
    COMMENT,
    st.builds("{}K = {}{} {}".format, SPACE, VALUE, SPACE, st.one_of(st.just(""), COMMENT)),
    st.sampled_from(["[[r]]", "[[ r ]] # x", "  [[r.s]]", "[[r.s.t]]", "[K]", "[r.K]"]),
)


@given(st.lists(LINE, max_size=12), st.sampled_from(["\n", "\r\n"]))
def test_random_layouts(lines, newline):
    """Whatever TOML it is: the same values, the same comments in their order, and a second time changes
    nothing."""
    number = iter(range(1000))
    lines = [re.sub(r"\bK\b", lambda _: f"key{next(number)}", line) for line in lines]
    text = "\n".join(lines).replace("\n", newline)
    try:
        meant = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a table of a list that is not there yet
    new = laid(text)
    assert tomllib.loads(new) == meant
    # Two blanks are the end of a string.
    assert [line for line in new.splitlines() if line.rstrip() != line and not line.endswith("  ")] == []
    assert laid(new) == new
    comments = re.compile(r"# x|# \[\[a\]\]|#\t= 1,")
    assert comments.findall(new) == comments.findall(text)


@pytest.mark.parametrize("text", [b"a = ", b"[a\n", b"a = 1\na = 2", b"\xff", b"a = [1 2]"])
def test_no_toml(text):
    """What cannot be read is not laid out: the place is named."""
    with pytest.raises(PolicyError) as caught:
        laid_out(("x.toml", None, text))
    assert caught.value.diagnostics[0].id in ("toml-syntax", "not-utf8")
    assert caught.value.diagnostics[0].line


def test_a_large_filter():
    """Time grows with the size."""
    text = "# a comment\n" * 20_000 + "[a]\n" + "".join(f"k{n} = [{n}, 'x']\n" for n in range(20_000))
    assert laid(text).count("\n") == 40_001
