"""A login with a wrong password must not open a session."""

import pytest

from my_app.auth import login


def attempt(debug_context: dict[str, object], user: str, password: str) -> bool:
    try:
        login(user, password)
    except PermissionError:
        print("refused:", debug_context)
        return False
    return True


@pytest.mark.parametrize("length", [0, 3])
def test_short_passwords(length):
    assert not attempt({"length": length, "case": "too short"}, "ada", "x" * length)
