"""The filters of `examples/my_app`, line by line, as recordings show them.

Calls show parameters, attributes inside them, and what leaves a function. They cannot show yet what the rest
of these filters says: `local` patterns on variables that are no parameters and `global:literal:FEATURE_FLAGS`
(lines and locals are not recorded), and `[io]` (output is not recorded; the override accepts the warning that
says so).
"""

from __future__ import annotations

import secrets
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import recording
from recording import Recorded

from tamis import cli
from tamis.policy.schema import schema_text

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
OVERRIDE = ".codetracer/login-regression.toml"
PASSWORD = secrets.token_hex(8)
CARD = str(secrets.randbelow(9 * 10**15) + 10**15)


def place(folder: Path) -> Path:
    """The project and the home directory of the story, in a folder of their own."""
    shutil.copytree(EXAMPLES / "my_app", folder / "my_app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(EXAMPLES / "home", folder / "home")
    return folder / "my_app"


def tamis_run(project: Path, *command: str, env: dict[str, str] | None = None) -> Recorded:
    trace = project.parent / "trace"
    words = [sys.executable, "-m", "tamis", "run", "-q", "-o", str(trace), *command]
    known = {"MY_APP_PASSWORD": PASSWORD, "MY_APP_CARD": CARD, "HOME": str(project.parent / "home")}
    return recording.run(words, trace, project, env={**known, **(env or {})}).ok()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The shop at work, under the baseline alone."""
    recorded = tamis_run(place(tmp_path_factory.mktemp("shop")), "main.py")
    yield recorded
    recorded.trace.close()


@pytest.fixture(scope="module")
def tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorded]:
    """The tests of the shop, under the baseline and the override of a contributor."""
    project = place(tmp_path_factory.mktemp("tests"))
    command = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "my_app/tests")
    recorded = tamis_run(project, *command, env={"CODETRACER_TRACE_FILTER": f"~/{OVERRIDE}"})
    yield recorded
    recorded.trace.close()


def shown(value: Any) -> bool:
    """Whether a value was kept; a marker of redaction is none."""
    return not (isinstance(value, dict) and "$redacted" in value)


def kept(recorded: Recorded, qualname: str) -> dict[str, bool]:
    """The parameters of a function, and whether their values were kept, the same in every call."""
    found = [{name: shown(value) for name, value in args.items()} for args in recorded.arguments(qualname)]
    assert found
    assert all(one == found[0] for one in found)
    return found[0]


def decided(recorded: Recorded, qualname: str, path: str) -> set[tuple[str, str | None, str | None, bool]]:
    """Who redacted a value: filter, rule, pattern, and whether it counts as a secret."""
    rows = [row for row in recorded.trace.redactions() if (row.qualname, row.path) == (qualname, path)]
    return {(row.filter, row.rule, row.pattern, row.secret) for row in rows}


def modules(recorded: Recorded) -> set[str]:
    return {code.module for code in recorded.trace.code() if code.traced}


BASELINE = "my-app-baseline"
CORE = "pkg:my_app.core.*"
PAYMENT = "obj:my_app.payments.capture_payment"
LOGIN = "obj:my_app.auth.login"


def test_nothing_secret_is_in_the_trace(shop: Recorded):
    """Neither the password nor the card number is anywhere in the record."""
    assert "of ada costs" in shop.stdout
    assert PASSWORD not in shop.everything()
    assert CARD not in shop.everything()


@pytest.mark.parametrize(
    ("qualname", "expected"),
    [
        # `user` and `order` are allowed; `password` is redacted, and so is, by default, `note`
        ("place_order", {"user": True, "order": True, "password": False, "note": False}),
        # a pattern is about a name, wherever in the package it is met
        ("price", {"order": True}),
        # `inherit`, and the chain redacts
        ("send_receipt", {"address": False, "text": False}),
        ("save", {"name": False, "thing": False}),
        ("login", {"user": False, "password": False}),
        (
            "capture_payment",
            {
                "invoice": True,
                "amount": True,
                "invoice_id": True,
                "trace_id": True,
                "card_number": False,
                "customer": False,
            },
        ),
    ],
)
def test_parameters(shop: Recorded, qualname: str, expected: dict[str, bool]):
    """Parameters are kept where a pattern allows them, and only there."""
    assert kept(shop, qualname) == expected


@pytest.mark.parametrize(
    ("qualname", "path", "who"),
    [
        ("place_order", "$.password", (BASELINE, CORE, "arg:password", True)),
        ("place_order", "$.note", (BASELINE, CORE, None, False)),
        ("place_order", "$.order.session_token", (BASELINE, CORE, "attr:regex:(?i).*token", True)),
        ("place_order", "$", (BASELINE, CORE, None, False)),
        ("login", "$", (BASELINE, LOGIN, "ret:literal:my_app.auth.login", True)),
        ("login", "$.user", (BASELINE, None, None, False)),
        ("save", "$.thing", (BASELINE, None, None, False)),
        ("capture_payment", "$.card_number", (BASELINE, PAYMENT, "local:literal:card_number", True)),
        ("capture_payment", "$.customer", (BASELINE, PAYMENT, None, False)),
    ],
)
def test_who_redacts(shop: Recorded, qualname: str, path: str, who: tuple[str, str | None, str | None, bool]):
    """Each redaction names the filter, rule and pattern that decided, and says whether it is a secret."""
    assert decided(shop, qualname, path) == {who}


def test_what_is_inside_an_order(shop: Recorded):
    """An order is shown with its fields, but for the token."""
    order = shop.arguments("place_order")[0]["order"]
    assert order["number"] == 7
    assert not shown(order["session_token"])


def test_what_is_traced_and_what_is_not(shop: Recorded):
    """Core, services and the two objects are recorded; of the rest not even a call shows."""
    traced = {"my_app.core.orders", "my_app.services.mail", "my_app.services.storage.files"}
    assert traced <= modules(shop)
    assert {module for module in modules(shop) if module.startswith("my_app.auth.")} == set()
    names = {call.qualname for call in shop.all_calls}
    assert {"place_order", "send_receipt", "save", "login", "capture_payment"} <= names
    assert not names & {"main", "logout", "refund", "check", "Sessions.open", "Sessions.close"}


def test_tests_are_skipped_but_for_the_one(tests: Recorded):
    """The override shows one file of tests, and with it `debug_context`; the other tests stay skipped."""
    names = {call.qualname for call in tests.all_calls}
    assert {"test_short_passwords", "attempt", "login", "price"} <= names
    assert "test_price" not in names
    assert kept(tests, "attempt") == {"debug_context": True, "user": False, "password": False}
    assert tests.arguments("attempt")[0]["debug_context"] == {"length": 0, "case": "too short"}


def test_the_override_uncovers_nothing_else(tests: Recorded):
    """What the baseline redacts stays redacted under the override, exceptions that leave a login included."""
    assert kept(tests, "login") == {"user": False, "password": False}
    assert tests.outcomes("login") == ["raised", "raised"]
    assert "wrong name or password" not in tests.everything()


def test_the_chain(tests: Recorded):
    """The override inherits from the baseline: both stand in the trace, in the order of the chain."""
    filters = tests.trace.metadata["trace_filter"]["filters"]
    names = ["builtin-default", "pytest", BASELINE, "login-regression"]
    assert [one["name"] for one in filters] == names
    assert filters[-1]["path"] == f"~/{OVERRIDE}"


def test_what_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The two filters are clean, and the schema beside the baseline is the one of the package."""
    project = place(tmp_path)
    monkeypatch.chdir(project)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CODETRACER_TRACE_FILTER", f"~/{OVERRIDE}")
    assert cli.main(["check", "--strict"]) == 0
    assert "no errors, 7 rules" in capsys.readouterr().out
    override = tmp_path / "home" / OVERRIDE
    override.write_text(override.read_text().replace("accept = ", "# accept = "))
    assert cli.main(["check", "--strict"]) == 1
    assert "[io-not-served]" in capsys.readouterr().out
    assert (project / ".codetracer/trace-filter.schema.json").read_text() == schema_text()
