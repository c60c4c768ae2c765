"""`tamis run`: starts programs as `python` does, and says at the end what there is."""

from __future__ import annotations

import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import recording
from recording import Recorded

Record = Callable[..., Recorded]

# What a program can see of how it was started.
LOOK = """\
import json, os, sys
def seen():
    main = sys.modules["__main__"]
    return {
        "argv": sys.argv, "path0": sys.path[0], "name": __name__, "file": globals().get("__file__"),
        "package": globals().get("__package__"), "spec": getattr(globals().get("__spec__"), "name", None),
        "loader": type(globals().get("__loader__")).__name__, "doc": globals().get("__doc__"),
        "main": main.__dict__ is globals(), "cwd": os.getcwd(), "builtins": type(__builtins__).__name__,
        "names": sorted(name for name in globals() if name.startswith("__")),
        "flags": [sys.flags.optimize, sys.flags.safe_path], "stdin": sys.stdin.read(),
        "annotations": globals().get("__annotations__", {}),
        "path": [entry for entry in sys.path[1:]],
    }
print(json.dumps(seen()))
"""

STARTS = {
    "script": ["app.py", "-x", "--output", "a b"],
    "script elsewhere": ["folder/app.py", "x"],
    "absolute": ["{here}/app.py"],
    "module": ["-m", "app", "-q"],
    "package": ["-m", "package", "--force"],
    "module in a package": ["-m", "package.inner", "1"],
    "code": ["-c", LOOK, "-m", "other"],
    "folder": ["package", "1"],
    "zip": ["app.zip", "1"],
    "link": ["link.py", "1"],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for path in ("app.py", "folder/app.py", "package/__main__.py", "package/inner.py"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(LOOK)
    (tmp_path / "package/__init__.py").write_text("")
    (tmp_path / "link.py").symlink_to("folder/app.py")
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.write(tmp_path / "app.py", "__main__.py")
    return tmp_path


def tamis_run(folder: Path, *words: str, **options: object) -> Recorded:
    command = [sys.executable, "-m", "tamis", "run", "-o", "trace", *words]
    return recording.run(command, folder / "trace", folder, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("words", STARTS.values(), ids=list(STARTS))
def test_a_program_sees_what_it_sees_without(project: Path, words: list[str]) -> None:
    """`sys.argv`, `sys.path`, `__main__`, working directory and standard input are those of a plain run; what
    stands behind the program is the program's own."""
    words = [word.format(here=project) if "{here}" in word else word for word in words]
    recorded = tamis_run(project, *words, stdin="text").ok()
    plain = recording.plain([sys.executable, *words], project, stdin="text")
    assert plain.returncode == 0, plain.stderr
    assert json.loads(recorded.stdout) == json.loads(plain.stdout)
    assert len(recorded.calls("seen")) == 1
    recorded.trace.close()


def test_program_from_standard_input(tmp_path: Path) -> None:
    """`-` reads the program from standard input."""
    source = "import sys\ndef work(n): return n\nwork(5)\nprint(sys.argv, __name__, __file__, __loader__)\n"
    recorded = tamis_run(tmp_path, "-", "a", stdin=source).ok()
    plain = recording.plain([sys.executable, "-", "a"], tmp_path, stdin=source)
    assert recorded.stdout == plain.stdout.decode()
    assert recorded.arguments("work") == [{"n": 5}]
    recorded.trace.close()


def test_the_summary(tmp_path: Path) -> None:
    """At the end stderr has, in at most six lines, where the trace is, events, calls, how long, how many
    values were redacted and dropped by which filter, and how to write a filter; `--quiet` silences it."""
    body = '[[scope.rules]]\nselector = "pkg:*"\n'
    body += '[[scope.rules.value_patterns]]\nselector = "arg:gone"\naction = "drop"\n'
    recording.write_filters(tmp_path, [recording.filter_text(body)])
    (tmp_path / "app.py").write_text("def f(password, gone): return 1\nfor _ in range(3): f('x', 'y')\n")
    words = ["--trace-filter", "filter-0.toml", "app.py"]
    lines = tamis_run(tmp_path, *words).ok().stderr.splitlines()
    assert 3 <= len(lines) <= 6
    text = "\n".join(lines)
    for part in ("`trace`", "8 events", "4 calls", "redacted 3 values: 3 by builtin-default",
                 "dropped 3 values: 3 by test", "`tamis init`", "`tamis show trace`"):  # fmt: skip
        assert part in text, (part, text)
    assert tamis_run(tmp_path, "--force", "--quiet", *words).ok().stderr == ""


def test_an_existing_trace(tmp_path: Path) -> None:
    """An existing trace is not overwritten without `--force`; other files never are."""
    (tmp_path / "app.py").write_text("def f(n): pass\nimport sys\nf(int(sys.argv[1]))\n")
    tamis_run(tmp_path, "app.py", "1").ok()
    refused = tamis_run(tmp_path, "app.py", "2")
    assert (refused.exit, refused.stdout) == (2, "")
    assert "there is a trace in" in refused.stderr
    assert "--force" in refused.stderr
    forced = tamis_run(tmp_path, "--force", "app.py", "3").ok()
    assert forced.arguments("f") == [{"n": 3}]
    forced.trace.close()
    (tmp_path / "trace" / "trace_metadata.json").unlink()
    (tmp_path / "trace" / "mine.txt").write_text("mine")
    refused = tamis_run(tmp_path, "--force", "app.py", "4")
    assert refused.exit == 2
    assert (tmp_path / "trace" / "mine.txt").read_text() == "mine"


def test_the_default_name(tmp_path: Path) -> None:
    """Without `-o` the trace lies in a new folder of the working directory, named after the program."""
    (tmp_path / "app.py").write_text("")
    for _ in range(2):
        done = recording.plain([sys.executable, "-m", "tamis", "run", "app.py"], tmp_path)
        assert done.returncode == 0
    traces = sorted(path.name for path in tmp_path.glob("*.tamis"))
    assert len(traces) == 2
    assert all(name.startswith("app-") for name in traces)


MISTAKES = [
    ("no program", [], "there is nothing to run"),
    ("no such script", ["missing.py"], "can't open file '{here}/missing.py': [Errno 2]"),
    ("a module for a script", ["pytest"], "hint: pytest is a module: tamis run -m pytest"),
    ("unknown option", ["--trace-filtre", "x", "app.py"], "--trace-filter"),
    ("bad number", ["--depth", "x", "app.py"], "--depth"),
    ("too large", ["--depth", "99", "app.py"], "--depth"),
    ("missing filter", ["--trace-filter", "no.toml", "app.py"], "no.toml"),
    ("module without a name", ["-m"], "-m"),
]


@pytest.mark.parametrize(
    ("words", "message"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES]
)
def test_mistakes(tmp_path: Path, words: list[str], message: str) -> None:
    """A mistake on the command line is a clear error with exit code 2; nothing runs, nothing is written."""
    (tmp_path / "app.py").write_text("print('ran')")
    recorded = tamis_run(tmp_path, *words)
    assert recorded.exit == 2
    assert recorded.stdout == ""
    assert message.format(here=tmp_path) in recorded.stderr
    assert "Traceback" not in recorded.stderr
    assert not recorded.path.exists()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A place that cannot be written is a clear error, before the program starts."""
    (tmp_path / "app.py").write_text("print('ran')")
    for place in ("/proc/none/trace", "app.py/trace", "/dev/null"):
        done = recording.plain([sys.executable, "-m", "tamis", "run", "-o", place, "app.py"], tmp_path)
        assert (done.returncode, done.stdout) == (2, b""), place
        assert done.stderr.startswith(b"error: "), done.stderr
        assert b"Traceback" not in done.stderr


def test_a_missing_module(tmp_path: Path) -> None:
    """A module that does not exist fails as under `python -m`."""
    recorded = tamis_run(tmp_path, "-q", "-m", "no_such_module")
    plain = recording.plain([sys.executable, "-m", "no_such_module"], tmp_path)
    assert (recorded.exit, recorded.stderr) == (plain.returncode, plain.stderr.decode())


def test_nothing_of_the_user_is_recorded(tmp_path: Path) -> None:
    """Neither the arguments of the program nor the home directory's name are in the trace."""
    word = "open" + "sesame"
    home = tmp_path / ("user" + "name")
    home.mkdir()
    (home / "app.py").write_text("import sys\ndef f(): pass\nf()\n")
    recorded = tamis_run(home, "-q", "app.py", f"--password={word}", env={"HOME": str(home)}).ok()
    assert word not in recorded.everything()
    assert home.name not in recorded.everything()
    assert recorded.trace.metadata["arguments"] == 1
    assert recorded.trace.metadata["command"] == "app.py"
    recorded.trace.close()
