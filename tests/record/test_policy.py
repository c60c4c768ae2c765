"""Filters as recordings obey them."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import recording
from recording import Recorded, filter_text

Record = Callable[..., Recorded]
WORD = "open" + "sesame"

LOGIN = f"""
    def login(user, password):
        return token(password)
    def token(secret):
        return {{"user": "u", "token": secret}}
    class Session:
        def __init__(self, user, api_key):
            self.user, self.api_key = user, api_key
    login("u", {WORD!r})
    def keep(session): pass
    keep(Session("u", {WORD!r}))
    """

REDACTED = {"$redacted": True, "$type": "str"}

# What leaves a name that builtin-default covers where it is.
KEEPS = {
    "no filter": "",
    "a rule that traces": '[[scope.rules]]\nselector = "pkg:*"\nexec = "trace"\n',
    "values allowed": '[[scope.rules]]\nselector = "pkg:*"\nvalue_default = "allow"\n',
    "both, for the function itself": '[[scope.rules]]\nselector = "obj:*login"\nexec = "trace"\nvalue_default = "allow"\n',  # noqa: E501
    "a pattern for another name": (
        '[[scope.rules]]\nselector = "pkg:*"\n'
        '[[scope.rules.value_patterns]]\nselector = "arg:user"\naction = "allow"\n'
    ),
}


@pytest.mark.parametrize("body", KEEPS.values(), ids=list(KEEPS))
def test_a_secret_stays_covered(record: Record, body: str) -> None:
    """`exec = "trace"` and `value_default = "allow"` of a later rule uncover no name that an earlier pattern
    covers, and say so in the counts."""
    recorded = record(LOGIN, filters=[filter_text(body)] if body else []).ok()
    assert recorded.arguments("login") == [{"user": "u", "password": REDACTED}]
    assert recorded.arguments("token") == [{"secret": REDACTED}]
    (kept,) = recorded.arguments("keep")
    assert kept["session"]["api_key"] == REDACTED
    assert kept["session"]["user"] == "u"
    assert WORD not in recorded.everything()
    assert recorded.stats["value_redactions"]["argument"] >= 3


def test_an_explicit_pattern_uncovers(record: Record) -> None:
    """Only a pattern that allows a name loosens an earlier one that covers it."""
    body = """
        [[scope.rules]]
        selector = "obj:*login"
        [[scope.rules.value_patterns]]
        selector = "arg:literal:password"
        action = "allow"
        """
    recorded = record(LOGIN, filters=[filter_text(body)]).ok()
    assert recorded.arguments("login") == [{"user": "u", "password": WORD}]
    assert recorded.arguments("token") == [{"secret": REDACTED}]


def test_a_default_opens_what_an_earlier_default_closed(record: Record) -> None:
    """`value_default = "allow"` on an object opens what a package's `value_default = "redact"` closed."""
    body = """
        [[scope.rules]]
        selector = "pkg:*"
        value_default = "redact"
        [[scope.rules]]
        selector = "obj:*.opened"
        value_default = "allow"
        """
    recorded = record(
        """
        def opened(a): return a
        def closed(a): return a
        opened(1); closed(1)
        """,
        filters=[filter_text(body)],
    ).ok()
    assert (recorded.arguments("opened"), recorded.results("opened")) == ([{"a": 1}], [1])
    hidden = {"$redacted": True, "$type": "int"}
    assert (recorded.arguments("closed"), recorded.results("closed")) == ([{"a": hidden}], [hidden])
    assert {row.secret for row in recorded.trace.redactions()} == {False}


def test_skipped_code(record: Record) -> None:
    """Skipped functions leave nothing but the reason; what they call is recorded, under who called them."""
    body = """
        [[scope.rules]]
        selector = "obj:*.hidden*"
        exec = "skip"
        reason = "why not"
        """
    recorded = record(
        """
        def hidden(n):
            def inside(): return shown(n)
            return inside()
        def shown(n): return n
        def hidden_generator():
            yield shown(2)
            raise ValueError
        def outer():
            hidden(1)
            try:
                list(hidden_generator())
            except ValueError:
                pass
        outer()
        """,
        filters=[filter_text(body)],
    ).ok()
    assert {call.qualname for call in recorded.all_calls} == {"<module>", "outer", "shown"}
    assert recorded.arguments("shown") == [{"n": 1}, {"n": 2}]
    outer = recorded.call("outer")
    assert {call.parent for call in recorded.calls("shown")} == {outer.call}
    code = {row.qualname: row for row in recorded.trace.code()}
    for name in ("hidden", "hidden.<locals>.inside", "hidden_generator"):
        assert (code[name].traced, code[name].rule, code[name].reason) == (False, "obj:*.hidden*", "why not")
        assert (code[name].filter, code[name].rule_line) == ("test", 10)
    rules = {rule["selector"]: rule for rule in recorded.stats["rules"] if rule["filter"] == "test"}
    assert rules["obj:*.hidden*"]["scopes_skipped"] == 3


