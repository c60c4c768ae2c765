"""Prints the calls of a trace as a tree: arguments, results, exceptions, times.

A line is a call: `name(arguments) → result  time`. Calls that repeat, with all that is below them, are folded
into one line with `×`. `<redacted>` and `<dropped>` stand for what a filter kept out; `…` says that something
was cut. Times are wall time, suspensions included; `tamis query` knows a call's own time.
"""

from __future__ import annotations

import difflib
import itertools
import json

from tamis.cli import EXIT_OK
from tamis.cli.arguments import count, positive, time_span
from tamis.cli.calltree import duration_text, folded
from tamis.cli.screen import Screen, output
from tamis.trace.values import Piece, harmless

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable
    from typing import Any

    from tamis.trace.reader import Trace
    from tamis.trace.tree import Node, Thread, Tree

EXAMPLES = """\
  tamis show trace                                 the first calls, and what was recorded
  tamis show trace --depth 2                       an overview: two levels
  tamis show trace --function 'app.orders.*'       calls of these functions, and all below them
  tamis show trace --grep alice@example.org        calls with this text in a value, and how they came about
  tamis show trace --min-duration 10ms             only what took long
  tamis show trace --since 1.5s --until 2s         only what ran in this half second
  tamis show trace --json | head                   one JSON object a call
"""

_LIMIT = 1000


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trace", metavar="TRACE", help="directory of the trace")
    which = parser.add_argument_group("which calls")
    which.add_argument("--depth", type=positive, metavar="N", help="N levels of the tree")
    which.add_argument(
        "--function", metavar="GLOB", help="calls of functions with such a qualified name, and all below them"
    )
    which.add_argument(
        "--grep", metavar="TEXT", help="calls with TEXT in an argument, result or exception, and those above"
    )
    which.add_argument(
        "--since", type=time_span, metavar="TIME", help="what ended at TIME after the start or later"
    )
    which.add_argument("--until", type=time_span, metavar="TIME", help="what began by TIME after the start")
    which.add_argument("--min-duration", type=time_span, metavar="TIME", help="what took TIME or more")
    which.add_argument("--part", type=count, metavar="N", help="this process only, by its number from 0")
    which.add_argument("--thread", type=count, metavar="N", help="this thread only, by its number from 0")
    how = parser.add_argument_group("how")
    how.add_argument(
        "--limit", type=count, metavar="N", help=f"lines of calls; 0: all of them (default: {_LIMIT})"
    )
    how.add_argument("--full", action="store_true", help="values as far as they were recorded, on long lines")
    how.add_argument("--json", action="store_true", help="one JSON object a call, nothing folded")
    how.add_argument("--no-pager", action="store_true", help="print to the terminal directly")


def run(args: argparse.Namespace) -> int:
    from tamis.trace import open as open_trace
    from tamis.trace.chosen import Selection
    from tamis.trace.tree import Tree

    with open_trace(args.trace) as trace:
        selection = Selection(
            part=args.part,
            thread=args.thread,
            since=args.since,
            until=args.until,
            minimum=args.min_duration,
            function=args.function,
            grep=args.grep,
            depth=args.depth,
        )
        tree = Tree(trace, selection)
        threads = _threads(tree, args)
        if args.json:
            _print_json(tree, threads, args.limit)
            return EXIT_OK
        with output(paged=not args.no_pager) as screen:
            _print_header(trace, screen)
            _print_tree(trace, tree, threads, args, screen)
    return EXIT_OK


def _threads(tree: Tree, args: argparse.Namespace) -> list[Thread]:
    """The threads to show. What was asked for must be there: a typing error is not an empty answer."""
    from tamis.errors import UsageError

    threads = tree.threads()
    if not threads and (args.part is not None or args.thread is not None):
        asked = [f"{name} {n}" for name, n in (("part", args.part), ("thread", args.thread)) if n is not None]
        raise UsageError(
            f"the trace has no {' with a '.join(asked)}",
            hint="`tamis query TRACE 'select distinct part, thread from events'` lists them",
        )
    if args.function is not None and not tree.functions():
        names = tree.names()
        close = difflib.get_close_matches(args.function, names, n=1, cutoff=0.5)
        some = ", ".join(f"`{name}`" for name in names[:5])
        hint = f"did you mean `{close[0]}`?" if close else f"there are {some}{' …' * (len(names) > 5)}"
        raise UsageError(f"no recorded function matches `{args.function}`", hint=hint if names else None)
    return threads


