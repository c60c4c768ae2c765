"""The native module. What Python uses of it is described here; the implementation is in `crates/python`."""

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from types import CodeType
from typing import Any, ClassVar, Literal, Self, TypedDict, final

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

    IDS: ClassVar[list[str]]
    """All ids there are."""
    WARNINGS: ClassVar[list[str]]
    """Those of them that are warnings about filters, which `accept` may name."""
    RULE_WARNINGS: ClassVar[list[str]]
    """Those that are warnings about content rules."""

    def __new__(
        cls,
        id: str,
        path: str,
        message: str,
        hint: str | None = None,
        place: tuple[int, int, int, str] | None = None,
    ) -> Self:
        """A problem at a place (line, column, end, source), or of a file as a whole: a warning if its id is
        in `WARNINGS` or `RULE_WARNINGS`, else an error.

        Raises `ValueError` for an id that is not in `IDS`."""

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
    locked: bool
    includes: list[int]
    accept: list[str]

class _Io(TypedDict):
    capture: _Setting[bool] | None
    streams: _Setting[list[str]] | None

class _Description(TypedDict):
    filters: list[_Filter]
    rules: list[_Rule]
    default_exec: _Setting[str]
    default_value_action: _Setting[str]
    io: _Io

type _CodeNames = tuple[tuple[list[str], str, str | None, str, str], tuple[list[str], list[str], list[str]]]
"""A code object: (modules, file, absolute path, origin, qualified name), (parameters, locals, others)."""

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
        """Composes filters in this order, each behind what it includes, which is read from disk.

        Each is (how the user would spell it, its path, its bytes).

        Raises `tamis.errors.PolicyError` with every problem of all of them."""

    @staticmethod
    def check(
        sources: Sequence[tuple[str, str | PathLike[str] | None, bytes]], given: int
    ) -> tuple[Policy, list[Diagnostic]]:
        """Composes filters as `Policy` does, and gives all warnings about them, notices included.

        Nothing is said about the first `given` filters: they come with Tamis. Raises as `Policy` does."""

    @staticmethod
    def look(
        sources: Sequence[tuple[str, str | PathLike[str] | None, bytes]],
        given: int,
        code: Sequence[_CodeNames],
        *,
        words: Sequence[str],
        foreign: Sequence[str],
    ) -> list[Diagnostic]:
        """Warnings about rules and patterns that match nothing in a project.

        `code`: its code objects. `words`: its attributes, and texts that may be keys of mappings. `foreign`:
        the top-level names of modules that are not its own. The rest is as for `check`."""

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

def toml_tokens(source: tuple[str, str | PathLike[str] | None, bytes]) -> list[tuple[str, str]]:
    """The tokens of a TOML file, each its kind and text; together they are the file, but for a byte order
    mark.

    Kinds are `[`, `]`, `{`, `}`, `=`, `,`, `blank`, `newline`, `comment`, and `text` for all else. The
    source is as for `Policy`.

    Raises `tamis.errors.PolicyError` if it is no TOML."""

def upgraded(filter: bytes) -> bytes | None:
    """The text of a filter of version 1 with the number 2 in place of its version, and nothing else changed.

    None if it is no TOML, or its version is not 1."""

@final
class Scope:
    """The verdict on a code object, and the way to those on its values."""

    trace: bool
    """Whether it is recorded."""
    by: _By
    matching: list[int]
    """The rules that match it, as indices into the rules of the chain."""
    attr_set: int
    """The same number for scopes with the same `attr` and `type` patterns; 0 without any."""

    def value(self, kinds: list[str], names: list[str]) -> _Value:
        """The verdict on a value that is of all these kinds and has all these names.

        Raises `ValueError` for an unknown kind."""

    def attr(self, name: str) -> _Value | None:
        """The verdict on an attribute or key in an allowed value; None if it shares that value's."""

    def of_type(self, names: list[str], bases: list[str] = ...) -> _Value | None:
        """The verdict on an allowed value for its type; None if no pattern speaks of it.

        `names` is everything that the type is called, `bases` the same for what it is derived from."""

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

    def finditer(self, text: str) -> list[tuple[tuple[int, int], list[tuple[int, int] | None]]] | None:
        """Where it matches, and for each match where its groups do. `None`: the bound of work was hit."""

type _RuleProblem = tuple[int, str, str, int | None, int]
"""Index of the rule; `pattern`, `empty`, `content`, `replacement` or `fields`; a sentence; a place in
characters; of `fields`, which."""

