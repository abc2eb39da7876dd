"""What unfinished fetches have left: it stays while somebody wants it, and for a week; then it is cleared, as planned."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.apply.interrupt import Stop
from resources.clients.localfs.staging import place, staging
from tests.kinds.seedbox_transfer.lab import Box
from tests.kinds.seedbox_transfer.test_interrupted import At

LARGE = os.urandom(6_000_000)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A fetch of `Show` that was stopped half-way."""
    with Box(tmp_path) as found:
        found.put("Show", {"large": LARGE})
        found.declare("verify: size", "limit: {rate: 6 MB/s}")
        stop = Stop()
        found.apply(found.settled_plan(), At(0.4, stop.request), stop)
        assert place(str(found.to), "Show").is_dir()
        found.put("Small", {"s": b"s"})
        yield found


def verbs(box: Box) -> list[tuple[str, str]]:
    return [(a.verb, a.subject.title) for a in box.plan().actions()]


def test_what_nobody_wants_any_more_is_cleared_after_a_week(box: Box) -> None:
    shutil.rmtree(box.remote / "Show")
    box.clock.ahead += timedelta(days=6)
    assert ("clear", "Show") not in verbs(box)
    box.clock.ahead += timedelta(days=2)
    plan = box.plan()
    (clear,) = (a for a in plan.actions() if a.verb == "clear")
    assert (clear.subject.title, clear.effects.bytes_freed > 1_000_000) == ("Show", True)
    with staging(str(box.to), "Show"):
        assert {o.state for o in box.apply(plan).outcomes if o.action.verb == "clear"} == {"stale"}
    box.clock.ahead += timedelta(days=8)
    report = box.apply(box.plan())
    assert {o.state for o in report.outcomes if o.action.verb == "clear"} == {"done"}
    assert not place(str(box.to), "Show").exists()
    assert [v for v, _ in verbs(box) if v == "clear"] == []


def test_what_is_still_wanted_waits_and_is_carried_on(box: Box) -> None:
    box.clock.ahead += timedelta(days=30)
    box.plan()
    box.clock.ahead += timedelta(minutes=6)
    assert {v for v, _ in verbs(box)} == {"fetch"}
    box.declare("exclude: ['*.nothing']", "limit: {rate: 64 KB/s}", "keep_free: 9000 TB")
    assert verbs(box) == []  # held for its room, and so wanted


def test_a_server_that_does_not_answer_clears_nothing(box: Box) -> None:
    box.clock.ahead += timedelta(days=30)
    box.server.stop()
    assert verbs(box) == []


def test_only_what_is_ours_is_cleared(box: Box, tmp_path: Path) -> None:
    """A link in the place of a hidden folder, and names that are no keys, are not followed and not told."""
    shutil.rmtree(box.remote / "Show")
    folder = place(str(box.to), "Show")
    precious = tmp_path / "precious"
    folder.rename(precious)
    folder.symlink_to(precious)
    (folder.parent / "mine").mkdir()
    box.clock.ahead += timedelta(days=30)
    assert "clear" not in {v for v, _ in verbs(box)}
    assert (precious / "files").is_dir()
