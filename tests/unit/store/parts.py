"""What the store's tests share: actions, child processes that can be killed, a user without privileges."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from reconciler.action import Action, Compensation, Effects
from reconciler.address import Subject

ROOT = Path(__file__).parents[3]
CHILD = Path(__file__).with_name("child.py")
NOBODY = 65534


def action(number: int = 1, *, destroys: int = 0, size: int = 0, address: str = "disk_fill.tv") -> Action:
    return Action(
        id=f"{address}/{number}",
        address=address,
        verb="move",
        subject=Subject(connection="sonarr", type="series", key=f"tvdb:{number}", title=f"Die Straße {number}"),
        reason="disk d1 is 93.0% full, above its 85%",
        before={"path": f"/d1/{number}"},
        after={"path": f"/d2/{number}"},
        details=("12 files",),
        rests_on={"path": f"/d1/{number}", "size": 1.5},
        effects=Effects(destroys=destroys, bytes_destroyed=size, disks={"d1": -size}),
        data={"id": number},
        undo=Compensation(verb="move", says="back to d1", data={"id": number}),
    )


class Child:
    """A process of its own that runs `child.py`. Killed with SIGKILL at the end at the latest."""

    def __init__(self, *args: str | Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, CHILD, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._watch = threading.Timer(60, self.process.kill)  # a child that hangs ends the reading, not the suite
        self._watch.start()

    def line(self) -> str:
        """The next line it says; empty when it has ended."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().rstrip("\n")

    def tell(self, line: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def kill(self) -> list[str]:
        """SIGKILL; what it had said and nobody had read."""
        self.process.kill()
        return self.rest()

    def rest(self) -> list[str]:
        """All it says until its end."""
        said, _ = self.process.communicate()
        return said.splitlines()

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.cancel()
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Be somebody whom file modes bind, for the block; root is not. Anybody else stays who they are."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def everything(folder: Path) -> dict[str, bytes]:
    """Every file in `folder` with its content."""
    return {p.name: p.read_bytes() for p in sorted(folder.iterdir()) if p.is_file()}
