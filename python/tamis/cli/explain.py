"""Says what is recorded of a function, a class or a module, and why: every rule that matches it, the one that
decided, and what becomes of its values. The sources are read for it; nothing of the program is run.

Without a name: the whole project as a tree, with what is skipped and what is redacted by which rule; what is
all alike is folded. With --diff, what a filter more would change.
"""

from __future__ import annotations

import json
import os
import re
import sys

from tamis.cli import EXIT_OK, EXIT_PROBLEMS
from tamis.cli.arguments import count
from tamis.cli.terminal import progress
from tamis.errors import UsageError
from tamis.trace.values import harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from tamis.policy import LoadedPolicy
    from tamis.policy.explain import Place, Seen
    from tamis.policy.names import ProjectNames, SourceFile

EXAMPLES = """\
  tamis explain my_app.auth.login                    by its name
  tamis explain my_app/auth.py:12                    by its place
  tamis explain my_app.auth.login --value password   one value only
  tamis explain                                      the whole project
  tamis explain --depth 1                            its folders only
  tamis explain --diff mine.toml                     what `--trace-filter mine.toml` would change
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="`module.function`, or FILE:LINE")
    parser.add_argument("--value", metavar="NAME", help="only what is called so")
    parser.add_argument(
        "--diff", metavar="FILE", help="what this filter would change, as the last of the chain"
    )
    parser.add_argument("--depth", type=count, metavar="N", help="of the tree, only so many levels")
    parser.add_argument("--all", action="store_true", help="of the tree, also what is all alike")
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--trace-filter", action="append", default=[], metavar="FILE", help="a filter more (repeatable)"
    )
    parser.add_argument("--no-auto-filter", action="store_true", help="leave the project's filter out")
    parser.add_argument("--project-root", metavar="DIR", help="the folder that file names are relative to")
    parser.add_argument(
        "--framework", choices=("pytest", "unittest"), help="as when this test framework runs"
    )


def run(args: argparse.Namespace) -> int:
    from tamis.policy import explain, load_policy
    from tamis.policy.chain import named

    def load(diff: str | None = None) -> LoadedPolicy:
        return load_policy(
            trace_filter=args.trace_filter,
            start=os.getcwd(),
            project_root=args.project_root,
            auto=not args.no_auto_filter,
            framework=args.framework,
            more=named(diff, "--diff") if diff is not None else (),
        )

    loaded = load()
    if args.name is None:
        if args.value is not None:
            raise UsageError("`--value` is for one piece of code", hint="give its name, or FILE:LINE")
        return _project(loaded, args) if args.diff is None else _diff(loaded, load(args.diff), args.json)
    if args.diff is not None:
        raise UsageError("`--diff` is for the whole project", hint="leave the name away")
    if args.depth is not None or args.all:
        raise UsageError("`--depth` and `--all` are for the whole project", hint="leave the name away")
    if not args.name:
        raise UsageError("there is no code of an empty name")
    places = _places(loaded, args.name)
    if not places:
        print(f"error: there is no `{args.name}` in the project {loaded.project_root}", file=sys.stderr)
        if meant := _meant(loaded, args.name):
            print(f"hint: did you mean {' or '.join(f'`{name}`' for name in meant)}?", file=sys.stderr)
        return EXIT_PROBLEMS
    if args.value is not None:
        if not any(explain.has_value(place, args.value) for place in places):
            _say_unknown(args.value, places)
        found = [
            {
                **explain.describe(loaded.policy, place),
                "values": explain.value(loaded.policy, place, args.value),
            }
            for place in places
        ]
    else:
        found = [explain.describe(loaded.policy, place) for place in places]
    if args.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print("\n\n".join("\n".join(_lines(one)) for one in found))
    return EXIT_OK


def _meant(loaded: LoadedPolicy, name: str) -> list[str]:
    """Code of the project that was probably meant: of this name in some module, else of nearly this name."""
    import difflib

    known = [
        file.modules[0] if code.qualname == "<module>" else f"{file.modules[0]}.{code.qualname}"
        for file in _scan(loaded, quiet=True).files
        if file.modules
        for code in file.code
    ]
    ends = [other for other in known if other.endswith(f".{name}")]
    return ends[:3] or difflib.get_close_matches(name, known, n=1)


def _say_unknown(name: str, places: list[Place]) -> None:
    import difflib

    known = [name for place in places for name in (*place.code.parameters, *place.code.locals)]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f": did you mean `{close[0]}`?" if close else ""
    print(f"note: nothing is called `{name}` there{hint}", file=sys.stderr)


def _places(loaded: LoadedPolicy, name: str) -> list[Place]:
    from tamis.policy import explain
    from tamis.record.setup import namer

    if place := re.fullmatch(r"(?P<file>.*[^:]):(?P<line>[0-9]{1,9})", name, re.DOTALL):
        if not os.path.isfile(place["file"]):
            raise UsageError(f"there is no file `{place['file']}`")
        line = int(place["line"])
        with open(place["file"], "rb") as file:
            lines = sum(1 for _ in file)
        if not 1 <= line <= max(lines, 1):
            raise UsageError(f"`{place['file']}` has no line {line}", hint=f"its last one is {lines}")
        found = explain.at_line(place["file"], line, namer(loaded.project_root))
        if found is None:
            raise UsageError(f"`{place['file']}` cannot be compiled")
        return [found]
    if os.path.isfile(name):
        raise UsageError(f"`{name}` is a file", hint=f"name a line of it, `{name}:1`, or give a module")
    return explain.by_name(_scan(loaded), name)


def _lines(one: dict[str, Any]) -> list[str]:
    lines = [f"{one['name']} ({one['file']}:{one['line']}) is {'' if one['trace'] else 'not '}recorded"]
    lines.append(f"  decided by {_decider(one['by'])}")
    if script := one["as_script"]:
        recorded = "" if script["trace"] else "not "
        lines.append(f"  run as a script it is {recorded}recorded, decided by {_decider(script['by'])}")
    if one["rules"]:
        lines.append("  rules that match, the last one first:")
    for rule in reversed(one["rules"]):
        says = [f"{key} = {rule[key]}" for key in ("exec", "value_default") if rule[key] != "inherit"]
        lines.append(
            f"    {_one_line(rule['selector'])}  {', '.join(says)}".rstrip()
            + f"  ({rule['path']}:{rule['line']})"
        )
    lines.append("  values:" if one["trace"] else "  values, if it were recorded:")
    for value in one["values"]:
        if value["action"] is None:
            lines.append(f"    {value['name']} (attr): as the value that holds it")
            continue
        secret = ", a secret" if value["secret"] else ""
        kinds = ", ".join(value["kinds"])
        lines.append(
            f"    {value['name']} ({kinds}): {value['action']}{secret}, decided by {_decider(value['by'])}"
        )
    if one.get("inside"):
        lines.append("  inside of them, the first that matches decides:")
    for pattern in one.get("inside", ()):
        lines.append(f"    {pattern['action']} {_decider(pattern)}")
    if holds := one.get("holds"):
        lines.append("  in it, each with a verdict of its own:")
        lines += [
            f"    {inner['name']}:{inner['line']} is {'' if inner['trace'] else 'not '}recorded"
            for inner in holds
        ]
    return [harmless(line) for line in lines]


def _decider(by: dict[str, Any]) -> str:
    what = by.get("what")
    if what == "undecided":
        return "nobody: a regular expression takes too much work"
    if what == "default":
        return harmless(f"the default of {by['path']}")
    selector = by.get("pattern") or by["selector"]
    reason = f": {by['reason']}" if by["reason"] else ""
    return harmless(f"`{_one_line(selector)}` ({by['path']}:{by['line']}){reason}")


def _one_line(selector: str) -> str:
    """What spans lines in the filter is too long for one."""
    first, newline, _ = selector.partition("\n")
    return f"{first}…" if newline else first


def _project(loaded: LoadedPolicy, args: argparse.Namespace) -> int:
    from tamis.cli.projecttree import Tree
    from tamis.cli.screen import output
    from tamis.policy import explain

    rows = explain.project(loaded.policy, _scan(loaded))
    if args.json:
        print(json.dumps([_file(file, seen) for file, seen in rows], ensure_ascii=False, indent=2))
        return EXIT_OK
    tree = Tree(rows, _decider)
    with output(paged=True) as screen:
        tree.print(screen, args.depth, unfold=args.all)
    return EXIT_OK


def _file(file: SourceFile, seen: list[Seen]) -> dict[str, Any]:
    return {
        "file": file.file,
        "recorded": sum(one.traced for one in seen),
        "code_objects": len(seen),
        "code": [
            {
                "qualname": one.code.qualname,
                "line": one.code.line,
                "trace": one.traced,
                "by": one.by,
                "hidden": one.hidden,
                "allowed": one.allowed,
            }
            for one in seen
        ],
    }


def _scan(loaded: LoadedPolicy, *, quiet: bool = False) -> ProjectNames:
    """The names of the project; on a terminal with a bar, where that takes long. What is unknown is told."""
    from tamis.policy.names import scan, sources
    from tamis.record.setup import namer

    root = loaded.project_root
    names = scan(progress(list(sources(root)), "reading the project"), namer(root))
    if quiet:
        return names
    for path in names.unreadable:
        print(f"warning: `{path}` cannot be compiled: what is in it is not known", file=sys.stderr)
    if not names.whole:
        print(f"warning: only the first {len(names.files):,} files were looked at", file=sys.stderr)
    return names


def _diff(before: LoadedPolicy, after: LoadedPolicy, as_json: bool) -> int:
    from tamis.policy.explain import changes

    found = list(changes(before.policy, after.policy, _scan(before)))
    if as_json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
        return EXIT_OK
    inside: dict[str, int] = {}
    for one in found:
        change = ""
        if one["before"] != one["after"]:
            change = ": recorded, was skipped" if one["after"] else ": skipped, was recorded"
        if change or one["values"]:
            print(harmless(f"{one['name']} ({one['file']}:{one['line']}){change}"))
        for value in one["values"]:
            kinds = ", ".join(value["kinds"])
            print(harmless(f"  {value['name']} ({kinds}): {value['after']}, was {value['before']}"))
        for line in _changes_inside(one):
            inside[line] = inside.get(line, 0) + 1
    for line, number in inside.items():
        print(harmless(f"inside of the values of {number:,} code object{'s' * (number != 1)}: {line}"))
    print(f"{len(found)} code object{'s' * (len(found) != 1)} would change")
    return EXIT_OK


def _changes_inside(one: dict[str, Any]) -> Iterator[str]:
    """What changes inside of the values of a code object: names, by what becomes of them, and types."""
    from tamis.cli.projecttree import few

    groups: dict[str, list[str]] = {}
    for value in one["inside"]:
        groups.setdefault(f"{value['after']}, was {value['before']}", []).append(value["name"])
    for change, names in groups.items():
        yield f"{few(names)}: {change}"
    if one["types"]:
        before, after = (" > ".join(one["types"][when]) or "none" for when in ("before", "after"))
        yield f"patterns on types {after}, were {before}"
