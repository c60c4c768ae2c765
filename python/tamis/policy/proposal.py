"""A filter to start from: what a survey of the project suggests, as text for people to read and change."""

from __future__ import annotations

import json
import os
import re
from itertools import pairwise

from tamis.policy.chain import builtin, load
from tamis.policy.schema import SCHEMA_DIRECTIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from tamis.policy.survey import Survey

__all__ = ["Proposal", "propose"]

# So many folders get a rule each; of more, one rule speaks of all.
_MAX_RULES = 20
_MAX_NAMES = 60
_MAX_SHOWN = 12

# Words in names, beside those of builtin-default. Each proposal is there to be judged by somebody who knows.
_WORDS = {
    "looks like a secret": """
        ciphertext cleartext decrypted encrypted htpasswd keystore kubeconfig nonce pem pepper pfx plaintext
        privkey puk salt saml sso webhook
    """,
    "looks like personal data": """
        birth birthdate birthday cardholder diagnosis dob email emails firstname fullname gender lastname
        maiden mobile nationality patient phone phones religion salary street surname telephone
    """,
}
_PAIRS = {
    ("first", "name"),
    ("last", "name"),
    ("full", "name"),
    ("customer", "name"),
    ("contact", "name"),
    ("home", "address"),
    ("billing", "address"),
    ("shipping", "address"),
    ("postal", "address"),
    ("e", "mail"),
}
_REASONS = {word: reason for reason, words in _WORDS.items() for word in words.split()}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


class Proposal:
    """The text of a filter, and what to tell the person who asked for it."""

    def __init__(self, text: str, notes: Sequence[str]) -> None:
        self.text = text
        self.notes = tuple(notes)


def propose(name: str, found: Survey) -> Proposal:
    """A filter for the project of this name."""
    code = _code_rules(found)
    names, covered = _judge(found)
    rules = [*code, *_skipped(found), *_secret_modules(found)]
    if names:
        rules.append(_names_rule(names[:_MAX_NAMES]))
    notes = [f"looked at {found.files:,} file{'s' * (found.files != 1)}"]
    if not found.whole:
        notes[0] += "; the project is large, and not all of it was looked at"
    notes += [f"could not read {path}: {why}" for path, why in found.unread[:_MAX_SHOWN]]
    if len(found.unread) > _MAX_SHOWN:
        notes.append(f"could not read {len(found.unread) - _MAX_SHOWN:,} files more")
    if len(names) > _MAX_NAMES:
        notes.append(f"{len(names) - _MAX_NAMES:,} more names look like secrets: rules for them are yours")
    with open(_template(), encoding="utf-8") as file:
        text = file.read()
    printable = "".join(character if character.isprintable() else "_" for character in name)
    values = {
        "@SCHEMA@": SCHEMA_DIRECTIVE,
        "@NAME@": _string(printable or "project"),
        "@EXEC@": _string("skip" if code else "inherit"),
        "@RULES@": "".join(f"\n{rule}" for rule in [*rules, *_already(covered)]),
    }
    # In one pass: what is put in may hold what looks like a mark.
    text = re.sub("|".join(values), lambda mark: values[mark[0]], text)
    return Proposal(text.rstrip("\n") + "\n", notes)


def _template() -> str:
    return os.path.join(os.path.dirname(__file__), "builtin", "template.toml")


def _string(text: str) -> str:
    """Printable text as a TOML string: a JSON string without control characters is one."""
    return json.dumps(text, ensure_ascii=False)


# Rules


def _rule(selector: str, reason: str, **keys: str) -> str:
    lines = [f"selector = {_string(selector)}", *(f"{key} = {_string(value)}" for key, value in keys.items())]
    return "\n".join(["[[scope.rules]]", *lines, f"reason = {_string(reason)}", ""])


