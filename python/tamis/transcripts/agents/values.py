"""What readers take from records of which nobody promises the types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tamis.transcripts.model import Event

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tamis.transcripts.model import Field, Path

__all__ = ["copies", "dicts", "number", "text_of"]


def text_of(value: object) -> str:
    """A text, or the empty one."""
    return value if isinstance(value, str) else ""


def dicts(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects in a list, with their places; none of anything else."""
    if isinstance(value, list):
        for index, member in enumerate(value):
            if isinstance(member, dict):
                yield index, member


def copies(value: object, path: Path, names: Mapping[str, Field], *, name: str) -> Iterator[Event]:
    """What an object says that is told elsewhere, too: rules must find both by the same name. `names`: its
    members, with what rules call each."""
    if isinstance(value, dict):
        for key, told in value.items():
            if key in names and told:
                yield Event("other", told, (*path, key), names[key], name=name)


def number(values: dict[str, Any], *names: str) -> int | None:
    """The first of these that is a whole number."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
