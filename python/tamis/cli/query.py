"""Asks a trace in SQL.

The query is DuckDB's SQL over views: `calls`, `exceptions`, `events`, `code`, `redactions`, `processes`,
`values`. `--schema` tells their columns; without a query you get the views and three queries to begin with.
Values (`args`, `result`, `value`) are JSON text: `args ->> 'name'` takes an argument out. Times are in
nanoseconds. Long texts are cut in tables, not with --json and --csv. A query can read this trace, and nothing
else.
"""

from __future__ import annotations

import csv
import datetime
import decimal
import json
import os
import re
import sys
import uuid
from itertools import islice

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tamis.cli import EXIT_OK, terminal
from tamis.cli.arguments import count
from tamis.trace.values import harmless
from tamis.trace.views import EXAMPLES as QUERIES
from tamis.trace.views import VIEWS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator
    from typing import Any

    from tamis.cli import Parser

EXAMPLES = """\
  tamis query trace                                       the views, and queries to begin with
  tamis query trace --schema                              their columns
  tamis query trace "select qualname, sum(own) / 1e6 as ms from calls group by all order by ms desc"
  tamis query trace "select args ->> 'user' as user, outcome from calls where qualname = 'login'"
  tamis query trace "from exceptions where handled_in is null" --json
  tamis query trace - --csv < report.sql > report.csv
"""

