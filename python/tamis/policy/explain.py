"""What is recorded of a piece of code, and why: the verdicts of the core, which recordings use, as data."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tamis.policy.names import CodeNames, SourceFile, code_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis._core import Namer, Policy, Scope
    from tamis.policy.names import ProjectNames

__all__ = ["Place", "Seen", "at_line", "by_name", "changes", "describe", "project", "value"]


class Place(NamedTuple):
    """A code object of a file."""

    file: SourceFile
    code: CodeNames


def by_name(names: ProjectNames, wanted: str) -> list[Place]:
    """The code of this name: `module.qualname`, or `module` for its body."""
    return [
        Place(file, code)
        for file in names.files
        for code in file.code
        for module in file.modules
        if wanted in (f"{module}.{code.qualname}", module if code.qualname == "<module>" else "")
    ]


def at_line(path: str, line: int, namer: Namer) -> Place | None:
    """The innermost code object of a file that this line belongs to. None: the file cannot be compiled."""
    code = code_at(path, line)
    if code is None:
        return None
    names = namer.names(os.path.abspath(path), None, code.qualname)
    file = SourceFile(names["modules"], names["file"], names["absolute"], names["origin"], (code,))
    return Place(file, code)


def _scope(policy: Policy, place: Place) -> Scope:
    file, code = place
    return policy.scope(file.modules, file.file, code.qualname, absolute=file.absolute, origin=file.origin)


def describe(policy: Policy, place: Place) -> dict[str, Any]:
    """The verdict on a code object, every rule that matches it, and those on its parameters, its locals and
    what leaves it."""
    described = policy.describe()
    scope = _scope(policy, place)
    file, code = place
    values = [_value(described, scope, *one) for one in _values(file, code)]
    return {
        "name": _called(file, code),
        "file": file.file,
        "line": code.line,
        "trace": scope.trace,
        "by": _by(described, scope.by),
        "rules": [_rule(described, index) for index in scope.matching],
        "values": values,
    }


def _called(file: SourceFile, code: CodeNames) -> str:
    return f"{file.modules[0] if file.modules else file.file}.{code.qualname}"


def _values(file: SourceFile, code: CodeNames) -> Iterator[tuple[str, list[str], list[str]]]:
    """The values of a code object: each by what it is shown as, its kinds, and all that it is called."""
    for name in code.parameters:
        yield name, ["arg", "local"], [name]
    for name in dict.fromkeys(code.locals):
        yield name, ["local"], [name]
    bare = code.qualname.rpartition(".")[2]
    called = [f"{module}.{code.qualname}" for module in file.modules]
    yield "return", ["ret"], [*called, code.qualname, bare]


def value(policy: Policy, place: Place, name: str) -> list[dict[str, Any]]:
    """The verdicts on what is called `name` in a code object: as what it is there, and as an attribute."""
    described = policy.describe()
    scope = _scope(policy, place)
    kinds = [["arg", "local"]] if name in place.code.parameters else [["local"], ["global"]]
    found = [_value(described, scope, name, kind) for kind in kinds]
    inside = scope.attr(name)
    attr: dict[str, Any] = {"name": name, "kinds": ["attr"], "action": None, "secret": False, "by": None}
    if inside is not None:
        attr |= {"action": inside[0], "by": _by(described, inside[1]), "secret": inside[2]}
    return [*found, attr]


def _value(
    described: Any, scope: Scope, name: str, kinds: list[str], names: list[str] | None = None
) -> dict[str, Any]:
    action, by, secret = scope.value(kinds, names or [name])
    return {
        "name": name,
        "kinds": kinds,
        "action": action,
        "secret": secret,
        "by": _by(described, by),
    }


def _rule(described: Any, index: int) -> dict[str, Any]:
    rule = described["rules"][index]
    kept = ("selector", "exec", "value_default", "line", "reason")
    return {"path": described["filters"][rule["filter"]]["path"], **{key: rule[key] for key in kept}}


def _by(described: Any, by: tuple[str, int | None, int | None]) -> dict[str, Any]:
    """Who decided: a default, a rule, one of its patterns, or nobody."""
    what, first, second = by
    if first is None:
        return {"what": what}
    if what == "default":
        return {"what": what, "path": described["filters"][first]["path"]}
    rule = described["rules"][first]
    found = {"what": what, **{key: value for key, value in _rule(described, first).items() if key in _SHOWN}}
    if second is not None:
        pattern = rule["patterns"][second]
        reason = pattern["reason"] or rule["reason"]
        found |= {"pattern": pattern["selector"], "line": pattern["line"], "reason": reason}
    return found


def changes(before: Policy, after: Policy, names: ProjectNames) -> Iterator[dict[str, Any]]:
    """The code objects of a project about which two policies do not agree, and what of them differs."""
    for file in names.files:
        for code in file.code:
            first, second = (_scope(policy, Place(file, code)) for policy in (before, after))
            values = []
            if second.trace:
                for name, kinds, called in _values(file, code):
                    old, new = (scope.value(kinds, called)[0] for scope in (first, second))
                    if first.trace and old != new:
                        values.append({"name": name, "kinds": kinds, "before": old, "after": new})
            if first.trace != second.trace or values:
                yield {
                    "name": _called(file, code),
                    "file": file.file,
                    "line": code.line,
                    "before": first.trace,
                    "after": second.trace,
                    "values": values,
                }


_SHOWN = ("path", "selector", "line", "reason")


# What the compiler stores in the bodies of classes and modules.
_DUNDER = re.compile(r"__\w+__")


class Seen(NamedTuple):
    """What becomes of a code object of the project."""

    code: CodeNames
    traced: bool
    by: dict[str, Any]
    hidden: list[dict[str, Any]]
    """Its values that are not recorded as they are, in the form that `describe` has;
    none of code that is not recorded."""


def project(policy: Policy, names: ProjectNames) -> Iterator[tuple[SourceFile, list[Seen]]]:
    """For each file of a project, what becomes of its code."""
    described = policy.describe()
    for file in names.files:
        found = []
        for code in file.code:
            scope = _scope(policy, Place(file, code))
            hidden = []
            for name, kinds, called in _values(file, code) if scope.trace else ():
                # Most values are allowed, and what says so is not asked for.
                if not _DUNDER.fullmatch(name) and scope.value(kinds, called)[0] != "allow":
                    hidden.append(_value(described, scope, name, kinds, called))
            found.append(Seen(code, scope.trace, _by(described, scope.by), hidden))
        yield file, found
