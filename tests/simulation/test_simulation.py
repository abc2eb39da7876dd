"""Any world, any wish, any operations: the laws hold after each of them, and everything comes to rest.

`make test` and a proof draw the same examples each time, a proof a hundred thousand operations; `make search` draws new ones.
What fails becomes a file in `seeds/`, a list of operations, shrunk, which is replayed from then on; give it a name.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import figures
from tests.effort import PROOF
from tests.simulation.drawn import SEEDS, Told, draw
from tests.simulation.machine import Machine
from tests.simulation.replay import replay

PARTS = 16 if PROOF else 2
OPERATIONS = 6500 if PROOF else 1000  # of each part
WHAT = (
    "random worlds, wishes and operations (edits, drift, plans, applies, crashes, faults, time), the laws looked at after "
    "each; convergences are worlds that came to rest once faults had stopped, in at most the rounds given"
)


def count(told: Told) -> None:
    """For the page of figures."""
    names = ("operations", "plans", "applies", "writes", "crashes", "faults", "convergences")
    figures.add("simulation", WHAT, most_rounds=told.most_rounds, **{name: told.counts[name] for name in names})


@pytest.mark.parametrize("part", range(PARTS))
def test_the_laws_hold(part: int) -> None:
    for told in draw(Machine, ("library", part), OPERATIONS, 60 if PROOF else 15):
        count(told)
        assert not told.says, told.says


@pytest.mark.parametrize("file", sorted(SEEDS.glob("*.json")), ids=lambda f: f.stem)
def test_what_was_found_stays_mended(file: Path) -> None:
    replay(file)
