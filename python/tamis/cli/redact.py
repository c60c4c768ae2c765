"""Redacts secrets and personal data in any text: what the content rules find is replaced, the rest stays.

Without files, it reads standard input and writes standard output. A file is written to standard output, too,
unless one says where else: --in-place, or --output. Of a folder, all files in it are read, but those that are
no text. Lines of JSON (.jsonl) and documents of JSON are read as such: their values are redacted, and they
stay JSON. What is encoded in a text, as base64 for example, is redacted, too.
"""

from __future__ import annotations

import os
import sys
from collections import Counter

from tamis.cli import EXIT_OK, EXIT_PROBLEMS, terminal
from tamis.errors import UsageError
from tamis.policy.schema import RULES_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import IO

    from tamis.policy.redacting import How, Outcome
    from tamis.policy.rules import Rules

EXAMPLES = """\
  tamis redact <server.log >clean.log           from standard input to standard output
  tamis redact --in-place logs/                 all files below a folder; backups are kept
  tamis redact --dry-run config.yml             what would change
  tamis redact --check .                        whether anything would, in a workflow
  tamis redact --rules my.yml session.jsonl     with rules of your own before the built-in ones
"""

# Rules of one's own, if they lie there.
DEFAULT_RULES = os.path.join(*RULES_FILE.split("/"))


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a file, a folder, a glob; `-` is standard input"
    )
    where = parser.add_argument_group("what is done with it")
    where.add_argument(
        "-i", "--in-place", action="store_true", help="change the files; a backup of each is kept"
    )
    where.add_argument("--no-backup", action="store_true", help="with --in-place: keep none")
    where.add_argument("-o", "--output", metavar="FILE", help="write what comes of one file there")
    where.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if anything would change"
    )
    where.add_argument("--dry-run", action="store_true", help="write nothing; show what would change")
    where.add_argument(
        "--show-secrets",
        action="store_true",
        help="with --dry-run: what would go, too, though not to a terminal",
    )
    how = parser.add_argument_group("how")
    how.add_argument(
        "--rules", metavar="FILE", help=f"rules of your own (default: {DEFAULT_RULES}, if it is there)"
    )
    how.add_argument("--no-builtin-rules", action="store_true", help="without the rules that come with Tamis")
    how.add_argument(
        "--role", choices=("prompt", "other"), help="apply the rules for what a user wrote, or for all else"
    )
    how.add_argument(
        "--format",
        choices=("auto", "text", "jsonl", "json"),
        default="auto",
        help="one text, lines of JSON, or one document (default: by name and beginning)",
    )
    how.add_argument("--no-decode", action="store_true", help="do not look into base64 and other encodings")
    how.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave these out of folders (repeatable)",
    )
    said = parser.add_argument_group("what is said")
    said.add_argument("--json", action="store_true", help="the changes as JSON, with --check or --in-place")
    said.add_argument("--sarif", action="store_true", help="the same for code scanners")
    said.add_argument("-q", "--quiet", action="store_true", help="no counts on standard error")


def run(args: argparse.Namespace) -> int:
    _refuse_what_does_not_fit(args)
    # Reading YAML is for those who have some.
    from tamis.policy.rules import assembled

    path = args.rules
    if path is None and os.path.isfile(DEFAULT_RULES):
        path = DEFAULT_RULES
        if not args.quiet:
            print(f"tamis: rules of `{path}`, too", file=sys.stderr)
    rules = assembled(path, builtin=not args.no_builtin_rules)
    if not len(rules):
        raise UsageError("there are no rules to apply", hint="`--no-builtin-rules` needs `--rules`")
    if args.paths in ([], ["-"]):
        if not args.paths and sys.stdin.isatty():
            print("tamis: reading standard input; end it with Ctrl-D", file=sys.stderr)
        outcomes = [_standard_input(rules, args)]
    else:
        outcomes = _files(rules, args)
    return _report(rules, args, outcomes)


def _refuse_what_does_not_fit(args: argparse.Namespace) -> None:
    done = [name for name in ("in_place", "check", "dry_run") if getattr(args, name)]
    if args.output is not None:
        done.append("output")
    if len(done) > 1:
        names = " and ".join(f"`--{name.replace('_', '-')}`" for name in done)
        raise UsageError(f"{names} do not go together")
    if "-" in args.paths and len(args.paths) > 1:
        raise UsageError("`-` goes alone: it is standard input")
    if args.in_place and args.paths in ([], ["-"]):
        raise UsageError("`--in-place` needs files to change")
    if args.no_backup and not args.in_place:
        raise UsageError("`--no-backup` goes with `--in-place`")
    if (args.json or args.sarif) and not (args.check or args.in_place or args.output):
        raise UsageError(
            "`--json` and `--sarif` write to standard output, where the text goes",
            hint="use them with `--check`, `--in-place` or `--output`",
        )
    if args.json and args.sarif:
        raise UsageError("`--json` and `--sarif` do not go together")


def _how(args: argparse.Namespace) -> How:
    return {
        "format": None if args.format == "auto" else args.format,
        "role": args.role,
        "decode": not args.no_decode,
        "places": args.check or args.json or args.sarif,
    }


def _standard_input(rules: Rules, args: argparse.Namespace) -> Outcome:
    from tamis.policy.redacting import Outcome

    outcome = Outcome("standard input")
    _one(rules, sys.stdin.buffer, outcome, args, None)
    return outcome


