"""The chain of filters: which there are for a recording, in which order, and what they are together."""

from __future__ import annotations

import os

from tamis._core import Diagnostic, Policy
from tamis.errors import PolicyError
from tamis.policy.project import filter_of, find_project

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    type AnyPath = str | os.PathLike[str]
    type Source = tuple[str, str | None, bytes]

__all__ = [
    "BUILTIN",
    "ENVIRONMENT",
    "Link",
    "LoadedPolicy",
    "builtin",
    "find_chain",
    "framework_of",
    "load",
    "load_policy",
    "named",
    "read",
]

ENVIRONMENT = "CODETRACER_TRACE_FILTER"
# The filters in this package and what they are for.
BUILTIN = {
    "builtin-default": "first of every chain",
    "pytest": "second when pytest runs",
    "unittest": "second when unittest runs",
}
_FRAMEWORKS = {"pytest": "pytest", "py.test": "pytest", "unittest": "unittest"}


class Link:
    """One filter of a chain."""

    __slots__ = ("display", "path", "why")

    def __init__(self, display: str, path: str, why: str) -> None:
        self.display = os.fsencode(display).decode(errors="replace")
        """The file, as the user would spell it."""
        self.path = path
        """The file, as the system finds it."""
        self.why = why
        """What put it into the chain."""


class LoadedPolicy:
    """A policy and where it came from. Nothing in it changes."""

    __slots__ = ("chain", "found_project_filter", "policy", "project_root")

    def __init__(
        self, policy: Policy, project_root: str, found_project_filter: bool, chain: tuple[Link, ...]
    ) -> None:
        self.policy = policy
        self.project_root = project_root
        """The folder that file names are relative to, without symbolic links."""
        self.found_project_filter = found_project_filter
        """Whether the project brought a filter of its own."""
        self.chain = chain

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of the chain, in its order."""
        return tuple(link.path for link in self.chain)


def load_policy(
    *,
    trace_filter: Sequence[AnyPath] = (),
    start: AnyPath,
    also: Sequence[AnyPath] = (),
    project_root: AnyPath | None = None,
    auto: bool = True,
    environ: Mapping[str, str] = os.environ,
    framework: str | None = None,
    more: Sequence[Link] = (),
) -> LoadedPolicy:
    """The policy of a recording.

    `trace_filter`: the filters of the command line and the API, in order; `a::b` in one of them is two.
    `start`: the folder to look for the project from, unless `project_root` says it; `also`: folders to look
    from if no filter is found there.
    `auto`: whether the project's own filter is used; one that is locked is used in any case.
    `framework`: as `framework_of` tells it.
    `more`: what stands behind all others.

    Raises `PolicyError` with every problem of every filter, missing files included.
    """
    chain, root, found = find_chain(
        trace_filter=trace_filter,
        start=start,
        also=also,
        project_root=project_root,
        auto=auto,
        environ=environ,
        framework=framework,
    )
    chain = (*chain, *more)
    return LoadedPolicy(load(chain), root, found, chain)


def find_chain(
    *,
    trace_filter: Sequence[AnyPath],
    start: AnyPath,
    also: Sequence[AnyPath] = (),
    project_root: AnyPath | None,
    auto: bool,
    environ: Mapping[str, str],
    framework: str | None,
) -> tuple[tuple[Link, ...], str, bool]:
    """The chain, the project root, and whether the project brought a filter."""
    around = [find_project(place, environ) for place in (start, *also)]
    root, path = next((found for found in around if found[1]), around[0])
    if project_root is not None:
        root = os.path.realpath(project_root)
        path = filter_of(root)
    links = [builtin("builtin-default")]
    if framework is not None:
        links.append(builtin(framework))
    brought = False
    # Neither another root nor `auto` gets round a filter that is locked.
    for one in dict.fromkeys((*(found[1] for found in around), path)):
        if one is not None and ((auto and one == path) or _locks(one)):
            links.append(Link(_short(one), one, "the project's filter"))
            brought = True
    if variable := environ.get(ENVIRONMENT):
        links += named(variable, ENVIRONMENT)
    for entry in trace_filter:
        links += named(os.fspath(entry), "--trace-filter")
    return tuple(links), root, brought


def builtin(name: str) -> Link:
    """A filter of this package, by its name."""
    path = os.path.join(os.path.dirname(__file__), "builtin", f"{name}.toml")
    return Link(name, path, BUILTIN[name])


def framework_of(module: str | None, script: AnyPath | None) -> str | None:
    """The test framework that runs when this module or script is started, if it is one that has a filter."""
    name = module.partition(".")[0] if module else os.path.basename(script or "")
    return _FRAMEWORKS.get(name)


def load(chain: Iterable[Link]) -> Policy:
    """Reads and composes filters. Raises `PolicyError` with every problem of all of them."""
    sources, problems = read(chain)
    try:
        policy = Policy(sources)
    except PolicyError as error:
        problems += error.diagnostics
    if problems:
        raise PolicyError(problems)
    return policy


def read(chain: Iterable[Link]) -> tuple[list[Source], list[Diagnostic]]:
    """The filters of a chain that can be read, and what is wrong with the others."""
    problems: list[Diagnostic] = []
    sources: list[Source] = []
    for link in chain:
        try:
            with open(link.path, "rb") as file:
                sources.append((link.display, link.path, file.read()))
        except FileNotFoundError:
            hint = f"it was named by `{link.why}`" if link.why else None
            problems.append(Diagnostic("file-missing", link.display, "this filter does not exist", hint))
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problems.append(Diagnostic("file-unreadable", link.display, f"cannot be read: {reason}"))
    return sources, problems


def _locks(path: str) -> bool:
    """Whether a filter, or one that it includes, is locked; one that cannot be used might be."""
    try:
        policy = load([builtin("builtin-default"), Link(path, path, "")])
    except PolicyError:
        return True
    return any(filter["locked"] for filter in policy.describe()["filters"])


def named(value: str, why: str) -> list[Link]:
    """The filters that a text names; `why` is what it was said by. An empty one is missing."""
    return [Link(part or value or '""', os.path.expanduser(part), why) for part in value.split("::")]


def _short(path: str) -> str:
    """The path relative to the working directory if it lies below it."""
    here = os.path.realpath(os.getcwd())
    return os.path.relpath(path, here) if path.startswith(here.rstrip("/") + "/") else path
