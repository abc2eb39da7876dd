"""`arr undo RUN`: an ordinary plan that takes a run back, where that is possible."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    markdown=True,
    examples="""
    arr undo r000012
    """,
)
def undo(
    call: Call, run: Annotated[str, typer.Argument(metavar="RUN", help="A run as r000012; see arr history.")]
) -> Exit:
    """Make a plan that takes a run back, where that is possible.

    The plan is shown and kept like any other; nothing is done until you apply it. What cannot be taken back is listed as
    held, with the reason. Your desired state is not edited: while it still asks for what you undo, the next plan will too.
    """  # fmt: skip
    from reconciler.cli.planning import shown
    from reconciler.plan.outcome import exit_code

    plan = call.session.undo(run)
    code = exit_code(plan, detailed=False)
    shown(call, plan, code, empty=f"{run} did nothing that could be taken back: arr show {run}")
    return code
