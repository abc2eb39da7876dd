"""A migration that ends early: killed before any statement, or with any call to the disk failing, it leaves the old schema or
the new one, whole, with everything that was in it; and the next process takes the step."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import count

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.migrations import STEPS
from tests import figures
from tests.effort import PROOF
from tests.store_faults.rig import FAIL_FROM, FAIL_ONCE, KILL, Arm, Rig, rig

WHAT = (
    "calls to the disk of the state that were let fail, each in a run of its own, and what remained was recovered from"
)
STRIDE = 1 if PROOF else 29


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as found:
        yield found


def old_or_new(disk: Rig, *, migrated: bool) -> None:
    """Everything is there under the one schema or under the other; then the step is taken, and all is there again."""
    with Store.open(disk.state, SystemClock(), read_only=True, steps=(*STEPS, lambda db: None)) as store:
        assert store.check() == []
        db = store._connection.db
        new = db.table("later").exists()
        assert migrated <= new
        assert ("mood" in db.table("runs").columns_dict) == new
        assert len(store.pending()) == 1
    done = disk.arr("migrate", 0)
    assert done.code == 0, done.said
    with Store.open(disk.state, SystemClock(), read_only=True, steps=(*STEPS, lambda db: None)) as store:
        db = store._connection.db
        assert db.execute("SELECT count(*), max(mood) FROM runs").fetchone() == (1, "calm")
        assert db.execute("SELECT count(*) FROM later").fetchone() == (1,)
        assert db.execute("SELECT says FROM entries").fetchone() == ("!",)


def test_killed_before_every_statement(disk: Rig) -> None:
    for number in count(1):
        disk.situation("settle")
        done = disk.arr("migrate", number)
        if done.code == 0:
            assert number > 5, "there are five statements, and the commit"
            return
        assert done.code == -9
        old_or_new(disk, migrated=False)
        figures.add("store", WHAT, migrations_killed=1)


@pytest.mark.parametrize("mode", [FAIL_ONCE, FAIL_FROM, KILL], ids=["EIO once", "ENOSPC from then on", "killed"])
def test_the_nth_call_fails(disk: Rig, mode: int) -> None:
    for n in count(1 + 11 * mode % STRIDE, STRIDE):
        disk.situation("settle")
        done = disk.arr("migrate", 0, arm=Arm(mode, n, errno.EIO if mode == FAIL_ONCE else errno.ENOSPC))
        if (mode != KILL and not done.hit) or (done.code == 0 and mode == KILL):
            assert done.code == 0, done.said
            return
        if mode != KILL:
            disk.honest(done)
        old_or_new(disk, migrated=done.code == 0)
        figures.add("store", WHAT, calls_failed=1)