def _one(
    rules: Rules, source: IO[bytes], outcome: Outcome, args: argparse.Namespace, size: int | None
) -> None:
    """Reads one source, and writes what comes of it to where the command line says."""
    from tamis.policy.redacting import redact_file

    how = _how(args)
    if args.check:
        redact_file(rules, source, None, outcome, size=size, **how)
    elif args.dry_run:
        from tamis.cli.redactdiff import print_diff

        print_diff(rules, source, outcome, show=args.show_secrets, size=size, **how)
    elif args.output is not None:
        # Whole, or not at all; a link or a device is written to.
        handle = os.open(args.output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        with open(handle, "wb") as target:
            redact_file(rules, source, target, outcome, size=size, **how)
    else:
        redact_file(rules, source, sys.stdout.buffer, outcome, size=size, **how)
        sys.stdout.buffer.flush()


def _files(rules: Rules, args: argparse.Namespace) -> list[Outcome]:
    from tamis.policy.redacting import Outcome, files_at, is_binary, redact_in_place

    paths = list(dict.fromkeys(files_at(args.paths, args.exclude, backups=not args.in_place)))
    if len(paths) != 1 and not (args.in_place or args.check or args.dry_run):
        hint = "use `--in-place`, `--check` or `--dry-run`, or give one file"
        raise UsageError(f"{len(paths)} files cannot be written to one place", hint=hint)
    if args.output is not None and os.path.exists(args.output) and os.path.samefile(args.output, paths[0]):
        raise UsageError("`--output` is the file itself", hint="`--in-place` changes it, and keeps a backup")
    outcomes: list[Outcome] = []
    backups: list[str] = []
    binary = 0
    try:
        for path in terminal.progress(paths, "redacting"):
            if path not in args.paths and is_binary(path):
                binary += 1
                continue
            outcome = Outcome(os.path.normpath(path))
            outcomes.append(outcome)
            if args.in_place:
                kept = redact_in_place(rules, path, outcome, backup=not args.no_backup, **_how(args))
                backups += [kept] if kept is not None else []
            else:
                with open(path, "rb") as source:
                    _one(rules, source, outcome, args, os.fstat(source.fileno()).st_size)
    finally:
        # Also when it ends early: what was changed is changed.
        _say_what_is_left(args, backups, binary)
    return outcomes


def _say_what_is_left(args: argparse.Namespace, backups: list[str], binary: int) -> None:
    if binary and not args.quiet:
        print(f"tamis: {binary} file{'s' * (binary != 1)} left out: no text", file=sys.stderr)
    if backups:
        what = (
            f"backup `{os.path.relpath(backups[0])}` still holds"
            if len(backups) == 1
            else f"{len(backups)} backups still hold"
        )
        print(f"tamis: the {what} the secrets: look, and delete", file=sys.stderr)


def _report(rules: Rules, args: argparse.Namespace, outcomes: list[Outcome]) -> int:
    if args.json:
        _print_json(outcomes)
    elif args.sarif:
        _print_sarif(rules, outcomes)
    elif args.check:
        for outcome in outcomes:
            for change in outcome.changes:
                print(f"{outcome.path}:{change.line}:{change.column}: {change.id}")
    if not args.quiet:
        for line in _said(args, outcomes):
            print(f"tamis: {line}", file=sys.stderr)
    changed = any(outcome.counts for outcome in outcomes)
    return EXIT_PROBLEMS if changed and (args.check or args.dry_run) else EXIT_OK


def _said(args: argparse.Namespace, outcomes: list[Outcome]) -> list[str]:
    counts: Counter[str] = sum((outcome.counts for outcome in outcomes), Counter())
    undecided: Counter[str] = sum((outcome.undecided for outcome in outcomes), Counter())
    broken = sum(outcome.broken for outcome in outcomes)
    total = sum(counts.values())
    would = "would be redacted" if args.check or args.dry_run else "redacted"
    changed = sum(bool(outcome.counts) for outcome in outcomes)
    files = f" in {changed:,} of {len(outcomes):,} files" if len(outcomes) != 1 else ""
    named = [f"{count:,} {id}" for id, count in counts.most_common(12)]
    more = f" and {len(counts) - 12} other rules" if len(counts) > 12 else ""
    lines = [
        f"{total:,} place{'s' * (total != 1)} {would}{files}"
        + (f": {', '.join(named)}{more}" if named else "")
    ]
    if undecided:
        rules = ", ".join(undecided)
        lines.append(
            f"{sum(undecided.values()):,} of them because a bound of work or length was hit: {rules}"
        )
    for outcome in outcomes:
        if outcome.zeros:
            lines.append(
                f"{outcome.path} is no text, or UTF-16 without its mark: what it says was not read as such"
            )
    if broken:
        what = "1 line or document begins" if broken == 1 else f"{broken:,} lines or documents begin"
        lines.append(f"{what} like JSON, and cannot be read as such: taken for text")
    return lines


def _print_json(outcomes: list[Outcome]) -> None:
    import json

    files = [
        {
            "path": outcome.path,
            "counts": dict(outcome.counts),
            "undecided": dict(outcome.undecided),
            "broken": outcome.broken,
            "changes": [change._asdict() for change in outcome.changes],
        }
        for outcome in outcomes
    ]
    json.dump({"version": 1, "files": files}, sys.stdout, ensure_ascii=False, indent=2)
    print()


def _print_sarif(rules: Rules, outcomes: list[Outcome]) -> None:
    from tamis.cli.reports import Finding, print_sarif

    titles = {rule.id: rule.title or rule.reason or rule.id for rule in rules.rules}
    print_sarif(
        [
            Finding(change.id, "error", titles[change.id], outcome.path, change.line, change.column)
            for outcome in outcomes
            for change in outcome.changes
        ]
    )
