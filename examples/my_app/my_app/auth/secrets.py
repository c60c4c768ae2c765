"""Passwords and the keys of sessions."""

from __future__ import annotations

import secrets


def check(user: str, password: str) -> bool:
    return bool(user) and len(password) > 3


class Sessions:
    """The sessions that are open."""

    keys: set[str] = set()  # noqa: RUF012

    @classmethod
    def open(cls, user: str) -> str:
        key = f"{user}-{secrets.token_hex(8)}"
        cls.keys.add(key)
        return key

    @classmethod
    def close(cls, key: str) -> None:
        cls.keys.discard(key)
