"""`arr history`: the runs, newest first."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr history
    arr history --limit 100 --format json
    """
)
def history(
    call: Call,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many runs at most.")] = 20,
) -> Exit:
    """List the runs, newest first."""
    from reconciler.views.documents import HistoryDocument, Run
    from reconciler.views.journal import history_page

    runs = call.session.history(limit)
    call.tell(lambda: history_page(runs, call.look()), lambda: HistoryDocument(runs=tuple(Run.of(row) for row in runs)))
    return Exit.OK
