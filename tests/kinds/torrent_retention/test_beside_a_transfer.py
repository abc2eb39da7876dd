"""A release that a `seedbox_transfer` has still to fetch is not removed by a rule that asks for no import, whatever holds
the fetch: no room, a deselected file, a folder here that is gone, a pause, or a plan of this resource alone. Real OpenSSH.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.plan.model import Plan
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.seedbox_transfer.lab import Box
from tests.kinds.torrent_retention.sim import payload

FILES = {"e1.mkv": 200_000, "e2.mkv": 100_000}


@dataclass
class Both:
    """A seedbox with one release that seeds in rtorrent, and both kinds over it."""

    box: Box
    rt: Rtorrent

    def declare(self, *fields: str, mapped: bool = True) -> None:
        self.box.declare(*fields)
        wish = (self.box.desired / "wish.yaml").read_text()
        wish = wish.replace("connections:", f"connections:\n  rt: {{app: rtorrent, url: '{self.rt.url}'}}", 1)
        remote = self.box.remote
        wish += f"paths:\n  - {{here: {remote}, rt: {remote}{f', seedbox: {remote}' if mapped else ''}}}\n"
        wish += "torrent_retention:\n  all: {connection: rt, may_go: {ratio: '>= 2'}, trackers: {unlisted: allow}}\n"
        (self.box.desired / "wish.yaml").write_text(wish)

    def plan(self, *targets: str) -> Plan:
        return self.box.session.plan(targets)

    def settled(self) -> Plan:
        self.plan()
        self.box.clock.ahead += timedelta(minutes=6)
        return self.plan()


def removals(plan: Plan) -> list[str]:
    return [a.subject.title for a in plan.actions() if a.verb == "remove"]


def why(plan: Plan) -> str:
    """Why the torrent stays; it has to be held by name."""
    parts = [r for r in plan.resources if r.address == "torrent_retention.all"]
    (reason,) = [h.reason for h in parts[0].proposal.held if h.subject.title == "Show"]
    return reason


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    with Box(tmp_path) as box, Rtorrent([payload(box.remote, "Show", 1, files=FILES)]) as rt:
        yield Both(box, rt)


@pytest.mark.parametrize("mapped", [True, False])
def test_what_cannot_be_fetched_yet_stays(both: Both, mapped: bool) -> None:
    """No room; half of it deselected; not settled: three holds, and each is said. Once it is fetched, it may go."""
    both.declare("keep_free: 9000 TB", mapped=mapped)
    plan = both.settled()
    assert removals(plan) == []
    assert why(plan).startswith("seedbox_transfer.tv has still to fetch it, and cannot yet: it needs 300 KB")
    (both.box.to / "Show").mkdir()
    (both.box.to / "Show" / "other.mkv").write_bytes(b"another show of this name")
    both.declare(mapped=mapped)
    assert "cannot yet: something else of this name is here" in why(both.plan())
    (both.box.to / "Show" / "other.mkv").unlink()
    (both.box.to / "Show").rmdir()
    plan = both.settled()
    assert [a.verb for a in plan.actions()] == ["fetch"] and why(plan) == "seedbox_transfer.tv has still to fetch it"
    both.box.apply(plan)
    assert removals(both.plan()) == ["Show"]


def test_while_the_folder_here_is_gone_only_what_was_fetched_may_go(both: Both) -> None:
    """A mount that is not there tells nothing; the ledger still knows what came."""
    both.declare()
    both.box.to.rename(both.box.to.with_name("away"))
    plan = both.plan()
    assert removals(plan) == [] and "seedbox_transfer.tv has not fetched it, as far as is recorded" in why(plan)
    both.box.to.with_name("away").rename(both.box.to)
    both.box.apply(both.settled())
    both.box.to.rename(both.box.to.with_name("away"))
    assert removals(both.plan()) == ["Show"]


def test_a_plan_of_one_resource_and_a_pause_fetch_nothing(both: Both) -> None:
    both.declare()
    alone = both.plan("torrent_retention.all")
    assert removals(alone) == [] and "is no part of this plan" in why(alone)
    both.declare("paused: true")
    assert removals(both.plan()) == [] and why(both.plan()).endswith("has not fetched it, and is paused")
    both.declare()
    both.box.apply(both.settled())
    assert removals(both.plan("torrent_retention.all")) == ["Show"]
    both.declare("paused: true")
    assert removals(both.plan()) == ["Show"]
