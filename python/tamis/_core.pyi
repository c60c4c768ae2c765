"""The native module. What Python uses of it is described here; the implementation is in `crates/python`."""

VERSION: str
"""The version of Tamis, as `tamis --version` prints it."""

class Diagnostic:
    """A problem in an input file, as data. `tamis.diagnostics` makes the text."""

    id: str
    """Which problem it is: a stable name with a section in `docs/diagnostics.md`."""
    severity: str
    """`error` or `warning`."""
    path: str
    """The file, spelled as the user would spell it."""
    line: int
    """From 1; 0 if the problem has no place in the file (it is missing, say)."""
    column: int
    """Of the first character concerned, from 1, counted in characters."""
    end: int
    """Of the character behind the last one concerned, on the same line."""
    source: str
    """The text of that line, without its end; empty if there is none."""
    message: str
    """One sentence without a final period."""
    hint: str | None
    """What to do about it, if something can be said."""

    def __init__(self, id: str, path: str, message: str, hint: str | None = None) -> None:
        """An error about a file as a whole."""