def test_a_function_first_met_by_a_throw_or_a_return(record: Record) -> None:
    """What is decided for a function holds at its first event of any kind: a generator that is first met by a
    throw, a frame that is first met by its return."""
    body = """
        [[scope.rules]]
        selector = "pkg:*"
        [[scope.rules.value_patterns]]
        selector = "ret:literal:guarded"
        action = "redact"
        [[scope.rules]]
        selector = "obj:*.silent"
        exec = "skip"
        """
    filter_file = "filter-0.toml"
    recorded = record(
        f"""
        import sys, tamis
        def guarded():
            tamis.start(sys.argv[1], trace_filter={filter_file!r})
            return {WORD!r}
        def silent(): yield 1
        guarded()
        for make in (silent,):
            try:
                make().throw(ValueError({WORD!r}))
            except ValueError:
                pass
        """,
        filters=[filter_text(body)],
        itself=True,
    ).ok()
    assert recorded.results("guarded") == [REDACTED]
    assert recorded.calls("silent") == []


# The word is passed on as an argument, of which these tests do not speak.
ALLOWED_ARGUMENTS = """
    [[scope.rules.value_patterns]]
    selector = "arg:a"
    action = "redact"
    """

RET = """
    [[scope.rules]]
    selector = "pkg:*"
    [[scope.rules.value_patterns]]
    selector = "ret:literal:guarded"
    action = "redact"
    """


@pytest.mark.parametrize("below", ["int", "inner", "deep"])
def test_an_exception_that_leaves_a_covered_function(record: Record, below: str) -> None:
    """A `ret` rule holds for the exception that leaves the function, whoever below it raised it."""
    recorded = record(
        f"""
        def inner(a): raise ValueError(a)
        def deep(a): return [inner(a) for _ in "x"]
        def guarded(a): return {below}({WORD!r})
        try:
            guarded(1)
        except ValueError:
            pass
        """,
        filters=[filter_text(RET + ALLOWED_ARGUMENTS)],
    ).ok()
    assert len(recorded.exceptions) == 1
    assert WORD not in recorded.everything()


# Ways in which a program holds an exception: what it is passed on in, after `guarded` was left by it.
HELD = {
    "an argument": "keep(error)",
    "of a context manager": "with suppress(ValueError): guarded(1)",
    "returned": "give()",
    "in a list": "keep([error])",
    "in an object": "keep(Holder(error))",
    "of sys.exc_info": "keep(sys.exc_info())",
    "wrapped": "keep(KeyError(error))",
    "a cause": "keep(caused().__cause__)",
    "in a group": "keep(ExceptionGroup('many', [error]))",
    "after the handler": "keep(kept[0])",
    "of gather": "keep(asyncio.run(gathered()))",
}


@pytest.mark.parametrize("held", HELD.values(), ids=list(HELD))
def test_a_covered_exception_as_a_value(record: Record, held: str) -> None:
    """An exception that has left a covered function is covered wherever the program takes it afterwards."""
    recorded = record(
        f"""
        import asyncio, sys
        from contextlib import suppress
        kept = []
        class Holder:
            def __init__(self, error): self.error = error
        def keep(it): pass
        def guarded(a): raise ValueError({WORD!r})
        async def guarded_later(a): return guarded(a)
        async def gathered(): return await asyncio.gather(guarded_later(1), return_exceptions=True)
        def give():
            try:
                guarded(1)
            except ValueError as error:
                return error
        def caused():
            try:
                guarded(1)
            except ValueError as error:
                try:
                    raise KeyError("other") from error
                except KeyError as other:
                    return other
        try:
            guarded(1)
        except ValueError as error:
            kept.append(error)
            {held}
        """,
        filters=[filter_text(RET)],
    ).ok()
    assert recorded.calls("guarded")
    assert WORD not in recorded.everything()


