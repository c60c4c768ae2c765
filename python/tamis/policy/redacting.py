"""Content rules applied to files: what is in them, whatever their encoding is, and where they lie."""

from __future__ import annotations

import codecs
import contextlib
import glob
import json
import os
import secrets
import shutil
from collections import Counter
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, TypedDict, Unpack

from tamis.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis.policy.rules import Change, Rules

__all__ = [
    "BACKUP",
    "FORMATS",
    "How",
    "Outcome",
    "encoding_of",
    "files_at",
    "is_binary",
    "redact_file",
    "redact_in_place",
]

FORMATS = ("text", "jsonl", "json")
BACKUP = ".tamis-backup"

_PIECE = 256 << 10
_JSON_LINES = (".jsonl", ".ndjson", ".jsonlines")
_JSON = (".json", ".ipynb", ".geojson", ".webmanifest", ".har")
# Larger documents are taken as text, so that memory does not grow with them.
_LARGEST_DOCUMENT = 64 << 20
# What version control and environments keep for themselves.
_NOT_LOOKED_AT = {
    ".git",
    ".hg",
    ".svn",
    ".venv",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".pytest_cache",
}
# How files begin that may have long parts without a byte that gives them away, and the bytes that do.
_BINARY = (b"%PDF-", b"%!PS-Adobe", b"\x7fELF", b"PK\x03\x04", b"\x1f\x8b")
_CONTROLS = bytes({*range(32), 127} - {8, 9, 10, 12, 13, 27})
# A byte order mark tells of UTF-16; UTF-8 needs none.
_UTF_16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


class How(TypedDict, total=False):
    """How a file is read: see `redact_file`."""

    format: str | None
    role: str | None
    decode: bool
    places: bool


@dataclass
class Outcome:
    """What came of one file."""

    path: str
    counts: Counter[str] = field(default_factory=Counter)
    """How many places each rule changed, by its id."""
    undecided: Counter[str] = field(default_factory=Counter)
    """How many of these are no matches, but where a bound was hit."""
    changes: list[Change] = field(default_factory=list)
    """Where, if that was wanted."""
    broken: int = 0
    """Lines or documents that begin like JSON and are none."""
    zeros: bool = False
    """Its beginning holds many zeros and no mark of UTF-16: whatever it says was not read as that."""


def files_at(paths: Iterable[str], exclude: Iterable[str] = (), *, backups: bool = True) -> Iterator[str]:
    """The files that these paths name, in order: files, folders with all in them, and globs.

    `exclude`: globs of names and paths to leave out of folders. `backups`: whether those are files, too.
    Raises `UsageError` for a path that names nothing."""
    left_out = (*exclude, *(() if backups else (f"*{BACKUP}",)))
    for path in paths:
        if os.path.isdir(path):
            yield from _files_below(path, left_out)
        elif os.path.lexists(path):
            yield path
        else:
            found = _matching(path) if glob.has_magic(path) else []
            if not found:
                raise UsageError(f"there is no file `{path}`")
            yield from files_at(found, left_out)


def _matching(pattern: str) -> list[str]:
    """What a glob matches, once each: a link may lead to what is there without it, even around in a ring."""
    found = sorted(glob.glob(pattern, recursive=True), key=lambda path: (path.count(os.sep), path))
    return sorted({os.path.realpath(path): path for path in reversed(found)}.values())


def _files_below(top: str, exclude: tuple[str, ...]) -> Iterator[str]:
    from fnmatch import fnmatch

    def wanted(folder: str, name: str) -> bool:
        path = os.path.relpath(os.path.join(folder, name), top)
        return not any(fnmatch(name, pattern) or fnmatch(path, pattern) for pattern in exclude)

    def refuse(error: OSError) -> None:
        raise error

    for folder, folders, names in os.walk(top, onerror=refuse):
        folders[:] = sorted(name for name in folders if name not in _NOT_LOOKED_AT and wanted(folder, name))
        for name in sorted(names):
            path = os.path.join(folder, name)
            # A link may lead out of the folder, and a pipe would be waited for.
            if wanted(folder, name) and _is_plain(path):
                yield path


def _is_plain(path: str) -> bool:
    return os.path.isfile(path) and not os.path.islink(path)


