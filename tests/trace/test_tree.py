"""The tree of calls, page by page."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from builder import Builder

from tamis.trace import chosen
from tamis.trace import open as open_trace
from tamis.trace import tree as trees
from tamis.trace.chosen import Selection
from tamis.trace.tree import Node, Thread, Tree


def random_calls(seed: int) -> Builder:
    """Some hundred calls, nested at random."""
    chance = random.Random(seed)
    build = Builder()
    codes = [build.code(name) for name in "abc"]
    stack = []
    for i in range(300):
        while stack and (chance.random() < 0.5 or len(stack) > 6):
            build.end(stack.pop(), result=i)
        stack.append(build.call(chance.choice(codes), {"i": i}))
    while stack:
        build.end(stack.pop())
    return build


def nodes(path: Path, **selection: object) -> list[Node]:
    with open_trace(path) as trace:
        tree = Tree(trace, Selection(**selection))  # type: ignore[arg-type]
        return [node for thread in tree.threads() for node in tree.nodes(thread)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("pages", [(2_000, 5_000), (3, 7), (3, 100_000)], ids=str)
def test_depth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, pages: tuple[int, int]) -> None:
    """Depth leaves the same calls whether it is worked out page by page or ahead, however long a page is."""
    path = random_calls(seed).write(tmp_path / "t")
    whole = nodes(path)
    monkeypatch.setattr(trees, "_FIRST_PAGE", pages[0])
    monkeypatch.setattr(trees, "_PAGE", pages[1])
    monkeypatch.setattr(trees, "_PATIENCE", pages[1])
    assert len(whole) == 300
    for depth in (1, 2, 4):
        found = [(n.call, n.depth, n.args, n.result) for n in nodes(path, depth=depth)]
        assert found == [(n.call, n.depth, n.args, n.result) for n in whole if n.depth < depth]


def test_depth_looks_ahead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where hardly any call is as high up as the depth, the others are not read page by page."""
    build = Builder()
    top, leaf = build.code("top"), build.code("leaf")
    for _ in range(2):
        call = build.call(top)
        inner = build.call(leaf)
        for _ in range(200):
            build.end(build.call(leaf))
        build.end(inner)
        build.end(call)
    path = build.write(tmp_path / "t")
    monkeypatch.setattr(trees, "_FIRST_PAGE", 10)
    monkeypatch.setattr(trees, "_PAGE", 10)
    monkeypatch.setattr(trees, "_PATIENCE", 10)
    pages = []
    page = Tree._page

    def counted(tree: Tree, thread: Thread, last: int, size: int, among: list[int] | None) -> list[Node]:
        pages.append(among is not None)
        return page(tree, thread, last, size, among)

    monkeypatch.setattr(Tree, "_page", counted)
    assert [node.qualname for node in nodes(path, depth=1)] == ["top", "top"]
    assert pages == [False, False, True]


def slow(path: Path, function: str | None, depth: int | None, text: str | None) -> list[tuple[int, int]]:
    """The calls that a selection leaves, and their depth, worked out call by call."""
    whole = nodes(path)
    inside: dict[int | None, int] = {}
    for node in whole:
        if node.parent in inside:
            inside[node.call] = inside[node.parent] + 1
        elif function is None or node.qualname == function:
            inside[node.call] = 0
    left = {call for call, level in inside.items() if depth is None or level < depth}
    if text is not None:
        parents = {node.call: node.parent for node in whole}
        hits = {n.call for n in whole if text in (n.args or "") or text in (n.result or "")} & left
        left, reached = set(), left
        for call in hits:
            above: int | None = call
            while above in reached:
                left.add(above)
                above = parents[above]
    return [(call, inside[call]) for call in sorted(left)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("window", [7, 1_000_000])
@pytest.mark.parametrize("function", [None, "a"])
@pytest.mark.parametrize("depth", [None, 1, 3])
@pytest.mark.parametrize("text", [None, "7"])
def test_selections(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
    window: int,
    function: str | None,
    depth: int | None,
    text: str | None,
) -> None:
    """Function, depth and text leave the calls that a slow and obvious model leaves."""
    path = random_calls(seed).write(tmp_path / "t")
    expected = slow(path, function, depth, text)
    for name in ("_FIRST_WINDOW", "_WINDOW"):
        monkeypatch.setattr(chosen, name, window)
    monkeypatch.setattr(trees, "_FIRST_PAGE", window)
    monkeypatch.setattr(trees, "_PAGE", window)
    found = nodes(path, function=function, depth=depth, grep=text)
    assert [(node.call, node.depth) for node in found] == expected
    # Times say which of the chosen calls are told, and nothing of what is below what.
    late = [node.call for node in nodes(path, function=function, depth=depth, grep=text, minimum=5)]
    assert late == [node.call for node in found if (node.duration or 0) >= 5]
