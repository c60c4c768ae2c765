"""Everything that can be said about a chain of filters: errors, warnings, and what of it matches nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from tamis._core import Diagnostic, Policy
from tamis.errors import PolicyError
from tamis.policy.chain import BUILTIN, builtin, read
from tamis.policy.names import foreign
from tamis.policy.project import unread_filter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tamis.policy.chain import Link
    from tamis.policy.names import ProjectNames

__all__ = ["Checked", "check"]


class Checked(NamedTuple):
    """What was found in a chain, or in a file of content rules."""

    names: str
    """Its filters, or the file, as the user would spell them."""
    diagnostics: list[Diagnostic]
    rules: int
    """How many rules it has beside those of builtin-default."""
    called: str = "rule"


def check(chain: Sequence[Link], project: Callable[[], ProjectNames] | None = None) -> Checked:
    """Reads a chain and looks at it from all sides.

    `project`: the names of the project, to look for what matches nothing in it; asked for only if there is
    nothing wrong."""
    sources, problems = read(chain)
    given = sum(link.path == builtin(link.display).path for link in chain if link.display in BUILTIN)
    policy = None
    try:
        policy, found = Policy.check(sources, given)
    except PolicyError as error:
        found = list(error.diagnostics)
    problems += found
    rules = 0
    names = [link.display for link in chain]
    accepted: dict[str, list[str]] = {}
    if policy is not None:
        described = policy.describe()
        names = [filter["path"] for filter in described["filters"]]
        accepted = {filter["path"]: filter["accept"] for filter in described["filters"]}
        rules = sum(rule["filter"] > 0 for rule in described["rules"])
        if project is not None and rules and len(chain) > given:
            code = project()
            problems += _nothing_matched(sources, given, code) if code.files and code.whole else []
    order = {link.display: place for place, link in enumerate(chain)}
    problems.sort(
        key=lambda problem: (order.get(problem.path, -1), problem.path, problem.line, problem.column)
    )
    unread = ((link, problem) for link in chain for problem in _unread(link))
    problems += [problem for link, problem in unread if problem.id not in accepted.get(link.display, ())]
    return Checked(" + ".join(names), problems, rules)


def _nothing_matched(
    sources: list[tuple[str, str | None, bytes]], given: int, names: ProjectNames
) -> list[Diagnostic]:
    code = [
        (
            (file.modules, file.file, file.absolute, file.origin, code.qualname),
            (list(code.parameters), list(code.locals), list(code.others)),
        )
        for file in names.files
        for code in file.code
    ]
    return Policy.look(sources, given, code, words=list(names.words), foreign=foreign(names))


def _unread(link: Link) -> list[Diagnostic]:
    """The other filter of a project that has two."""
    folder, name = os.path.split(os.path.abspath(link.path))
    root = os.path.dirname(folder)
    unread = unread_filter(root)
    if unread is None or os.path.basename(folder) != ".codetracer" or name != "trace-filter.toml":
        return []
    display = os.path.join(os.path.dirname(link.display), os.path.basename(unread))
    hint = f"`{name}` beside it goes before it: take one of them away"
    return [Diagnostic("two-project-filters", display, "this filter of the project is not read", hint)]
