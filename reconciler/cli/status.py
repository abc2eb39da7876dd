"""`arr status`: what is declared, what is under way, and the latest runs."""

from __future__ import annotations

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr status
    arr status --format json
    """
)
def status(call: Call) -> Exit:
    """Show what is declared, what is under way, and the latest runs.

    What is under way is looked up on its server; nothing else is asked, and nothing is changed.
    """
    from reconciler.views.documents import status_document
    from reconciler.views.status import status_page

    now = call.session.status()
    call.tell(
        lambda: status_page(now.resources, now.applied, now.pending, now.runs, call.state, call.look()),
        lambda: status_document(
            now.resources, now.applied, now.pending, now.runs, state=str(call.state), lineage=now.lineage
        ),
    )
    return Exit.OK
