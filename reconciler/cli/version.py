"""`arr version`: the version, and what is installed with it."""

from __future__ import annotations

import platform
from importlib.metadata import entry_points
from importlib.metadata import version as version_of

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit


@command(
    examples="""
    arr version
    arr version --format json
    """
)
def version(call: Call) -> Exit:
    """Show the version, and what is installed with it."""
    from reconciler.views.documents import VersionDocument
    from reconciler.views.status import version_page

    arr, python = version_of("arr"), platform.python_version()
    kinds = sorted(entry_points(group="arr.kinds").names)
    apps = sorted(entry_points(group="arr.apps").names - {"here"})
    call.tell(
        lambda: version_page(arr, python, kinds, apps),
        lambda: VersionDocument(arr=arr, python=python, kinds=tuple(kinds), apps=tuple(apps)),
    )
    return Exit.OK
