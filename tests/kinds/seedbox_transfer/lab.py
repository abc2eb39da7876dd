"""A seedbox (real OpenSSH on loopback), a folder that releases shall come to, and the real `arr` between them.

with Box(tmp_path) as box:
    box.put("Show.S01", {"e1.mkv": b"…"})
    box.declare("settled: 1s")
    box.settle()
    assert box.arr("apply", …)
"""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from reconciler import registry
from reconciler.action import Action
from reconciler.apply.follow import Patience
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Listener, Report
from reconciler.clock import SystemClock
from reconciler.kind import Verdict
from reconciler.opener import Opener, ReadWorld
from reconciler.plan.model import Plan
from reconciler.session import Session
from resources.clients.localfs.mark import where
from resources.seedbox_transfer.verbs import FETCH
from tests.live.sftp.server import Sshd
from tests.stacks import ARR


class Later(SystemClock):
    """The machine's time, and more: what has to settle has settled."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


class Box:
    """See the module. `remote` is the folder of releases on the server, `to` the one here."""

    def __init__(self, folder: Path, **options: Any) -> None:
        self.folder = folder
        self.server = Sshd(folder / "sshd", **options)
        self.remote, self.to = self.server.home / "tv", folder / "incoming"
        self.remote.mkdir()
        self.to.mkdir()
        self.clock = Later()
        self.desired, self.state = folder / "desired", folder / "state"
        self.desired.mkdir()

    def put(self, release: str, files: dict[str, bytes] | bytes, mtime: int = 1_700_000_000) -> Path:
        """A release on the server: files by path, or one file."""
        path = self.remote / release
        for name, data in files.items() if isinstance(files, dict) else [("", files)]:
            file = path / name if name else path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            os.utime(file, (mtime, mtime))
        return path

    def declare(self, *fields: str, **connection: str) -> None:
        """The wish; `fields` are further lines of the resource, `connection` settings of the connection."""
        said = {"host": "127.0.0.1", "port": str(self.server.port), "user": self.server.user}
        said |= {
            "key": str(self.server.key),
            "host_key": f"'{self.server.fingerprint()}'",
            "timeout": "20s",
            **connection,
        }
        lines = [
            "connections:",
            f"  seedbox: {{app: sftp, {', '.join(f'{k}: {v}' for k, v in said.items())}}}",
            "seedbox_transfer:",
            "  tv:",
            f"    from: {{sftp: seedbox, path: {self.remote}}}",
            f"    to: {self.to}",
            *(f"    {field}" for field in fields),
        ]
        (self.desired / "wish.yaml").write_text("\n".join(lines) + "\n")

    @property
    def session(self) -> Session:
        patience = Patience(first=0.02, most=0.1, settle=1.5, silence=2.0)
        return Session([self.desired], self.state, clock=self.clock, patience=patience)

    def plan(self) -> Plan:
        return self.session.plan()

    def settled_plan(self) -> Plan:
        """A plan once everything was seen unchanged for long enough."""
        self.plan()
        self.clock.ahead += timedelta(minutes=6)
        return self.plan()

    def apply(self, plan: Plan, listener: Listener | None = None, stop: Stop | None = None) -> Report:
        return self.session.apply(plan, approve=plan.id, listener=listener, stop=stop)

    def bring(self) -> Report:
        return self.apply(self.settled_plan())

    def proposal(self, plan: Plan | None = None) -> Any:
        return (plan or self.plan()).resources[0].proposal

    def arr(self, *args: str) -> subprocess.CompletedProcess[str]:
        with self.popen(*args) as process:
            out, err = process.communicate(timeout=120)
            return subprocess.CompletedProcess([ARR, *args], process.returncode, out, err)

    def popen(self, *args: str) -> subprocess.Popen[str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")} | {"NO_COLOR": "1", "COLUMNS": "80"}
        return subprocess.Popen(
            [ARR, *args],
            cwd=self.folder,
            env=env,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def verified(self, action: Action) -> Verdict:
        """What the world says of an action."""
        with Opener(self.session.validate().stack, registry.openable(), self.clock) as opener:
            return FETCH.verify(ReadWorld(opener), action, None)

    def here(self) -> dict[str, bytes]:
        """Every file that has come, hidden ones as well, but for the folder's own mark."""
        found = [p for p in sorted(self.to.rglob("*")) if p.is_file() and p != where(str(self.to))]
        return {str(p.relative_to(self.to)): p.read_bytes() for p in found}

    def shown(self) -> list[str]:
        """The names in the folder, hidden ones left out."""
        return sorted(p.name for p in self.to.iterdir() if not p.name.startswith("."))

    def __enter__(self) -> Box:
        self.server.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.server.stop()
