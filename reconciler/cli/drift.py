"""`arr drift`: what the world changed since the last apply, told apart from what you changed."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr drift
    arr drift --detailed-exitcode        2 when there is some
    """
)
def drift(
    call: Call,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="End with 2 when there is drift.")
    ] = False,
) -> Exit:
    """Show what the world changed since the last apply.

    Only resources whose wish is the one last applied, and what stopped half-way. Changes nothing.
    """
    from reconciler.plan.outcome import exit_code
    from reconciler.views.documents import DriftDocument
    from reconciler.views.plan import drift_page

    value = call.session.drift()
    code = exit_code(value, detailed=detailed_exitcode)
    call.tell(lambda: drift_page(value), lambda: DriftDocument(exit=int(code), resources=value.resources))
    return code
