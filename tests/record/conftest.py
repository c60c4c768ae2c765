"""Recording programs, as fixtures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import recording
from recording import Recorded


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., Recorded]]:
    """`recording.record` into a folder of the test's own; what was opened is closed in the end."""
    made: list[Recorded] = []

    def one(source: str, *arguments: str, **options: Any) -> Recorded:
        folder = tmp_path / f"run-{len(made)}"
        folder.mkdir()
        made.append(recording.record(folder, source, *arguments, **options))
        return made[-1]

    yield one
    for recorded in made:
        for trace in recorded.opened:
            trace.close()
