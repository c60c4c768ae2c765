"""The views that a trace is asked through: their SQL, and what each column means.

`store.*` are the tables as they lie on disk (see `tamis.trace.database`). What ends a call has all that is
known of it, so that no query about time joins starts and ends. Values and arguments do come in by joins; a
view that has them also has a `slim` form without, for the queries that read none.
"""

from __future__ import annotations

from dataclasses import dataclass

from tamis.trace.format import CLOSING_KINDS

__all__ = ["EXAMPLES", "VIEWS", "View", "closings"]


@dataclass(frozen=True)
class View:
    """A view: its name, what a row of it is, its columns with their meaning, and the query behind it.

    `slim` is the query without the columns that hold values.
    """

    name: str
    row: str
    columns: dict[str, str]
    sql: str
    slim: str | None = None


_CLOSING = ", ".join(f"'{kind}'" for kind in CLOSING_KINDS)
_CLOSED = f"""
    select part, thread, call, parent, code, start, time as "end", coalesce(own_total, own) as own, kind,
           segment, value, exception, task
    from store.events where kind in ({_CLOSING})"""

# Program and helper died together: calls that had begun, and that nothing ended.
_NEVER_CLOSED = f"""
    select part, thread, call, parent, code, time as start, null as "end", null as own, 'unfinished' as kind,
           segment, null as value, null as exception, task
    from store.events as begun where kind = 'call' and not exists (
        from store.events as e
        where e.kind in ({_CLOSING}) and e.part = begun.part and e.call = begun.call)"""


def closings(*, complete: bool) -> str:
    """One row for each call. `complete`: the trace was closed, and every call has a row that ends it."""
    return _CLOSED if complete else f"{_CLOSED}\n    union all {_NEVER_CLOSED}"


_CALLS = """
    select e.part, e.thread, e.call, e.parent, e.code, c.module, c.qualname, c.file, c.line,
           e.start, e."end", e."end" - e.start as duration, e.own,
           case e.kind when 'return' then 'returned' when 'unwind' then 'raised' else e.kind end as outcome,
           {values} e.exception, e.task
    from store.closings as e
    left join store.code as c on c.code = e.code"""

_CALL_VALUES = "a.json as args, case when e.kind = 'return' then v.json end as result,"
_CALL_JOINS = """
    left join store.values as v on v.segment = e.segment and v.value = e.value
    left join (select * from store.events where kind = 'call') as s on s.part = e.part and s.call = e.call
    left join store.values as a on a.segment = s.segment and a.value = s.value"""

_EVENTS = """
    select e.part, e.thread, e.seq, e.time, e.kind, e.call, e.parent, e.resumed_by, e.code,
           c.module, c.qualname, c.file, e.line, {values} e.start, e.own, e.own_total, e.task,
           e.exception, e.segment, e.value as number
    from store.events as e
    left join store.code as c on c.code = e.code"""

_EVENT_VALUES = "v.json as value,"
_EVENT_JOINS = """
    left join store.values as v on v.segment = e.segment and v.value = e.value"""

# A handler ends the flight of an exception only if nothing happened to it afterwards. The end of an iteration
# may have no handler: `for` and `await` take it without one.
_EXCEPTIONS = """
    with flight as (
        select e.part, e.exception, e.thread, e.seq, e.time, e.kind, c.qualname, e.line, v.json
        from store.events as e
        left join store.code as c on c.code = e.code
        left join store.values as v
               on v.segment = e.segment and v.value = e.value and e.kind in ('raise', 'throw', 'unwind')
        where e.exception is not null
    ), gathered as (
        select part, exception, thread, min(time) as time,
               arg_min(json, seq) filter (json is not null) as value,
               coalesce(arg_min({'q': qualname, 'l': line}, seq) filter (kind = 'raise'),
                        arg_min({'q': qualname, 'l': line}, seq)) as origin,
               coalesce(list(qualname order by seq) filter (kind = 'unwind'), []) as passed,
               arg_max({'kind': kind, 'q': qualname, 'l': line}, seq) as fate
        from flight group by part, exception, thread
    ), told as (
        -- The value comes once, in the thread where the exception was new.
        select * replace (max(value) over (partition by part, exception) as value) from gathered
    ), named as (
        select *, regexp_replace(value ->> '$."$type"', '^builtins[.]', '') as type from told
    ), ended as (
        select *, fate.kind = 'handled'
            or (fate.kind = 'raise' and type in ('StopIteration', 'StopAsyncIteration')) as handled
        from named
    )
    select part, exception, thread, time, type, value,
           origin.q as raised_in, origin.l as raised_line, passed,
           case when handled then fate.q end as handled_in,
           case when handled then fate.l end as handled_line
    from ended"""

_REDACTIONS = """
    select e.part, e.thread, e.seq, e.time, c.qualname, r.path, r.kind, r.action, r.filter, r.rule, r.pattern,
           r.secret, e.kind as event, e.call
    from store.redactions as r
    join store.events as e on e.segment = r.segment and e.value = r.value
    left join store.code as c on c.code = e.code"""

_PART = "number of the process, from 0; see `processes`"
_THREAD = "number of the thread in its process, from 0"
_TASK = "number of the asyncio task in its process, from 1; null outside tasks"
_CODE = "number of the code object; see `code`"

