"""What is installed: kinds, apps and command groups, found through entry points.

The engine imports none of them by name, so a package of anybody's can bring its own. The command line and the session
call this; nothing below them does.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # `arr --help` asks for names only, and these cost more than all the rest of it
    from reconciler.connection import App
    from reconciler.kind import Kind


def _found(group: str) -> list[EntryPoint]:
    return sorted(entry_points(group=group), key=lambda e: e.name)


@cache
def kinds() -> dict[str, Kind[Any]]:
    """Kind name → the kind, from `arr.kinds`. A kind must be called what its entry point is called."""
    found: dict[str, Kind[Any]] = {e.name: e.load() for e in _found("arr.kinds")}
    wrong = [f"{name} (calls itself {kind.name})" for name, kind in found.items() if kind.name != name]
    if wrong:
        raise RuntimeError(f"these kinds are registered under another name than their own: {', '.join(wrong)}")
    return found


@cache
def openable() -> dict[str, App]:
    """App name → the app, from `arr.apps`; with `here`, this machine, which every stack has without declaring it."""
    return {e.name: e.load() for e in _found("arr.apps")}


def apps() -> dict[str, App]:
    """The apps that a connection may name."""
    return {name: app for name, app in openable().items() if name != "here"}


def commands() -> list[EntryPoint]:
    """Further groups of commands, from `arr.commands`, not loaded yet: `arr --help` needs their names only."""
    return _found("arr.commands")
