"""`arr doctor`: every connection and every declared disk examined, with the remedy for what is wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr doctor                 every connection
    arr doctor sonarr radarr   these
    """
)
def doctor(
    call: Call,
    connection: Annotated[
        list[str] | None,
        typer.Argument(metavar="[CONNECTION]...", help="Connections to examine; all when none is named."),
    ] = None,
) -> Exit:
    """Examine every connection and disk, and say what to do about what is wrong.

    Is it reachable, is it the right program, does the key fit, do the clocks agree; and for each root of each declared
    disk: does the server know it and reach it, how big is it, how much is free. Reads only. Ends with 1 when something is
    wrong.
    """  # fmt: skip
    from reconciler.views.doctor import doctor_page
    from reconciler.views.documents import doctor_document

    found, disks = call.session.doctor(connection or [])
    bad = any(finding.ok is False for _, findings in (*found, *disks) for finding in findings)
    code = Exit.ERROR if bad else Exit.OK
    call.tell(lambda: doctor_page(found, disks), lambda: doctor_document(found, disks, int(code)))
    return code