def test_an_exception_of_others_is_shown(record: Record) -> None:
    """What has left no covered function is shown as a value, whether it was raised or not."""
    recorded = record(
        """
        def keep(it): pass
        def fails(): raise ValueError("seen")
        def guarded(a): pass
        keep(KeyError("made"))
        try:
            fails()
        except ValueError as error:
            keep(error)
        """,
        filters=[filter_text(RET)],
    ).ok()
    made, seen = (arguments["it"] for arguments in recorded.arguments("keep"))
    assert "made" in str(made)
    assert "seen" in str(seen)


DATA = f"""
    from dataclasses import dataclass
    @dataclass
    class Customer:
        email: str
    @dataclass(order=True)
    class Vip(Customer):
        number: int
    @dataclass(frozen=True)
    class Other:
        seen: str
    one, two = Vip({WORD!r}, 1), Vip({WORD!r}, 2)
    Customer({WORD!r}); repr(one); one == two; one < two; Other("seen")
    """
# What covers the methods that `dataclasses` makes of two of the classes.
MADE = {
    "redacted by the class": ('obj:*.Customer", "obj:*.Vip', 'value_default = "redact"'),
    "skipped by the class": ('obj:*.Customer", "obj:*.Vip', 'exec = "skip"'),
    "skipped by the method": ('obj:*.Customer.*", "obj:*.Vip.*', 'exec = "skip"'),
}


@pytest.mark.parametrize(("selectors", "what"), MADE.values(), ids=list(MADE))
def test_methods_of_data_classes(record: Record, selectors: str, what: str) -> None:
    """Rules about a class hold for the methods that are made for it from text, under its name."""
    rules = "".join(f'[[scope.rules]]\nselector = "{one}"\n{what}\n' for one in selectors.split('", "'))
    recorded = record(DATA, filters=[filter_text(rules)]).ok()
    assert WORD not in recorded.everything()
    assert recorded.arguments("Other.__init__") == [
        {"self": recorded.arguments("Other.__init__")[0]["self"], "seen": "seen"}
    ]
    made = {call.qualname for call in recorded.all_calls}
    assert ("Vip.__init__" in made) == ("redact" in what)


def test_methods_of_data_classes_by_their_file(record: Record) -> None:
    """Rules about a file hold for what is made for the classes in it."""
    rules = '[[scope.rules]]\nselector = "file:app.py"\nexec = "skip"\n'
    recorded = record(DATA, filters=[filter_text(rules)]).ok()
    assert WORD not in recorded.everything()


def test_names_of_modules(tmp_path: Path) -> None:
    """A module goes by its runtime name and by the name that its path gives: non-ASCII names, a package
    that is imported under another name, `src`."""
    folder = tmp_path / "src" / "mein_paket"
    folder.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("")
    (folder / "__init__.py").write_text("")
    (folder / "größe.py").write_text("def rechne(größe): return größe\n", encoding="utf-8")
    (folder / "other.py").write_text("def rechne(größe): return größe\n", encoding="utf-8")
    script = tmp_path / "app.py"
    script.write_text(
        textwrap.dedent("""
            import sys
            sys.path[:0] = ["src", "src/mein_paket"]
            import größe
            import mein_paket.größe, mein_paket.other
            größe.rechne(1); mein_paket.größe.rechne(2); mein_paket.other.rechne(3)
            """),
        encoding="utf-8",
    )
    body = """
        [[scope.rules]]
        selector = "pkg:mein_paket.größe"
        [[scope.rules.value_patterns]]
        selector = "arg:größe"
        action = "redact"
        """
    (path,) = recording.write_filters(tmp_path, [filter_text(body)])
    trace = tmp_path / "trace"
    command = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), "--trace-filter", path, "app.py"]
    recorded = recording.run(command, trace, tmp_path).ok()
    hidden = {"$redacted": True, "$type": "int"}
    assert recorded.arguments("rechne") == [{"größe": hidden}, {"größe": hidden}, {"größe": 3}]
    recorded.trace.close()


