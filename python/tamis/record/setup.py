"""What a recording needs before it begins: its directory, what the helper is told, how things are named."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sys
import sysconfig

from tamis import _core
from tamis.errors import RecordingError

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from tamis.policy.chain import LoadedPolicy
    from tamis.record.options import Options

__all__ = [
    "command_of_process",
    "helper_command",
    "helper_config",
    "namer",
    "native_options",
    "prepare_directory",
    "say",
    "working_directory",
]

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# The script `tamis`, before the program's own arguments take the place of its.
_LAUNCHER = os.path.abspath(sys.argv[0]) if sys.argv else ""

# The helper loads the native module by its path: it needs nothing of the program's environment.
_HELPER = """\
import sys, _imp
from importlib.machinery import ModuleSpec
core = _imp.create_dynamic(ModuleSpec("tamis._core", None, origin=sys.argv[1]))
_imp.exec_dynamic(core)
sys.exit(core.run_helper(int(sys.argv[2]), int(sys.argv[3])))
"""


def working_directory() -> str:
    """The working directory. Raises :class:`RecordingError` when it is gone: names are relative to it."""
    try:
        return os.getcwd()
    except OSError as error:
        raise RecordingError(f"the working directory cannot be used: {error.strerror}") from error


def prepare_directory(trace: str, force: bool) -> None:
    """Makes an empty directory for the trace; what is there stays unless `force` says otherwise."""
    try:
        os.makedirs(os.path.dirname(trace), exist_ok=True)
        os.mkdir(trace, 0o700)
        return
    except FileExistsError:
        pass
    parent = os.path.dirname(trace)
    if not os.path.isdir(parent):
        raise RecordingError(f"`{parent}` is a file", hint="name a directory for the trace")
    if not os.path.isdir(trace):
        raise RecordingError(f"`{trace}` is a file", hint="name a directory for the trace")
    if not os.listdir(trace):
        return
    if not os.path.exists(os.path.join(trace, "trace_metadata.json")):
        raise RecordingError(f"`{trace}` is not empty and not a trace", hint="name another directory")
    if not force:
        raise RecordingError(
            f"there is a trace in `{trace}` already", hint="`--force` (`force=True`) writes over it"
        )
    if _is_being_written(trace):
        raise RecordingError(f"the trace in `{trace}` is being written", hint="name another directory")
    import shutil

    shutil.rmtree(trace)
    os.mkdir(trace, 0o700)


def _is_being_written(trace: str) -> bool:
    try:
        with open(os.path.join(trace, "recording.lock"), "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def helper_config(
    trace: str, loaded: LoadedPolicy, options: Options, command: str, arguments: int, by_slot: bool
) -> dict[str, object]:
    """What the helper is told: where to write, and what the policy's numbers mean."""
    described = loaded.policy.describe()
    filters = [
        {
            "name": item["name"],
            "version": item["version"],
            "sha256": item["sha256"],
            "path": _without_home(item["path"]),
        }
        for item in described["filters"]
    ]
    return {
        "trace": trace,
        "metadata": {
            "tamis": _core.VERSION,
            "command": command,
            "arguments": arguments,
            "python": ".".join(map(str, sys.version_info[:3])),
            "implementation": sys.implementation.name,
            "platform": sys.platform,
            "capture": {"mode": "calls", **options.as_dict(), "by_slot": by_slot},
        },
        "filters": filters,
        "rules": described["rules"],
        "default_filter": {
            "exec": described["default_exec"]["filter"],
            "value": described["default_value_action"]["filter"],
        },
    }


def native_options(options: Options, command: str, by_slot: bool) -> dict[str, object]:
    home = os.path.realpath(os.path.expanduser("~"))
    own = [_PACKAGE + os.sep]
    if _LAUNCHER.endswith(os.sep + "tamis"):
        own.append(_LAUNCHER)
    return {**options.as_dict(), "by_slot": by_slot, "home": home, "own": own, "command": command}


def namer(project_root: str) -> _core.Namer:
    paths = sysconfig.get_paths()
    return _core.Namer(
        project_root,
        stdlib=[paths["stdlib"], paths["platstdlib"]],
        third_party=[paths["purelib"], paths["platlib"], _PACKAGE],
        stdlib_modules=sorted(sys.stdlib_module_names),
        cwd=working_directory(),
    )


def helper_command() -> list[str]:
    python = sys.executable or "/proc/self/exe"
    return [python, "-I", "-S", "-c", _HELPER, os.path.abspath(_core.__file__)]


def command_of_process() -> str:
    """What runs, without its arguments: they may hold secrets."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    if spec is not None:
        return f"-m {spec.name.removesuffix('.__main__')}"
    return os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] else "python"


def _without_home(path: str) -> str:
    home = os.path.expanduser("~")
    return "~" + path[len(home) :] if path.startswith(home + os.sep) else path


def say(line: str) -> None:
    """One line on stderr, whatever the program did to `sys.stderr`."""
    with contextlib.suppress(OSError):
        os.write(2, f"tamis: {line}\n".encode())
