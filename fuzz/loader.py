"""Fuzzes the loader of rule files: whatever stands in one, it is read, or refused with a `PolicyError`.

`python fuzz/loader.py [FOLDER] [options of libFuzzer]`, with atheris installed."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["tamis", "yaml", "ruamel"]):
    from tamis.errors import PolicyError
    from tamis.policy.rulefile import read_rules

FOLDER = Path(tempfile.mkdtemp(prefix="tamis-fuzz-"))


def check(data: bytes) -> None:
    file = FOLDER / ("rules.json" if data[:1] in b"{[" else "rules.yml")
    file.write_bytes(data)
    try:
        read_rules(file, examples=True)
    except PolicyError as error:
        str(error)


if __name__ == "__main__":
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
