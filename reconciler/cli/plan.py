"""`arr plan`: looks at the servers, says what would be done and why, and changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    markdown=True,
    examples="""
    arr plan                               everything that is declared
    arr plan --target disk_fill.media      one resource
    arr plan --retry tvdb:280619           an item that failed too often today
    arr plan --out media.json              for: arr apply media.json
    arr plan --format markdown             for a pull request
    arr plan --detailed-exitcode           2 when something would change
    """,
)
def plan(
    call: Call,
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="KIND.NAME", help="Only this resource; may be repeated.")
    ] = None,
    retry: Annotated[
        list[str] | None,
        typer.Option("--retry", metavar="ITEM", help="Try again now what was tried in vain; may be repeated."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the plan to a file as well.")] = None,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 2 when something would change.")
    ] = False,
) -> Exit:
    """Say what would be done, and why. Changes nothing.

    The plan is kept in the state: its last line says how to apply it. What a guard refuses and what is blocked because
    something is not known is shown with the reason; the rest of the plan can still be applied.
    """
    from reconciler.cli.planning import made, shown
    from reconciler.plan import files
    from reconciler.plan.outcome import exit_code

    value = made(call, target or [], retry=retry or [])
    if out is not None:
        files.write(value, out)
    code = exit_code(value, detailed=detailed_exitcode)
    shown(call, value, code)
    if out is not None and call.format == "text":
        typer.echo(f"Written: {out}     Apply it: arr apply {out}")
    return code