_LIMIT = 50
_PIPED_WIDTH = 200
_MARKER = re.compile(r'\{"\$(?:redacted|dropped)":\s*true[^}]*\}')
_LONGEST = 400  # characters of a cell; whole cells come with --json and --csv
_NARROWEST = 9  # columns of the terminal that a column of a table needs to be readable


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("trace", metavar="TRACE", help="directory of the trace")
    parser.add_argument("query", nargs="?", metavar="QUERY", help="SQL; - reads it from standard input")
    parser.add_argument("--schema", action="store_true", help="list the views and their columns, and end")
    parser.add_argument(
        "--limit",
        type=count,
        metavar="N",
        help=f"rows; 0: all (default: {_LIMIT} in a table, else all)",
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a row")
    form.add_argument("--csv", action="store_true", help="comma-separated, with a line of names")


def parse(parser: Parser, argv: list[str]) -> argparse.Namespace:
    """Lets the query stand before or behind the options, which argparse does not for an optional argument."""
    known, unknown = parser.parse_known_intermixed_args(argv)
    return parser.read(argv) if unknown else known


def run(args: argparse.Namespace) -> int:
    from tamis.trace import open as open_trace

    with open_trace(args.trace) as trace:
        if args.schema:
            _print_schema()
        elif args.query is None:
            _print_beginning(args.trace)
        else:
            query = sys.stdin.read() if args.query == "-" else args.query
            _print_answer(*trace.stream(query), args)
    return EXIT_OK


def _print_answer(columns: list[str], rows: Iterator[tuple[Any, ...]], args: argparse.Namespace) -> None:
    if args.json:
        names = _distinct(columns)
        for row in _limited(rows, args.limit):
            print(json.dumps(dict(zip(names, map(_jsonable, row), strict=True)), ensure_ascii=False))
    elif args.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([_csv_cell(cell) for cell in row] for row in _limited(rows, args.limit))
    else:
        _print_table(columns, rows, _LIMIT if args.limit is None else args.limit)


def _limited(rows: Iterator[tuple[Any, ...]], limit: int | None) -> Iterator[tuple[Any, ...]]:
    return islice(rows, limit) if limit else rows


def _print_table(columns: list[str], rows: Iterator[tuple[Any, ...]], limit: int) -> None:
    shown = list(islice(rows, limit)) if limit else list(rows)
    rest = sum(1 for _ in rows)
    console = _console()
    if len(columns) * _NARROWEST <= console.width:
        console.print(_across(columns, shown))
    else:
        for number, row in enumerate(shown, 1):
            console.print(_down(columns, row, number))
    total = len(shown) + rest
    if rest:
        console.print(f"{len(shown):,} of {total:,} rows; --limit 0 shows all", style="yellow")
    else:
        console.print(f"{total:,} row{'s' * (total != 1)}", style="dim")


def _across(columns: list[str], rows: list[tuple[Any, ...]]) -> Table:
    """A row a line."""
    table = Table(header_style="bold")
    for position, name in enumerate(columns):
        types = {type(row[position]) for row in rows} - {type(None)}
        numbers = bool(types) and types <= {int, float, decimal.Decimal}
        table.add_column(Text(harmless(name)), justify="right" if numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    return table


def _down(columns: list[str], row: tuple[Any, ...], number: int) -> Table:
    """A row as a table of its own, for answers that are too wide for the terminal."""
    table = Table(title=f"row {number}", title_justify="left", show_header=False)
    table.add_column(style="bold", overflow="fold")
    table.add_column(overflow="fold")
    for name, cell in zip(columns, row, strict=True):
        table.add_row(Text(harmless(name)), _cell(cell))
    return table


def _console() -> Console:
    """The terminal; or a stream that is wide enough for most tables, without colours."""
    colour = terminal.colour(sys.stdout)
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(
        file=sys.stdout, no_color=not colour, width=width, highlight=False, markup=False, emoji=False
    )


def _cell(cell: Any) -> Text:
    if cell is None:
        return Text("null", style="dim")
    if isinstance(cell, bool):
        return Text(str(cell).lower())
    if isinstance(cell, int):
        return Text(str(cell))
    if isinstance(cell, float):
        return Text(f"{cell:.6g}" if abs(cell) < 1e6 else f"{cell:.1f}")
    text = cell if isinstance(cell, str) else _text(cell)
    if len(text) > _LONGEST:
        # A long pattern that is written over many lines says in the first what it is.
        start = text[:_LONGEST].partition("\n")[0]
        return _marked(harmless(start)).append(f"… {len(text):,} characters", style="yellow")
    return _marked(harmless(text))


def _marked(text: str) -> Text:
    """With what was redacted in the colour that it has everywhere."""
    marked = Text(text)
    for match in _MARKER.finditer(text):
        marked.stylize("bold magenta", *match.span())
    return marked


def _text(cell: Any) -> str:
    """What is neither text nor a number, as text."""
    if isinstance(cell, list | dict | tuple):
        return json.dumps(_jsonable(cell), ensure_ascii=False)
    return str(cell)


def _csv_cell(cell: Any) -> Any:
    return cell if isinstance(cell, str | int | float | None) else _text(cell)


def _jsonable(cell: Any) -> Any:
    """A cell as JSON has it. What it lacks becomes text."""
    if isinstance(cell, float):
        return cell if cell == cell and abs(cell) != float("inf") else str(cell)
    if isinstance(cell, list | tuple):
        return [_jsonable(item) for item in cell]
    if isinstance(cell, dict):
        return {str(key): _jsonable(item) for key, item in cell.items()}
    if isinstance(cell, bytes | bytearray | memoryview):
        return bytes(cell).hex()
    if isinstance(cell, datetime.date | datetime.time):
        return cell.isoformat()
    if isinstance(cell, decimal.Decimal):
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    if isinstance(cell, uuid.UUID | datetime.timedelta):
        return str(cell)
    return cell


def _distinct(names: list[str]) -> list[str]:
    """The names of columns as keys of an object: in SQL they may repeat."""
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return result


def _print_schema() -> None:
    console = _console()
    for view in VIEWS:
        table = Table(
            title=f"{view.name}: {view.row}", title_justify="left", title_style="bold", show_header=False
        )
        table.add_column(style="bold", no_wrap=True)
        table.add_column()
        for name, meaning in view.columns.items():
            table.add_row(name, meaning)
        console.print(table)


def _print_beginning(path: str) -> None:
    """The views, and queries to begin with."""
    console = _console()
    console.print("views (their columns: --schema):")
    for view in VIEWS:
        console.print(Text.assemble("  ", (f"{view.name:<12}", "bold"), view.row))
    console.print("\nqueries to begin with:")
    for title, query in QUERIES:
        console.print(Text(f"\n  {title}"))
        console.print(Text(f'  tamis query {harmless(path)} "{query}"', style="cyan"), soft_wrap=True)