VIEWS: tuple[View, ...] = (
    View(
        "calls",
        "one call of a function, generator or coroutine",
        {
            "part": _PART,
            "thread": "number of the thread in which it ended, from 0",
            "call": "number of the call in its process, in order of start",
            "parent": "the call that started it; null at the root of a thread",
            "code": _CODE,
            "module": "module of the function",
            "qualname": "qualified name of the function, without its module",
            "file": "source file",
            "line": "line on which the function begins",
            "start": "ns since the recording started; null if it ran already when the recording began",
            "end": "ns since the recording started (a keyword: write it in double quotes)",
            "duration": "ns from start to end, suspensions included",
            "own": "ns of its own: calls that it made, and suspensions, taken off; sums up",
            "outcome": "returned, raised, abandoned (never resumed again) or unfinished (at the end)",
            "args": "JSON object of the arguments by name",
            "result": "JSON of what it returned",
            "exception": "number of the exception that left it; see `exceptions`",
            "task": _TASK,
        },
        sql=_CALLS.format(values=_CALL_VALUES) + _CALL_JOINS,
        slim=_CALLS.format(values=""),
    ),
    View(
        "exceptions",
        "one exception in one thread, from where it was raised to where it ended",
        {
            "part": _PART,
            "exception": "number of the exception in its process, from 0",
            "thread": _THREAD,
            "time": "when it was first seen: ns since the recording started",
            "type": "type of the exception",
            "value": "JSON of the exception",
            "raised_in": "function that raised it",
            "raised_line": "line that raised it",
            "passed": "list of the functions that it left, innermost first",
            "handled_in": "function that handled it; null: it left all recorded code",
            "handled_line": "line of the handler",
        },
        _EXCEPTIONS,
    ),
    View(
        "events",
        "one thing that happened; (part, thread, seq) is its key",
        {
            "part": _PART,
            "thread": _THREAD,
            "seq": "counts the events of a thread, from 0",
            "time": "ns since the recording started",
            "kind": "call, return, yield, resume, throw, raise, reraise, handled, unwind, abandoned …",
            "call": "the call that it belongs to",
            "parent": "on call, and on what ends a call: the call that started it",
            "resumed_by": "on resume and throw: the call that resumed it",
            "code": _CODE,
            "module": "module of the function",
            "qualname": "qualified name of the function",
            "file": "source file",
            "line": "on raise, reraise, handled, unwind: the line",
            "value": "JSON of the arguments, of what leaves, or of the exception",
            "start": "on yield, and on what ends a call: when the call started",
            "own": "same rows: ns of its own since it was started or last resumed",
            "own_total": "on what ends a call that was suspended: ns of its own in all",
            "task": _TASK,
            "exception": "number of the exception",
            "segment": "number of the segment of the files that the row is in",
            "number": "(segment, number) is its row of the view `values`",
        },
        sql=_EVENTS.format(values=_EVENT_VALUES) + _EVENT_JOINS,
        slim=_EVENTS.format(values=""),
    ),
    View(
        "code",
        "one code object that the filters decided",
        {
            "code": "number of the code object",
            "module": "its module",
            "qualname": "its qualified name",
            "file": "source file",
            "line": "line on which it begins",
            "kind": "function, generator, coroutine, async generator",
            "traced": "whether it was traced",
            "filter": "the filter that decided",
            "rule": "selector of the rule that decided; null: the default of the filter",
            "rule_line": "line of that rule in its file",
            "reason": "the reason that the rule gives",
            "parameters": "list of the names of its parameters",
        },
        "from store.code",
    ),
    View(
        "redactions",
        "one value of one event that was redacted or dropped",
        {
            "part": _PART,
            "thread": _THREAD,
            "seq": "(part, thread, seq) is the event",
            "time": "ns since the recording started",
            "qualname": "qualified name of the function",
            "path": "where in the value: `$` all of it, `$.user.token` a part",
            "kind": "argument, local, global, return or attribute",
            "action": "redact or drop",
            "filter": "the filter that decided",
            "rule": "selector of its rule; null: the default of the filter",
            "pattern": "selector of the value pattern; null: a default",
            "secret": "whether a pattern says that it is secret",
            "event": "kind of the event",
            "call": "the call that it belongs to",
        },
        _REDACTIONS,
    ),
    View(
        "processes",
        "one process of the recording",
        {
            "part": "number of the process, from 0",
            "parent": "part that started it; null for the first",
            "command": "what it ran",
            "started": "ns since the recording started",
            "ended": "ns since the recording started; null: not seen",
            "end": "exit, stop, lost (killed, crashed, `os._exit`) or recording (a keyword: quote it)",
            "exit_status": "its exit status, where it is known",
        },
        "from store.processes",
    ),
    View(
        "values",
        "one distinct value of a segment",
        {
            "segment": "number of the segment",
            "value": "number of the value in its segment",
            "json": "the value as JSON; keys that begin with `$` are Tamis's",
        },
        "from store.values",
    ),
)

EXAMPLES: tuple[tuple[str, str], ...] = (
    (
        "Where the time goes",
        "select qualname, count(*) as calls, sum(own) / 1e6 as ms from calls group by all order by ms desc",
    ),
    (
        "The slowest calls, with their arguments",
        "select qualname, args, duration / 1e6 as ms from calls order by duration desc limit 10",
    ),
    (
        "Exceptions that nobody handled",
        "select type, value, raised_in, raised_line from exceptions where handled_in is null",
    ),
)
