"""Editors: what a TOML language server makes of filters that name the schema, without a network."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tamis import cli
from tamis.policy import FILTER_FILES
from tamis.policy.schema import SCHEMA_DIRECTIVE

TOMBI = str(Path(sys.executable).with_name("tombi"))
HEAD = f"""\
{SCHEMA_DIRECTIVE}
[meta]
name = "shop"
version = 2

[scope]
default_exec = "trace"
default_value_action = "allow"

[[scope.rules]]
selector = "pkg:shop.*"
"""


class Server:
    """A language server with one file open."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._ids = itertools.count(1)
        self._process = subprocess.Popen(
            [TOMBI, "lsp", "--offline"],
            cwd=root,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.ask("initialize", {"processId": None, "rootUri": root.as_uri(), "capabilities": {}})
        self._send({"method": "initialized", "params": {}})

    def open(self, file: Path) -> list[tuple[int, str]]:
        """The problems of a file (line, from 1, and code), awaited: a request may overtake the opening."""
        document = {"uri": file.as_uri(), "languageId": "toml", "version": 1, "text": file.read_text()}
        self._send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        while True:
            message = self._receive()
            params = message.get("params")
            if message.get("method") == "textDocument/publishDiagnostics" and params["uri"] == file.as_uri():
                found = params["diagnostics"]
                return sorted((one["range"]["start"]["line"] + 1, one["code"]) for one in found)
            self._answer(message)

    def ask(self, method: str, params: Any) -> Any:
        """The result of a request; what the server wants in between is answered with nothing."""
        number = next(self._ids)
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._receive()
            if "method" not in message and message.get("id") == number:
                return message["result"]
            self._answer(message)

    def close(self) -> None:
        self.ask("shutdown", None)
        self._send({"method": "exit"})
        with self._process:
            pass
        assert self._process.returncode == 0

    def _answer(self, message: dict[str, Any]) -> None:
        if "method" in message and "id" in message:
            self._send({"id": message["id"], "result": None})

    def _send(self, message: dict[str, Any]) -> None:
        data = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(data), data))
        self._process.stdin.flush()

    def _receive(self) -> Any:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the language server has gone"
        return json.loads(self._process.stdout.read(length))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project as `tamis init` leaves it."""
    assert cli.main(["init", str(tmp_path)]) == 0
    return tmp_path


@pytest.fixture
def server(project: Path) -> Iterator[Server]:
    server = Server(project)
    yield server
    server.close()


def test_the_filter_that_init_writes(project: Path, server: Server):
    """The new filter is right, and the server has found the schema: it explains a key."""
    file = project / FILTER_FILES[0]
    assert server.open(file) == []
    line = next(n for n, text in enumerate(file.read_text().splitlines()) if text.startswith("default_exec"))
    place = {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": 3}}
    shown = server.ask("textDocument/hover", place)["contents"]["value"]
    assert "Code that no rule speaks of" in shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD, []),
        (HEAD + 'exec = "skip"\nvalue_default = "deny"\nreason = "why"\naccept = ["shadowed-rule"]\n', []),
        (HEAD + 'exec = "skip"\naccept = ["x"]\n', [(13, "enum")]),
        (HEAD + '[[scope.rules.value_patterns]]\nselector = "type:a.B"\naction = "drop"\n', []),
        (HEAD.replace("version = 2", "version = 1"), []),
        (HEAD + 'exce = "skip"\n', [(12, "key-not-allowed")]),
        (HEAD + 'exec = "skp"\n', [(12, "enum")]),
        (HEAD.replace("pkg:", "pgk:"), [(11, "string-pattern")]),
        (HEAD.replace("version = 2", "version = 3"), [(4, "enum")]),
        (HEAD.replace("version = 2", "version = 1\nlocked = true"), [(5, "nothing")]),
        (HEAD.replace("version = 2", "version = 1") + "accept = []\n", [(12, "nothing")]),
        (HEAD.replace('name = "shop"', 'name = ""'), [(3, "string-min-length")]),
        (HEAD.replace('default_exec = "trace"\n', ""), [(6, "table-key-required")]),
        (HEAD + "[[scope.rules.value_patterns]]\nselector = 'arg:x'\n", [(12, "table-key-required")]),
        (HEAD + "[io]\ncapture = 1\nmodes = [1]\n", [(13, "type-mismatch"), (14, "array-max-values")]),
    ],
)
def test_good_and_bad_filters(project: Path, server: Server, text: str, expected: list[tuple[int, str]]):
    """The server reports what is wrong, where it is wrong, and nothing in a filter that is right."""
    file = project / ".codetracer/other.toml"
    file.write_text(text)
    assert server.open(file) == expected


@pytest.mark.parametrize(
    ("text", "character", "expected"),
    [
        ("v\n", 1, {"value_default", "value_patterns"}),
        ("exec = \n", 7, {'"trace"', '"skip"', '"inherit"'}),
    ],
)
def test_it_completes(project: Path, server: Server, text: str, character: int, expected: set[str]):
    """The server offers the keys of a rule, and the words that a key can have."""
    file = project / ".codetracer/other.toml"
    file.write_text(HEAD + text)
    server.open(file)
    position = {"line": HEAD.count("\n"), "character": character}
    place = {"textDocument": {"uri": file.as_uri()}, "position": position}
    found = server.ask("textDocument/completion", place)
    assert {item["label"] for item in found} == expected