def _selector(path: str) -> str:
    """Selects a folder or file, as a package if it can be one."""
    parts = path.removesuffix(".py").split("/")
    if parts[0] == "src" and len(parts) > 1:
        parts = parts[1:]
    if all(part.isidentifier() for part in parts):
        return f"pkg:{'.'.join(parts)}.*"
    escaped = re.sub(r"([*?\[\]{},\\])", r"\\\1", path)
    return f"file:glob:{escaped}" if path.endswith(".py") else f"file:glob:{escaped}/**"


def _code_rules(found: Survey) -> list[str]:
    """Rules that trace the project's own code."""
    if len(found.packages) > _MAX_RULES:
        return [
            _rule("file:**/*.py", f"the project: it has {len(found.packages)} folders", exec="trace"),
            _rule("file:**/site-packages/**", "packages of others, installed in the project", exec="skip"),
        ]
    rules = [
        _rule(_selector(path), "a package of this project", exec="trace") for path in sorted(found.packages)
    ]
    for folder in sorted(found.scripts):
        where = f"{folder}/" if folder else ""
        rules.append(_rule(f"file:{where}*.py", "modules and scripts of this project", exec="trace"))
    return rules


def _skipped(found: Survey) -> list[str]:
    """Rules that skip what is in the project and not the program."""
    rules = []
    for paths, all_of_them, reason in (
        (found.vendored, "file:**/{vendor,_vendor,vendored,_vendored,third_party}/**", "not written here"),
        (found.tests, "file:**/{test,tests}/**", "tests are not the program"),
    ):
        selectors = [_selector(path) for path in sorted(paths)]
        if len(selectors) > _MAX_RULES:
            selectors = [all_of_them]
        rules += [_rule(selector, reason, exec="skip") for selector in selectors]
    if found.test_files:
        tests = "file:**/{test_*,*_test,conftest}.py"
        rules.append(_rule(tests, "tests are not the program", exec="skip"))
    return rules


def _secret_modules(found: Survey) -> list[str]:
    reason = "about secrets, by its name: structure and time only"
    paths = sorted(found.secret_modules)[:_MAX_RULES]
    return [_rule(_selector(path), reason, value_default="redact") for path in paths]


def _names_rule(names: Sequence[tuple[str, str, str]]) -> str:
    lines = [_rule("pkg:*", "names in this project that should not leave it: judge each of them")]
    for kind, name, reason in names:
        lines.append("    [[scope.rules.value_patterns]]")
        lines += [f"    selector = {_string(f'{kind}:literal:{name}')}", '    action = "redact"']
        lines += [f"    reason = {_string(reason)}", ""]
    return "\n".join(lines)


def _already(covered: Sequence[tuple[str, str]]) -> list[str]:
    """A comment on what needs no rule."""
    if not covered:
        return []
    lines = ["# Names of this project that builtin-default redacts, and that need no rule here:"]
    lines += [f"#   {name} ({place})" for name, place in covered[:_MAX_SHOWN]]
    if len(covered) > _MAX_SHOWN:
        lines.append(f"#   and {len(covered) - _MAX_SHOWN:,} more")
    return ["\n".join(lines) + "\n"]


# Names


def _judge(found: Survey) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """The names that a rule is proposed for, (kind, name, reason); and those that are redacted already, with
    their places."""
    scope = load([builtin("builtin-default")]).scope(["project"], "project.py", "f")
    names: list[tuple[str, str, str]] = []
    covered: dict[str, str] = {}
    for (kind, name), place in found.names.items():
        if len(name) > 60 or not name.isprintable() or not place.isprintable():
            continue
        if scope.value([kind], [name])[0] != "allow":
            covered.setdefault(name, place)
        elif looks := _looks(name):
            names.append((kind, name, f"{looks}: {place}"))
    return sorted(names, key=lambda item: (item[1], item[0])), sorted(covered.items())


def _looks(name: str) -> str | None:
    """What a name looks like, by its words; None for most names."""
    words = [word.lower() for word in _WORD.findall(name)]
    for word in words:
        if word in _REASONS:
            return _REASONS[word]
    if any(pair in _PAIRS for pair in pairwise(words)):
        return "looks like personal data"
    return None
