"""From plan to plan, against a real server: a release comes whole, with its times, and is planned no more."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.kinds.seedbox_transfer.lab import Box

SHOW = {"Show.S01E01.mkv": os.urandom(9_000_001), "Subs/en.srt": b"1\n", "Show.nfo": b"nfo", "Proof/p.jpg": b"jpg"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        yield found


def test_a_release_comes_whole_and_is_planned_no_more(box: Box) -> None:
    box.put("Show.S01", SHOW)
    box.put("Movie.mkv", b"m" * 100_000, mtime=1_600_000_000)
    box.declare("exclude: ['*.nfo', proof/]")
    plan = box.settled_plan()
    assert [a.subject.title for a in plan.actions()] == ["Movie.mkv", "Show.S01"]
    report = box.apply(plan)
    assert [o.state for o in report.outcomes] == ["done", "done"], report.outcomes
    kept = {"Movie.mkv": b"m" * 100_000}
    kept |= {f"Show.S01/{k}": SHOW[k] for k in ("Show.S01E01.mkv", "Subs/en.srt")}
    assert box.here() == kept
    assert (box.to / "Movie.mkv").stat().st_mtime == 1_600_000_000
    assert (box.to / "Show.S01/Subs/en.srt").stat().st_mtime == 1_700_000_000
    assert box.shown() == ["Movie.mkv", "Show.S01"]
    again = box.plan()
    assert not list(again.actions())
    assert not box.proposal(again).held
    assert {p.name for p in box.remote.iterdir()} == {"Show.S01", "Movie.mkv"}


def test_what_was_seen_once_has_to_settle(box: Box) -> None:
    box.put("Show", {"a": b"1"})
    box.declare("when: {settled: 10m}")
    (held,) = box.proposal().held
    assert "for the first time" in held.reason
    box.clock.ahead = timedelta(minutes=9)
    assert "unchanged for 9 min of 10 min" in box.proposal().held[0].reason
    box.put("Show", {"a": b"12"})
    box.clock.ahead = timedelta(minutes=18)
    assert "for the first time" in box.proposal().held[0].reason
    box.clock.ahead = timedelta(minutes=29)
    assert len(list(box.plan().actions())) == 1


def test_what_was_tidied_away_is_not_fetched_again_until_it_grows(box: Box) -> None:
    box.put("Show", {"a": b"1"})
    box.declare()
    assert box.bring().exit == 0
    shutil.rmtree(box.to / "Show")
    plan = box.plan()
    assert not list(plan.actions())
    assert any("tidied away" in line for line in box.proposal(plan).summary)
    box.put("Show", {"b": b"2"})
    assert len(list(box.settled_plan().actions())) == 1


def test_a_tombstone_expires(box: Box) -> None:
    box.put("Show", {"a": b"1"})
    box.declare("tombstones: 30d")
    assert box.bring().exit == 0
    (box.to / "Show/a").unlink()
    (box.to / "Show").rmdir()
    box.clock.ahead += timedelta(days=29)
    aged = box.proposal()
    assert (aged.actions, aged.errors, aged.blocked) == ((), (), ())
    assert any("tidied away" in line for line in aged.summary)
    box.clock.ahead += timedelta(days=2)
    assert len(list(box.settled_plan().actions())) == 1


def test_what_was_written_anew_is_another_release(box: Box) -> None:
    """A repack has the names and the sizes of what it replaces; days later the ledger still tells them apart."""
    box.put("Show", {"a": b"one"})
    box.declare()
    assert box.bring().exit == 0
    box.put("Show", {"a": b"two"}, mtime=1_750_000_000)
    box.clock.ahead += timedelta(days=5)
    said = " ".join(box.proposal(box.settled_plan()).summary)
    assert "here already: 0." in said and "changed since, here or on the server: Show." in said
    shutil.rmtree(box.to / "Show")
    assert [o.state for o in box.bring().outcomes] == ["done"]
    assert box.here() == {"Show/a": b"two"}


def test_nothing_is_replaced(box: Box) -> None:
    box.put("Show", {"a": b"theirs"})
    (box.to / "Show").mkdir()
    (box.to / "Show/a").write_bytes(b"mine!")
    box.declare()
    (held,) = box.proposal(box.settled_plan()).held
    assert "something else of this name is here" in held.reason
    assert box.here() == {"Show/a": b"mine!"}


def test_what_appears_between_plan_and_apply_is_left_alone(box: Box) -> None:
    box.put("Show", {"a": b"theirs"})
    box.declare()
    plan = box.settled_plan()
    (box.to / "Show").mkdir()
    assert [o.state for o in box.apply(plan).outcomes] == ["stale"]


def test_room_counts_over_the_whole_plan(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("A", "B", "C"):
        box.put(name, {"x": os.urandom(1_000_000)})
    stat = os.statvfs(box.to)
    monkeypatch.setattr(os, "statvfs", lambda _: stat)  # as it is now: others write and delete on this disk meanwhile
    keep = stat.f_bavail * stat.f_frsize - 2_500_000
    box.declare(f"keep_free: {keep - keep % 1000} B")
    proposal = box.proposal(box.settled_plan())
    assert [a.subject.title for a in proposal.actions] == ["A", "B"]
    assert [h.subject.title for h in proposal.held if "would be free" in h.reason] == ["C"]


def test_through_the_command_line(box: Box) -> None:
    box.put("Show", {"a": b"1" * 300_000})
    box.declare("when: {settled: 1s}")
    assert "for the first time" in box.arr("plan").stdout
    while "fetch" not in (told := box.arr("plan").stdout):
        assert "unchanged for" in told
    done = box.arr("apply", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert box.here() == {"Show/a": b"1" * 300_000}
    assert box.arr("plan", "--detailed-exitcode").returncode == 0
