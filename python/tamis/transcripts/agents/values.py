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


def copies(
    value: object, path: Path, names: Mapping[str, Field], *, name: str, inner: str = ""
) -> Iterator[Event]:
    """What an object says that is told elsewhere, too: rules must find both by the same name. `names`: its
    members, or those of its member `inner`, with what rules call each."""
    if isinstance(value, dict) and inner:
        value, path = value.get(inner), (*path, inner)
    if isinstance(value, dict):
        for key, field in names.items():
            if value.get(key):
                yield Event("other", value[key], (*path, key), field, name=name)


def number(values: dict[str, Any], *names: str) -> int | None:
    """The first of these that is a whole number."""
    for name in names:
        value = values.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None
