"""Tamis records what a Python program did and keeps out of the record what must not be in it."""

__all__: list[str] = []
