"""The power goes, at every change to the state's folder: whatever is left of what was not synced, plain `arr` goes on.

For every k `arr` is ended before its k-th change, and of what it had written since the last sync a disk may have kept nothing,
all, any single piece, all but one, or the last by half (`disk.py`). After each: the file is whole, what was told to be durable
is there, every request that the server got has its intent, and plain `arr` reaches the wish without doing anything twice.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import StoreError
from reconciler.store import Store
from tests import figures
from tests.effort import PROOF
from tests.powerloss.disk import Disk, Files, read
from tests.store_faults.rig import KILL, SITUATIONS, Arm, Done, Rig, rig

WHAT = "power cuts at a change of the state's folder, and the leftovers of what was not synced that were gone on from"
STRIDE = 1 if PROOF else 97


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as found:
        yield found


def cut(desk: Rig, situation: str, k: int, *, careless: bool = False) -> tuple[Done, Disk]:
    """`arr` until the power goes before its k-th change, and the disk it was written to."""
    desk.situation(situation)
    trace = desk.folder / "trace"
    desk.state.mkdir(mode=0o700, exist_ok=True)
    disk = Disk(desk.state)
    done = desk.arr(*desk.order, arm=Arm(KILL, k, trace=str(trace)), careless=careless)
    return done, disk.play(read(trace))


def put(folder: Path, files: Files) -> None:
    """Make these the files of the folder. Memory that was mapped is gone: SQLite makes its `-shm` anew."""
    shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    for path, content in files.items():
        if not path.endswith("-shm"):
            Path(path).write_bytes(content)
            Path(path).chmod(0o600)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_power_goes_at_every_change(desk: Rig, situation: str) -> None:
    for k in count(1 + 17 * SITUATIONS.index(situation) % STRIDE, STRIDE):
        done, disk = cut(desk, situation, k)
        if done.code != -9:
            assert done.code == 0, done.said
            return
        seen: set[int] = set()
        recoveries = 0
        for name, files in disk.remains():
            what = hash(tuple(sorted(files.items())))
            if what in seen:
                continue
            seen.add(what)
            put(desk.state, files)
            try:
                desk.durable(desk.state, done.marks)
                desk.covered(desk.state)
                if desk.recovered_once():
                    recoveries += 1
                    cut(desk, situation, k)  # the world as it was
            except (AssertionError, StoreError) as e:
                e.add_note(f"change {k} of {situation}, {name}, after {done.marks[-1:]}")
                raise
        figures.add("power", WHAT, cuts=1, leftovers=len(seen), recoveries=recoveries)


def test_a_store_that_does_not_sync_would_be_found(desk: Rig) -> None:
    """What the test above is worth: without syncs an intent is lost although its request was sent."""
    for k in count(60, 4):
        done, disk = cut(desk, "apply", k, careless=True)
        assert done.code == -9, "it ended, and nothing was lost"
        put(desk.state, disk.after([]))
        try:
            desk.durable(desk.state, done.marks)
            desk.covered(desk.state)
        except (AssertionError, StoreError):
            return


def test_a_state_in_new_folders_is_there_once_something_is_in_it(desk: Rig) -> None:
    """Every folder on the way to it is synced: else the state would be gone, with its intents."""
    desk.situation("first plan")
    desk.state.mkdir()
    trace = desk.folder / "trace"
    disk = Disk(desk.state)
    done = desk.arr("create", "state/on/the/way", arm=Arm(trace=str(trace)))
    assert done.marks == ["begin_run r000001"], done.said
    left = disk.play(read(trace)).after([])
    for file in sorted(left):
        assert str(Path(file).parent) in {str(desk.state), *left}, f"{file}: its folder is lost"
    shutil.rmtree(desk.state)
    desk.state.mkdir()
    for path, content in sorted(left.items()):
        if path.endswith(("state/on", "the", "way")):
            Path(path).mkdir()
        elif not path.endswith("-shm"):
            Path(path).write_bytes(content)
    with Store.open(desk.state / "on/the/way", SystemClock(), read_only=True) as store:
        assert store.serial == 1
