"""`python -m benchmarks.content`: content rules against `re`, google-re2 and hyperscan, in one run.

Every engine gets the same lines and must give the same text. Numbers are megabytes a second of one thread,
the best of some rounds. Then the built-in rules: plain text, lines of JSON with decoding, two threads,
start-up, and text made to hurt at three sizes.

Exit code 0: measured. 1: measured, and a number is not met.
"""

from __future__ import annotations

import argparse
import base64
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rich.console import Console
from rich.table import Table

from tamis.policy.rules import Rules, assembled, load_rules

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
CORPUS = HERE / "corpus/make_corpus.py"
RULES = HERE / "corpus/rules25.json"
_PIECE = 256 << 10


class Row(NamedTuple):
    """A number, and what it must reach."""

    what: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = True

    @property
    def met(self) -> bool:
        return self.limit is None or (self.value >= self.limit) == self.at_least


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mb", type=float, default=20, help="size of the corpus (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        prefix = Path(folder) / "corpus"
        subprocess.run(
            [sys.executable, CORPUS, prefix, "--mb", str(args.mb)], check=True, capture_output=True
        )
        data = prefix.with_suffix(".txt").read_bytes()
    rows = [*engines(data, args.rounds), *builtin(data, args.rounds), *starting(args.rounds), *hurting()]
    table = Table("", "", "must reach", box=None)
    for row in rows:
        limit = "" if row.limit is None else f"{'≥' if row.at_least else '≤'} {row.limit:g}"
        table.add_row(row.what, f"{row.value:,.1f} {row.unit}", limit if row.met else f"[red]{limit}[/red]")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
    return 0 if all(row.met for row in rows) else 1


def best(rounds: int, run: Callable[[], object]) -> float:
    """The shortest of some runs, in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


# 25 rules, each line a text, on all engines


def engines(data: bytes, rounds: int) -> list[Row]:
    rules = load_rules(RULES, builtin=False)
    lines = data.decode().split("\n")
    wanted = tamis_lines(rules, data).decode().split("\n")
    rows = [
        Row("25 rules a line: Tamis", rate(data, best(rounds, lambda: tamis_lines(rules, data))), "MB/s", 250)
    ]
    for name, make in (("re", with_re), ("google-re2", with_re2), ("hyperscan", with_hyperscan)):
        redact = make(rules)
        start = time.perf_counter()
        found = [redact(line) for line in lines]
        seconds = time.perf_counter() - start
        if found != wanted:
            sys.exit(f"error: {name} gives another text")
        rows.append(Row(f"25 rules a line: {name}", rate(data, seconds), "MB/s"))
    return rows


def tamis_lines(rules: Rules, data: bytes) -> bytes:
    return streamed(rules, data, "jsonl", decode=False)


def streamed(rules: Rules, data: bytes, format: str, *, decode: bool) -> bytes:
    stream = rules.stream(format, decode=decode)
    pieces = [stream.push(data[start : start + _PIECE]) for start in range(0, len(data), _PIECE)]
    return b"".join([*pieces, stream.finish()])


def rate(data: bytes, seconds: float) -> float:
    return len(data) / 1e6 / seconds


def compiled(rules: Rules) -> list[tuple[re.Pattern[str], str]]:
    return [
        (re.compile(rule.pattern, re.IGNORECASE * rule.ignore_case), rule.replacement) for rule in rules.rules
    ]


def with_re(rules: Rules) -> Callable[[str], str]:
    patterns = compiled(rules)

    def redact(line: str) -> str:
        for pattern, replacement in patterns:
            line = pattern.sub(replacement, line)
        return line

    return redact


def with_re2(rules: Rules) -> Callable[[str], str]:
    """A set tells which rules match at all; these are applied one after the other."""
    import re2

    options = re2.Options()
    options.log_errors = False
    gate = re2.Set.SearchSet(options)
    patterns = []
    for rule in rules.rules:
        flags = "(?i)" if rule.ignore_case else ""
        gate.Add(flags + rule.pattern)
        patterns.append((re2.compile(flags + rule.pattern, options), rule.replacement))
    gate.Compile()

    def redact(line: str) -> str:
        if gate.Match(line):
            for pattern, replacement in patterns:
                line = pattern.sub(replacement, line)
        return line

    return redact


def with_hyperscan(rules: Rules) -> Callable[[str], str]:
    """It tells which lines match at all, for it knows no leftmost match; `re` does the rest."""
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [
        hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_CASELESS * rule.ignore_case for rule in rules.rules
    ]
    patterns = [rule.pattern.encode() for rule in rules.rules]
    database.compile(
        expressions=patterns, ids=list(range(len(patterns))), elements=len(patterns), flags=flags
    )
    scratch = hyperscan.Scratch(database)
    found: list[int] = []
    with_all = with_re(rules)

    def redact(line: str) -> str:
        found.clear()
        database.scan(line.encode(), match_event_handler=lambda id, *_: found.append(id), scratch=scratch)
        return with_all(line) if found else line

    return redact


# The built-in rules


def builtin(data: bytes, rounds: int) -> list[Row]:
    rules = assembled(None, builtin=True)
    lines = data.split(b"\n")
    plain = b"\n".join(line for line in lines if not line.startswith(b"{"))
    documents = b"\n".join(line for line in lines if line.startswith(b"{"))

    def run(part: bytes, format: str, *, decode: bool) -> float:
        return rate(part, best(rounds, lambda: streamed(rules, part, format, decode=decode)))

    one = best(rounds, lambda: streamed(rules, data, "jsonl", decode=True))
    two = best(rounds, lambda: in_two_threads(rules, data))
    return [
        Row("built-in rules, plain text", run(plain, "text", decode=False), "MB/s", 150),
        Row("built-in rules, plain text, decoded", run(plain, "text", decode=True), "MB/s"),
        Row("built-in rules, lines of JSON, decoded", run(documents, "jsonl", decode=True), "MB/s", 80),
        Row("built-in rules, all of it, decoded", rate(data, one), "MB/s"),
        Row("two threads to one", 2 * one / two, "times", 1.8),
    ]


def in_two_threads(rules: Rules, data: bytes) -> None:
    threads = [
        threading.Thread(target=streamed, args=(rules, data, "jsonl"), kwargs={"decode": True})
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def starting(rounds: int) -> list[Row]:
    code = "import time; from tamis.policy.rules import assembled; b = time.perf_counter(); "
    code += "assembled(None, builtin=True); print(time.perf_counter() - b)"
    command = [sys.executable, "-c", code]
    load = min(
        float(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(2 + rounds)
    )
    empty = best(
        2 + rounds,
        lambda: subprocess.run([sys.executable, "-m", "tamis", "redact", "-q"], check=True, input=b""),
    )
    return [
        Row("built-in rules ready", load * 1e3, "ms", 50, at_least=False),
        Row("`tamis redact` of nothing", empty * 1e3, "ms", 150, at_least=False),
    ]


# Text made to hurt

_SIZES = (40_000, 400_000, 4_000_000)


def nested(size: int) -> str:
    text = "x" * (size // 18)
    for _ in range(10):
        text = base64.b64encode(text.encode()).decode()
    return text


HURTING: dict[str, Callable[[int], str]] = {
    "hexadecimal digits": lambda size: "".join(random.Random(1).choices("0123456789abcdef", k=size)),
    "`(a+)+$` on a's": lambda size: "a" * size,
    "brackets": lambda size: "[" * size,
    "documents without end": lambda size: '{"a":' * (size // 5),
    "words on one line": lambda size: "key=value " * (size // 10),
    "base64 nested ten times": nested,
    "beginnings of keys": lambda size: "-----BEGIN {}KEY-----\n".format("PRIVATE ") * (size // 28),
    "beginnings of assignments": lambda size: 'password="' * (size // 10),
}


def hurting() -> list[Row]:
    """Time of the largest text to that of one of a tenth: linear is 10."""
    from tamis.policy.rulefile import Rule

    rules = Rules([Rule("a", "regex", r"(a+)+$"), *assembled(None, builtin=True).rules])
    rows = []
    for name, make in HURTING.items():
        seconds = []
        for size in _SIZES:
            text = make(size)
            seconds.append(best(2, lambda text=text: rules.redact(text)))
        shown = " / ".join(f"{one * 1e3:,.1f}" for one in seconds)
        rows.append(
            Row(
                f"{name}: {shown} ms",
                seconds[-1] / seconds[-2],
                "times for ten times as much",
                20,
                at_least=False,
            )
        )
    return rows


if __name__ == "__main__":
    sys.exit(main())
