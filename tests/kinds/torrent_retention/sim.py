"""This kind over simulated torrent clients, in this process: plans and applies through a session, with real files.

with Rtorrent([payload(tmp_path / "dl", "Film.mkv", 1)]) as rt:
    sim = Sim(tmp_path, {"rt": rt.url}, tmp_path / "dl")
    sim.declare('connection: rt\\nmay_go: {ratio: ">= 2"}')
    sim.apply()
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.action import Proposal
from reconciler.apply.follow import Patience
from reconciler.apply.report import Report
from reconciler.clock import SystemClock
from reconciler.errors import Exit
from reconciler.plan.model import Plan
from reconciler.plan.outcome import exit_code
from reconciler.session import Session
from sandbox.torrents.model import Torrent

FREE = "trackers: {unlisted: allow}\n"
STAY = "connection: rt\nmay_go: {ratio: '>= 100'}\n" + FREE


class Later(SystemClock):
    """The time of now, and then some. Waits are short."""

    ahead = timedelta(0)

    def now(self) -> datetime:
        return super().now() + self.ahead

    def sleep(self, seconds: float) -> None:
        super().sleep(min(seconds, 0.02))


def payload(folder: Path, name: str, number: int, *, files: Mapping[str, int] | None = None, **more: Any) -> Torrent:
    """A torrent whose data lies there: one file, or a folder of `files` (path and size)."""
    told = dict(files or {name: 200_000})
    top = folder / name if files is not None else folder
    for path, size in told.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        if not (top / path).exists():
            (top / path).write_bytes(hashlib.sha256(path.encode()).digest() * (size // 32) + b"x" * (size % 32))
    ident = hashlib.sha1(f"{name}{number}".encode()).hexdigest()  # noqa: S324  # a name
    return Torrent(ident, name, str(folder), list(told.items()), multi=files is not None, **more)


class Sim:
    """`clients`: connection → its URL (rtorrent) or its whole YAML. `paths`: what is mapped besides the downloads."""

    def __init__(self, folder: Path, clients: Mapping[str, str], downloads: Path | None, paths: str = "") -> None:
        self.folder, self.clock = folder, Later()
        self.desired = folder / "desired"
        self.desired.mkdir(exist_ok=True)
        lines = "".join(
            f"  {name}: {told if told.startswith('{') else f'{{app: rtorrent, url: {told!r}}}'}\n"
            for name, told in clients.items()
        )
        torrent = [n for n, told in clients.items() if "app: sonarr" not in told]
        mapped = "".join(f", {name}: {downloads}" for name in torrent)
        own = f"  - {{here: {downloads}{mapped}}}\n" if downloads else ""
        self.stack = f"connections:\n{lines}" + (f"paths:\n{own}{paths}" if own or paths else "")

    def declare(self, wish: str, more: str = "") -> None:
        (self.desired / "stack.yaml").write_text(self.stack + more)
        body = "".join(f"    {line}\n" for line in wish.strip().splitlines())
        (self.desired / "wish.yaml").write_text(f"torrent_retention:\n  seedbox:\n{body}")

    def session(self) -> Session:
        patience = Patience(first=0.01, most=0.02, settle=0.2, late=0.3)
        return Session([self.desired], self.folder / "state", clock=self.clock, patience=patience)

    def plan(self) -> Plan:
        return self.session().plan()

    def proposal(self) -> Proposal:
        return self.plan().resources[0].proposal

    def wait(self, span: timedelta) -> None:
        """A plan now, and then this much time: what a later plan finds was seen before."""
        self.plan()
        self.clock.ahead += span

    def code(self) -> Exit:
        """The exit code of `arr plan`."""
        return exit_code(self.plan(), detailed=False)

    def apply(self, plan: Plan | None = None) -> Report:
        """Apply a plan (a new one without), approved."""
        session = self.session()
        made = plan or session.plan()
        return session.apply(made, approve=made.id)

    def states(self, report: Report) -> list[tuple[str, str, str]]:
        return [(o.action.verb, o.action.subject.title, o.state) for o in report.outcomes]


def goes(proposal: Proposal) -> list[str]:
    """Titles of what would be removed or paused, in order."""
    return [a.subject.title for a in proposal.actions if a.verb in ("remove", "pause")]


def held(proposal: Proposal) -> dict[str, str]:
    return {h.subject.title: h.reason for h in proposal.held}


def searched(downloads: Path) -> str:
    """A wish under which nothing goes but orphans: what nobody claims for a day."""
    return STAY + f"orphans: {{under: [{downloads}], older: 1d}}"