def is_binary(path: str) -> bool:
    """Whether a file holds bytes that no text has."""
    with open(path, "rb") as file:
        start = file.read(8192)
        if encoding_of(start):
            return False
        if start.startswith(_BINARY) or len(start.translate(None, _CONTROLS)) < 0.9 * len(start):
            return True
        while start and b"\0" not in start:
            start = file.read(_PIECE)
        return bool(start)


def format_of(path: str | None, start: bytes, size: int | None) -> str:
    """How a file is to be read, by its name, else by how it begins."""
    name = (path or "").lower()
    if name.endswith(_JSON_LINES):
        return "jsonl"
    if name.endswith(_JSON):
        return "json" if size is not None and size <= _LARGEST_DOCUMENT else "text"
    first = start.lstrip().split(b"\n", 1)[0]
    if not first.startswith((b"{", b"[")):
        return "text"
    try:
        json.loads(first)
    except ValueError:
        return "text"
    return "jsonl"


def redact_file(
    rules: Rules,
    source: IO[bytes],
    target: IO[bytes] | None,
    outcome: Outcome,
    *,
    format: str | None = None,
    role: str | None = None,
    decode: bool = True,
    places: bool = False,
    size: int | None = None,
) -> None:
    """Applies rules to what can be read of `source`, and writes what comes of it to `target`.

    `format`: one of `FORMATS`; None: by name and beginning. `places`: whether `outcome.changes` is wanted.
    UTF-16 is known by its mark, and written as such."""
    start = source.read(_PIECE)
    encoding = encoding_of(start)
    mark = start[:2] if encoding else b""
    outcome.zeros = encoding is None and start.count(0) * 8 > len(start)
    reader = codecs.getincrementaldecoder(encoding)("surrogatepass") if encoding else None
    writer = codecs.getincrementaldecoder("utf-8")("surrogatepass") if encoding else None
    piece = _utf_8(reader, start[len(mark) :], final=False)
    format = format or format_of(outcome.path, piece, size)
    stream = rules.stream(format, role=role, decode=decode)

    def put(data: bytes, final: bool = False) -> None:
        if places:
            outcome.changes += stream.changes
        if target is not None:
            if writer is not None and encoding is not None:
                data = writer.decode(data, final).encode(encoding, "surrogatepass")
            target.write(data)

    if target is not None:
        target.write(mark)
    while start:
        put(stream.push(piece))
        start = source.read(_PIECE)
        piece = _utf_8(reader, start, final=not start)
    if piece:  # the rest of a character
        put(stream.push(piece))
    put(stream.finish(), final=True)
    outcome.counts += stream.counts
    outcome.undecided += stream.undecided
    outcome.broken += stream.broken


def encoding_of(start: bytes) -> str | None:
    """What the mark at the beginning of a file tells, if there is one: which UTF-16 it is."""
    return _UTF_16.get(start[:2])


def _utf_8(reader: codecs.IncrementalDecoder | None, data: bytes, *, final: bool) -> bytes:
    return data if reader is None else reader.decode(data, final).encode("utf-8", "surrogatepass")


def redact_in_place(
    rules: Rules, path: str, outcome: Outcome, *, backup: bool, **how: Unpack[How]
) -> str | None:
    """Replaces a file by what comes of it, if that is another text; returns the path of the backup.

    The new file is whole before it takes the place of the old one, which is kept for its owner alone."""
    path = os.path.realpath(path)  # of a link, what it leads to
    folder, name = os.path.split(path)
    # Its name is known before it is there, so that it goes whenever one is interrupted.
    new = os.path.join(folder, f".{name[:200]}.{secrets.token_hex(8)}")
    try:
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(handle, "wb") as target, open(path, "rb") as source:
            size = os.fstat(source.fileno()).st_size
            redact_file(rules, source, target, outcome, size=size, **how)
            target.flush()
            os.fsync(target.fileno())
        if not outcome.counts:
            return None
        kept = _back_up(path) if backup else None
        shutil.copystat(path, new)
        os.replace(new, path)
        return kept
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(new)


def _back_up(path: str) -> str:
    number = 0
    while True:
        kept = f"{path}{BACKUP}" if not number else f"{path}.{number}{BACKUP}"
        try:
            handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            number += 1
            continue
        with open(handle, "wb") as target, open(path, "rb") as source:
            shutil.copyfileobj(source, target)
            target.flush()
            os.fsync(target.fileno())
        return kept
