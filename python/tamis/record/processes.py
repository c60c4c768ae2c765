"""Follows the recorded program into the processes that it forks or starts through `multiprocessing`."""

from __future__ import annotations

import os
import sys

from tamis import _core
from tamis.record.setup import say

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["follow", "forget"]

_hooked = False
_make_ticket: Callable[[], object | None] | None = None


def follow(make_ticket: Callable[[], object | None]) -> None:
    """From now on, children of this process join its recording. `make_ticket` gives what a process that is
    started afresh unpickles in order to join, or None when there is no recording."""
    global _hooked, _make_ticket
    _make_ticket = make_ticket
    if not _hooked:
        _hooked = True
        os.register_at_fork(before=_core.before_fork, after_in_child=_after_fork_in_child)
        # Called when the code that starts processes by `spawn` or `forkserver` is met for the first time.
        _core.on_spawn(_prepare_spawn)
    if "multiprocessing.spawn" in sys.modules:
        _prepare_spawn()


def forget() -> None:
    global _make_ticket
    _make_ticket = None


def _after_fork_in_child() -> None:
    reason = _core.after_fork_in_child("fork")
    if reason is not None:
        say(f"process {os.getpid()} is not recorded: {reason}")


def _prepare_spawn() -> None:
    """Lets `multiprocessing` hand a ticket to each process that it starts afresh."""
    from multiprocessing import spawn

    make = spawn.get_preparation_data
    if getattr(make, "_tamis", False):
        return

    def with_ticket(name: str) -> dict[str, Any]:
        data: dict[str, Any] = make(name)
        ticket = _make_ticket() if _make_ticket else None
        if ticket is not None:
            data["tamis"] = ticket
        return data

    with_ticket._tamis = True  # type: ignore[attr-defined]
    spawn.get_preparation_data = with_ticket
