"""The core's regular expressions against `re`: on every construct, on random patterns, on every character."""

from __future__ import annotations

import random
import re
import unicodedata
import warnings
from collections.abc import Callable, Iterator

import pytest

from tamis._core import Regex

# Letters in several cases, what `re` holds to be the same letter, digits and spaces that are not ASCII.
UNUSUAL = "éÉßẞſKİı²٣ᲀвВ\x1c\u2003漢\U00010400\U00010428ΣςᾀᾈµμĀ"  # noqa: RUF001
USUAL = "aabbcAB1_ .-\n"
FLAGS = [re.I, re.M, re.S, re.X, re.A]


class Patterns:
    """Random patterns of every construct of `re`; some are broken."""

    def __init__(self, source: random.Random) -> None:
        self.random = source
        self.groups = 0
        self.names: list[str] = []
        # What an item may be, and how often.
        self.items: list[tuple[int, Callable[[int], str]]] = [
            (45, lambda depth: self.literal()),
            (7, lambda depth: "."),
            (8, lambda depth: self.set()),
            (6, lambda depth: self.pick([r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"])),
            (5, lambda depth: self.pick(["^", "$", r"\A", r"\Z", r"\b", r"\B"])),
            (6, self.group),
            (3, self.named_group),
            (5, lambda depth: f"(?:{self.alternatives(depth)})"),
            (3, lambda depth: f"({self.pick(['?=', '?!'])}{self.alternatives(depth)})"),
            (3, self.look_behind),
            (2, lambda depth: f"(?>{self.alternatives(depth)})"),
            (2, lambda depth: f"(?{self.pick(INLINE_FLAGS)}:{self.alternatives(depth)})"),
            (3, lambda depth: self.back_reference()),
            (2, self.conditional),
            (1, lambda depth: "(?#comment)"),
        ]

    def pick(self, choices: list[str] | str) -> str:
        return self.random.choice(choices)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pattern(self) -> str:
        pattern = self.alternatives(self.random.randint(1, 4))
        if self.chance(0.15):
            pattern = f"(?{self.pick(['i', 's', 'm', 'x', 'a', 'im', 'u', 'ai', 'xi'])}){pattern}"
        if self.chance(0.1):
            at = self.random.randint(0, len(pattern))
            broken = self.pick(["", *"()[]*{?|-", "\\", "(?", "(?P<", r"\q", "(?i)"])
            pattern = pattern[:at] + broken + pattern[at + self.random.randint(0, 1) :]
        return pattern

    def alternatives(self, depth: int) -> str:
        return "|".join(self.sequence(depth) for _ in range(self.random.choice([1, 1, 1, 2, 2, 3])))

    def sequence(self, depth: int) -> str:
        return "".join(self.repeated(depth) for _ in range(self.random.choice([0, 1, 1, 2, 2, 3])))

    def repeated(self, depth: int) -> str:
        item = self.item(depth)
        if self.chance(0.7):
            return item
        choices = ["*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}"]
        if self.chance(0.1):
            choices = ["{0,3}", "{0}", "{", "{a}", "{,}", "{2,1}", "{ 1}"]
        return item + self.pick(choices) + self.pick(["", "", "", "?", "+"])

    def item(self, depth: int) -> str:
        if depth <= 0:
            return self.literal()
        weights, makers = zip(*self.items, strict=True)
        [make] = self.random.choices(makers, weights)
        return str(make(depth - 1))

    def literal(self) -> str:
        if self.chance(0.15):
            escapes = [r"\x41", r"\u0061", r"\U00000042", r"\n", r"\061", r"\101", r"\0", r"\\", r"\.", r"\-"]
            return self.pick([*escapes, "{", "}", "]", "&&", "~", "#", " "])
        char = self.pick(UNUSUAL) if self.chance(0.15) else self.pick(USUAL)
        return re.escape(char) if self.chance(0.4) else char

    def set(self) -> str:
        ranges = ["a-c", "A-Z", "0-9", r"\x41-\x5a", "à-ö", "!-~", "\u0100-\u0500", "\U00010400-\U00010427"]
        odd = ["-", r"\]", r"\-", r"\b", r"\101", "b-a", "&&", "--", "||", "[", "^", "{"]
        kinds = [list("abcAB1_."), ranges, [r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"], list(UNUSUAL), odd]
        items = [self.pick(self.random.choice(kinds)) for _ in range(self.random.randint(1, 3))]
        return f"[{self.pick(['', '', '^'])}{self.pick(['', '', '', ']'])}{''.join(items)}]"

    def group(self, depth: int) -> str:
        self.groups += 1
        return f"({self.alternatives(depth)})"

    def named_group(self, depth: int) -> str:
        self.groups += 1
        name = f"n{self.groups}"
        group = f"(?P<{name}>{self.alternatives(depth)})"
        self.names.append(name)
        return group

    def look_behind(self, depth: int) -> str:
        simple = ["a", "b", "ab", "[ab]", r"\w", ".", "^", r"\b", "a{2}", "(?:a|b)", "$"]
        body = self.alternatives(depth) if self.chance(0.3) else self.pick(simple) + self.pick(simple)
        return f"({self.pick(['?<=', '?<!'])}{body})"

    def back_reference(self) -> str:
        if self.names and self.chance(0.3):
            return f"(?P={self.pick(self.names)})"
        return f"\\{self.random.randint(1, self.groups)}" if self.groups else self.literal()

    def conditional(self, depth: int) -> str:
        if not self.groups:
            return self.literal()
        group = self.pick([str(self.random.randint(1, self.groups + self.chance(0.1))), *self.names[:1]])
        otherwise = f"|{self.sequence(depth)}" if self.chance(0.7) else ""
        return f"(?({group}){self.sequence(depth)}{otherwise})"


INLINE_FLAGS = ["i", "s", "m", "x", "-i", "i-s", "a", "u", "ai", "im-x", "-s"]


def texts(source: random.Random) -> Iterator[str]:
    for _ in range(6):
        length = source.choice([0, 1, 2, 3, 4, 6, 8])
        chars = (source.choice(UNUSUAL if source.random() < 0.15 else USUAL) for _ in range(length))
        yield "".join(chars)


def compiled(pattern: str, flags: int) -> re.Pattern[str] | tuple[str, int | None]:
    """What `re` makes of a pattern: itself, or the message and the position of its error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return re.compile(pattern, flags)
        except re.error as error:
            return error.msg, error.pos
        except (OverflowError, ValueError) as error:
            return str(error), None


def check_error(pattern: str, flags: int, message: str, position: int | None) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 - the arguments are compared below
        Regex(pattern, flags)
    assert raised.value.args[0] == message, (pattern, flags)
    assert position is None or raised.value.args[1] == position, (pattern, flags)


def check_match(pattern: str, flags: int, expected: re.Pattern[str], text: str) -> bool:
    """Compares one text, and says whether `re` found a full match."""
    regex = Regex(pattern, flags)
    try:
        full = expected.fullmatch(text)
        # `search` looks for a first character, and forgets there that `(?a:…)` is about ASCII.
        part = next((part for at in range(len(text) + 1) if (part := expected.match(text, at))), None)
    except SystemError:  # a fault of `re`, which asks to report it
        return False
    assert regex.fullmatch(text) == (full is not None), (pattern, flags, text)
    assert regex.search(text) == (part is not None), (pattern, flags, text)
    return full is not None


@pytest.mark.parametrize("seed", range(8))
def test_random_patterns(seed: int) -> None:
    """On any pattern and text, the answer is that of `re`; a pattern that it refuses gets its error."""
    source = random.Random(seed)
    errors = matches = 0
    for _ in range(1_500):
        pattern = Patterns(source).pattern()
        flags = sum(flag for flag in FLAGS if source.random() < 0.15)
        expected = compiled(pattern, flags)
        if isinstance(expected, tuple):
            errors += 1
            check_error(pattern, flags, *expected)
            continue
        matches += sum([check_match(pattern, flags, expected, text) for text in texts(source)])
    assert errors > 100
    assert matches > 500


Spans = list[tuple[tuple[int, int], list[tuple[int, int] | None]]]


def spans(expected: re.Pattern[str], text: str) -> Spans:
    """What `re` finds, and where."""

    def span(match: re.Match[str], group: int) -> tuple[int, int] | None:
        return None if match.group(group) is None else match.span(group)

    groups = range(1, expected.groups + 1)
    return [(match.span(), [span(match, group) for group in groups]) for match in expected.finditer(text)]


# `search` looks for a first character, and forgets there that `(?a:…)` is about ASCII.
QUIRK = re.compile(r"\(\?[a-z]*a")


@pytest.mark.parametrize("seed", range(8))
def test_random_spans(seed: int) -> None:
    """On any pattern and text, what is found is where `re` finds it, groups included."""
    source = random.Random(1_000 + seed)
    found = 0
    for _ in range(1_000):
        pattern = Patterns(source).pattern()
        flags = sum(flag for flag in FLAGS if source.random() < 0.15)
        expected = compiled(pattern, flags)
        if isinstance(expected, tuple) or QUIRK.search(pattern):
            continue
        regex = Regex(pattern, flags)
        for text in texts(source):
            try:
                wanted = spans(expected, text * 2)
            except SystemError:  # a fault of `re`, which asks to report it
                continue
            found += len(wanted)
            assert regex.finditer(text * 2) == wanted, (pattern, flags, text * 2)
    assert found > 2_000


# What is compared for every character.
CHARACTERS = [
    *[r"\w", r"\d", r"\s", r"[^\w]", "[a-z]", "[^A-Zé]", "[K-k]", "[i]", "i", "k", "s", "ß", "ß|a", "ẞ"],
    *["İ", "[İa]", "ᾀ", "[ᾈa]", "\u03c3", "[^\u03c3]", "µ", "ǅ", "[ǆa]", "\u0345", "θ", "[ϴ]", "ﬅ"],
    *["[\u0100-\u0180]", "[\uab70-\uabbf]", "[\u4e00-\u9fff]", "[\U00010400-\U00010427]", "[^\U00010400a]"],
]


@pytest.mark.parametrize("flags", [0, re.I, re.A, re.I | re.A], ids=str)
@pytest.mark.parametrize("pattern", CHARACTERS)
def test_every_character(pattern: str, flags: int) -> None:
    """Classes, sets and case are those of `re` for every character that this interpreter knows."""
    regex, expected = Regex(pattern, flags), re.compile(pattern, flags)
    # Above U+1FFFF are ideographs of the same kind. What is not assigned depends on the version of Unicode.
    chars = (chr(code) for code in range(0x20000) if not 0xD800 <= code < 0xE000)
    differ = [
        char
        for char in chars
        if unicodedata.category(char) != "Cn" and regex.fullmatch(char) != bool(expected.fullmatch(char))
    ]
    assert differ == []


@pytest.mark.parametrize(
    ("pattern", "text"),
    [(r"(a*)*\1b", "a" * 2_000), (r"(a+a+)+b\1", "a" * 2_000), (r"(?:(?>a|)|aa)*b", "a" * 2_000)],
)
def test_bound(pattern: str, text: str) -> None:
    """Where the bound of work is hit, nothing is claimed."""
    assert Regex(pattern).fullmatch(text) is None
    assert Regex(pattern).search(text) is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("(a*)*b", "a" * 5_000), ("(?:a|a)*b", "a" * 5_000), ("(?=(?:a|aa)+b).*", "a" * 5_000)],
)
def test_no_exponential_time(pattern: str, text: str) -> None:
    """A pattern that takes `re` exponential time gets its answer."""
    assert Regex(pattern).fullmatch(text) is False
    assert Regex(pattern).search(text) is False


@pytest.mark.parametrize("pattern", ["(" * 201 + ")" * 201, "(" * 100_000, "(?:(?:a{999}){999}){999}"])
def test_too_much(pattern: str) -> None:
    """A pattern that is too deep or too large is an error."""
    with pytest.raises(ValueError, match=r"nested more than|too large"):
        Regex(pattern)


def test_unknown_flags() -> None:
    """Flags that mean nothing for text are refused."""
    with pytest.raises(ValueError, match="not supported"):
        Regex("a", re.L)
