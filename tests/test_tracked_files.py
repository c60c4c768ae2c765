"""What no tracked file may hold."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tracked_files import ROOT, text_of, tracked

SECRETS = re.compile(
    "|".join(
        [
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
            r"\bgh[pousr]_[A-Za-z0-9]{30,}",
            r"\bgithub_pat_\w{30,}",
            r"\bglpat-[\w-]{20}",
            r"\bxox[abprs]-[\w-]{10,}",
            r"\bsk-[\w-]{20,}",
            r"\bAIza[\w-]{35}",
            r"\bpypi-[\w-]{30,}",
            r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.",
            r"-----BEGIN [A-Z ]*PRIVATE KEY",
            r"(?i:\bbearer) +(?=[A-Za-z._-]*[0-9])[\w.~+/-]{16,}",
            r"\b[a-z][a-z0-9+]*://[^\s/:@{}<>\"']+:[^\s/@{}<>\"']+@",
            r"(?i:password|passwd|secret|token|api_?key)[\"']?\s*[=:]\s*"
            r"([\"'])(?=[^\"'\s]*[0-9])(?=[^\"'\s]*[A-Za-z])[^\"'\s{}<>()\[\]\\|*]{8,}\1",
        ]
    )
)
# The machine that somebody happens to work on, and addresses that only it can reach.
MACHINE = re.compile(
    r"(?<![\w.~/-])/(?:root|work)(?:/|\b)"
    r"|(?<![\w.~/])/(?:home|Users)/(?!ada\b|user\b|me\b)[a-z]"
    r"|https?://(?:10|127|172|192)\.\d+\.\d+\.\d+|https?://[\w.-]+\.(?:internal|local|corp|lan)\b"
)
BINARY = {".png", ".ico", ".woff2", ".parquet", ".arrows"}


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {found.group()[:40]}"
        for path in tracked()
        if path.suffix not in BINARY and path != Path(__file__)
        for number, line in enumerate(text_of(path).splitlines(), 1)
        if (found := pattern.search(line))
    ]


def test_no_secret_looking_literals():
    """No tracked file holds what looks like a credential, not even a fake one: tests build them."""
    assert not lines_with(SECRETS), "\n".join(lines_with(SECRETS))


def test_no_machine_paths():
    """No tracked file names a path or an address of the machine it was written on."""
    assert not lines_with(MACHINE), "\n".join(lines_with(MACHINE))


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("AKIA" + "A1B2C3D4E5F6G7H8", "AKIA, the prefix"),
        ("ghp_" + "a1" * 18, "ghp_ is the prefix"),
        ("sk-" + "proj-" + "a1b2" * 6, "a task-based approach"),
        ("-----BEGIN RSA" + " PRIVATE KEY-----", "BEGIN RSA PRIVATE KEY"),
        ("https://ada:" + "pass@example.org", "https://example.org/a:b@c"),
        ("password = " + '"hunter' + '2hunter2"', 'password = "<redacted>"'),
        ("{'api_key': " + "'q1w2e3r4t5'}", "password: str"),
        ("Bearer " + "a1b2c3d4e5f6g7h8", "the bearer of this certificate"),
    ],
)
def test_what_looks_like_a_secret(yes: str, no: str):
    """The check itself finds what it must, and leaves what it must."""
    assert SECRETS.search(yes)
    assert not SECRETS.search(no)


@pytest.mark.parametrize(
    ("yes", "no"),
    [
        ("in /" + "root/x", "the path /rooted, ~/root/, a/root/b"),
        ("cd /" + "work/main", "framework/worker, at/work, ../work/x"),
        ("/home/" + "bob/x", "/home/ada/project/app.py"),
        ("http://10." + "0.0.1/simple", "https://pypi.org/simple"),
    ],
)
def test_what_names_a_machine(yes: str, no: str):
    """The check itself finds what it must, and leaves what it must."""
    assert MACHINE.search(yes)
    assert not MACHINE.search(no)
