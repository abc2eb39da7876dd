"""The log: to standard error as the user asks for it, to a file as JSON lines. No record leaves with a secret in it.

Levels: -v info, -vv debug, -q errors, -qq nothing; without them `ARR_LOG` (debug, info, warning, error), else warnings.
The file gets everything. HTTP libraries stay at warnings: they would log whole addresses.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime

from reconciler.cli.options import Given
from reconciler.connection import redact
from reconciler.errors import UsageError
from reconciler.views.text import safe

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
OURS = ("reconciler", "resources")
SILENT = logging.CRITICAL + 1

_open: list[logging.Handler] = []


class _Terminal(logging.Formatter):
    """`warning: text`, with the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        lines = [f"{record.levelname.lower()}: {safe(record.getMessage())}"]
        if record.exc_info:
            lines.append(self.formatException(record.exc_info))
        return redact("\n".join(lines))


class _JsonLine(logging.Formatter):
    """One JSON object a line: at, level, logger, message, and exception where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact(record.getMessage()),
        }
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info))
        return json.dumps(line, ensure_ascii=False)


def level_of(given: Given) -> int:
    """The level for standard error. UsageError for an ARR_LOG that is no level."""
    if given.quiet:
        return logging.ERROR if given.quiet == 1 else SILENT
    if given.verbose:
        return logging.INFO if given.verbose == 1 else logging.DEBUG
    named = os.environ.get("ARR_LOG", "").lower()
    if named and named not in LEVELS:
        raise UsageError(f"ARR_LOG={named} is no level", f"write one of {', '.join(LEVELS)}")
    return LEVELS.get(named, logging.WARNING)


def set_up(given: Given) -> None:
    """Direct the log of this process. UsageError when the file cannot be written."""
    close()
    terminal = logging.StreamHandler(sys.stderr)
    terminal.setLevel(level_of(given))
    terminal.setFormatter(_Terminal())
    _open.append(terminal)
    if given.log_file is not None:
        try:
            given.log_file.touch(mode=0o600)
            file = logging.FileHandler(given.log_file, encoding="utf-8")
        except OSError as e:
            raise UsageError(
                f"the log file {given.log_file} cannot be written: {e.strerror}", "choose another"
            ) from None
        file.setFormatter(_JsonLine())
        _open.append(file)
    root = logging.getLogger()
    for handler in _open:
        root.addHandler(handler)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)


def close() -> None:
    """Let go of what `set_up` opened."""
    for handler in _open:
        logging.getLogger().removeHandler(handler)
        handler.close()
    _open.clear()
