"""`arr show RUN|PLAN`: one run with what became of its actions, or a plan that the state keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    markdown=True,
    examples="""
    arr show r000012                       a run
    arr show 7k3f                          a plan
    arr show 7k3f --format markdown        the plan for a pull request
    """,
)
def show(
    call: Call,
    ref: Annotated[str, typer.Argument(metavar="RUN|PLAN", help="A run as r000012, or the id or file of a plan.")],
) -> Exit:
    """Show a run and what became of its actions, or a plan."""
    from reconciler.cli.planning import shown
    from reconciler.plan.model import Plan
    from reconciler.views.documents import run_document
    from reconciler.views.journal import run_page

    found = call.session.show(ref)
    if isinstance(found, Plan):
        shown(call, found, Exit.OK)
    else:
        row, entries = found
        call.tell(lambda: run_page(row, entries, call.look()), lambda: run_document(row, entries))
    return Exit.OK
