"""`arr validate`: the desired state is read and checked; no server is asked, nothing is written."""

from __future__ import annotations

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr validate                          ./desired, or $ARR_DESIRED
    arr validate --desired disks.yaml     one file
    arr validate --format json            errors with file, line and column
    """
)
def validate(call: Call) -> Exit:
    """Check the desired state; no server is asked.

    Every problem is shown at once, with its place, the line itself and what to write instead. Ends with 64 when there
    is one.
    """
    from reconciler.views.documents import ValidationDocument, declared
    from reconciler.views.status import validation_page

    found = call.session.validate()
    call.tell(
        lambda: validation_page(found.resources, found.files, len(found.stack.connections)),
        lambda: ValidationDocument(
            files=found.files, resources=tuple(declared(r) for r in found.resources), digest=found.digest
        ),
    )
    return Exit.OK
