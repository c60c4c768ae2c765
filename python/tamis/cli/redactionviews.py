"""Redactions by hand, printed: what there is, what one covers, and what was done."""

from __future__ import annotations

import sys

from tamis.cli import terminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

    from tamis.transcripts.manual import Place, Redaction
    from tamis.transcripts.store import Store
    from tamis.transcripts.stored import Stored

__all__ = ["print_history", "print_json", "print_list", "print_one", "print_places", "told"]


_MANY = 40  # places on a screen


def print_list(args: argparse.Namespace, store: Store) -> None:
    """`list`: a line for each."""
    from tamis.transcripts.manual import everything, places_of, printable

    with store.reading() as connection:
        found = [it for it in everything(connection) if it.active or args.all]
        places = {it.redaction: places_of(connection, it) for it in found}
    if args.json:
        listed = [{**told(it), "covered": len(places[it.redaction])} for it in found]
        print_json({"redactions": listed})
        return
    for it in found:
        covered = places[it.redaction]
        sessions = sorted({place.session for place in covered})
        where = ", ".join(sessions[:2]) + (f" and {len(sessions) - 2} more" if len(sessions) > 2 else "")
        count = terminal.counted(len(covered), "place") if it.active else "removed"
        line = (
            f"{it.redaction:>4}  {it.time[:16]}  {it.actor}  {it.scope}  {count}  {where}  {it.replacement}"
        )
        print(printable(f"{line}  {it.reason}").rstrip())
    if not found:
        print("tamis: there are no redactions by hand", file=sys.stderr)


def print_one(args: argparse.Namespace, store: Store) -> None:
    """`show`: one, and what it covers."""
    from tamis.transcripts.manual import current, places_of, printable
    from tamis.transcripts.stored import select

    with store.reading() as connection:
        it = current(connection, args.id)
        places = places_of(connection, it)
        known = select(connection)
    if args.json:
        print_json({"redaction": {**told(it), "places": [_told_place(place) for place in places]}})
        return
    about = {
        "redaction": f"{it.redaction}, version {it.version}" + ("" if it.active else ", removed"),
        "changed": f"{it.time[:19]} by {it.actor} ({it.what})",
        "scope": it.scope,
        "replacement": it.replacement,
        "reason": it.reason,
    }
    for name, value in about.items():
        print(printable(f"{name:12} {value}").rstrip())
    print_places(places, known)


def print_history(args: argparse.Namespace, store: Store) -> None:
    """`history`: a line for each change."""
    from tamis.transcripts.manual import current, history, printable

    with store.reading() as connection:
        if args.id is not None:
            current(connection, args.id)
        found = history(connection, args.id)
    if args.json:
        print_json({"history": [told(it) for it in found]})
        return
    for it in found:
        line = f"{it.time[:19]}  {it.redaction:>4} v{it.version}  {it.what:6}  {it.actor}  {it.scope}"
        print(printable(f"{line}  {it.replacement}  {it.reason}").rstrip())


def print_places(places: list[Place], known: list[Stored]) -> None:
    """A line for each place; `known`: the transcripts of the store."""
    from tamis.transcripts.resolving import way_text

    names = {(it.agent, it.source): it.session or it.source for it in known}
    for place in places[:_MANY]:
        name = names.get((place.agent, place.source), "(not in the store)")
        key = ", the name" if place.is_key else ""
        span = f"{place.start}:{place.stop} of {place.length}"
        print(f"  {place.agent} {name}  line {place.line}  {way_text(place.path)}{key}  {span}")
    if len(places) > _MANY:
        print(f"  … {len(places) - _MANY:,} more")


def told(it: Redaction) -> dict[str, object]:
    """A redaction, for JSON."""
    names = ("version", "what", "time", "actor", "active", "scope", "replacement", "reason")
    return {"id": it.redaction, **{name: getattr(it, name) for name in names}}


def _told_place(place: Place) -> dict[str, object]:
    from tamis.transcripts.resolving import way_text

    names = ("agent", "session", "source", "line", "is_key", "start", "stop", "length")
    return {**{name: getattr(place, name) for name in names}, "path": way_text(place.path)}


def print_json(value: dict[str, object]) -> None:
    """The outcome of a command, as JSON."""
    import json

    json.dump({"version": 1, **value}, sys.stdout, ensure_ascii=False, indent=2)
    print()
