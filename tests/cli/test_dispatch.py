"""The command `tamis` itself: what it does before and after a command has its turn."""

import subprocess
import sys
import types

import pytest

from tamis import cli
from tamis.errors import TamisError


def tamis(*args: str, **kwargs: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "tamis", *args], capture_output=True, text=True, **kwargs)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """A command of its own for a test; the test says what it does when it runs."""
    module = types.ModuleType("tamis.cli.probe", "Probes things.")
    module.configure = lambda parser: parser.add_argument("--verbose", action="store_true")
    module.run = lambda args: 0
    monkeypatch.setitem(sys.modules, "tamis.cli.probe", module)
    monkeypatch.setitem(cli.COMMANDS, "probe", "probe things")
    return module


def raising(error: BaseException):
    def run(args: object) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (TamisError("no such thing", hint="look"), 2, "error: no such thing\nhint: look\n"),
        (FileNotFoundError(2, "No such file or directory", "x.toml"), 2, "error: `x.toml`: No such file"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_errors_become_exit_codes(command, capsys, error, code, text):
    """An error that is the user's to mend is one line and an exit code, never a traceback."""
    command.run = raising(error)
    assert cli.main(["probe"]) == code
    assert capsys.readouterr().err.startswith(text)


@pytest.mark.parametrize(
    "words", [["check"], ["explain"], ["filters"], ["init"], ["run", "x.py"]], ids=" ".join
)
def test_a_working_directory_that_is_gone(tmp_path, words):
    """Without the folder that names are relative to, a command says so."""
    here = tmp_path / "gone"
    shell = 'rmdir "$PWD"; exec "$@"'

    def python(code: str, *words: str) -> subprocess.CompletedProcess[str]:
        here.mkdir(exist_ok=True)
        command = ["sh", "-c", shell, "sh", sys.executable, "-c", code, *words]
        return subprocess.run(command, cwd=here, capture_output=True, text=True)

    if python("import tamis").returncode:
        pytest.skip("this Python cannot import extensions there: it asks for the working directory")
    done = python("import sys; from tamis.cli import main; sys.exit(main())", *words)
    assert done.returncode == 2
    assert "working directory" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_in_tamis_keeps_its_traceback(command):
    """What Tamis did not foresee is not dressed up as a mistake of the user."""
    command.run = raising(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        cli.main(["probe"])


@pytest.mark.parametrize(
    ("argv", "text"),
    [
        (["prob"], "error: unknown command `prob`\nhint: did you mean `probe`?\n"),
        (["zzz"], "error: unknown command `zzz`\nhint: try `tamis --help`\n"),
        (["probe", "--verbos"], "error: unknown argument `--verbos`\nhint: did you mean `--verbose`?\n"),
    ],
)
def test_a_misspelt_word_gets_a_suggestion(command, capsys, argv, text):
    """Usage errors exit with 2 and name the nearest thing that exists."""
    with pytest.raises(SystemExit) as leaving:
        cli.main(argv)
    assert leaving.value.code == 2
    assert capsys.readouterr().err == text


def test_a_command_may_parse_its_own_line(command, capsys):
    """A command whose line ends in another program's arguments gets them untouched."""
    command.parse = lambda parser, argv: types.SimpleNamespace(rest=argv)
    command.run = lambda args: print(args.rest) or 0
    assert cli.main(["probe", "x.py", "--verbose", "--", "-v"]) == 0
    assert capsys.readouterr().out == "['x.py', '--verbose', '--', '-v']\n"


def test_help_and_version():
    """`--help` lists every command, `--version` names the version, both on stdout with exit code 0."""
    shown = tamis("--help")
    assert shown.returncode == 0
    assert all(name in shown.stdout for name in cli.COMMANDS)
    assert tamis("--version").stdout.startswith("tamis ")
    assert tamis().returncode == 2


def test_a_reader_that_leaves_is_no_error():
    """Output into a closed pipe ends quietly, as with any Unix tool."""
    reader = subprocess.run(
        f"{sys.executable} -m tamis --help | true; exit ${{PIPESTATUS[0]}}",
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert reader.stderr == ""
