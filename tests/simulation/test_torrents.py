"""Any torrents, any wish, any operations: nothing goes that may not go, and everything comes to rest.

As `test_simulation.py`, over real files and simulated clients; see `torrents/simulation.py`.
"""

from __future__ import annotations

import pytest

from tests import figures
from tests.effort import PROOF
from tests.simulation.drawn import Told, draw
from tests.simulation.torrents.machine import TorrentMachine

PARTS = 4 if PROOF else 1
OPERATIONS = 1500 if PROOF else 500  # of each part
WHAT = (
    "random torrents, wishes and operations over three torrent clients and real files: cross-seeds, hard links, orphans, "
    "quarantine, pressure, guards, protections; deaths at each step on the disk, faults of the line"
)


def count(told: Told) -> None:
    """For the page of figures."""
    names = ("operations", "plans", "applies", "removals", "purges", "crashes", "faults", "convergences")
    figures.add("torrents", WHAT, most_rounds=told.most_rounds, **{name: told.counts[name] for name in names})


@pytest.mark.parametrize("part", range(PARTS))
def test_the_laws_hold(part: int) -> None:
    for told in draw(TorrentMachine, ("torrents", part), OPERATIONS, 20 if PROOF else 10):
        count(told)
        assert not told.says, told.says
