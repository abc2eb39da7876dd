"""The laws once more, for what leaves the server: same plan, reads only, intent first, lost replies, kills, nothing unowned."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.kind import ReplyLost, WriteRefused
from reconciler.opener import Opener, ReadWorld
from reconciler.store import Store
from resources.clients.sftp.client import SftpClient
from resources.seedbox_transfer.remove import REMOVE
from tests.kinds.seedbox_transfer.leaving import COMES, FILES, Home, leaving

APPLY = """
import sys
from datetime import timedelta
from pathlib import Path
from reconciler.session import Session
from tests.kinds.seedbox_transfer.lab import Later
folder = Path(sys.argv[1])
session = Session([folder / "desired"], folder / "state", clock=Later(timedelta(seconds=float(sys.argv[2]))))
plan = session.plan()
session.apply(plan, approve=plan.id)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with leaving(tmp_path) as found:
        found.brought()
        found.forgotten()
        yield found


def test_laws_2_and_3_the_same_plan_and_reads_only(home: Home) -> None:
    first = home.box.plan()
    before = sorted((str(p), p.stat().st_mtime_ns) for p in (home.there, *home.there.rglob("*")))
    second = home.box.plan()
    assert first.id == second.id
    (action,) = second.actions()
    assert [action.model_dump_json()] == [a.model_dump_json() for a in first.actions()]
    with Opener(home.box.session.validate().stack, registry.openable(), home.box.clock) as opener:
        with pytest.raises(WriteRefused):
            REMOVE.perform(ReadWorld(opener), action)
        assert REMOVE.verify(ReadWorld(opener), action, None).state == "not-done"
    assert sorted((str(p), p.stat().st_mtime_ns) for p in (home.there, *home.there.rglob("*"))) == before


def test_law_6_intent_before_act(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = home.box.plan()

    def full(*_: object) -> None:
        raise OSError("no journal")

    monkeypatch.setattr(Store, "intend", full)
    assert {o.state for o in home.box.apply(plan).outcomes} == {"unknown"}
    assert home.files() == set(FILES)


def test_law_7_a_lost_reply_is_looked_up(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer to the last deletion is lost: it happened, and that is seen. Then to the first: the rest is carried on."""
    unlink = SftpClient.unlink_all
    monkeypatch.setattr(SftpClient, "together", 1)

    def lost(self: SftpClient, paths: Sequence[str]) -> None:
        unlink(self, paths)
        raise ReplyLost("cut")

    plan = home.box.plan()
    with monkeypatch.context() as patch:
        patch.setattr(SftpClient, "unlink_all", lost)
        (outcome,) = home.box.apply(plan).outcomes
    assert outcome.state != "done"
    assert len(home.files() & set(COMES)) == 1
    monkeypatch.setattr(SftpClient, "unlink_all", lost)
    home.box.plan()
    home.box.clock.ahead += home.box.clock.ahead
    assert home.removals() == ["Show"]
    assert [o.state for o in home.box.apply(home.box.plan()).outcomes] == ["done"]
    assert home.files() == {"e1.nfo"}


def test_laws_9_and_11_another_release_and_what_is_protected_stay(home: Home) -> None:
    plan = home.box.plan()
    home.box.put("Other", {"a": b"x"})
    home.declare(f"protect: ['{home.there}']")
    again = home.box.plan()
    assert home.removals(again) == []
    assert "protected" in str(again.resources[0].proposal.held)
    home.declare()
    home.box.apply(home.box.plan())
    assert (home.box.remote / "Other/a").read_bytes() == b"x"
    assert home.removals(plan) == ["Show"] and home.files() == {"e1.nfo"}


def test_law_12_after_a_kill_it_comes_to_its_end(tmp_path: Path) -> None:
    """A real kill between two files; what is left goes with the next plans, and nothing else."""
    with leaving(tmp_path, files={f"{n:03}.mkv": 100 for n in range(400)}) as home:
        home.brought()
        home.forgotten()
        whole = len(home.files())
        ahead = str(home.box.clock.ahead.total_seconds())
        with subprocess.Popen([sys.executable, "-c", APPLY, str(home.box.folder), ahead]) as process:
            end = time.monotonic() + 60
            while len(home.files()) == whole and process.poll() is None:
                assert time.monotonic() < end
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=20)
        assert 0 < len(home.files()) < whole
        home.box.plan()
        home.box.clock.ahead += home.box.clock.ahead
        for _ in range(3):
            home.box.apply(home.box.plan())
        assert home.files() == set()
        assert not home.there.exists()
        assert list(home.box.plan().actions()) == []
