"""Recording without reading slots, as on interpreters whose layout is not known."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recording import Recorded, filter_text
from test_pairing import paired

Record = Callable[..., Recorded]
WORD = "open" + "sesame"

PROGRAM = f"""
    import asyncio
    def keep(value, password={WORD!r}, *rest, **named): return value
    keep(1)
    keep({{"token": {WORD!r}, "a": 1}}, "x", 2, k=3)
    class Box:
        __slots__ = ("field",)
        def __init__(self, field): self.field = field
        def method(self, other): return [other for other in (1, 2)]
    Box({WORD!r}).method("other")
    def shared(a):
        def inner(): return a
        return inner()
    shared(4)
    class Body:
        value = shared(5)
    def generator(n):
        got = yield n
        raise ValueError({WORD!r})
    g = generator(6)
    next(g)
    try:
        g.send(1)
    except ValueError:
        pass
    async def coroutine(n):
        await asyncio.sleep(0)
        return n
    asyncio.run(coroutine(7))
    """


@pytest.fixture
def both(record: Record) -> tuple[Recorded, Recorded]:
    """The same program, read by slot and by the public API."""
    rules = """
        [[scope.rules]]
        selector = "pkg:*"
        [[scope.rules.value_patterns]]
        selector = "ret:literal:generator"
        action = "redact"
        """
    made = [record(PROGRAM, api=api, filters=[filter_text(rules)]).ok() for api in ("", "by_slot=False")]
    return made[0], made[1]


def test_the_same_events(both: tuple[Recorded, Recorded]) -> None:
    """Calls, their ends and their order are the same."""
    slots, public = (
        [(event.kind, event.qualname, event.line) for event in paired(recorded).events] for recorded in both
    )
    assert slots == public


def test_the_same_arguments(both: tuple[Recorded, Recorded]) -> None:
    """Arguments of builtin types are the same, in cells and behind inlined comprehensions too; objects are
    told by their type."""
    slots, public = both
    for name in ("keep", "shared", "generator", "coroutine"):
        assert slots.arguments(name) == public.arguments(name), name
    assert set(public.arguments("Box.method")[0]["self"]) == {"$type", "$id"}
    assert public.arguments("Box.method")[0]["other"] == "other"


def test_the_same_secrets(both: tuple[Recorded, Recorded]) -> None:
    """What a filter covers is covered either way."""
    for recorded in both:
        # As the value of a slot it is under a name that nothing covers.
        assert WORD not in recorded.everything().replace(f'"field":"{WORD}"', "")
    assert both[0].stats["value_redactions"] == both[1].stats["value_redactions"]


def test_it_is_said(record: Record) -> None:
    """The trace says whether values were read by slot."""
    for api, expected in (("", True), ("by_slot=False", False)):
        recorded = record("def f(): pass\nf()\n", api=api).ok()
        assert recorded.trace.metadata["capture"]["by_slot"] is expected
