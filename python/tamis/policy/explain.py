"""What is recorded of a piece of code, and why: the verdicts of the core, which recordings use, as data."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from tamis.policy.names import CodeNames, SourceFile, code_at, import_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tamis._core import Namer, Policy, Scope
    from tamis.policy.names import ProjectNames

__all__ = ["Place", "Seen", "at_line", "by_name", "changes", "describe", "has_value", "project", "value"]


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
        if wanted == (module if code.qualname == "<module>" else f"{module}.{code.qualname}")
    ]


def at_line(path: str, line: int, namer: Namer) -> Place | None:
    """The innermost code object of a file that this line belongs to. None: the file cannot be compiled."""
    code = code_at(path, line)
    if code is None:
        return None
    path = os.path.abspath(path)
    names = namer.names(path, import_name(path), code.qualname)
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
    script = _scope(policy, Place(file._replace(modules=["__main__", *file.modules]), code))
    same = (script.trace, script.by) == (scope.trace, scope.by)
    return {
        "name": _called(file, code),
        "file": file.file,
        "line": code.line,
        "trace": scope.trace,
        "by": _by(described, scope.by),
        "as_script": None if same else {"trace": script.trace, "by": _by(described, script.by)},
        "rules": [_rule(described, index) for index in scope.matching],
        "values": values,
        "inside": list(_inside(described, scope)),
        "holds": [
            {"name": inner.qualname, "line": inner.line, "trace": _scope(policy, Place(file, inner)).trace}
            for inner in file.code
            if inner is not code and _is_in(inner.qualname, code.qualname)
        ],
    }


def _is_in(inner: str, outer: str) -> bool:
    """Whether code stands in other code of its file, with nothing that has a name between them."""
    if outer == "<module>":
        return inner.rpartition("<locals>.")[2].find(".") < 0 and "<locals>" not in inner
    rest = inner.removeprefix(f"{outer}.").removeprefix("<locals>.")
    return rest != inner and "." not in rest


def _inside(described: Any, scope: Scope) -> Iterator[dict[str, Any]]:
    """The patterns on what is inside of the values of a code object, and on types, as they are asked."""
    for index in reversed(scope.matching):
        rule = described["rules"][index]
        for pattern in rule["patterns"]:
            if pattern["selector"].startswith(("attr:", "type:")):
                yield {
                    "path": described["filters"][rule["filter"]]["path"],
                    "line": pattern["line"],
                    "pattern": pattern["selector"],
                    "action": pattern["action"],
                    "reason": pattern["reason"] or rule["reason"],
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
    if name == "return":
        [what_leaves] = [one for one in _values(*place) if one[1] == ["ret"]]
        found = [_value(described, scope, *what_leaves)]
    else:
        kinds = [["arg", "local"]] if name in place.code.parameters else [["local"], ["global"]]
        found = [_value(described, scope, name, kind) for kind in kinds]
    inside = scope.attr(name)
    attr: dict[str, Any] = {"name": name, "kinds": ["attr"], "action": None, "secret": False, "by": None}
    if inside is not None:
        attr |= {"action": inside[0], "by": _by(described, inside[1]), "secret": inside[2]}
    return [*found, attr]


def has_value(place: Place, name: str) -> bool:
    """Whether anything is called so in a code object, as far as its source tells."""
    code = place.code
    return name == "return" or name in {*code.parameters, *code.locals, *code.others}


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
    """The code objects of a project about which two policies do not agree, and what of them differs: values,
    what is inside of values by its name, and patterns on types."""
    old_described, new_described = before.describe(), after.describe()
    # Few sets of patterns apply to many code objects.
    compared: dict[tuple[int, int], tuple[list[dict[str, Any]], dict[str, list[str]]]] = {}
    # Not the texts of the program, which may be anything: names of its code, and a few that everybody knows.
    code_names = (part for file in names.files for code in file.code for part in (code.others, code.locals))
    words = {*_SECRETS, *(name for part in code_names for name in part)}
    for file in names.files:
        for code in file.code:
            first, second = (_scope(policy, Place(file, code)) for policy in (before, after))
            values: list[dict[str, Any]] = []
            inside: list[dict[str, Any]] = []
            types: dict[str, list[str]] = {}
            if first.trace and second.trace:
                values = list(_changed_values(first, second, file, code))
                sets = first.attr_set, second.attr_set
                if sets not in compared:
                    old, new = _types(old_described, first), _types(new_described, second)
                    changed = {"before": old, "after": new} if old != new else {}
                    compared[sets] = list(_changed_inside(first, second, words)), changed
                inside, types = compared[sets]
            if first.trace != second.trace or values or inside or types:
                yield {
                    "name": _called(file, code),
                    "file": file.file,
                    "line": code.line,
                    "before": first.trace,
                    "after": second.trace,
                    "values": values,
                    "inside": inside,
                    "types": types,
                }


def _changed_values(
    first: Scope, second: Scope, file: SourceFile, code: CodeNames
) -> Iterator[dict[str, Any]]:
    found = list(_values(file, code))
    # Of globals and builtins only what a pattern speaks of.
    found += [(name, ["global"], [name]) for name in dict.fromkeys(code.others)]
    for name, kinds, called in found:
        old, new = (scope.value(kinds, called) for scope in (first, second))
        spoken = kinds != ["global"] or "pattern" in (old[1][0], new[1][0])
        if spoken and (old[0], old[2]) != (new[0], new[2]):
            yield {"name": name, "kinds": kinds, "before": _said(old), "after": _said(new)}


def _changed_inside(first: Scope, second: Scope, words: Iterable[str]) -> Iterator[dict[str, Any]]:
    for word in sorted(words):
        old, new = (scope.attr(word) or _UNSAID for scope in (first, second))
        if (old[0], old[2]) != (new[0], new[2]):
            yield {"name": word, "before": _said(old), "after": _said(new)}


_SECRETS = ("password", "token", "api_key", "secret", "authorization", "cookie")
# What no pattern speaks of is shown as the value that holds it.
_UNSAID = ("allow", None, False)


def _said(verdict: tuple[str, Any, bool]) -> str:
    return f"{verdict[0]}, a secret" if verdict[2] else verdict[0]


def _types(described: Any, scope: Scope) -> list[str]:
    """The patterns on types that apply, as text, the last one first."""
    inside = (one for one in _inside(described, scope) if one["pattern"].startswith("type:"))
    return [f"{one['pattern']} {one['action']}" for one in inside]


def _pattern(one: dict[str, Any]) -> str:
    first, newline, _ = one["pattern"].partition("\n")
    return f"{one['action']} by `{first}{newline and '…'}` ({one['path']}:{one['line']})"


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
    allowed: list[dict[str, Any]]
    """Its values that a pattern allows, whatever else is said of them."""
    inside: tuple[str, ...]
    """The patterns on what is inside of its values, as text; none of code that is not recorded."""


def project(policy: Policy, names: ProjectNames) -> Iterator[tuple[SourceFile, list[Seen]]]:
    """For each file of a project, what becomes of its code."""
    described = policy.describe()
    # Few sets of patterns apply to many code objects.
    patterns: dict[int, tuple[str, ...]] = {}
    for file in names.files:
        found = []
        for code in file.code:
            scope = _scope(policy, Place(file, code))
            hidden, allowed = [], []
            for name, kinds, called in _values(file, code) if scope.trace else ():
                if _DUNDER.fullmatch(name):
                    continue
                # Most values are allowed by a default, and that is not told.
                action, by, _ = scope.value(kinds, called)
                if action != "allow":
                    hidden.append(_value(described, scope, name, kinds, called))
                elif by[0] == "pattern":
                    allowed.append(_value(described, scope, name, kinds, called))
            inside: tuple[str, ...] = ()
            if scope.trace:
                if scope.attr_set not in patterns:
                    patterns[scope.attr_set] = tuple(map(_pattern, _inside(described, scope)))
                inside = patterns[scope.attr_set]
            found.append(Seen(code, scope.trace, _by(described, scope.by), hidden, allowed, inside))
        yield file, found
