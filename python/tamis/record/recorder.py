"""Begins and ends recordings of this process."""

from __future__ import annotations

import atexit
import functools
import json
import os
import sys

from tamis import _core
from tamis.errors import PolicyError, RecordingError
from tamis.policy.chain import Link, LoadedPolicy, load, load_policy
from tamis.record import processes
from tamis.record.monitoring import Tool, slots_can_be_trusted
from tamis.record.options import Options
from tamis.record.settings import read_settings
from tamis.record.setup import (
    command_of_process,
    helper_command,
    helper_config,
    namer,
    native_options,
    prepare_directory,
    say,
    working_directory,
)

TYPE_CHECKING = False  # `typing` is slow to import, and every recorded program waits for this module.
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType
    from typing import Any, ParamSpec, TypeVar

    P = ParamSpec("P")
    R = TypeVar("R")

__all__ = ["ActiveRecording", "begin", "end_at_exit", "join", "start", "stop", "trace"]

# How a part of a recording ends (the `END` record).
_EXIT, _STOP = 0, 1

_active: ActiveRecording | None = None


class ActiveRecording:
    """A recording under way in this process."""

    def __init__(self, path: str, loaded: LoadedPolicy, native: _core.Recording, tool: Tool) -> None:
        self.path = path
        self.loaded = loaded
        self.pid = os.getpid()
        self._native = native
        self._tool = tool

    def end(self, how: int, status: int | None, patience: float = float("inf")) -> str:
        """Ends this process's part, and waits until the trace is closed unless other processes still record.

        Returns `closed`; `open` while others record; `failed` or `died` when the trace ends early (then a
        line on stderr has said so); `busy` when `patience` (seconds) ran out.
        """
        global _active
        _active = None
        self._tool.release()
        processes.forget()
        self._native.finish(how, status)
        if os.getpid() != self.pid:
            return "open"
        state, error = self._native.wait(patience)
        if state == "failed":
            say(f"{error}; the trace ends there")
        elif state == "died":
            say("the process that writes the trace died; the trace opens up to there")
        return state

    def end_at_exit(self, status: int | None) -> str | None:
        """Ends this process's part as the interpreter ends; None when that has been done before."""
        return self.end(_EXIT, status) if _active is self else None


def _folder_of_program() -> list[str]:
    """Where the file of `__main__` lies, if it has one."""
    file = getattr(sys.modules.get("__main__"), "__file__", None)
    return [os.path.dirname(os.path.abspath(file))] if isinstance(file, str) else []


def begin(
    path: str | os.PathLike[str],
    *,
    trace_filter: Iterable[str | os.PathLike[str]] = (),
    near: str | os.PathLike[str] | None = None,
    project_root: str | os.PathLike[str] | None = None,
    auto_filter: bool = True,
    framework: str | None = None,
    force: bool = False,
    options: Options | None = None,
    choices: Mapping[str, int | bool] | None = None,
    command: str | None = None,
    arguments: int | None = None,
) -> ActiveRecording:
    """Begins to record this process into the directory `path`.

    `near` is where the search for the project root begins, and if it finds no filter, the working
    directory; without `near` it is the working directory, and then the folder of the program. Without
    `options`, they are those of the project (`[tool.tamis]`) with `choices` in the place of some. Raises
    :class:`tamis.errors.PolicyError` for an invalid policy and :class:`RecordingError` when there is a
    recording already, when `path` exists (unless `force`), or when the interpreter has no tool id free.
    Nothing is written before everything is valid.
    """
    global _active
    if _core.is_recording() or _active is not None:
        raise RecordingError(
            "this process is being recorded already",
            hint="end that recording first; one inside another cannot be told apart",
        )
    if getattr(sys, "_is_gil_enabled", lambda: True)() is False:
        raise RecordingError("free-threaded interpreters cannot be recorded yet")
    loaded = load_policy(
        trace_filter=[os.fspath(item) for item in trace_filter],
        start=near or working_directory(),
        also=[working_directory()] if near else _folder_of_program(),
        project_root=project_root,
        auto=auto_filter,
        environ=os.environ,
        framework=framework,
    )
    options = options or Options.chosen({**read_settings(loaded.project_root), **(choices or {})})
    trace = os.path.abspath(path)
    tool = Tool()
    try:
        prepare_directory(trace, force)
        command = command_of_process() if command is None else command
        arguments = len(sys.argv) - 1 if arguments is None else arguments
        by_slot = options.by_slot and slots_can_be_trusted()
        config = helper_config(trace, loaded, options, command, arguments, by_slot)
        native = _core.Recording.begin(
            loaded.policy,
            namer(loaded.project_root),
            native_options(options, command, by_slot),
            json.dumps(config).encode(),
            helper_command(),
        )
    except OSError as error:
        tool.release()
        raise RecordingError(f"cannot record into `{trace}`: {error.strerror or error}") from error
    except BaseException:
        tool.release()
        raise
    if options.by_slot and not by_slot:
        say("frames of this interpreter are read the slow way: objects are recorded by their type only")
    _active = ActiveRecording(trace, loaded, native, tool)
    processes.follow(lambda: _ticket(loaded, options))
    tool.listen()
    return _active


