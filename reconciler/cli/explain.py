"""`arr explain [PATH]`: a section, a kind, an app or any field of the desired state."""

from __future__ import annotations

from typing import Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr explain                            the sections and kinds there are
    arr explain disk_fill                  a kind
    arr explain disk_fill.moves.per_run    one field
    arr explain connections.sonarr         how a connection is written
    """
)
def explain(
    call: Call,
    path: Annotated[
        str, typer.Argument(metavar="[KIND[.FIELD]]", help="What to explain, with dots; everything when left out.")
    ] = "",
) -> Exit:
    """Explain a kind, an app or one of their fields.

    From the same source as the checks and the schema, so it is what this version accepts.
    """
    from reconciler import registry
    from reconciler.desired.explain import explain as explained
    from reconciler.views.documents import ExplainDocument
    from reconciler.views.explain import explain_page

    told = explained(path, registry.kinds(), registry.apps())
    call.tell(lambda: explain_page(told), lambda: ExplainDocument.of(told))
    return Exit.OK
