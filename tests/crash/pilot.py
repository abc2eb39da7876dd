"""Runs `arr` in child processes that kill themselves where they are told to; the other end of `Pilot` in `test_matrix.py`.

Reads one JSON object a line: `{args, cwd, env, die_at, reads, out, err, marks}`; answers `{"code": N}` (-9: it was killed). The
process has everything imported and forks for each command, so that a run costs its own work and no start.

A crash point is each side of every boundary of the journal, and for each write to a server: before it is sent, and when the
server has done it and its answer is not read yet, the same around what is done in quarantine; with `reads` also before each
read of a server. They are counted from 1;
at point `die_at` the process gets SIGKILL. Each point is noted in the file `marks` before it is passed.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from reconciler import registry
from reconciler import session as _session  # noqa: F401  # imported before the forks
from reconciler.cli import apply as _apply  # noqa: F401
from reconciler.cli import plan as _plan  # noqa: F401
from reconciler.cli.main import outcome
from reconciler.clock import SystemClock
from reconciler.store import Store
from resources.clients.exchange import Exchange
from resources.clients.http import Http
from resources.clients.localfs import quarantine
from resources.clients.sftp import quarantine as far
from resources.clients.sftp.client import SftpClient

BOUNDARIES = (
    "begin_run",
    "consume",
    "protect",
    "apply_wish",
    "intend",
    "accept",
    "settle",
    "end_run",
)
HURRY = 10.0  # waits are this much shorter


class Points:
    """Counts the points of one run."""

    def __init__(self, die_at: int, marks: Path) -> None:
        self._die_at, self._passed = die_at, 0
        self._file = marks.open("a")

    def __call__(self, name: str) -> None:
        self._passed += 1
        self._file.write(f"{name}\n")
        self._file.flush()
        if self._passed == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)


def plant(point: Points, *, reads: bool) -> None:
    """Put the points into the code."""

    def around(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def outer(*args: Any, **more: Any) -> Any:
            point(f"before {name}")
            answer = inner(*args, **more)
            point(f"after {name}")
            return answer

        return outer

    for name in BOUNDARIES:
        setattr(Store, name, around(name, getattr(Store, name)))
    for name in ("stash", "restore", "purge"):
        setattr(quarantine, name, around(name, getattr(quarantine, name)))
        setattr(far, name, around(name, getattr(far, name)))
    SftpClient._on = around("write", SftpClient._on)  # type: ignore[method-assign]
    SftpClient._some = around("write", SftpClient._some)  # type: ignore[method-assign]
    SftpClient.together = 1
    Exchange.send = around("send", Exchange.send)  # type: ignore[method-assign]
    write, written = Http.write, Http._written

    def sent(self: Http, method: str, path: str, **more: Any) -> Any:
        point(f"before {method} {path}")
        return write(self, method, path, **more)

    def answered(self: Http, response: Any) -> Any:
        point(f"done, answer not read: {response.request.method}")
        return written(self, response)

    Http.write, Http._written = sent, answered  # type: ignore[method-assign]  # this is the point of it

    if reads:
        read = Http._read

        def looked(self: Http, path: str, *args: Any) -> Any:
            point(f"before GET {path}")
            return read(self, path, *args)

        Http._read = looked  # type: ignore[assignment, method-assign]

    def hurried(self: SystemClock, seconds: float) -> None:
        time.sleep(seconds / HURRY)

    SystemClock.sleep = hurried  # type: ignore[method-assign]


def fly(order: dict[str, Any]) -> int:
    """One command, in the child."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, number)
    plant(Points(order["die_at"], Path(order["marks"])), reads=order["reads"])
    return int(outcome(order["args"]))


def main() -> None:
    registry.kinds(), registry.openable()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = fly(order)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
