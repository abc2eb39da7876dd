"""`arr why ITEM`: every resource's verdict on one title, id or path, with its reasons."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr why "The Expanse"
    arr why tvdb:280619
    """
)
def why(
    call: Call,
    item: Annotated[str, typer.Argument(metavar="ITEM", help="A title, an id as tvdb:280619, or a path.")],
) -> Exit:
    """Say what every resource thinks of one item.

    Looks at the servers as arr plan does, and changes nothing.
    """
    from reconciler.views.documents import why_document
    from reconciler.views.status import why_page

    verdicts = call.session.why(item)
    asked = len(call.session.validate().resources)
    call.tell(lambda: why_page(item, verdicts, asked), lambda: why_document(item, verdicts))
    return Exit.OK