def test_a_filter_in_the_home_directory(tmp_path: Path) -> None:
    """A filter that lies elsewhere, in the home directory say, means the same: files are named relative to
    the project, not to the filter."""
    home, project = tmp_path / "home", tmp_path / "project"
    (project / "pkg").mkdir(parents=True)
    (project / ".git").mkdir()
    home.mkdir()
    (project / "pkg" / "one.py").write_text("def f(a): return a\n")
    (project / "app.py").write_text("def f(a): return a\nfrom pkg import one\nf(1); one.f(2)\n")
    body = '[[scope.rules]]\nselector = "file:pkg/*.py"\nexec = "skip"\n'
    (home / "override.toml").write_text(filter_text(body))
    trace = tmp_path / "trace"
    command = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace)]
    command += ["--trace-filter", "~/override.toml", str(project / "app.py")]
    recorded = recording.run(command, trace, home, env={"HOME": str(home)}).ok()
    assert recorded.arguments("f") == [{"a": 1}]
    (used,) = [item for item in recorded.trace.metadata["trace_filter"]["filters"] if item["name"] == "test"]
    assert used["path"] == "~/override.toml"
    assert str(home) not in recorded.everything()
    recorded.trace.close()


INVALID = [
    ('[scope]\ndefault_exec = "trace"\n', "meta"),
    (filter_text('[[scope.rules]]\nselector = "pgk:a"\n'), "did you mean"),
    ("not toml at all [", "error"),
]


@pytest.mark.parametrize(("text", "word"), INVALID)
def test_an_invalid_policy_never_runs_the_program(record: Record, text: str, word: str) -> None:
    """A program is not run under an invalid policy: exit code 2, diagnostics on stderr, no trace, no
    traceback."""
    recorded = record("print('ran')", filters=[text])
    assert (recorded.exit, recorded.stdout) == (2, "")
    assert word in recorded.stderr
    assert "Traceback" not in recorded.stderr
    assert not recorded.path.exists()


