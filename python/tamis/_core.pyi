"""The native module. What Python uses of it is described here; the implementation is in `crates/python`."""

from collections.abc import Sequence
from os import PathLike
from typing import Any, Self, TypedDict, final

VERSION: str
"""The version of Tamis, as `tamis --version` prints it."""

@final
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

    def __new__(cls, id: str, path: str, message: str, hint: str | None = None) -> Self:
        """An error about a file as a whole."""

class _Setting[T](TypedDict):
    value: T
    filter: int
    line: int

class _Pattern(TypedDict):
    selector: str
    line: int
    action: str
    reason: str | None

class _Rule(TypedDict):
    filter: int
    index: int
    line: int
    selector: str
    exec: str
    value_default: str
    reason: str | None
    patterns: list[_Pattern]

class _Filter(TypedDict):
    name: str
    version: int
    sha256: str
    path: str
    description: str
    labels: list[str]

class _Io(TypedDict):
    capture: _Setting[bool] | None
    streams: _Setting[list[str]] | None

class _Description(TypedDict):
    filters: list[_Filter]
    rules: list[_Rule]
    default_exec: _Setting[str]
    default_value_action: _Setting[str]
    io: _Io

type _By = tuple[str, int | None, int | None]
"""Who decided: `default` with the index of a filter, `rule` with that of a rule in the chain, `pattern` with
those of a rule and of a pattern in it, or `undecided` (a regular expression hit its bound of work)."""

type _Value = tuple[str, _By, bool]
"""What becomes of a value (`allow`, `redact`, `drop`), who decided, and whether it is a secret: covered by a
pattern that redacts or drops, whoever decided."""

@final
class Policy:
    """A composed chain of filters; immutable, and shared freely between threads."""

    def __new__(cls, sources: Sequence[tuple[str, str | PathLike[str] | None, bytes]]) -> Self:
        """Composes filters in this order. Each is (how the user would spell it, its path, its bytes).

        Raises `tamis.errors.PolicyError` with every problem of all of them."""

    notices: list[Diagnostic]
    """What users should know although nothing is wrong."""

    def describe(self) -> _Description:
        """The filters and rules as plain data; indices of rules count through the whole chain."""

    def scope(
        self,
        modules: list[str],
        file: str,
        qualname: str,
        *,
        absolute: str | None = None,
        origin: str = "project",
    ) -> Scope:
        """The verdict on a code object of these names, as `Namer.names` gives them.

        Raises `ValueError` for an unknown origin."""

@final
class Scope:
    """The verdict on a code object, and the way to those on its values."""

    trace: bool
    """Whether it is recorded."""
    by: _By
    matching: list[int]
    """The rules that match it, as indices into the rules of the chain."""
    attr_set: int
    """The same number for scopes with the same `attr` patterns; 0 without any."""

    def value(self, kinds: list[str], names: list[str]) -> _Value:
        """The verdict on a value that is of all these kinds and has all these names.

        Raises `ValueError` for an unknown kind."""

    def attr(self, name: str) -> _Value | None:
        """The verdict on an attribute or key in an allowed value; None if it shares that value's."""

@final
class Namer:
    """Gives code objects the names that selectors are compared with. One for a recording: it remembers."""

    def __new__(
        cls,
        project_root: str | PathLike[str],
        *,
        stdlib: Sequence[str | PathLike[str]],
        third_party: Sequence[str | PathLike[str]],
        stdlib_modules: Sequence[str],
        cwd: str | PathLike[str],
    ) -> Self:
        """`stdlib`, `third_party`: folders of the standard library and of installed packages.
        `stdlib_modules`: `sys.stdlib_module_names`. `cwd`: what relative file names are relative to."""

    def names(self, co_filename: str, module: str | None, qualname: str) -> dict[str, Any]:
        """`modules`, `file`, `absolute`, `origin` and `qualname` of a code object; `module` is what the
        interpreter calls its module, if that is known. The keys are those of `Policy.scope`."""

@final
class Regex:
    """A pattern in the syntax and with the meaning of Python 3.12's `re`, matched within a bound of work."""

    def __new__(cls, pattern: str, flags: int = 0) -> Self:
        """
        `flags` are those of `re` that apply to text: `I`, `M`, `S`, `U`, `X`, `A`. Raises `ValueError` with
        the message that `re` gives and the position in the pattern, in characters. `pattern` and the texts
        must be free of lone surrogates (`UnicodeEncodeError`).
        """

    def fullmatch(self, text: str) -> bool | None:
        """Whether the whole text matches. `None`: the bound of work was hit before that was known."""

    def search(self, text: str) -> bool | None:
        """Whether some part of the text matches. `None`: the bound of work was hit before that was known."""
