"""Rewrites filters of version 1 to version 2, where that changes nothing that they decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tamis._core import Policy, upgraded
from tamis.errors import PolicyError
from tamis.policy.chain import builtin, read
from tamis.policy.layout import replace

if TYPE_CHECKING:
    from tamis._core import Diagnostic
    from tamis.policy.chain import Link

__all__ = ["Outcome", "upgrade"]


class Outcome(NamedTuple):
    """What became of a filter."""

    says: str
    problems: tuple[Diagnostic, ...] = ()
    """What keeps it from being upgraded."""


def upgrade(link: Link) -> Outcome:
    """Makes version 2 of a filter: only the number changes, comments and layout stay.

    A filter that would have errors as version 2 is left as it is."""
    sources, problems = read((builtin("builtin-default"), link))
    if problems:
        return Outcome("not upgraded", tuple(problems))
    display, path, text = sources[-1]
    new = upgraded(text)
    try:
        Policy([*sources[:-1], (display, path, new or text)])
    except PolicyError as error:
        return Outcome("not upgraded", error.diagnostics)
    if new is None:
        return Outcome("is version 2 already")
    replace(link.path, new)
    return Outcome("upgraded to version 2")
