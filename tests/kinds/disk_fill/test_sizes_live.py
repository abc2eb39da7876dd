"""A declared size against the one that a real server tells: far apart, one of the two is wrong, and nothing moves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kinds.disk_fill.lab import MB, shows_on, world_of
from tests.stacks import lab

ROOTS = ["/data/d1/tv", "/data/d2/tv"]
WISH = """disks:
  d1: {{roots: {{sonarr: /data/d1/tv}}, max: 70%, size: {size}}}
  d2: {{roots: {{sonarr: /data/d2/tv}}, max: 90%}}
disk_fill:
  media: {{disks: [d1, d2], settle: 0%}}
"""


@pytest.mark.parametrize(("size", "wrong"), [("109 MB", False), ("112 MB", True), ("88 MB", True), ("10 GB", True)])
def test_a_declared_size_that_is_not_the_measured_one_is_an_error(tmp_path: Path, size: str, wrong: bool) -> None:
    shows = [(70001, "Alpha Station", 2, 50 * MB, ROOTS[0]), (70002, "Borrowed Time", 2, 30 * MB, ROOTS[0])]
    world = world_of({"/data/d1": 100 * MB, "/data/d2": 200 * MB}, shows_on(ROOTS, shows, app="sonarr-v5"))
    with lab(tmp_path, world) as found:
        found.declare(WISH.format(size=size))
        shown = found.arr("plan", "--detailed-exitcode")
        proposal = found.json("plan")["plan"]["resources"][0]["proposal"]
    if not wrong:
        assert (shown.returncode, proposal["errors"], len(proposal["actions"])) == (2, [], 1)
        return
    (error,) = proposal["errors"]
    assert error.startswith("disks.d1.size (desired/wish.yaml:2): it is said to be ")
    assert "but 100 MB are measured" in error
    assert (shown.returncode, proposal["actions"]) == (1, [])
