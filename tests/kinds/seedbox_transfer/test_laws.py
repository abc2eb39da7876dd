"""What the laws ask of this kind and a world's file cannot say (`tests/laws/worlds/seedbox_transfer`): a line that is cut in the
middle of a file, what lies here in place of a server's word, a wrong passphrase, and kills."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.apply.interrupt import Stop
from reconciler.connection import remember_secret
from reconciler.kind import WriteRefused
from reconciler.opener import Opener, ReadWorld
from resources.clients.localfs import HERE
from tests.kinds.seedbox_transfer.lab import Box
from tests.live.sftp.server import keygen

LARGE = os.urandom(12_000_000)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        found.put("Show", {"a": LARGE, "b/c": b"small"})
        found.declare("verify: size")
        yield found


def test_law_3_planning_writes_nothing(box: Box) -> None:
    before = sorted(p.stat().st_mtime_ns for p in (*box.remote.rglob("*"), box.remote, box.to))
    box.settled_plan()
    assert sorted(p.stat().st_mtime_ns for p in (*box.remote.rglob("*"), box.remote, box.to)) == before
    with Opener(box.session.validate().stack, registry.openable(), box.clock) as opener:
        world = ReadWorld(opener)
        with pytest.raises(WriteRefused):
            world.client("seedbox").unlink(f"{box.remote}/Show/a")
        with pytest.raises(WriteRefused):
            world.client(HERE).writable()
    assert (box.remote / "Show/a").exists()


def test_law_7_a_lost_line_is_taken_up_and_nothing_doubled(box: Box) -> None:
    plan = box.settled_plan()

    class Cut(Stop):
        looks = 0

        @property
        def requested(self) -> bool:
            self.looks += 1
            if self.looks == 2:
                box.server.cut()
            return False

    (outcome,) = box.apply(plan, stop=Cut()).outcomes
    assert outcome.state == "done", outcome.says
    assert box.here() == {"Show/a": LARGE, "Show/b/c": b"small"}


def test_law_8_done_is_what_lies_there(box: Box) -> None:
    plan = box.settled_plan()
    box.apply(plan)
    action = next(iter(plan.actions()))
    assert box.verified(action).state == "done"
    (box.to / "Show/b/c").write_bytes(b"smaller")
    assert box.verified(action).state == "not-done"


def test_law_10_no_secret_leaves(box: Box, tmp_path: Path) -> None:
    secret = "a-passphrase-6f1d0b"
    remember_secret(secret)
    box.server.authorise(keygen(tmp_path / "locked", passphrase=secret))
    (tmp_path / "secret").write_text(secret)
    box.declare(key=str(tmp_path / "locked"), passphrase=f"{{file: {tmp_path / 'secret'}}}")
    said = [box.arr(*args) for args in (("plan",), ("plan", "--format", "json"), ("doctor",), ("apply", "--yes"))]
    assert secret not in "".join(done.stdout + done.stderr for done in said)
    assert all(secret.encode() not in p.read_bytes() for p in box.state.rglob("*") if p.is_file())
    (tmp_path / "secret").write_text(secret[:-1])
    box.declare(key=str(tmp_path / "locked"), passphrase=f"{{file: {tmp_path / 'secret'}}}")
    done = box.arr("plan")
    assert "does not open with its passphrase" in " ".join(done.stdout.split())
    assert secret[:-1] not in done.stdout + done.stderr


def test_law_12_after_kills_it_comes_to_its_end(box: Box) -> None:
    box.settled_plan()
    for _ in range(3):
        with box.popen("apply", "--yes") as process:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=20)
    for _ in range(3):
        report = box.apply(box.plan())
        if not list(box.plan().actions()):
            break
    assert report.exit == 0
    assert box.here() == {"Show/a": LARGE, "Show/b/c": b"small"}
