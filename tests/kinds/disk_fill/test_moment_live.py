"""What has changed between the plan and the move, on a real server: each thing that a move rests on stops it by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.kinds.disk_fill.lab import MB, Lab, Stale, lab_of, sandbox_of, shows_on, world_of

OLD = "/data/d1/tv/Alpha Station"
ROOTS = ["/data/d1/tv", "/data/d2/tv"]
DISKS = """
d1: {roots: {sonarr: /data/d1/tv}, max: 10%, size: 100 MB}
d2: {roots: {sonarr: /data/d2/tv}, max: 90%, size: 200 MB}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    shows = [(70001, "Alpha Station", 4, 40 * MB, ROOTS[0]), (70002, "Borrowed Time", 2, 20 * MB, ROOTS[1])]
    world = world_of({"/data/d1": 100 * MB, "/data/d2": 200 * MB}, shows_on(ROOTS, shows))
    with sandbox_of(world) as sandbox, lab_of(sandbox, DISKS, "{disks: [d1, d2]}") as lab:
        yield lab


def cut(lab: Lab) -> list[dict[str, Any]]:
    """A file is gone from the source."""
    return [{"remove": {"path": sorted(lab.tree(OLD))[0]}}]


def filled(lab: Lab) -> list[dict[str, Any]]:
    """What is to come still fits on the disk, and no longer under its limit."""
    return [{"make_file": {"path": "/data/d2/filler.bin", "size": 130 * MB}}]


def alike(lab: Lab) -> list[dict[str, Any]]:
    """Both roots show a folder of one name: they may be one folder."""
    return [{"make_file": {"path": f"{root}/@stuff/x", "size": 1}} for root in ROOTS]


@pytest.mark.parametrize(
    ("change", "says"),
    [(cut, "'source': '1 of 4 files"), (filled, "'room': '50.0 MB free"), (alike, "'roots': 'both hold @stuff'")],
    ids=["files", "room", "roots"],
)
def test_what_has_changed_since_the_plan_stops_the_move(lab: Lab, change: Any, says: str) -> None:
    (move,) = lab.plan().actions
    for event in change(lab):
        lab.sandbox.event(event)
    before = lab.tree("/data")
    with pytest.raises(Stale) as stale:
        lab.begin(move)
    assert says in str(stale.value)
    assert lab.tree("/data") == before
    assert lab.item("sonarr", "Alpha Station").path == OLD