def test_every_filter_that_is_missing_is_told(tmp_path: Path) -> None:
    """Missing filters are errors, all of them at once, and nothing runs."""
    (tmp_path / "app.py").write_text("print('ran')")
    command = [sys.executable, "-m", "tamis", "run", "--trace-filter", "a.toml::b.toml", "app.py"]
    done = recording.plain(command, tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert b"a.toml" in done.stderr
    assert b"b.toml" in done.stderr


def test_capture_of_output_is_announced(record: Record) -> None:
    """`[io] capture = true`, which cannot be served yet, is said in one line."""
    text = filter_text().replace("[scope]", '[io]\ncapture = true\nstreams = ["stdout"]\n[scope]')
    recorded = record("pass", filters=[text]).ok()
    (line,) = recorded.stderr.splitlines()
    assert "capture" in line


def test_metadata_says_what_decided(record: Record) -> None:
    """The metadata name the filters in order with their digests, and count by rule and pattern, those that
    never matched included."""
    import hashlib

    body = """
        [[scope.rules]]
        selector = "obj:*.login"
        [[scope.rules.value_patterns]]
        selector = "arg:user"
        action = "drop"
        [[scope.rules]]
        selector = "pkg:nowhere"
        exec = "skip"
        """
    text = textwrap.dedent(filter_text(body))
    recorded = record(LOGIN, filters=[text]).ok()
    described = recorded.trace.metadata["trace_filter"]
    assert [item["name"] for item in described["filters"]] == ["builtin-default", "test"]
    assert described["filters"][1]["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    rules = {rule["selector"]: rule for rule in described["stats"]["rules"] if rule["filter"] == "test"}
    assert rules["obj:*.login"]["drops"] == 1
    assert rules["obj:*.login"]["patterns"][0]["drops"] == 1
    assert rules["pkg:nowhere"]["drops"] == rules["pkg:nowhere"]["scopes_skipped"] == 0
    assert recorded.arguments("login") == [{"password": REDACTED}]
    ledger = [row for row in recorded.trace.redactions() if row.filter == "test"]
    assert [(row.path, row.kind, row.action, row.pattern) for row in ledger] == [
        ("$.user", "argument", "drop", "arg:user")
    ]


def test_the_project_filter_is_found(tmp_path: Path) -> None:
    """The project's own filter is used without a word, unless `--no-auto-filter` says otherwise."""
    (tmp_path / ".codetracer").mkdir()
    body = '[[scope.rules]]\nselector = "obj:*.hidden"\nexec = "skip"\n'
    (tmp_path / ".codetracer" / "trace-filter.toml").write_text(filter_text(body, name="ours"))
    (tmp_path / "app.py").write_text("def hidden(): pass\nhidden()\n")
    for options, count in ((["-o", "one"], 0), (["-o", "two", "--no-auto-filter"], 1)):
        trace = tmp_path / options[1]
        command = [sys.executable, "-m", "tamis", "run", *options, "app.py"]
        recorded = recording.run(command, trace, tmp_path).ok()
        assert len(recorded.calls("hidden")) == count
        assert ("no filter of this project was found" in recorded.stderr) == bool(count)
        recorded.trace.close()


@pytest.mark.parametrize("locked", [False, True])
def test_a_program_that_lies_outside_of_the_project(tmp_path: Path, locked: bool) -> None:
    """Where the script (of an environment, say) is in no project with a filter, that of the working directory
    holds; a locked one in any case."""
    head = 'name = "ours"\nversion = 2\nlocked = true' if locked else 'name = "ours"\nversion = 2'
    text = f"""\
[meta]
{head}
[scope]
default_exec = "inherit"
default_value_action = "inherit"
[[scope.rules]]
selector = "pkg:*"
value_default = "drop"
"""
    project, tools = tmp_path / "project", tmp_path / "tools"
    (project / ".codetracer").mkdir(parents=True)
    (project / ".codetracer/trace-filter.toml").write_text(text)
    (tools / "bin").mkdir(parents=True)
    (tools / "bin/tool.py").write_text(f"def f(a): pass\nf({WORD!r})\n")
    (tools / "pyproject.toml").touch()
    options = ["--no-auto-filter"] if locked else []
    command = [sys.executable, "-m", "tamis", "run", "-o", str(tmp_path / "trace"), *options]
    recorded = recording.run([*command, str(tools / "bin/tool.py")], tmp_path / "trace", project).ok()
    assert WORD not in recorded.everything()
    assert [one["name"] for one in recorded.trace.metadata["trace_filter"]["filters"]][-1] == "ours"
    recorded.trace.close()


@pytest.mark.parametrize("words", [["-m", "pytest", "-q"], ["-X", "dev", "-mpytest", "-q"]], ids=" ".join)
def test_a_process_that_records_itself(tmp_path: Path, words: list[str]) -> None:
    """With `TAMIS_TRACE`, the chain is that of `tamis run`: the project's filter, and the framework's."""
    (tmp_path / ".codetracer").mkdir()
    body = '[[scope.rules]]\nselector = "pkg:*"\nvalue_default = "drop"\n'
    (tmp_path / ".codetracer/trace-filter.toml").write_text(filter_text(body, name="ours"))
    (tmp_path / "test_it.py").write_text("def test_it(): pass\n")
    trace = tmp_path / "trace"
    command = [sys.executable, *words, "-p", "no:cacheprovider"]
    recorded = recording.run(command, trace, tmp_path, env={"TAMIS_TRACE": str(trace)}).ok()
    names = [one["name"] for one in recorded.trace.metadata["trace_filter"]["filters"]]
    assert names == ["builtin-default", "pytest", "ours"]
    assert recorded.trace.metadata["command"] == "-m pytest"
    recorded.trace.close()


def test_a_recording_that_a_program_begins_elsewhere(tmp_path: Path) -> None:
    """`tamis.start` finds the filter of its program, if there is none where it was started."""
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    (project / ".codetracer").mkdir(parents=True)
    body = '[[scope.rules]]\nselector = "pkg:*"\nvalue_default = "drop"\n'
    (project / ".codetracer/trace-filter.toml").write_text(filter_text(body, name="ours"))
    app = project / "app.py"
    app.write_text(f"import sys, tamis\ntamis.start(sys.argv[1])\ndef f(a): pass\nf({WORD!r})\n")
    elsewhere.mkdir()
    trace = tmp_path / "trace"
    recorded = recording.run([sys.executable, str(app), str(trace)], trace, elsewhere).ok()
    assert WORD not in recorded.everything()
    recorded.trace.close()