def join(pid: int, part: int, loaded: LoadedPolicy, options: Options) -> None:
    """Records this process into the recording of the process that started it. Does nothing when that has
    ended meanwhile. `pid` is the helper's, `part` the number of the starting process's part."""
    global _active
    if _active is not None:
        return
    try:
        # The helper keeps the memory of the recording open under this number.
        memory = os.open(f"/proc/{pid}/fd/3", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return
    tool = Tool()
    try:
        by_slot = options.by_slot and slots_can_be_trusted()
        native = _core.Recording.join(
            memory,
            part,
            loaded.policy,
            namer(loaded.project_root),
            native_options(options, "multiprocessing", by_slot),
        )
    except BaseException:
        tool.release()
        raise
    finally:
        os.close(memory)
    _active = ActiveRecording("", loaded, native, tool)
    _active.pid = -1  # the process that began the recording waits for the trace, not this one
    processes.follow(lambda: _ticket(loaded, options))
    tool.listen()
    end_at_exit()


def start(
    path: str | os.PathLike[str],
    *,
    trace_filter: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
    project_root: str | os.PathLike[str] | None = None,
    auto_filter: bool = True,
    force: bool = False,
    options: Options | None = None,
) -> None:
    """Begins to record this process into the directory `path`, until :func:`stop` or the end of the program.

    `trace_filter` names filters that follow those that are found (see
    :func:`tamis.policy.chain.load_policy`). Raises what :func:`begin` raises.
    """
    if isinstance(trace_filter, str | os.PathLike):
        trace_filter = (trace_filter,)
    begin(
        path,
        trace_filter=trace_filter,
        project_root=project_root,
        auto_filter=auto_filter,
        force=force,
        options=options,
    )
    end_at_exit()


def end_at_exit() -> None:
    """Ends the recording of this process with the process, if nothing else has until then."""
    atexit.register(_end_at_exit)


def stop() -> None:
    """Ends the recording of this process and waits until the trace is closed, unless other processes (forked
    ones) still record into it. Raises :class:`RecordingError` when nothing is being recorded."""
    if _active is None:
        raise RecordingError("nothing is being recorded")
    atexit.unregister(_end_at_exit)
    _active.end(_STOP, None)


class trace:
    """Records a `with` block, or every call of a decorated function, into the directory `path`.

    The keywords are those of :func:`start`. A function that is called again records again, and needs
    `force=True` to write over the trace of the call before.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        trace_filter: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
        project_root: str | os.PathLike[str] | None = None,
        auto_filter: bool = True,
        force: bool = False,
        options: Options | None = None,
    ) -> None:
        self._begin = functools.partial(
            start,
            path,
            trace_filter=trace_filter,
            project_root=project_root,
            auto_filter=auto_filter,
            force=force,
            options=options,
        )

    def __enter__(self) -> None:
        self._begin()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        if _active is not None:  # the block may have called `stop`
            stop()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def recorded(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return recorded


class Ticket:
    """What a process that is started afresh needs to join. Unpickling it makes the process join: it is the
    first thing that such a process does."""

    def __init__(self, *data: object) -> None:
        self._data = data

    def __reduce__(self) -> tuple[object, ...]:
        return _redeem, self._data


def _ticket(loaded: LoadedPolicy, options: Options) -> Ticket | None:
    token = _core.Recording.token()
    if token is None:
        return None
    chain = [(link.display, link.path, link.why) for link in loaded.chain]
    return Ticket(*token, chain, _digests(loaded.policy), loaded.project_root, options.as_dict())


def _redeem(
    pid: int,
    part: int,
    chain: list[tuple[str, str, str]],
    digests: list[str],
    project_root: str,
    options: dict[str, Any],
) -> None:
    links = tuple(Link(*link) for link in chain)
    try:
        policy = load(links)
        if _digests(policy) != digests:
            raise RecordingError("the filters were changed after the recording began")
        join(pid, part, LoadedPolicy(policy, project_root, False, links), Options.chosen(options))
    except (PolicyError, RecordingError) as error:
        say(f"process {os.getpid()} is not recorded: {error}")


def _digests(policy: _core.Policy) -> list[str]:
    return [item["sha256"] for item in policy.describe()["filters"]]


def _end_at_exit() -> None:
    if _active is not None:
        _active.end(_EXIT, None)
