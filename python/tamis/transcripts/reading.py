"""The records of a log: lines of JSON, packed or not, or the members of one document."""

from __future__ import annotations

import hashlib
import io
import json
import os
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa

from tamis._core import Members

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["FILE", "Broken", "Log", "Record", "digest_of"]

_PIECE = 1 << 20
# A file beside a log is one text, which is in memory as a whole.
_LARGEST = 32 << 20
_DECODER = json.JSONDecoder()
FILE = "$file"
"""By this name a record holds a file that lies beside a log."""


@dataclass(slots=True)  # not frozen, which takes longer to make
class Record:
    """A record as it stands in the log."""

    line: int
    """From 1; of a document, the place among its members, and 0 for what is around them."""
    text: str
    value: dict[str, Any]


@dataclass(slots=True, frozen=True)
class Broken:
    """A line that cannot be read."""

    line: int
    reason: str


class _Measured(io.RawIOBase):
    """So much of a file as was there when it was opened, with a digest of what was read of it."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file = file
        self._left = size
        self.digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        self.digest.update(data)
        return len(data)


class Log:
    """A log that is read once, from its beginning to where its end was when it was opened."""

    def __init__(self, path: Path, members: tuple[str, ...], *, is_log: bool = True) -> None:
        self.path = path
        self._is_log = is_log
        self._members = members
        self._file = open(path, "rb")  # noqa: SIM115 - closed by `__exit__`
        told = os.fstat(self._file.fileno())
        self.size = told.st_size
        self.time = told.st_mtime_ns
        self._measured = _Measured(self._file, self.size)
        self.unfinished = False
        """Its last line is being written, or was cut: it is no record yet."""

    def __enter__(self) -> Log:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def digest(self) -> str:
        """Of the whole file, once it was read to its end."""
        return self._measured.digest.hexdigest()

    def __iter__(self) -> Iterator[Record | Broken]:
        """Raises `OSError` if the file cannot be read or unpacked."""
        source: IO[bytes] = io.BufferedReader(self._measured, _PIECE)
        if not self._is_log:
            yield self._file_beside(source)
            return
        if self.path.suffix == ".zst":
            unpacked = pa.CompressedInputStream(pa.PythonFile(source, mode="r"), "zstd")
            source = io.BufferedReader(unpacked, _PIECE)
        if self.path.name.endswith(".json") and self._members:
            yield from self._document(source)
        else:
            yield from self._lines(source)

    def _file_beside(self, source: IO[bytes]) -> Record | Broken:
        """One record that holds the file; what is no UTF-8 in it stands there as Python escapes it."""
        if self.size > _LARGEST:
            return Broken(1, f"larger than {_LARGEST >> 20} MB, and not part of a log")
        data = source.read()
        if b"\0" in data:
            return Broken(1, "no text")
        value = {FILE: data.decode(errors="backslashreplace")}
        return Record(1, json.dumps(value, ensure_ascii=False), value)

    def _lines(self, source: IO[bytes]) -> Iterator[Record | Broken]:
        for line, data in enumerate(source, 1):
            if data.isspace():
                continue
            record = _record(line, data)
            if isinstance(record, Broken) and not data.endswith(b"\n"):
                self.unfinished = True
                return
            yield record

    def _document(self, source: IO[bytes]) -> Iterator[Record | Broken]:
        members = Members(self._members)
        line = 0
        while piece := source.read(_PIECE):
            for data in members.push(piece):
                line += 1
                yield _record(line, data)
        rest = _record(0, members.rest())
        if isinstance(rest, Broken):
            self.unfinished = True
        elif rest.value or not line:
            yield rest


def _record(line: int, data: bytes) -> Record | Broken:
    try:
        text = data.decode().strip()
        value, end = _DECODER.raw_decode(text)
        if end != len(text):
            raise json.JSONDecodeError("Extra data", text, end)
    except UnicodeDecodeError:
        return Broken(line, "no UTF-8")
    except RecursionError:
        return Broken(line, "nested too deeply")
    except ValueError as error:
        return Broken(line, f"no JSON: {error}")
    if not isinstance(value, dict):
        # A list around all of a document holds nothing itself.
        return Record(line, text, {}) if value == [] and line == 0 else Broken(line, "no object of JSON")
    return Record(line, text, value)


def digest_of(path: Path, size: int | None = None) -> str:
    """The digest of a file, or of so many bytes of its beginning, in hexadecimal digits of SHA-256."""
    with open(path, "rb") as file:
        if size is None:
            return hashlib.file_digest(file, "sha256").hexdigest()
        measured = _Measured(file, size)
        while measured.read(_PIECE):
            pass
        return measured.digest.hexdigest()
