"""Filters that a command line names by their paths."""

from __future__ import annotations

import os

from tamis.errors import UsageError
from tamis.policy import FILTER_FILES
from tamis.policy import chain as chains

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["filters_at"]


def filters_at(path: str) -> list[chains.Link]:
    """The filters that a path of the command line names: a file (`a::b` is two), or of a folder all in it."""
    if not os.path.isdir(path):
        return chains.named(path, "")
    found = [chains.Link(file, file, "") for file in _filters_below(path)]
    if not found:
        raise UsageError(f"there is no filter in `{path}`", hint=f"filters lie at {FILTER_FILES[0]}")
    return found


def _filters_below(top: str) -> Iterator[str]:
    names = [os.path.basename(name) for name in FILTER_FILES]
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name == ".codetracer" or not name.startswith("."))
        if os.path.basename(os.path.abspath(folder)) == ".codetracer":
            yield from (os.path.normpath(os.path.join(folder, name)) for name in names[:1] if name in files)
            if names[0] not in files:
                yield from (
                    os.path.normpath(os.path.join(folder, name)) for name in names[1:] if name in files
                )
