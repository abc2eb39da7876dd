"""The n-th call that changes the state's folder fails, for every n: every command ends in words, and the next one mends.

Enumerated, not chosen: n = 1, 2, … until a run needs no further call. A call fails once, or from then on, or is done by
half; it is a write, a sync, a truncation, a new file, a rename, a removal. What is asserted is what the server was sent, what
the journal then holds, and that plain `arr` reaches the wish.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from itertools import count

import pytest

from tests import figures
from tests.effort import PROOF
from tests.store_faults.rig import FAIL_FROM, FAIL_ONCE, FAIL_READ, HALF, SITUATIONS, Arm, Rig, rig

WHAT = (
    "calls to the disk of the state that were let fail, each in a run of its own, and what remained was recovered from"
)
FAULTS = {
    "EIO once": (FAIL_ONCE, errno.EIO),
    "ENOSPC from then on": (FAIL_FROM, errno.ENOSPC),
    "ENOSPC in the middle": (HALF, errno.ENOSPC),
    "EROFS from then on": (FAIL_FROM, errno.EROFS),
    "EIO at a read": (FAIL_READ, errno.EIO),
}
# A test takes every so manyth call, from another one for each pair: together they are spread over all.
STRIDE = 1 if PROOF else 83


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as found:
        yield found


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_nth_call_fails(disk: Rig, situation: str, fault: str) -> None:
    mode, code = FAULTS[fault]
    first = 1 + (13 * SITUATIONS.index(situation) + 29 * [*FAULTS].index(fault)) % STRIDE
    for n in count(first, STRIDE):
        disk.situation(situation)
        done = disk.arr(*disk.order, arm=Arm(mode, n, code))
        where = f"call {n}: {done.hit}: {done.said}"
        if not done.hit:
            assert done.code == 0, where
            assert done.passed >= n - STRIDE, where
            return
        try:
            disk.honest(done)
            disk.covered(disk.state)
            disk.durable(disk.state, done.marks)
            recoveries = disk.recovered_once()
        except AssertionError as e:
            e.add_note(where)
            raise
        figures.add("store", WHAT, calls_failed=1, recoveries=recoveries, intents_missing=0)
