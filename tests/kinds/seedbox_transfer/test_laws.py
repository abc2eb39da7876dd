"""The twelve laws, on a real SFTP server: the sandbox plays none, so they are tried here one by one."""

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
from reconciler.store import Store
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


def test_law_1_fixed_point(box: Box) -> None:
    assert [o.state for o in box.bring().outcomes] == ["done"]
    again = box.proposal()
    assert (again.actions, again.later, again.held, again.blocked) == ((), (), (), ())


def test_law_2_the_same_facts_give_the_same_plan(box: Box) -> None:
    first = box.settled_plan()
    second = box.plan()
    assert first.id == second.id
    assert [a.model_dump_json() for a in first.actions()] == [a.model_dump_json() for a in second.actions()]


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


def test_law_4_unknown_is_never_absent(box: Box) -> None:
    box.settled_plan()
    box.server.stop()
    proposal = box.proposal()
    assert not proposal.actions
    assert proposal.blocked[0].code == "down"


def test_law_5_a_release_that_moved_is_refused(box: Box) -> None:
    plan = box.settled_plan()
    box.put("Show", {"late": b"x"})
    assert [o.state for o in box.apply(plan).outcomes] == ["stale"]
    assert box.here() == {}


def test_law_6_intent_before_act(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = box.settled_plan()

    def full(*_: object) -> None:
        raise OSError("no journal")

    monkeypatch.setattr(Store, "intend", full)
    assert {o.state for o in box.apply(plan).outcomes} == {"unknown"}
    assert list(box.to.iterdir()) == []


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


def test_law_9_what_others_put_there_survives(box: Box) -> None:
    (box.to / "Mine").write_bytes(b"mine")
    box.bring()
    assert box.here() == {"Mine": b"mine", "Show/a": LARGE, "Show/b/c": b"small"}
    assert (box.remote / "Show/a").read_bytes() == LARGE


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


def test_law_11_nothing_but_the_approved_list(box: Box) -> None:
    plan = box.settled_plan()
    box.put("Later", {"x": b"x"})
    box.apply(plan)
    assert box.shown() == ["Show"]


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
