"""`arr apply` is killed at each side of every boundary of the journal, and of every step of a removal; plain `arr` ends it.

Points are enumerated (`tests/crash/pilot.py`), not chosen. After each kill: no byte is lost, each torrent is asked away at most
once, the next plan is empty, and nothing stands open in the journal. `make test` takes some of the points.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from tests import figures
from tests.crash.test_matrix import WHAT, WRITES, Pilot
from tests.effort import PROOF
from tests.kinds.torrent_retention.rig import APPS, FAR, STAYS, WISH, Rig, rig

ROUNDS = 4
STEP = 1 if PROOF else 8
WORDS = ("before consume", "after consume", "before intend", "after intend", "before settle", "after settle", "send")


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    found = Pilot()
    yield found
    found.close()


def step(app: str) -> int:
    """Every how many points; over SFTP there are many more of them."""
    return STEP if PROOF or app != FAR else 4 * STEP


def everywhere(it: Rig) -> dict[str, bytes]:
    """Every payload, by name, wherever it lies."""
    return {Path(name).name: told for name, told in it.files().items()} | it.waiting()


def recovered(it: Rig) -> None:
    for _ in range(ROUNDS):
        if not it.sim.proposal().actions:
            return
        it.sim.apply()
    raise AssertionError(it.sim.proposal())


def crash(pilot: Pilot, it: Rig, k: int) -> list[str]:
    """A run that dies at point `k`, and what follows. The points that it passed; [] when it needs none such."""
    plan, before = it.sim.plan(), everywhere(it)
    died = pilot.arr(it.sim.folder, "apply", plan.id, "--approve", plan.id, die_at=k)
    if died.code != -9:
        assert died.code == 0, died.out + died.err
        return [] if k else died.marks
    assert it.line.changes == [] or "after intend" in died.marks, died.marks
    if it.ours:
        assert everywhere(it) == before, died.marks  # in its place or in quarantine: never in neither
    recovered(it)
    assert it.names == STAYS, died.marks
    assert len(it.line.removals) == len(set(it.line.removals)), f"asked twice: {died.marks}"
    if it.ours:
        assert everywhere(it) == before, died.marks
    with Store.open(it.sim.folder / "state", SystemClock()) as store:
        assert store.pending() == []
    return died.marks


@pytest.mark.parametrize("app", (*APPS, FAR))
def test_every_point(pilot: Pilot, app: str, tmp_path: Path) -> None:
    def one(k: int) -> list[str]:
        folder = tmp_path / str(k)
        folder.mkdir()
        with rig(app, folder, WISH) as it:
            return crash(pilot, it, k)

    whole = one(0)
    assert not {word for word in WORDS if word not in "; ".join(whole)}, whole
    assert ("after stash" in whole) is (app in ("rtorrent", FAR))
    assert ("after write" in whole) is (app == FAR)
    for k in count((*APPS, FAR).index(app) + 1, step(app)):
        if not one(k):
            assert k > len(whole), "it ended well without coming to its point"
            return
        figures.add("crash", WHAT, killed=1, converged=1, **{WRITES: 1, f"in torrent_retention under {app}": 1})


@pytest.mark.parametrize("app", ["rtorrent", FAR])
def test_every_point_of_bringing_back(pilot: Pilot, tmp_path: Path, app: str) -> None:
    """rtorrent has kept a torrent whose data was moved aside: the data is brought back, and that is killed."""

    def one(k: int) -> list[str]:
        folder = tmp_path / str(k)
        folder.mkdir()
        with rig(app, folder, WISH) as it:
            it.line.fault = "ignored"
            it.sim.apply()
            it.line.fault = ""
            it.line.asked.clear()
            assert {a.verb for a in it.sim.proposal().actions} >= {"restore"}
            return crash(pilot, it, k)

    whole = one(0)
    assert "after restore" in whole, whole
    for k in count(2, step(app)):
        if not one(k):
            assert k > len(whole), "it ended well without coming to its point"
            return
        figures.add(
            "crash", WHAT, killed=1, converged=1, **{WRITES: 1, f"in torrent_retention, bringing back under {app}": 1}
        )
