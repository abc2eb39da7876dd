"""`arr settle ENTRY`: closes an entry of the journal by hand, where no look at the world can tell what became of it."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit, UsageError

if TYPE_CHECKING:
    from reconciler.apply.by_hand import Entry


@command(
    examples="""
    arr settle                     what is open, and what looking tells of it
    arr settle r000012/disk_fill.media/1 --as not-done --because "renamed it"
    """
)
def settle(
    call: Call,
    entry: Annotated[
        str | None,
        typer.Argument(metavar="[ENTRY]", help="An open entry as r000012/disk_fill.media/1; none: list them."),
    ] = None,
    ended: Annotated[
        Literal["done", "not-done"] | None,
        typer.Option("--as", help="How it ended, by what you have seen yourself.", show_default=False),
    ] = None,
    because: Annotated[
        str | None,
        typer.Option("--because", metavar="TEXT", help="Why; it is kept in the journal.", show_default=False),
    ] = None,
) -> Exit:
    """Close an entry of the journal by hand, where no look can tell.

    For what was under way on a connection that was since renamed or removed: nobody can be asked any more. No server is
    told anything and no file is touched; only the journal is written, with who said so, when and why. What can still be
    looked up is refused. You type the word to confirm it.
    """
    from reconciler.apply.by_hand import check, find
    from reconciler.views import console
    from reconciler.views.documents import settle_document
    from reconciler.views.settle import entries_page, entry_page, settled_page

    among = call.session.open_entries()
    if entry is None:
        if ended or because:
            raise UsageError("name the entry", "arr settle lists what is open")
        call.tell(lambda: entries_page(among, call.look()), lambda: settle_document(among))
        return Exit.OK
    found = find(among, entry)
    check(found)
    if ended is None or not (because or "").strip():
        if call.format == "text":
            console.show(entry_page(found, call.look()))
        raise UsageError("say how it ended, and why", f'arr settle {found.name} --as done --because "…"')
    _confirm(call, found, ended)
    run = call.session.settle(found, ended, who=_who(), because=" ".join((because or "").split()))
    call.tell(lambda: settled_page(found, ended, run), lambda: settle_document((), settled=found.name, run=run))
    return Exit.OK


def _confirm(call: Call, entry: Entry, ended: str) -> None:
    """Show what it is and have the outcome typed. Only a person at a terminal can say what they have seen."""
    from reconciler.errors import ArrError
    from reconciler.views import console
    from reconciler.views.settle import entry_page

    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError("nobody is there to confirm", "run it at a terminal: what you have seen has to be typed")
    console.show(entry_page(entry, call.look()), sys.stderr)
    sys.stderr.write(f"\nType {ended} to have the journal say so: ")
    sys.stderr.flush()
    if sys.stdin.readline().strip() != ended:
        raise ArrError("not confirmed: nothing was written", "the entry stays open")


def _who() -> str:
    """Who says so, as `alice@nas`; a number where the user has no name, as in many containers."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):
        name = str(os.getuid())
    return f"{name}@{socket.gethostname()}"
