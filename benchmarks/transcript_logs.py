"""Makes logs of agents, as large as one wants.

`python -m benchmarks.transcript_logs FOLDER MEGABYTES [AGENT…]`

Their records have the shapes of the samples in `tests/transcripts/samples`, their texts are words, code and
secrets made up from a seed, the same for the same seed.
"""

from __future__ import annotations

import json
import random
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_TEXT = (
    "the file of a function and test returns error value list parse token line stream buffer check "
    "state config request response handler user session cache index query result module import class "
    "method path build run fix add remove update change read write open close start stop when then "
    "with without from into about above below"
)
_WORDS = tuple(_TEXT.split())
_NAMES = (
    "read_config",
    "parse_line",
    "Session",
    "write_buffer",
    "handle_request",
    "test_values",
    "build_index",
)
_SECRETS = (
    lambda r: "ghp_" + _letters(r, 36),
    lambda r: "AKIA" + "".join(r.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", k=16)),
    lambda r: f"password = '{_letters(r, 14)}9!'",
    lambda r: f"postgresql://app:{_letters(r, 18)}@db{r.randrange(9)}.internal/app",
    lambda r: f"{_letters(r, 7).lower()}@{_letters(r, 6).lower()}.example.org",
    lambda r: f"/home/{_letters(r, 6).lower()}/src/notes.txt",
)


def _letters(r: random.Random, count: int) -> str:
    return "".join(r.choices("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=count))


def _sentence(r: random.Random, words: int) -> str:
    text = " ".join(r.choices(_WORDS, k=words))
    return f"{text} {r.choice(_SECRETS)(r)}" if r.random() < 0.02 else text


def _code(r: random.Random, lines: int) -> str:
    def line() -> str:
        indent = "    " * r.randrange(4)
        return f"{indent}{r.choice(_WORDS)} = {r.choice(_NAMES)}({r.choice(_WORDS)}, {r.randrange(1000)})"

    return "\n".join(line() if r.random() < 0.9 else _sentence(r, 9) for _ in range(lines))


def _step(r: random.Random) -> tuple[str, dict[str, Any], str, str]:
    """What one turn of an agent has: what it thinks, what it asks of a tool, what that says, what it says."""
    asked = {"command": f"sed -n {r.randrange(99)},200p src/{r.choice(_WORDS)}.py", "workdir": "/tmp/repo"}
    return _sentence(r, 40), asked, _code(r, r.randrange(10, 120)), _sentence(r, 60)


def _codex(r: random.Random) -> Iterator[dict[str, Any]]:
    stamp = {"timestamp": "2026-03-26T17:50:34.263Z"}

    def item(payload: dict[str, Any]) -> dict[str, Any]:
        return {**stamp, "type": "response_item", "payload": payload}

    def event(payload: dict[str, Any]) -> dict[str, Any]:
        return {**stamp, "type": "event_msg", "payload": payload}

    meta = {"id": _id(r), "cwd": "/tmp/repo", "cli_version": "0.106.0", "originator": "codex_cli_rs"}
    yield {**stamp, "type": "session_meta", "payload": meta}
    while True:
        prompt = _sentence(r, 30)
        yield item({"type": "message", "role": "user", "content": [{"type": "input_text", "text": prompt}]})
        yield event({"type": "user_message", "message": prompt, "images": []})
        for _ in range(r.randrange(3, 12)):
            thought, asked, output, said = _step(r)
            call = f"call_{_letters(r, 24)}"
            summary = [{"type": "summary_text", "text": thought}]
            yield item({"type": "reasoning", "summary": summary, "encrypted_content": _letters(r, 400)})
            yield event({"type": "agent_reasoning", "text": thought})
            yield item(
                {"type": "function_call", "name": "shell", "arguments": json.dumps(asked), "call_id": call}
            )
            yield item({"type": "function_call_output", "call_id": call, "output": output})
            yield item(
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": said}]}
            )
            yield event({"type": "agent_message", "message": said})
            tokens = {"input_tokens": r.randrange(10**5), "output_tokens": r.randrange(999)}
            yield event({"type": "token_count", "info": {"last_token_usage": tokens}})


def _claude(r: random.Random) -> Iterator[dict[str, Any]]:
    session, parent = _id(r), None

    def line(kind: str, **rest: Any) -> dict[str, Any]:
        nonlocal parent
        own, before = _id(r), parent
        parent = own
        about = {"sessionId": session, "cwd": "/tmp/repo", "version": "2.1.80", "gitBranch": "main"}
        return {"parentUuid": before, "isSidechain": False, **about, "type": kind, "uuid": own,
                "timestamp": "2026-03-26T17:50:34.263Z", **rest}  # fmt: skip

    def answer(*blocks: dict[str, Any]) -> dict[str, Any]:
        usage = {
            "input_tokens": 10,
            "output_tokens": r.randrange(999),
            "cache_read_input_tokens": r.randrange(10**5),
        }
        id = f"msg_{_letters(r, 24)}"
        message = {
            "id": id,
            "role": "assistant",
            "model": "claude-opus-5",
            "content": list(blocks),
            "usage": usage,
        }
        return line("assistant", message=message)

    while True:
        yield line("user", message={"role": "user", "content": _sentence(r, 30)})
        for _ in range(r.randrange(3, 12)):
            thought, asked, output, said = _step(r)
            call = f"toolu_{_letters(r, 24)}"
            yield answer({"type": "thinking", "thinking": thought, "signature": _letters(r, 300)})
            yield answer({"type": "tool_use", "id": call, "name": "Bash", "input": asked})
            block = {"type": "tool_result", "tool_use_id": call, "content": output, "is_error": False}
            result = {"stdout": output, "stderr": "", "interrupted": False}
            yield line("user", message={"role": "user", "content": [block]}, toolUseResult=result)
            yield answer({"type": "text", "text": said})


def _gemini(r: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        yield {"id": _id(r), "type": "user", "content": [{"text": _sentence(r, 30)}]}
        for _ in range(r.randrange(3, 12)):
            thought, asked, output, said = _step(r)
            call = {"id": _letters(r, 9), "name": "run_shell_command", "args": asked, "status": "success"}
            call |= {"result": [{"functionResponse": {"id": call["id"], "response": {"output": output}}}]}
            yield {"id": _id(r), "type": "gemini", "content": said, "thoughts": [{"description": thought}],
                   "toolCalls": [call], "tokens": {"input": 10, "output": 20, "total": 30}}  # fmt: skip


def _copilot_cli(r: random.Random) -> Iterator[dict[str, Any]]:
    def line(kind: str, **data: Any) -> dict[str, Any]:
        return {
            "type": kind,
            "data": data,
            "id": _id(r),
            "timestamp": "2026-03-26T17:50:34.263Z",
            "parentId": None,
        }

    yield line("session.start", sessionId=_id(r), copilotVersion="1.0.77", context={"cwd": "/tmp/repo"})
    while True:
        yield line("user.message", content=_sentence(r, 30), attachments=[])
        for _ in range(r.randrange(3, 12)):
            thought, asked, output, said = _step(r)
            call = f"call_{_letters(r, 24)}"
            request = {"toolCallId": call, "name": "bash", "arguments": asked, "type": "function"}
            yield line(
                "assistant.message",
                content=said,
                reasoningText=thought,
                toolRequests=[request],
                outputTokens=9,
            )
            yield line("tool.execution_start", toolCallId=call, toolName="bash", arguments=asked)
            yield line("tool.execution_complete", toolCallId=call, success=True, result={"content": output})


def _vscode(r: random.Random) -> Iterator[dict[str, Any]]:
    while True:
        rounds, results, shown = [], {}, []
        for _ in range(r.randrange(3, 12)):
            _, asked, output, said = _step(r)
            call = f"call_{_letters(r, 24)}"
            ask = {"name": "run_in_terminal", "arguments": json.dumps(asked), "id": call}
            rounds.append({"response": said, "toolCalls": [ask]})
            results[call] = {"content": [{"value": output}]}
            shown.append({"value": said})
        prompt = _sentence(r, 30)
        yield {"requestId": f"request_{_id(r)}", "message": {"text": prompt, "parts": [{"text": prompt}]},
               "response": shown, "timestamp": 1766016764000,
               "result": {"metadata": {"toolCallRounds": rounds, "toolCallResults": results}}}  # fmt: skip


def _id(r: random.Random) -> str:
    return str(uuid.UUID(int=r.getrandbits(128), version=4))


AGENTS = {
    "codex": _codex,
    "claude": _claude,
    "gemini": _gemini,
    "copilot-cli": _copilot_cli,
    "copilot-vscode": _vscode,
}


def write_log(path: Path, agent: str, size: int, seed: int = 1) -> None:
    """Writes a log of so many bytes, and a record more at most."""
    r = random.Random(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        if path.suffix == ".json":
            name = "requests" if agent == "copilot-vscode" else "messages"
            about = (
                {"responderUsername": "GitHub Copilot"} if name == "requests" else {"projectHash": "0" * 64}
            )
            head = {"sessionId": _id(r), **about}
            file.write(json.dumps(head)[:-1] + f', "{name}": [\n')
        written = 0
        for at, record in enumerate(AGENTS[agent](r)):
            text = json.dumps(record, ensure_ascii=False)
            written += len(text)
            file.write((",\n" if at else "") + text if path.suffix == ".json" else text + "\n")
            if written >= size:
                break
        if path.suffix == ".json":
            file.write("\n]}\n")


def write_logs(folder: Path, megabytes: int, agents: list[str], each: int = 20) -> None:
    """Writes files of `each` megabytes for these agents; of those whose logs are one document, one."""
    for agent in agents:
        single = agent in ("gemini", "copilot-vscode")
        sizes = [megabytes] if single else [min(each, megabytes - at) for at in range(0, megabytes, each)]
        for number, size in enumerate(sizes):
            name = f"session-{number:04}.{'json' if single else 'jsonl'}"
            write_log(folder / agent / name, agent, size * 10**6, seed=number + 1)


if __name__ == "__main__":
    write_logs(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or list(AGENTS))
