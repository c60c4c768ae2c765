"""The project root: the one folder that file names and module names of a recording are relative to."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["FILTER_FILES", "filter_of", "find_project", "unread_filter"]

# Where a project keeps its filter; of two, the first is read.
FILTER_FILES = (".codetracer/trace-filter.toml", ".codetracer/trace-filter.cfg")
_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git")


def find_project(
    start: str | os.PathLike[str], environ: Mapping[str, str] = os.environ
) -> tuple[str, str | None]:
    """The project root for what begins in the folder `start`, and the path of its filter if it has one.

    The nearest folder with a filter wins; only if there is none, the nearest that looks like a project; else
    `start` itself. Neither the home directory nor what lies above it is looked at, unless it is `start`.
    """
    folders = list(_folders(os.path.realpath(start), environ))
    for folder in folders:
        path = filter_of(folder)
        if path:
            return folder, path
    for folder in folders:
        if any(os.path.exists(os.path.join(folder, marker)) for marker in _MARKERS):
            return folder, None
    return folders[0], None


def filter_of(folder: str) -> str | None:
    """The filter that lies in this project root, also one that cannot be read."""
    paths = (os.path.join(folder, *name.split("/")) for name in FILTER_FILES)
    return next(filter(_is_there, paths), None)


def unread_filter(folder: str) -> str | None:
    """The filter in this project root that is not read, because another one goes before it."""
    paths = [os.path.join(folder, *name.split("/")) for name in FILTER_FILES]
    return next(filter(_is_there, paths[1:]), None) if _is_there(paths[0]) else None


def _is_there(path: str) -> bool:
    """Whether there is anything of this name. What cannot be looked at is there: a link that goes nowhere, or
    a folder that is closed, must not make a filter be passed over."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def _folders(start: str, environ: Mapping[str, str]) -> Iterator[str]:
    """`start` and the folders above it that a search may reach, nearest first."""
    yield start
    home = os.path.realpath(environ.get("HOME") or os.path.expanduser("~"))
    folder = start
    while (above := os.path.dirname(folder)) != folder:
        folder = above
        if home != folder and not home.startswith(folder.rstrip("/") + "/"):
            yield folder
