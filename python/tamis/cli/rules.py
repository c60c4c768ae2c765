"""Lists the content rules that come with Tamis, explains one, or tries all of them on a text."""

from __future__ import annotations

import sys

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, terminal
from tamis.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tamis.policy.rulefile import Rule
    from tamis.policy.rules import Rules

EXAMPLES = """\
  tamis rules                          all of them
  tamis rules github-token             one of them: its pattern, and where its format is published
  tamis rules --try 'password: x'      which rules change this text, and how
  tamis rules --rules my.yml --try -   with a file of rules before them, on standard input
"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", nargs="?", metavar="ID", help="the rule to explain")
    parser.add_argument(
        "--try", dest="text", metavar="TEXT", help="apply the rules to this text; `-` is standard input"
    )
    parser.add_argument("--rules", metavar="FILE", help="rules of your own, which go first")
    parser.add_argument("--no-builtin-rules", action="store_true", help="without those that come with Tamis")
    parser.add_argument("--json", action="store_true", help="for programs")


def run(args: argparse.Namespace) -> int:
    # Reading YAML is for those who have some.
    from tamis.policy.rules import assembled

    rules = assembled(args.rules, builtin=not args.no_builtin_rules)
    if args.text is not None:
        if args.id is not None:
            raise UsageError("`--try` applies all rules", hint="leave the id away")
        return _try(rules, sys.stdin.read() if args.text == "-" else args.text, args.json)
    if args.id is None:
        _list(rules, args.json)
        return EXIT_OK
    rule = next((rule for rule in rules.rules if rule.id == args.id), None)
    if rule is None:
        _unknown(args.id, rules)
        return EXIT_PROBLEMS
    _explain(rule, args.json)
    return EXIT_OK


def _unknown(id: str, rules: Rules) -> None:
    import difflib

    close = difflib.get_close_matches(id, [rule.id for rule in rules.rules], n=1)
    print(f"no rule is called `{id}`", file=sys.stderr)
    print(f"hint: did you mean `{close[0]}`?" if close else "hint: `tamis rules` lists them", file=sys.stderr)


def _list(rules: Rules, as_json: bool) -> None:
    if as_json:
        _print_json([_described(rule) for rule in rules.rules])
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("id", "of", "what it finds", box=None, pad_edge=False)
    for rule in rules.rules:
        table.add_row(rule.id, rule.vendor or rule.file, rule.title or rule.reason or rule.pattern)
    console = Console(width=None if sys.stdout.isatty() else 160, no_color=not terminal.colour(sys.stdout))
    console.print(table)
    print(f"\n{len(rules)} rules. `tamis rules ID` explains one.", file=sys.stderr)


def _explain(rule: Rule, as_json: bool) -> None:
    if as_json:
        _print_json(_described(rule))
        return
    flags = [name for name, on in (("ignores case", rule.ignore_case), ("dotall", rule.dotall)) if on]
    lines = {
        "id": rule.id,
        "finds": rule.title or rule.reason,
        "of": rule.vendor or f"{rule.file}:{rule.line}",
        "type": ", ".join([rule.type, f"scope {rule.scope}", *flags]),
        "pattern": rule.pattern,
        "replaces": f"group {rule.group}" if rule.group else "all of a match",
        "with": rule.replacement,
        "only if": _VALIDATORS[rule.validator],
        "published": rule.source,
    }
    for name, value in lines.items():
        if value:
            print(f"{name:>9}  {value}")


_VALIDATORS = {
    "": "",
    "real": "it is no placeholder",
    "luhn": "its check digit is right (Luhn)",
    "iban": "its check digits are right (ISO 13616)",
    "jwt": "its header is that of a JSON Web Token",
    "random": "it is no placeholder, and looks random",
    "email": "it is of no example, and not that of a repository or a machine",
    "assigned": "it is no placeholder and no code, and its name is not that of something about a secret",
    "assigned-random": "the same, and it looks random",
    "account": "it is no account that images and machines have",
}


def _try(rules: Rules, text: str, as_json: bool) -> int:
    done = rules.redact(text)
    if as_json:
        positions = [{"id": id, "start": start, "end": end} for id, start, end in done.positions]
        _print_json(
            {"text": done.text, "counts": done.counts, "positions": positions, "undecided": done.undecided}
        )
        return EXIT_OK
    print(done.text, end="" if done.text.endswith("\n") else "\n")
    for id, start, end in done.positions:
        print(f"{id}: characters {start} to {end}", file=sys.stderr)
    if not done.positions:
        print("no rule changes this text", file=sys.stderr)
    return EXIT_OK


def _described(rule: Rule) -> dict[str, object]:
    import dataclasses

    described = dataclasses.asdict(rule)
    return {key: value for key, value in described.items() if value not in ("", (), 0)}


def _print_json(value: object) -> None:
    import json

    json.dump(value, sys.stdout, ensure_ascii=False, indent=2)
    print()
