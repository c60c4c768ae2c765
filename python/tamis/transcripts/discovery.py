"""Which logs there are: in the usual places of the agents, or at paths that somebody names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tamis.errors import UsageError
from tamis.transcripts.agents.claude import Claude
from tamis.transcripts.agents.codex import Codex
from tamis.transcripts.agents.copilot_cli import CopilotCli
from tamis.transcripts.agents.copilot_vscode import CopilotVsCode
from tamis.transcripts.agents.gemini import Gemini
from tamis.transcripts.reading import Log, Record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tamis.transcripts.agents import Agent, Found

__all__ = ["AGENTS", "Candidate", "Unreadable", "discover", "named"]

# An agent is added here: see `docs/agents.md`.
AGENTS: dict[str, Agent] = {
    agent.name: agent for agent in (Codex(), Claude(), CopilotVsCode(), CopilotCli(), Gemini())
}

_ENDINGS = (".jsonl", ".jsonl.zst", ".json")
# So many records are looked at to tell whose log it is.
_LOOKED_AT = 20

type Candidate = tuple[Agent, Found]


@dataclass(slots=True, frozen=True)
class Unreadable:
    """A file that may be a log and cannot be read."""

    path: Path
    reason: str


def discover(agents: list[Agent], home: Path) -> Iterator[Candidate]:
    """The logs in the usual places: by agent, and of each by name."""
    for agent in agents:
        for root in agent.roots(os.environ, home):
            patterns = (*agent.patterns, *agent.beside)
            seen = {path for pattern in patterns for path in root.glob(pattern) if path.is_file()}
            for path in sorted(seen):
                found = agent.found(root, path)
                if found is not None:
                    yield agent, found


def named(paths: list[str], agents: list[Agent]) -> Iterator[Candidate | Path | Unreadable]:
    """The logs at these paths, files or folders: a file is known by what is in it. A path alone is a file
    that looks like a log and is none of these agents'. Raises `UsageError` for a path that is not there."""
    for name in paths:
        path = Path(name)
        if not path.exists():
            raise UsageError(f"there is no file `{name}`")
        root = path if path.is_dir() else path.parent
        beside = {
            file: agent
            for agent in agents
            for pattern in (agent.beside if path.is_dir() else ())
            for file in path.glob(pattern)
            if file.is_file()
        }
        files = {p for p in path.rglob("*") if _is_like(p)} if path.is_dir() else {path}
        for file in sorted(files | beside.keys()):
            try:
                agent = beside.get(file) or _agent_of(file, agents)
            except OSError as error:
                yield Unreadable(file, error.strerror or str(error))
                continue
            if agent is None:
                yield file
            elif (found := agent.found(root, file)) is not None:
                yield agent, found


def _is_like(path: Path) -> bool:
    return path.name.endswith(_ENDINGS) and not path.is_dir()


def _agent_of(path: Path, agents: list[Agent]) -> Agent | None:
    """The agent that wrote a file, by its first records."""
    members = tuple(name for agent in agents for name in agent.members)
    asked = [agent for agent in agents if agent.members or not path.name.endswith(".json")]
    with Log(path, members) as log:
        for read, _ in zip(log, range(_LOOKED_AT), strict=False):
            for agent in asked:
                if isinstance(read, Record) and agent.knows(read.value):
                    return agent
    return None