type _ByHand = tuple[Sequence[str | int | tuple[int]], bool, tuple[int, int] | None, int, str]
"""A text of a document, by names, places in lists, and numbers of members of objects from 0 (in tuples);
whether it is the name of a member; a span in characters, or all of it; how many characters it has; what is
put in its place."""
type _Fit = Literal["exact", "whole", "lost"]
type _Found = tuple[list[tuple[str | None, int]], bool, int, int, int, str]
"""A part of a text of a document: the way to it, as names with the numbers of the members and as places in
lists (without a name); whether it is the name of a member; start and end in characters, and how many there
are in all; what is there."""

@final
class ContentRules:
    """Content rules, ready to be applied, in their order. Safe to be used from many threads at once."""

    def __new__(
        cls, specs: Sequence[tuple[str, str, str, bool, bool, int, str, Sequence[str], bool]]
    ) -> Self:
        """Each: type (`regex`, `marker`, `literal`), pattern, replacement, whether case is ignored, whether
        a dot matches newlines, the group that is replaced (0: all of a match), and what that must be for the
        match to count: anything (empty), `real` (no placeholder), `luhn`, `iban`, `jwt`, `random`,
        `email`, `assigned`, `assigned-random`, `account`; the paths of the fields that it is for, in
        documents; whether a word also begins behind a terminal's colour or a written newline.

        Raises `ValueError` with a list of `_RuleProblem`."""

    def covered_by(self, rule: int, by: int) -> bool:
        """Whether it is proven that all that a rule matches, another one does."""

    def redact_record(
        self, record: str, fields: ContentFields
    ) -> tuple[str, list[tuple[int, int, int, bool]]] | None:
        """Applies each rule to a document where `fields` says. The GIL is released.

        Returns the document and for each change the rule, where in bytes of the document the value or key
        begins and ends that was changed, and whether a bound was hit; None: nothing was changed."""

    def redact_by_hand(
        self, record: str, fields: ContentFields, by_hand: Sequence[_ByHand]
    ) -> tuple[tuple[str, list[tuple[int, int, int, bool]]] | None, list[_Fit]]:
        """The same with what people redact by hand, which goes before the rules: where both change something,
        the last one by hand stands for all. Their changes have the numbers behind those of the rules.

        With it, what became of each: `exact`; `whole`: the text is not as long as it was, and all of it was
        replaced; `lost`: the record has no such place."""

    def find_in_record(self, record: str, fields: ContentFields) -> list[_Found]:
        """Where the rules would change a document, which stays as it is. The GIL is released."""

    def redact(
        self, text: str, asked: Sequence[bool] | None = None, *, decode: bool = True
    ) -> tuple[str, list[tuple[int, int, int, bool]]] | None:
        """Applies the rules, or those that are asked for, to a text; with `decode` also to what is encoded
        in it. The GIL is released.

        None if nothing changes. Else the new text, and each change as (rule, start, end, undecided), in
        characters of the text before all changes; `undecided` where a bound of work or length was hit."""

@final
class ContentFields:
    """Where in documents of one kind each rule is asked."""

    def __new__(cls, rules: Sequence[Sequence[str] | None]) -> Self:
        """For each rule the paths of fields; None: everywhere; none: nowhere. Raises `ValueError`."""

def texts_at(record: str, paths: Sequence[str]) -> list[_Found]:
    """The texts of a document, whole, to which paths lead, also those of documents in its texts. The GIL is
    released. Raises `ValueError` for what is no path."""

@final
class ContentStream:
    """Bytes that come in pieces, with rules applied to them. For one thread."""

    broken: int
    """Lines that begin like JSON and are none."""

    def __new__(
        cls, rules: ContentRules, format: str, asked: Sequence[bool] | None = None, *, decode: bool = True
    ) -> Self:
        """`format`: `text` (all is one text), `jsonl` (each line is a document or a text), `json` (all is one
        document)."""

    def push(self, data: bytes) -> bytes:
        """Takes bytes, and gives back those of which all is decided; the GIL is released."""

    def finish(self) -> bytes:
        """Gives back the rest."""

    def changes(self) -> list[tuple[int, int, int, bool]]:
        """What was changed since the last call: rule, line and column (from 1, in characters), and whether a
        bound was hit there."""

@final
class Links:
    """The calls of a process that a reader chose. It keeps about 9 bytes for each call."""

    def __new__(cls, limit: int | None) -> Self:
        """Chooses the calls that match and those below them; with a limit (up to 65,535), so many levels."""

    def __len__(self) -> int:
        """How many numbers of calls are known: all before this one."""

    def extend(self, end: int, columns: tuple[bytes, bytes, bytes, bytes, bytes]) -> None:
        """Adds the calls from the first that is not known up to `end`, in any order.

        The columns are calls and parents (-1: none), 64 bits each, threads, 16 bits, whether the call is
        chosen itself and whether `chosen` tells it, 8 bits; in the machine's byte order. Raises
        `ValueError` for columns of different lengths.
        """

    def narrow(self, calls: bytes) -> None:
        """Of the chosen calls, leaves these (numbers of 64 bits) and those that they were made from."""

    def chosen(self, first: int, thread: int, count: int) -> list[int]:
        """The next chosen calls of a thread, from the call `first` on; at most `count`."""

