"""What the table `[tool.tamis]` of a project's `pyproject.toml` says about recordings."""

from __future__ import annotations

import os

from tamis.errors import UsageError

__all__ = ["read_settings"]

# The keys, which are names of `tamis.record.options.Options` too, and the largest number allowed.
_KEYS = {"values": True, "depth": 16, "receiver": 16, "items": 1000, "string": 1000}


def read_settings(project_root: str) -> dict[str, int | bool]:
    """The options that the project sets; none without a `pyproject.toml` or such a table in it.

    Raises :class:`tamis.errors.UsageError` for a key or value that it does not know.
    """
    path = os.path.join(project_root, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            text = file.read()
    except OSError:
        return {}
    if b"tamis" not in text:  # the parser costs more to import than most recordings take to begin
        return {}
    import tomllib

    try:
        table = tomllib.loads(text.decode()).get("tool", {}).get("tamis", {})
    except (ValueError, AttributeError) as error:
        raise UsageError(f"`{path}` cannot be read: {error}") from error
    if not isinstance(table, dict):
        raise UsageError(f"`{path}`: `tool.tamis` is not a table")
    settings: dict[str, int | bool] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise UsageError(f"`{path}`: unknown key `{key}` in `[tool.tamis]`", hint=_hint(key))
        most = _KEYS[key]
        right = type(value) is bool if most is True else type(value) is int and 0 <= value <= most
        if not right:
            wanted = "true or false" if most is True else f"a whole number from 0 to {most:,}"
            raise UsageError(f"`{path}`: `{key}` in `[tool.tamis]` is not {wanted}")
        settings[key] = value
    return settings


def _hint(key: str) -> str:
    import difflib

    close = difflib.get_close_matches(key, list(_KEYS), n=1)
    return (
        f"did you mean `{close[0]}`?"
        if close
        else "the keys are " + ", ".join(f"`{known}`" for known in _KEYS)
    )
