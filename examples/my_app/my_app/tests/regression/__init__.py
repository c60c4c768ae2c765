"""Bugs that must not come back."""
