"""Who somebody is."""

from my_app.auth import secrets


def login(user: str, password: str) -> str:
    """The key of a new session."""
    if not secrets.check(user, password):
        raise PermissionError("wrong name or password")
    return secrets.Sessions.open(user)


def logout(session: str) -> None:
    secrets.Sessions.close(session)
