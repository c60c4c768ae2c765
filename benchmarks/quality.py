"""`python -m benchmarks.quality`: what the built-in content rules find, and what they take for a secret.

Credentials are made at random in the formats that vendors publish and planted in the places where files hold
them; look-alikes are what maintainers of scanners report as false alarms. Each text goes through
`Rules.redact`, `Rules.redact_json` and a stream of JSON lines, and counts three times.

A credential is gone if neither all of it nor its first or last half (from 12 characters on; of a private
key any line) stands in the result, read as it is or decoded. A look-alike is a false alarm if anything of it
has changed. Every fifth kind, chosen by a hash of its name, is kept aside: who changes the rules should look
at the others only, so that the part aside tells whether a change holds for what nobody looked at.

Exit code 0: recall of 90 % and more, false alarms of 5 % and less, on both parts. 1: not so.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import hashlib
import json
import random
import re
import string
import sys
import uuid
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from rich.console import Console
from rich.table import Table
from rich.text import Text

from benchmarks import quality_sets as sets
from tamis.policy.rules import Rules, assembled

RECALL, ALARMS = 0.90, 0.05
PARTS = ("seen", "aside")

# Making texts

_ALNUM = string.ascii_letters + string.digits
CLASSES = {
    "alnum": _ALNUM,
    "alpha": string.ascii_letters,
    "digit": string.digits,
    "hex": "0123456789abcdef",
    "upperhex": "0123456789ABCDEF",
    "upperdigit": string.ascii_uppercase + string.digits,
    "lowerdigit": string.ascii_lowercase + string.digits,
    "base32": string.ascii_uppercase + "234567",
    "lowerbase32": string.ascii_lowercase + "234567",
    "bech32": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
    "b64": _ALNUM + "+/",
    "b64url": _ALNUM + "-_",
    "django": string.ascii_lowercase + string.digits + "!@#$%^&*(-_=+)",
}
WORDS = ("harbor", "kestrel", "copper", "otter", "lantern", "maple", "quartz", "timber", "violet", "zephyr")
PASSWORDS = (
    "<<Word>><<digit:4>>!",
    "<<alnum:16>>",
    "<<word>>-<<word>>-<<word>>-<<digit:2>>",
    "<<word>><<digit:5>>",
    "<<alnum:5>>%<<alnum:5>>+<<alnum:4>>*<<alnum:3>>",
)


def some(source: random.Random, name: str, length: int) -> str:
    return "".join(source.choices(CLASSES[name], k=length))


def crc(source: random.Random, _: int) -> str:
    """30 characters and six that check them, as GitHub and npm publish it."""
    body = some(source, "alnum", 30)
    rest, check = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        check = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit] + check
    return body + check


def luhn(digits: str) -> int:
    """The sum that ends in 0 if the last digit is right."""
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits))]
    return sum(value - 9 * (value > 9) for value in doubled) % 10


def card(source: random.Random, _: int) -> str:
    begin, length, groups = source.choice(
        [("4", 16, (4, 4, 4, 4)), ("55", 16, (4, 4, 4, 4)), ("37", 15, (4, 6, 5)), ("6011", 16, (4, 4, 4, 4))]
    )
    body = begin + some(source, "digit", length - 1 - len(begin))
    number = next(body + last for last in string.digits if luhn(body + last) == 0)
    cut = [number[sum(groups[:place]) :][:size] for place, size in enumerate(groups)]
    return source.choice(["", " ", "-"]).join(cut)


def noluhn(source: random.Random, length: int) -> str:
    body = source.choice("456") + some(source, "digit", length - 2)
    return next(body + last for last in source.sample(string.digits, 10) if luhn(body + last))


def iban(source: random.Random, _: int) -> str:
    land, body = source.choice(
        [
            ("DE", some(source, "digit", 18)),
            ("GB", source.choice(["NWBK", "BARC"]) + some(source, "digit", 14)),
            ("FR", some(source, "digit", 23)),
        ]
    )
    as_number = int("".join(str(int(sign, 36)) for sign in body + land + "00"))
    number = f"{land}{98 - as_number % 97:02}{body}"
    spaced = " ".join(number[start : start + 4] for start in range(0, len(number), 4))
    return source.choice([number, spaced])


def ssn(source: random.Random, _: int) -> str:
    return f"{source.randint(100, 665)}-{source.randint(10, 99)}-{source.randint(1000, 9999)}"


def jwt(source: random.Random, _: int) -> str:
    claims = {"sub": some(source, "digit", 10), "iat": 1_700_000_000, "name": source.choice(WORDS)}
    parts = [json.dumps(part).encode() for part in ({"alg": "HS256", "typ": "JWT"}, claims)]
    encoded = [base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts]
    return ".".join([*encoded, some(source, "b64url", 43)])


def lines(source: random.Random, count: int) -> str:
    """The body of a key or a certificate."""
    body = [some(source, "b64", 64) for _ in range(count - 1)] + [some(source, "b64", 46) + "=="]
    return "\n".join(["MII" + body[0][3:], *body[1:]])


def snowflake64(source: random.Random, _: int) -> str:
    """The id of a Discord user in base64."""
    return base64.b64encode(f"1{some(source, 'digit', 18)}".encode()).rstrip(b"=").decode()


def claims64(source: random.Random, _: int) -> str:
    claims = {"iat": 1_700_000_000, "url": "https://eu.example.com", "o": some(source, "digit", 6)}
    return base64.b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()


def png(source: random.Random, _: int) -> str:
    return base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + source.randbytes(500)).decode()


def minified(source: random.Random, count: int) -> str:
    """Statements as bundlers write them, with the names that scanners stumble over."""
    forms = (
        "var {0}={1}.token,{1}={2}.password;",
        "function {0}({1}){{return {1}.apiKey||{2}({1},{3})}}",
        'case {3}:{0}={{type:"password",key:"{4}",secret:!0,token:{1}}};break;',
        "{0}.setRequestHeader('Authorization','Bearer '+{1});",
        "const {0}={{password:{1}.password,accessToken:void 0,tokenType:{2}}};",
        "e.exports={{'{4}':{3},auth:{0}=>{0}.auth}},",
    )
    made = []
    for _ in range(count):
        names = [some(source, "alpha", source.randint(1, 2)) for _ in range(3)]
        made.append(source.choice(forms).format(*names, source.randint(0, 99_999), source.choice(WORDS)))
    return "".join(made)


MAKERS: dict[str, Callable[[random.Random, int], str]] = {
    "": lambda source, _: "",
    "word": lambda source, _: source.choice(WORDS),
    "Word": lambda source, _: source.choice(WORDS).title(),
    "password": lambda source, _: cooked(source.choice(PASSWORDS), source),
    "uuid": lambda source, _: str(uuid.UUID(int=source.getrandbits(128), version=4)),
    "version": lambda source, _: ".".join(str(source.randint(0, 20)) for _ in range(3)),
    "fingerprint": lambda source, size: source.randbytes(size).hex(":").upper(),
} | {
    made.__name__: made
    for made in (crc, card, noluhn, iban, ssn, jwt, lines, snowflake64, claims64, png, minified)
}

_PART = re.compile(r"<<(\w*)(?::(\d+))?(?:\|(\w+))?>>")


def cooked(recipe: str, source: random.Random, given: dict[str, str] | None = None) -> str:
    """The text for a recipe; `given` are the parts that are not made here."""

    def part(match: re.Match[str]) -> str:
        name, length = match[1], int(match[2] or 0)
        if given and name in given:
            return FORMS[match[3] or ""](given[name])
        return some(source, name, length) if name in CLASSES else MAKERS[name](source, length)

    return _PART.sub(part, recipe)


def in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def each_line(form: str) -> Callable[[str], str]:
    return lambda text: "\n".join(
        form.format(line=line, number=number) for number, line in enumerate(text.split("\n"), 1)
    )


FORMS: dict[str, Callable[[str], str]] = {
    "": lambda text: text,
    "url": lambda text: quote(text, safe=""),
    "json": lambda text: json.dumps(text)[1:-1],
    "xml": escape,
    "b64": in_base64,
    "basic": lambda text: in_base64(f"ada:{text}"),
    "env64": lambda text: in_base64(f"DEBUG=0\nDB_PASSWORD={text}\nPORT=80\n"),
    "oneline": lambda text: text.replace("\n", " "),
    "head": lambda text: "\n".join(text.split("\n")[:8]),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "indented": each_line("    {line}"),
    "diff": each_line("+{line}"),
    "quoted": each_line("> {line}"),
    "numbered": each_line("{number:6}→{line}"),
    "logged": each_line("2025-03-04T10:11:12.{number:03}Z app | {line}"),
}


def names(variable: str) -> dict[str, str]:
    """The name of a variable as languages write it."""
    words = variable.lower().split("_")
    pascal = "".join(word.title() for word in words)
    return {
        "NAME": variable,
        "name": "_".join(words),
        "kebab": "-".join(words),
        "dotted": ".".join(words),
        "spaced": " ".join(words),
        "Pascal": pascal,
        "camel": pascal[0].lower() + pascal[1:],
    }


# The two sets


class Sample(NamedTuple):
    """A text, and what of it must go: nothing, if it is a look-alike."""

    kind: str
    place: str
    text: str
    secrets: tuple[str, ...] = ()


def secrets(each: int, seed: int) -> Iterator[Sample]:
    for kind, recipes in sets.VENDORS.items():
        yield from planted(kind, recipes, sets.PLACES, {}, each, seed)
    for kind, (variable, recipes) in sets.NAMED.items():
        yield from planted(kind, recipes, sets.SETTINGS, names(variable), each, seed)
    for kind, carriers in sets.CARRIERS.items():
        places = {f"#{number}": carrier for number, carrier in enumerate(carriers, 1)}
        yield from planted(kind, sets.RECIPES.get(kind, PASSWORDS), places, {}, each, seed)


def planted(
    kind: str, recipes: tuple[str, ...], places: dict[str, str], given: dict[str, str], each: int, seed: int
) -> Iterator[Sample]:
    source = random.Random(f"{seed} {kind}")
    for place, carrier in places.items():
        for number in range(max(each, len(recipes))):
            before, _, after = cooked(recipes[number % len(recipes)], source).rpartition("§")
            text = cooked(carrier, source, {**given, "secret": before + after})
            yield Sample(kind, place, text, pieces(after, cut="|head" in carrier))


def pieces(secret: str, *, cut: bool) -> tuple[str, ...]:
    """What must not be left of a secret. `cut`: only its beginning was planted."""
    if "\n" in secret:
        body = [line for line in secret.split("\n") if len(line) >= 40 and not re.search("-----|: ", line)]
        return tuple(body[: 3 if cut else None])
    half = len(secret) // 2
    return (secret, secret[:half], secret[-half:]) if len(secret) >= 12 else (secret,)


def lookalikes(each: int, seed: int) -> Iterator[Sample]:
    for kind, recipes in sets.LOOKALIKES.items():
        source = random.Random(f"{seed} {kind}")
        for number, recipe in enumerate(recipes, 1):
            for _ in range(each if _PART.search(recipe) else 1):
                yield Sample(kind, f"#{number}", cooked(recipe, source))


def part_of(kind: str) -> str:
    return PARTS[hashlib.sha256(kind.encode()).digest()[0] % 5 == 0]


# Trying


class Tried(NamedTuple):
    """A text after the rules."""

    text: str
    counts: dict[str, int]


def as_text(rules: Rules, text: str) -> Tried:
    done = rules.redact(text)
    return Tried(done.text, done.counts)


def as_json(rules: Rules, text: str) -> Tried:
    """A document as the value that it is, other text as what a tool gave an agent."""
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, dict):
        done = rules.redact_json(value)
        return Tried(text if done.value == value else json.dumps(done.value, ensure_ascii=False), done.counts)
    done = rules.redact_json({"role": "tool", "content": text})
    return Tried(done.value["content"], done.counts)


def as_line(rules: Rules, text: str) -> Tried:
    stream = rules.stream("jsonl")
    line = json.dumps({"type": "tool_result", "content": text}) + "\n"
    data = stream.push(line.encode()) + stream.finish()
    return Tried(json.loads(data)["content"], dict(stream.counts))


DOORS = {"text": as_text, "json": as_json, "jsonl": as_line}
_ENCODED = re.compile(r"[A-Za-z0-9+/]{8,}")


def readings(text: str) -> Iterator[str]:
    """A text as it is, and decoded."""
    yield text
    yield unquote(text)
    yield text.replace('\\"', '"').replace("\\n", "\n").replace("\\/", "/")
    for run in _ENCODED.findall(text.replace("-", "+").replace("_", "/")):
        try:
            yield base64.b64decode(run + "=" * (-len(run) % 4)).decode(errors="replace")
        except binascii.Error:
            continue


def left(sample: Sample, text: str) -> str:
    """What can still be read of the secret."""
    seen = list(readings(text))
    return next((piece for piece in sample.secrets if any(piece in one for one in seen)), "")


@dataclass(slots=True)
class Row:
    """What came of a kind."""

    kind: str
    tries: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    """How many texts of each place."""
    rules: Counter[str] = field(default_factory=Counter)
    examples: list[tuple[str, str]] = field(default_factory=list)
    """A place, and a text from it: one for each place."""

    @property
    def share(self) -> float:
        return self.wrong.total() / self.tries


def tried(rules: Rules, samples: Iterator[Sample]) -> list[Row]:
    rows: dict[str, Row] = {}
    for sample in samples:
        if sample.secrets and not left(sample, sample.text):
            raise ValueError(f"the secret is not in its place: {sample.kind}, {sample.place}")
        row = rows.setdefault(sample.kind, Row(sample.kind))
        for door in DOORS.values():
            row.tries += 1
            done = door(rules, sample.text)
            still = left(sample, done.text)
            if still if sample.secrets else done.text != sample.text:
                if not row.wrong[sample.place]:
                    shown = shortened(done.text, still) if still else around(sample.text, done.text)
                    row.examples.append((sample.place, shown))
                row.wrong[sample.place] += 1
                row.rules.update(done.counts.keys())
    return list(rows.values())


# Showing


def shortened(text: str, secret: str) -> str:
    """What is left, without the middle of the secret."""
    keep = 2 if len(secret) < 12 else 4
    if secret in text:
        hidden = text.replace(secret, f"{secret[:keep]}…{secret[-keep:]}")
    else:
        hidden = _ENCODED.sub(lambda run: f"{run[0][:keep]}…{run[0][-keep:]}", text)
    return window(hidden, hidden.find("…") - keep if "…" in hidden else 0)


def around(old: str, new: str) -> str:
    """The old text about the first change."""
    return window(old, next((at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0))


def window(text: str, at: int, width: int = 76) -> str:
    start = max(0, min(at - width // 2, len(text) - width))
    return text[start : start + width].encode("unicode_escape").decode().replace("\\u2026", "…")


def report(rows: list[Row], what: str, console: Console, *, verbose: bool) -> dict[str, float]:
    """Prints the kinds that are not as they should be, and gives the share of the others for each part."""
    table = Table(
        "kind", "part", "wrong", "where", "example, rules", title=what, title_justify="left", box=None
    )
    for row in sorted(rows, key=lambda row: (part_of(row.kind), -row.share)):
        if not row.wrong:
            continue
        where = ", ".join(
            f"{place} {count}" for place, count in row.wrong.most_common(None if verbose else 4)
        )
        texts = [f"{place}: {text}" for place, text in row.examples[: None if verbose else 1]]
        shown = "\n".join([*texts, *([", ".join(row.rules)] if what == "False alarms" else [])])
        share = f"{row.wrong.total()}/{row.tries}"
        table.add_row(row.kind, part_of(row.kind), share, Text(where), Text(shown))
    console.print(table)
    shares = {}
    for part in PARTS:
        of_part = [row for row in rows if part_of(row.kind) == part]
        shares[part] = sum(row.wrong.total() for row in of_part) / sum(row.tries for row in of_part)
    return shares


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--each", type=int, default=5, metavar="N", help="values a place (default: %(default)s)"
    )
    parser.add_argument("--verbose", action="store_true", help="an example of each place, not of each kind")
    args = parser.parse_args()
    rules = assembled(None, builtin=True)
    console = Console(width=None if sys.stdout.isatty() else 180)
    planted_rows = tried(rules, secrets(args.each, args.seed))
    alike_rows = tried(rules, lookalikes(args.each, args.seed))
    missed = report(planted_rows, "Missed", console, verbose=args.verbose)
    alarms = report(alike_rows, "False alarms", console, verbose=args.verbose)
    totals = Table("", "kinds", "recall, must reach 90 %", "kinds", "false alarms, at most 5 %", box=None)
    for part in PARTS:
        counts = [sum(part_of(row.kind) == part for row in rows) for rows in (planted_rows, alike_rows)]
        totals.add_row(part, str(counts[0]), f"{1 - missed[part]:.2%}", str(counts[1]), f"{alarms[part]:.2%}")
    console.print(totals)
    good = all(1 - missed[part] >= RECALL and alarms[part] <= ALARMS for part in PARTS)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
