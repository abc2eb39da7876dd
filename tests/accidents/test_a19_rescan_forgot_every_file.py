"""A19: a rescan during a move made Sonarr forget every file and download them again.

Nothing of ours rescans before every file lies at its new place with its size; somebody else's rescan in mid-move is
mended by the one at the end; and when a file is missing all the same, nothing is rescanned and it is said.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from resources.clients.servarr import Commands
from tests.kinds.disk_fill.lab import MB, Lab, lab_of, sandbox_of, shows_on, world_of

OLD, NEW = "/data/d1/tv/Alpha Station", "/data/d2/tv/Alpha Station"
DISKS = """
d1: {roots: {sonarr: /data/d1/tv}, max: 10%, size: 100 MB}
d2: {roots: {sonarr: /data/d2/tv}, max: 90%, size: 200 MB}
"""


@pytest.fixture
def tv() -> Iterator[Lab]:
    told = shows_on(["/data/d1/tv", "/data/d2/tv"], [(70001, "Alpha Station", 4, 40 * MB, "/data/d1/tv")])
    world = world_of({"/data/d1": 100 * MB, "/data/d2": 200 * MB}, told)
    with sandbox_of(world) as sandbox, lab_of(sandbox, DISKS, "{disks: [d1, d2]}") as lab:
        yield lab


def rescan_by_hand(tv: Lab) -> None:
    handle = tv.sandbox["sonarr"]
    wish = {"name": "RescanSeries", "seriesId": tv.item("sonarr", "Alpha Station").id}
    httpx.post(f"{handle.url}/api/v3/command", headers={"X-Api-Key": handle.api_key}, json=wish).raise_for_status()
    tv.until(lambda: all(c.over for c in tv.read(Commands("sonarr")) if c.name == "RescanSeries"))


def rescans(tv: Lab) -> int:
    return sum(command.name == "RescanSeries" for command in tv.read(Commands("sonarr")))


def test_a19_the_rescan_comes_after_the_last_file(tv: Lab) -> None:
    (action,) = tv.plan().actions
    tv.sandbox.event({"slow_moves": {"finished_videos": 2}})
    handle = tv.begin(action)
    tv.sandbox.world.await_stall()
    assert tv.look(action, handle).state == "running"
    assert rescans(tv) == 0
    tv.sandbox.event({"slow_moves": False})
    assert tv.follow(action, handle).state == "done"
    assert rescans(tv) == 1
    assert sorted(tv.known("sonarr", "Alpha Station")) == sorted(tv.tree(NEW))


def test_a19_somebody_elses_rescan_in_mid_move_loses_nothing(tv: Lab) -> None:
    before = {path.removeprefix(OLD): size for path, size in tv.tree(OLD).items()}
    (action,) = tv.plan().actions
    tv.sandbox.event({"slow_moves": {"finished_videos": 1}})
    handle = tv.begin(action)
    tv.sandbox.world.await_stall()
    rescan_by_hand(tv)
    assert len(tv.known("sonarr", "Alpha Station")) < 4  # it has forgotten what had not arrived yet
    scanned = datetime.now(UTC).replace(microsecond=0)
    tv.until(lambda: datetime.now(UTC) > scanned + timedelta(seconds=1))  # the app's times are whole seconds
    tv.sandbox.event({"slow_moves": False})
    verdict = tv.follow(action, handle)
    assert {path.removeprefix(NEW): size for path, size in tv.tree(NEW).items()} == before
    assert verdict.state == "done"
    assert len(tv.known("sonarr", "Alpha Station")) == 4


def test_a19_a_run_that_died_before_its_rescan_leaves_it_to_the_next(tv: Lab) -> None:
    """Somebody scanned in mid-move; our process died after the last file, so the scan that brings all back was not sent."""
    (action,) = tv.plan().actions
    tv.sandbox.event({"slow_moves": {"finished_videos": 1}})
    handle = tv.begin(action)
    tv.sandbox.world.await_stall()
    rescan_by_hand(tv)
    scanned = datetime.now(UTC).replace(microsecond=0)
    tv.until(lambda: datetime.now(UTC) > scanned + timedelta(seconds=1))
    tv.sandbox.event({"slow_moves": False})
    tv.until(lambda: tv.look(action, handle).state == "done")
    forgotten = 4 - len(tv.known("sonarr", "Alpha Station"))
    assert forgotten > 0
    before = tv.tree(NEW)
    for settled in (False, True):  # the next plan sees it before and after the journal says what became of it
        if settled:
            tv.settle(action, tv.look(action, handle))
        (heal,) = [a for a in tv.plan().actions if a.verb == "heal"]
        assert (heal.data["steps"], heal.effects.bytes_moved, heal.cause) == ([], 0, "repair")
        assert "every file has arrived, and sonarr does not know" in heal.reason
    assert tv.do(heal).state == "done"
    assert len(tv.known("sonarr", "Alpha Station")) == 4
    assert tv.tree(NEW) == before
    assert tv.plan().actions == ()


def test_a19_a_file_that_is_not_there_stops_it_and_is_named(tv: Lab) -> None:
    (action,) = tv.plan().actions
    handle = tv.begin(action)
    tv.until(lambda: all(c.over for c in tv.read(Commands("sonarr"))))
    gone = sorted(tv.tree(NEW))[0]
    tv.sandbox.event({"remove": {"path": gone}})
    verdict = tv.follow(action, handle)
    assert verdict.state == "broken"
    assert gone.removeprefix(f"{NEW}/") in verdict.remedy
    assert rescans(tv) == 0
    assert len(tv.known("sonarr", "Alpha Station")) == 4


def test_a19_what_the_app_forgot_all_the_same_is_said(tv: Lab) -> None:
    """The files are proven, the rescan ran, and the app knows fewer than before: that is not done."""
    (action,) = tv.plan().actions
    handle = tv.begin(action)
    tv.until(lambda: tv.look(action, handle).state == "done")
    gone = sorted(tv.tree(NEW))[0]
    tv.sandbox.event({"rename": {"from": gone, "to": "/data/d2/aside.mkv"}})
    rescan_by_hand(tv)
    tv.sandbox.event({"rename": {"from": "/data/d2/aside.mkv", "to": gone}})
    verdict = tv.look(action, handle)
    assert verdict.state == "broken"
    assert "sonarr has forgotten 1 of 4 files" in verdict.says
