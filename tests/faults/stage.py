"""A case of the laws on a stage: everything planned once, then put back as it was before each run, whatever became of it.

The server is a process of its own that starts anew over the files as they were (`SIGHUP`, see `sandbox.__main__`); `arr`
runs in this process, as its command line. Time is quickened for `arr`: its waits and deadlines are the real ones, but a
second is a fraction of one. No run may take longer than `BOUND`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.main import outcome
from reconciler.clock import SystemClock
from sandbox.process import Stack
from sandbox.servarr.app import Timing
from tests.laws.bench import SECRET_VARIABLE
from tests.laws.servarr import Servarr, world
from tests.laws.worlds import CANARY, SERVER, Case

BOUND = 60  # seconds of real time that one command may take
QUICK = 25.0  # how much faster time goes for `arr`


class Hang(BaseException):
    """A command did not end in time. No `except Exception` catches it."""


@dataclass
class Ended:
    """How a command ended. `told`: its JSON, None when it printed none."""

    code: int
    out: str
    err: str
    seconds: float

    @property
    def told(self) -> Any:
        return json.loads(self.out) if self.out.startswith("{") else None


@dataclass
class Time:
    """What the clock of `arr` shows. `jump`: by how much it is set at its `at`-th reading from now on, from 1."""

    quick: float = QUICK
    off: timedelta = timedelta()
    jump: timedelta = timedelta()
    at: int = 0
    read: int = 0

    def now(self) -> datetime:
        self.read += 1
        if self.read == self.at:
            self.off = self.jump
        return datetime.now(UTC) + self.off

    def plant(self, patch: pytest.MonkeyPatch) -> None:
        patch.setattr(SystemClock, "now", lambda _: self.now())
        patch.setattr(SystemClock, "monotonic", lambda _: time.monotonic() * self.quick)
        patch.setattr(SystemClock, "sleep", lambda _, seconds: time.sleep(seconds / self.quick))


class Stage(Servarr):
    """See the module. `memory` holds the snapshots."""

    def __init__(self, case: Case, folder: Path, stack: Stack, clock: Time) -> None:
        super().__init__(case, folder, stack)
        self.time = clock
        self.memory = folder / "memory"
        self.longest = 0.0

    def arr(self, *args: str) -> Ended:
        """One command, with everything that it logs; its outputs hold no secret."""
        out, err = io.StringIO(), io.StringIO()
        begun = time.monotonic()
        with bounded(), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = outcome(["--desired", str(self.desired), "--state", str(self.state), *args, "-vv"])
        done = Ended(int(code), out.getvalue(), err.getvalue(), time.monotonic() - begun)
        self.longest = max(self.longest, done.seconds)
        for what, text in (("prints", done.out), ("logs", done.err)):
            assert CANARY not in text, f"arr {args[0]} {what} the key"
        return done

    def made(self, *args: str) -> Any:
        """The plan that `arr plan` makes when all is well."""
        done = self.arr("plan", "--format", "json", *args)
        assert done.code == 0, done.out + done.err
        return done.told

    def keep(self, name: str) -> None:
        """Remember everything as it is now: the server's files and the state."""
        self.quiet()
        kept = self.memory / name
        kept.mkdir(parents=True)
        for what in ("home", "state"):
            _copy(self.folder / what, kept / what)

    def back_to(self, name: str) -> None:
        """Everything as it was then, and the log of requests empty."""
        self.quiet()
        self.state_back_to(name)
        _empty(self.folder / "home")
        _copy(self.memory / name / "home", self.folder / "home")
        process = self.server.process
        assert process and process.stdout
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), signal.SIGHUP)
        assert process.stdout.readline(), "the server did not come back"

    def state_back_to(self, name: str) -> None:
        """The state alone."""
        _empty(self.state)
        _copy(self.memory / name / "state", self.state)

    def no_secret_kept(self) -> None:
        """The state holds no key."""
        for file in self.state.rglob("*"):
            assert not file.is_file() or CANARY.encode() not in file.read_bytes(), f"{file.name} holds the key"


@contextmanager
def bounded() -> Iterator[None]:
    """Raise Hang in whatever does not end in time."""

    def hang(_number: int, _frame: object) -> None:
        raise Hang(f"not ended within {BOUND} s")

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(BOUND)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def _empty(folder: Path) -> None:
    for inner, folders, _ in os.walk(folder):
        for name in folders:
            (Path(inner) / name).chmod(0o755)
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _copy(source: Path, target: Path) -> None:
    """Everything in `source`, with owners, modes and holes."""
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", "--sparse=always", f"{source}/.", str(target)], check=True)


@contextmanager
def stage(case: Case, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A fresh server of the case, the wish declared, an earlier one applied."""
    folder.chmod(0o755)
    patch.setenv(SECRET_VARIABLE, CANARY)
    for name in ("ARR_DESIRED", "ARR_STATE", "ARR_LOG"):
        patch.delenv(name, raising=False)
    clock = Time()
    clock.plant(patch)
    made = world(case)
    made["servers"][0]["restart_s"] = 0.0
    with Stack(folder / "home", made, timing=Timing(retry_s=0.1, metadata_s=0.0)) as stack:
        found = Stage(case, folder, stack, clock)
        found.unlike_the_defaults()
        found.remember()
        if "earlier" in case.told:
            found.declare(case.told["earlier"])
            found.converge()
        found.declare()
        found.control.clear(SERVER)
        yield found
