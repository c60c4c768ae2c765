"""Begins a recording before the program does, when the variable `TAMIS_TRACE` names a directory for it.

Imported by a `.pth` file, and only when the variable is set.
"""

from __future__ import annotations

import os
import sys

from tamis.diagnostics import render_all
from tamis.errors import PolicyError, TamisError
from tamis.policy.chain import framework_of
from tamis.record.recorder import begin, end_at_exit
from tamis.record.setup import say

__all__ = ["autostart"]


def autostart() -> None:
    """Takes the variable, so that processes that the program starts are not recorded into the same place, and
    begins to record. What cannot be recorded as asked is not run: the process ends with status 2."""
    trace = os.environ.pop("TAMIS_TRACE", "")
    if not trace:
        return
    script = sys.argv[0] if sys.argv else ""
    module = _module() if script == "-m" else None
    near = os.path.dirname(os.path.abspath(script)) if os.path.isfile(script) else None
    try:
        begin(trace, near=near, framework=framework_of(module, script), command=module and f"-m {module}")
        end_at_exit()
    except PolicyError as error:
        os.write(2, f"{render_all(error.diagnostics)}\n".encode())
        os._exit(2)
    except TamisError as error:
        # A variable cannot give the options that hints speak of.
        say(f"`TAMIS_TRACE`: {error}; the program is not started")
        os._exit(2)


def _module() -> str:
    """The module of `python -m`, which is found only later: it stands between the options of the interpreter
    and its own."""
    words = sys.orig_argv[: len(sys.orig_argv) - len(sys.argv) + 1]
    word = words[-1] if words else ""
    return word.removeprefix("-m")


autostart()
