"""`arr` killed in the middle of a removal: whatever is left, plain `arr` puts it right, and no file is nowhere."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sandbox.torrents.rtorrent import Rtorrent
from tests.effort import PROOF
from tests.kinds.torrent_retention.house import ARR
from tests.kinds.torrent_retention.sim import FREE, Sim, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}"
FILES = {"e1.mkv": 200_000, "e2.mkv": 100_000}


class Killing(Rtorrent):
    """Kills a process when a call comes in: before it is done, or after."""

    victim: subprocess.Popen[bytes] | None = None
    at, after = "", False

    def _call(self, method: str, params: list[Any]) -> Any:
        if method != self.at or self.victim is None:
            return super()._call(method, params)
        value = super()._call(method, params) if self.after else 0
        victim, self.victim = self.victim, None
        os.kill(victim.pid, signal.SIGKILL)
        victim.wait()
        return value


MOMENTS = [("d.erase", False), ("d.erase", True)]
if PROOF:
    MOMENTS += [("d.close", False), ("d.close", True), ("f.multicall", False), ("f.multicall", True)]


@pytest.mark.parametrize(("at", "after"), MOMENTS)
def test_after_a_kill_all_comes_right(tmp_path: Path, at: str, after: bool) -> None:
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Show", 1, files=FILES)
    with Killing([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        made = sim.plan().id
        rt.at, rt.after = at, after
        rt.victim = process = subprocess.Popen(
            [ARR, "apply", made, "--approve", made],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        process.wait(timeout=60)
        assert process.returncode == -signal.SIGKILL
        everywhere = sorted(p.name for p in downloads.rglob("e?.mkv"))
        assert everywhere == ["e1.mkv", "e2.mkv"]  # in their folder or in quarantine: never in neither
        rounds = 0
        while sim.proposal().actions:
            sim.apply()
            rounds += 1
            assert rounds < 4
        assert rt.torrents == {} and not (downloads / "Show").exists()
        assert sorted(p.name for p in (downloads / ".arr-quarantine").rglob("e?.mkv")) == ["e1.mkv", "e2.mkv"]
