"""The tool that listens to the interpreter (`sys.monitoring`)."""

from __future__ import annotations

import opcode
import sys

from tamis import _core
from tamis.errors import RecordingError

__all__ = ["Tool", "slots_can_be_trusted"]

# The ids that are meant for nobody in particular come first.
_IDS = (4, 3, 2, 5, 1, 0)

_EVENTS = (
    "PY_START",
    "PY_RETURN",
    "PY_YIELD",
    "PY_RESUME",
    "PY_THROW",
    "PY_UNWIND",
    "RAISE",
    "RERAISE",
    "EXCEPTION_HANDLED",
)


class Tool:
    """An id of `sys.monitoring`, held from creation to :meth:`release`."""

    def __init__(self) -> None:
        """Takes a free id; raises :class:`RecordingError` when other tools hold them all."""
        monitoring = sys.monitoring
        for tool in _IDS:
            if monitoring.get_tool(tool) is None:
                try:
                    monitoring.use_tool_id(tool, "tamis")
                except ValueError:  # another thread was faster
                    continue
                self._id = tool
                return
        holders = ", ".join(f"`{monitoring.get_tool(tool)}`" for tool in sorted(_IDS))
        raise RecordingError(
            "every tool id of `sys.monitoring` is taken",
            hint=f"record without one of the tools that hold them: {holders}",
        )

    def listen(self) -> None:
        """Switches the events on. Code that an earlier recording switched off reports again; so does code
        that other tools switched off, once, and they switch it off again."""
        monitoring = sys.monitoring
        for name, callback in _core.callbacks(monitoring.DISABLE, _compiler_handlers()).items():
            monitoring.register_callback(self._id, getattr(monitoring.events, name), callback)
        monitoring.restart_events()
        monitoring.set_events(self._id, sum(getattr(monitoring.events, name) for name in _EVENTS))

    def silence(self) -> None:
        """Switches the events off; what is in flight finds no recording."""
        monitoring = sys.monitoring
        if monitoring.get_tool(self._id) != "tamis":
            return  # the program took the id away
        monitoring.set_events(self._id, 0)
        for name in _EVENTS:
            monitoring.register_callback(self._id, getattr(monitoring.events, name), None)

    def release(self) -> None:
        self.silence()
        if sys.monitoring.get_tool(self._id) == "tamis":
            sys.monitoring.free_tool_id(self._id)


def _compiler_handlers() -> tuple[int, int]:
    """The opcodes of the handlers that the compiler makes for the ends of iterations."""
    return opcode.opmap["END_ASYNC_FOR"], opcode.opmap["CLEANUP_THROW"]


def slots_can_be_trusted() -> bool:
    """Whether reading frames and objects by slot gives what the interpreter says; a sample decides."""
    if not _core.layout_known():
        return False
    sample = object()

    def outer(first: object, second: int, *rest: int, **named: int) -> bool:
        def inner() -> object:
            return first

        code = sys._getframe().f_code
        seen = _core.peek_slots(code, 4)
        return inner() is sample and seen == [sample, 2, (3,), {"four": 4}] and second == 2

    class Sample:
        def __init__(self) -> None:
            self.one = sample
            self.two = 2

    return outer(sample, 2, 3, four=4) and _core.peek_fields(Sample()) == {"one": sample, "two": 2}