def _print_header(trace: Trace, screen: Screen) -> None:
    """What ran and what became of it, in a few lines."""
    data = trace.metadata
    counters = data.get("counters", {})
    when = str(data.get("started", "")).replace("T", " ").replace("Z", " UTC")
    took = data.get("duration_ns")
    implementation = str(data.get("implementation", "Python"))
    facts = [
        harmless(str(data.get("command", "?"))),
        f"{_INTERPRETERS.get(implementation, implementation)} {data.get('python', '')}",
        when,
        duration_text(took) if isinstance(took, int) and trace.state == "closed" else "",
    ]
    screen.line(Piece(harmless("  ·  ".join(filter(None, facts))), "function"))
    if trace.state == "closed":
        events = sum(counters.get("events", {}).values())
        screen.line(Piece(_counted([(events, "event"), (counters.get("calls", 0), "call"),
                                    (counters.get("processes", 0), "process"),
                                    (counters.get("threads", 0), "thread")])))  # fmt: skip
    else:
        screen.line(Piece(_STATES.get(trace.state, trace.state), "error"))
        if data.get("error"):
            screen.line(Piece(harmless(str(data["error"])), "error"))
    policy = data.get("trace_filter", {})
    names = [harmless(str(each.get("name"))) for each in policy.get("filters", [])]
    screen.line(Piece("filters: ", "dim"), Piece(", ".join(names) or "none"))
    stats = policy.get("stats", {})
    for key, word in (("value_redactions", "redacted"), ("value_drops", "dropped")):
        counts = [(number, kind) for kind, number in stats.get(key, {}).items() if number]
        if counts:
            screen.line(Piece(f"{word}: ", "dim"), Piece(_counted(counts), "redacted"))


# Names of interpreters as `sys.implementation` has them, and as people write them.
_INTERPRETERS = {"cpython": "CPython", "pypy": "PyPy", "graalpy": "GraalPy"}

_STATES = {
    "recording": "still being recorded: this is what there is up to now",
    "interrupted": "interrupted: program and recorder ended together, the last moments may be missing",
    "failed": "not written to the end",
}


def _counted(counts: Iterable[tuple[int, str]]) -> str:
    plural = {"process": "processes"}
    return ", ".join(
        f"{number:,} {word if number == 1 else plural.get(word, word + 's')}" for number, word in counts
    )


def _print_tree(
    trace: Trace, tree: Tree, threads: list[Thread], args: argparse.Namespace, screen: Screen
) -> None:
    """The lines of all threads until the limit is met, and what was left out."""
    limit = _LIMIT if args.limit is None else args.limit
    width = None if args.full else screen.width
    lines = calls = 0
    several = {"part": len(trace.processes) > 1, "thread": len(threads) > 1}
    part = None
    for position, thread in enumerate(threads):
        shown = 0
        for line in folded(tree.nodes(thread), width):
            if limit and lines >= limit:
                _print_cut(screen, limit, calls, sum(t.calls for t in threads), threads[position + 1 :], args)
                return
            if not shown:
                if several["part"] and thread.part != part:
                    screen.line()
                    screen.line(Piece(_process_heading(trace, thread.part), "heading"))
                if several["thread"]:
                    screen.line(Piece(f"thread {thread.thread}", "heading"))
                elif part is None:
                    screen.line()
                part = thread.part
            screen.line(*line.pieces)
            lines, calls, shown = lines + 1, calls + line.calls, shown + 1
    if not lines:
        asked = any(getattr(args, name) is not None for name in _FILTERS)
        screen.line()
        screen.line(Piece("no call is selected by these options" if asked else "no call was recorded", "cut"))


_FILTERS = ("depth", "function", "grep", "since", "until", "min_duration", "part", "thread")


def _process_heading(trace: Trace, part: int) -> str:
    process = next((row for row in trace.processes if row.part == part), None)
    if process is None:
        return f"process {part}"
    status = "" if process.exit_status is None else f" {process.exit_status}"
    return harmless(f"process {part}: {process.command}  ({process.end}{status})")


def _print_cut(
    screen: Screen, limit: int, calls: int, total: int, unseen: list[Thread], args: argparse.Namespace
) -> None:
    """Says what the limit left out, and how to see it."""
    more = f"--limit {limit * 10} or --limit 0 shows more"
    narrow = [
        option for option, used in (("--depth 2", args.depth), ("--function GLOB", args.function)) if not used
    ]
    hint = "; ".join([more, *([f"{' or '.join(narrow)} narrows it down"] if narrow else [])])
    selected = any(getattr(args, name) is not None for name in _FILTERS[:6])
    of = "" if selected else f" of {total:,}"
    screen.line()
    screen.line(
        Piece(f"… cut after {limit:,} lines: {_counted([(calls, 'call')])}{of} shown. {hint}.", "cut")
    )
    if unseen:
        names = ", ".join(f"--part {t.part} --thread {t.thread}" for t in unseen[:3])
        screen.line(Piece(f"… {_counted([(len(unseen), 'thread')])} not reached: {names}", "cut"))


def _print_json(tree: Tree, threads: list[Thread], limit: int | None) -> None:
    """One object a call. Its values are as the trace has them; the documentation tells their `$` keys."""
    nodes = (node for thread in threads for node in tree.nodes(thread))
    for node in itertools.islice(nodes, limit or None):
        print(json.dumps(_json(node), ensure_ascii=False))


def _json(node: Node) -> dict[str, Any]:
    plain = ("part", "thread", "call", "parent", "depth", "task", "module", "qualname", "start", "end",
             "duration", "own", "outcome", "yields")  # fmt: skip
    given: dict[str, Any] = {name: getattr(node, name) for name in plain}
    given |= {name: _loaded(getattr(node, name)) for name in ("args", "result", "error")}
    given["caught"] = [_loaded(error) for error in node.caught]
    return given


def _loaded(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return {"$unreadable": True}
