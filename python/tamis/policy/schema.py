"""The JSON Schemas of filters and of content rules, for editors: each lies beside its file, whose first line
names it; and the content rules that one begins with."""

from __future__ import annotations

import os

__all__ = [
    "RULES_FILE",
    "RULES_SCHEMA_FILE",
    "SCHEMA_DIRECTIVE",
    "SCHEMA_FILE",
    "rules_schema_text",
    "rules_text",
    "schema_text",
]

# Where a project keeps it, and the line of a filter that tells editors so.
SCHEMA_FILE = ".codetracer/trace-filter.schema.json"
SCHEMA_DIRECTIVE = f"#:schema ./{os.path.basename(SCHEMA_FILE)}"
# Where content rules lie, if nobody says otherwise, and their schema.
RULES_FILE = "user/redactions.yml"
RULES_SCHEMA_FILE = "user/redactions.schema.json"


def schema_text() -> str:
    """The schema of filters, as JSON text."""
    return _text(SCHEMA_FILE)


def rules_schema_text() -> str:
    """The schema of content rules, as JSON text."""
    return _text(RULES_SCHEMA_FILE)


def rules_text() -> str:
    """The content rules that `tamis init --rules` writes."""
    return _text(RULES_FILE)


def _text(name: str) -> str:
    path = os.path.join(os.path.dirname(__file__), "builtin", os.path.basename(name))
    with open(path, encoding="utf-8") as file:
        return file.read()
