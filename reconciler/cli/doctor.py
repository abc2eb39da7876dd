"""`arr doctor`: every connection examined, with the remedy for what is wrong."""

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
    """Examine every connection, and say what to do about what is wrong.

    Is it reachable, is it the right program, does the key fit, do the clocks agree, are the paths there. Reads only.
    Ends with 1 when something is wrong.
    """  # fmt: skip
    from reconciler.views.doctor import doctor_page
    from reconciler.views.documents import doctor_document

    found = call.session.doctor(connection or [])
    bad = any(finding.ok is False for _, findings in found for finding in findings)
    code = Exit.ERROR if bad else Exit.OK
    call.tell(lambda: doctor_page(found), lambda: doctor_document(found, int(code)))
    return code
