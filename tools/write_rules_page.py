"""Writes `docs/builtin-rules.md` from the rules that come with Tamis."""

from __future__ import annotations

from pathlib import Path

from tamis.policy.pack import builtin_rules
from tamis.policy.rulefile import Rule

PAGE = Path(__file__).resolve().parents[1] / "docs" / "builtin-rules.md"
HEAD = """\
# Built-in rules

The [content rules](rules.md#built-in-rules) that come with Tamis, in their order.
`tools/write_rules_page.py` writes this page from the rules themselves.

| id | of | what it finds | published |
|---|---|---|---|
"""


def page() -> str:
    """The text of the page."""
    return HEAD + "".join(map(_row, builtin_rules()))


def _row(rule: Rule) -> str:
    title = rule.title.replace("|", "/").replace("<", "&lt;")
    return f"| `{rule.id}` | {rule.vendor} | {title} | [source]({rule.source}) |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
