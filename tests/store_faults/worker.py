"""Runs `arr` in child processes whose calls to the kernel fail where they are told to; the other end of `rig.Worker`.

Started with `shim.c` preloaded. Reads one JSON order a line, forks for it with everything imported, and answers with
`{"code": N}` (-9: it was killed). The child arms the shim for the state's folder, so that only what the command does to it is
counted, and notes in the file `marks` every commit of the journal as soon as it was told to be durable.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from reconciler import registry
from reconciler import session as _session  # noqa: F401  # imported before the forks
from reconciler.cli import apply as _apply  # noqa: F401
from reconciler.cli import plan as _plan  # noqa: F401
from reconciler.cli import planning as _planning  # noqa: F401
from reconciler.cli import undo as _undo  # noqa: F401
from reconciler.cli.main import outcome
from reconciler.clock import SystemClock
from reconciler.errors import ArrError
from reconciler.store import Store, connection
from reconciler.store.migrations import STEPS
from resources.clients.servarr import client as _client  # noqa: F401

TOLD = ("save_plan", "begin_run", "consume", "intend", "accept", "settle", "apply_wish", "end_run")
HURRY = 10.0  # waits are this much shorter


def note_commits(marks: Path) -> None:
    """Note each commit of the journal once it was told to be durable."""
    file = os.open(marks, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def around(name: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def outer(self: Store, *args: Any, **more: Any) -> Any:
            answer = inner(self, *args, **more)
            what = answer if name == "begin_run" else getattr(args[0], "id", args[0])
            key = args[1] if name == "settle" else getattr(args[1], "id", "") if name == "intend" else what
            os.write(file, f"{name} {key}\n".encode())
            return answer

        return outer

    for name in TOLD:
        setattr(Store, name, around(name, getattr(Store, name)))

    def hurried(self: SystemClock, seconds: float) -> None:
        time.sleep(seconds / HURRY)

    SystemClock.sleep = hurried  # type: ignore[method-assign]  # this is the point of it


def next_step(db: Database) -> None:
    """What a later version might do: new columns, and every row of the journal written anew."""
    db.execute("ALTER TABLE runs ADD COLUMN mood TEXT NOT NULL DEFAULT 'calm'")
    db.execute("CREATE TABLE later (id INTEGER PRIMARY KEY, says TEXT NOT NULL) STRICT")
    db.execute("UPDATE entries SET says = says || '!'")
    db.execute("INSERT INTO later SELECT id, action FROM entries")
    db.execute("CREATE INDEX later_says ON later (says)")


def migrate(state: Path, die_at: int) -> int:
    """Open the state as a later version; with `die_at` the process is killed before that statement of SQL."""
    seen = 0

    def step(db: Database) -> None:
        def count(statement: str) -> None:
            nonlocal seen
            seen += 1
            if seen == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

        db.conn.set_trace_callback(count)
        next_step(db)

    try:
        Store.open(state, SystemClock(), steps=(*STEPS, step)).close()
    except ArrError as e:
        sys.stderr.write(f"{e.message}\n{e.remedy}\n")
        return int(e.exit)
    return 0


def create(state: Path) -> int:
    """Make a state and begin a run in it."""
    with Store.open(state, SystemClock()) as store:
        store.begin_run("apply", None)
    return 0


def carry_out(order: dict[str, Any]) -> int:
    """One order, in the child."""
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(order[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    note_commits(Path(order["marks"]))
    if order["careless"]:
        connection._PRAGMAS = ("synchronous = OFF",)  # type: ignore[assignment]
    shim = ctypes.CDLL(None)
    shim.shim_hit.restype = ctypes.c_char_p
    if arm := order["arm"]:
        shim.shim_arm(
            arm["folder"].encode(), arm["mode"], ctypes.c_long(arm["at"]), arm["errno"], arm["trace"].encode()
        )
    if order["args"][0] == "migrate":
        code = migrate(Path(order["cwd"], "state"), order["args"][1])
    elif order["args"][0] == "create":
        code = create(Path(order["cwd"], order["args"][1]))
    else:
        code = int(outcome(order["args"]))
    Path(order["passed"]).write_text(json.dumps({"passed": shim.shim_passed(), "hit": shim.shim_hit().decode()}))
    return code


def main() -> None:
    registry.kinds(), registry.openable()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            code = 70
            try:
                code = carry_out(order)
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        sys.stdout.write(json.dumps({"code": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
