"""What ends a transfer early: cuts, kills, stops, a full disk, files that change. What is here stays."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.action import Action
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Report, Silent
from reconciler.kind import Verdict
from resources.clients.localfs.staging import PARTIAL, place
from tests.kinds.seedbox_transfer.lab import Box

MB = 1_000_000
DATA = os.urandom(12 * MB)


class At(Silent):
    """Calls `then` once when `share` of the bytes are here."""

    def __init__(self, share: float, then: Callable[[], object]) -> None:
        self.share, self.then, self.called = share, then, False
        self.first: int | None = None

    def progress(self, action: Action, verdict: Verdict) -> None:
        here, total = verdict.done_bytes or 0, verdict.total_bytes or 1
        self.first = here if self.first is None else self.first
        if not self.called and here / total >= self.share:
            self.called = True
            self.then()


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        found.put("Show", {"large": DATA, **{f"small/{n}": bytes([n]) * 1000 for n in range(50)}})
        found.declare("verify: size", "limit: {rate: 12 MB/s}")
        yield found


def brought(box: Box) -> bool:
    here = box.here()
    return here.get("Show/large") == DATA and len(here) == 51


def outcome(report: Report) -> tuple[str, str]:
    (one,) = report.outcomes
    return one.state, one.says


def test_cut_at_every_tenth_it_goes_on(box: Box) -> None:
    """One transfer, nine cuts: each time the connection is opened anew."""
    plan = box.settled_plan()

    class Tenths(At):
        def progress(self, action: Action, verdict: Verdict) -> None:
            here, total = verdict.done_bytes or 0, verdict.total_bytes or 1
            if here / total >= self.share:
                self.share = int(here * 10 / total) / 10 + 0.1
                self.then()

    state, says = outcome(box.apply(plan, Tenths(0.1, box.server.cut)))
    assert state == "done", says
    assert brought(box)


def test_a_server_that_goes_away_for_good_ends_it_and_the_next_run_carries_on(box: Box) -> None:
    state, says = outcome(box.apply(box.settled_plan(), At(0.5, box.server.stop)))
    assert state == "failed", says
    assert "127.0.0.1" in says
    box.server.start()
    (action,) = box.plan().actions()
    assert 0 < action.effects.bytes_moved < len(DATA)
    assert "here already" in " ".join(action.details)
    assert box.apply(box.plan()).exit == 0
    assert brought(box)


def test_what_is_marked_is_not_fetched_again(box: Box) -> None:
    """A byte of a marked segment is changed: it is still so in the end, so nobody fetched that segment a second time."""
    stop = Stop()
    state, says = outcome(box.apply(box.settled_plan(), At(0.6, stop.request), stop))
    assert (state, "the next run carries on" in says) == ("left", True)
    part = place(str(box.to), "Show") / "files" / "large"
    with part.open("r+b") as file:
        file.seek(1000)
        file.write(b"marked")
    assert box.apply(box.plan()).exit == 0
    changed = box.here()["Show/large"]
    assert changed != DATA
    assert changed[:1000] + DATA[1000:1006] + changed[1006:] == DATA


def test_a_checksum_finds_what_went_wrong_and_fetches_it_anew(box: Box) -> None:
    box.declare("verify: checksum", "limit: {rate: 12 MB/s}")
    stop = Stop()
    box.apply(box.settled_plan(), At(0.6, stop.request), stop)
    with (place(str(box.to), "Show") / "files" / "large").open("r+b") as file:
        file.write(b"wrong")
    assert box.apply(box.plan()).exit == 0
    assert brought(box)


def test_a_second_reading_finds_what_went_wrong(box: Box) -> None:
    stop = Stop()
    box.declare("verify: reread", "limit: {rate: 12 MB/s}")
    box.apply(box.settled_plan(), At(0.6, stop.request), stop)
    with (place(str(box.to), "Show") / "files" / "large").open("r+b") as file:
        file.write(b"wrong")
    state, says = outcome(box.apply(box.plan()))
    assert (state, "read otherwise" in says) == ("failed", True)
    assert box.apply(box.plan()).exit == 0
    assert brought(box)


def test_a_kill_loses_nothing_that_is_marked(box: Box) -> None:
    box.declare("when: {settled: 1s}", "verify: size", "limit: {rate: 8 MB/s}")
    box.arr("plan")
    marks = place(str(box.to), "Show") / "segments"
    for enough in (1, 3):
        while "fetch" not in box.arr("plan").stdout:
            pass
        with box.popen("apply", "--yes") as process:
            end = time.monotonic() + 60
            while not marks.exists() or marks.read_bytes().count(b"large") < enough:
                assert time.monotonic() < end
                assert process.poll() is None
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGKILL)
            process.wait(timeout=20)
        assert [p.name for p in box.to.iterdir()] == [PARTIAL]
    left = next(iter(box.plan().actions())).effects.bytes_moved
    assert left <= len(DATA) + 50_000 - 3 * 2 * MB
    assert box.apply(box.plan()).exit == 0
    assert brought(box)


def test_another_process_sees_that_it_is_under_way(box: Box) -> None:
    seen: list[str] = []

    def look() -> None:
        status = box.arr("status").stdout
        seen.extend((status, box.arr("plan").stdout))

    assert box.apply(box.settled_plan(), At(0.3, look)).exit == 0
    assert "Show" in seen[0]
    assert "fetch" in seen[0]
    assert brought(box)


def test_a_file_that_grows_while_it_is_read_is_not_put_in_its_place(box: Box) -> None:
    def grow() -> None:
        with (box.remote / "Show/large").open("ab") as file:
            file.write(b"more")

    state, says = outcome(box.apply(box.settled_plan(), At(0.3, grow)))
    assert state == "failed"
    assert "changed" in says
    assert not (box.to / "Show").exists()
    assert box.bring().exit == 0
    assert box.here()["Show/large"] == DATA + b"more"


def test_a_file_that_is_cut_short_while_it_is_read(box: Box) -> None:
    state, says = outcome(
        box.apply(box.settled_plan(), At(0.2, lambda: os.truncate(box.remote / "Show/large", 5 * MB)))
    )
    assert (state, "not as long as" in says) == ("failed", True), says
    assert not (box.to / "Show").exists()


def test_a_release_that_vanishes(box: Box) -> None:
    def vanish() -> None:
        for path in sorted((box.remote / "Show").rglob("*"), reverse=True):
            path.unlink() if path.is_file() else path.rmdir()
        (box.remote / "Show").rmdir()

    state, _ = outcome(box.apply(box.settled_plan(), At(0.2, vanish)))
    assert state == "failed"
    assert not (box.to / "Show").exists()
    assert not list(box.plan().actions())


@pytest.mark.root
def test_a_disk_that_fills_up_meanwhile(box: Box) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root: a small file system is mounted")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(box.to)], check=True, timeout=20)
    try:
        filler = box.to / "somebody else's"
        plan = box.settled_plan()

        def fill() -> None:
            with filler.open("wb") as file:
                stat = os.statvfs(box.to)
                file.write(bytes(max(0, stat.f_bavail * stat.f_frsize - 3 * MB)))

        state, says = outcome(box.apply(plan, At(0.3, fill)))
        assert (state, "no space left" in says) == ("failed", True), says
        (held,) = box.proposal().held
        assert "would be free" in held.reason
        filler.unlink()
        assert box.apply(box.plan()).exit == 0
        assert brought(box)
    finally:
        subprocess.run(["umount", str(box.to)], check=True, timeout=20)


def test_a_server_that_freezes_in_the_middle_ends_the_transfer(box: Box) -> None:
    """Its sessions end, and new calls are taken and never answered: that is reported, and the next run carries on."""
    box.declare("verify: size", "limit: {rate: 12 MB/s}", timeout="1s")
    assert box.server.pid is not None
    listener = box.server.pid

    def freeze() -> None:
        os.kill(listener, signal.SIGSTOP)
        box.server.cut()

    state, says = outcome(box.apply(box.settled_plan(), At(0.3, freeze)))
    assert state == "failed", says
    os.kill(listener, signal.SIGCONT)
    assert box.apply(box.plan()).exit == 0
    assert brought(box)
