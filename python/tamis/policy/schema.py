"""The JSON Schema of filters, for editors: it lies beside the filter, whose first line names it."""

from __future__ import annotations

import os

__all__ = ["SCHEMA_DIRECTIVE", "SCHEMA_FILE", "schema_text"]

# Where a project keeps it, and the line of a filter that tells editors so.
SCHEMA_FILE = ".codetracer/trace-filter.schema.json"
SCHEMA_DIRECTIVE = f"#:schema ./{os.path.basename(SCHEMA_FILE)}"


def schema_text() -> str:
    """The schema, as JSON text."""
    path = os.path.join(os.path.dirname(__file__), "builtin", os.path.basename(SCHEMA_FILE))
    with open(path, encoding="utf-8") as file:
        return file.read()
