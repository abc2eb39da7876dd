"""How a command says that it failed: one clear message, as text on standard error or as `arr.error/1`.

An unexpected exception is a fault of this program: one line, with the way to the details, which are in the log.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from reconciler.connection import redact
from reconciler.errors import ArrError, Exit
from reconciler.views import console
from reconciler.views.diagnostics import error_page

log = logging.getLogger(__name__)


def told(error: ArrError, format: str) -> None:
    """Say why a command ended."""
    if format == "json":
        from reconciler.views.documents import dumped, error_document  # for JSON only

        console.write(dumped(error_document(error)))
    else:
        console.show(error_page(error), sys.stderr)


def unexpected(error: Exception, log_file: Path | None = None) -> Exit:
    """Say that this program failed, and where the details are. Never with a secret."""
    log.debug("unexpected", exc_info=error)
    where = f"the details are in {log_file}" if log_file else "run it again with -vv, or with --log-file FILE"
    first = next(iter(str(error).splitlines()), "")
    what = f"{type(error).__name__}: {first}" if first else type(error).__name__
    remedy = f"{where}; what was begun stands in the journal: arr status"
    console.show(error_page(ArrError(f"a fault of this program ({redact(what)})", remedy)), sys.stderr)
    return Exit.ERROR
