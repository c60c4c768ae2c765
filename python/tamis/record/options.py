"""What is recorded, and how much of it."""

from __future__ import annotations

TYPE_CHECKING = False  # see tamis.record.recorder
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

__all__ = ["Options"]


class Options:
    """Choices of one recording. What a value loses by a bound is told in its place in the trace.

    values    whether arguments and results are recorded, or structure and time only
    depth     levels of fields and items that are shown of an argument or result; at most 16
    receiver  the same for the receiver of a method (`self`, `cls`); 0 shows its type and identity
    items     items of a container and fields of an object that are kept; at most 1,000
    string    characters of a string and bytes of a bytes object that are kept; at most 1,000
    bytes     bytes that the values of one event may take before the rest is cut; at most 32,768
    by_slot   whether frames and objects are read where the interpreter keeps them; without it, or where its
              layout is not known, the public API serves, and of objects only the type is told
    """

    # Not a dataclass: importing `dataclasses` costs more than all of the recorder, and every run waits for
    # it.
    __slots__ = ("by_slot", "bytes", "depth", "items", "receiver", "string", "values")

    def __init__(
        self,
        *,
        values: bool = True,
        depth: int = 1,
        receiver: int = 0,
        items: int = 20,
        string: int = 200,
        bytes: int = 4096,
        by_slot: bool = True,
    ) -> None:
        self.values = values
        self.depth = depth
        self.receiver = receiver
        self.items = items
        self.string = string
        self.bytes = bytes
        self.by_slot = by_slot

    @classmethod
    def chosen(cls, choices: Mapping[str, int | bool]) -> Self:
        """The defaults with some replaced, by name."""
        options = cls()
        for name, value in choices.items():
            setattr(options, name, value)
        return options

    def as_dict(self) -> dict[str, int | bool]:
        return {name: getattr(self, name) for name in self.__slots__}