# Starting a program. What runs by these functions sees no frame below its own, and has all of the limit of
# recursion to itself (CPython 3.12 and 3.13; on others the frames of Tamis are there too).

def run_file(descriptor: int, name: bytes, namespace: dict[str, Any]) -> None:
    """Runs the source that an open descriptor gives, which is closed, the way the interpreter runs a script:
    syntax errors read the same. `name` is the name of the file, without NUL (`ValueError`)."""

def run_code(code: CodeType, namespace: dict[str, Any]) -> None:
    """Runs code in a namespace."""

def run_function(function: Callable[..., object], *arguments: object) -> None:
    """Calls a function."""

def print_uncaught(error: BaseException) -> None:
    """Prints an exception the way the interpreter prints one that leaves the program: by `sys.excepthook`."""

# Recording. There is at most one recording in a process; everything here is called with the GIL held.

def layout_known() -> bool:
    """Whether frames and instances of this interpreter can be read by slot (CPython 3.12 and 3.13)."""

def is_recording() -> bool:
    """Whether this process is being recorded."""

def callbacks(disable: object, compiler_handlers: tuple[int, int]) -> dict[str, Any]:
    """The callbacks for `sys.monitoring`, by the names of their events.

    `disable` is `sys.monitoring.DISABLE`; `compiler_handlers` are the opcodes of the handlers that end an
    `async for` and an `await`, which are not told as handlers. Without a recording the callbacks do nothing.
    """

def before_fork() -> None:
    """Keeps room for a child that is about to be forked."""

def after_fork_in_child(command: str) -> str | None:
    """Begins a part of its own for a forked child; otherwise, why it goes unrecorded."""

def on_spawn(hook: Callable[[], object]) -> None:
    """Says what to call when the code is met that starts processes afresh for `multiprocessing`, before it
    runs."""

def peek_slots(code: object, count: int) -> list[object]:
    """The first `count` variables of the running function, read by slot as a recording reads them.

    `code` is its code object; the list is empty when another one runs. `count` must not be larger than the
    number of its variables.
    """

def peek_fields(object: object) -> dict[str, object] | None:
    """The values that an instance keeps inline, read as a recording reads them; None when it keeps a
    dictionary."""

def run_helper(arena_fd: int, config_fd: int) -> int:
    """The helper: drains the rings of a recording and writes the trace, until every process has ended.

    `arena_fd`: the memory of the recording; `config_fd`: JSON, see `tamis.record.setup.helper_config`.
    Returns the exit status. Runs in a process of its own, and nowhere else.
    """

@final
class Members:
    """The members of a long list in a document of JSON, without the document in memory: of the first list
    that is called by one of these names in the outermost object, or that is the document."""

    def __new__(cls, names: Sequence[str]) -> Self: ...
    def push(self, data: bytes) -> list[bytes]:
        """Takes bytes, and gives the members that end in them. The GIL is released."""

    def rest(self) -> bytes:
        """What is left of the document: the list is empty in it."""

@final
class Recording:
    """This process's share in a recording."""

    @staticmethod
    def begin(
        policy: Policy, namer: Namer, options: Mapping[str, object], config: bytes, command: Sequence[str]
    ) -> Recording:
        """Makes the shared memory, starts the helper by `command` (to which two descriptors are appended) and
        begins to record. `options`: those of `tamis.record.setup.native_options`. Raises OSError when memory
        or process cannot be had, RuntimeError when this process is being recorded."""

    @staticmethod
    def join(fd: int, parent: int, policy: Policy, namer: Namer, options: Mapping[str, object]) -> Recording:
        """Joins the recording whose memory `fd` is (it may be closed afterwards), as a part started by the
        part `parent`. Raises as `begin` does."""

    @staticmethod
    def token() -> tuple[int, int] | None:
        """The helper's process id and this process's part, for a process that is to join; None without
        one."""

    def finish(self, how: int, status: int | None) -> None:
        """Ends this process's part. `how`: 0 the interpreter ends, with exit status `status`; 1 stopped."""

    def wait(self, patience: float) -> tuple[str, str]:
        """Waits up to `patience` seconds for the trace to be closed, unless other processes record.

        Returns `closed`, `open` (others record), `failed` (and why), `died` (the helper), `busy` (time ran
        out) or `gone` (given up before).
        """
