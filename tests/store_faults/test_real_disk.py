"""Small filesystems under `arr`, full or mounted read-only: it says so, sends nothing, and goes on when there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store_faults.rig import KILL, Arm, Rig, rig

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")]


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as found:
        yield found


@pytest.fixture
def small(disk: Rig) -> Iterator[Path]:
    """The state of the situation `apply`, on a filesystem of 1 MB of its own."""
    disk.situation("apply")
    kept = disk.folder / "moved"
    disk.state.rename(kept)
    disk.state.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs", str(disk.state)]
    done = subprocess.run(mount, capture_output=True, check=False)
    if done.returncode:
        shutil.rmtree(kept)
        if os.environ.get("CI") == "true":
            pytest.fail(f"a tmpfs cannot be mounted: {done.stderr!r}")
        pytest.skip("this container does not let root mount")
    for file in kept.iterdir():
        shutil.move(file, disk.state)
    kept.rmdir()
    yield disk.state
    subprocess.run(["umount", disk.state], check=True)


def fill(folder: Path, but: int) -> Path:
    """Take the room there is, but for some bytes."""
    filler = folder / "filler"
    room = shutil.disk_usage(folder).free - but
    filler.write_bytes(b"\x00" * max(room, 0))
    return filler


@pytest.mark.parametrize("room", [0, 4096, 12_288, 40_960, 61_440])
def test_a_full_disk(disk: Rig, small: Path, room: int) -> None:
    filler = fill(small, room)
    done = disk.arr(*disk.order)
    disk.honest(done)
    if done.code:
        assert "is full" in " ".join(done.said.split()), done.said
        assert "free some space" in " ".join(done.said.split()), done.said
    filler.unlink()
    disk.covered(small)
    disk.durable(small, done.marks)
    disk.recovered()


def test_a_read_only_mount(disk: Rig, small: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    for command in (disk.order, ("plan",), ("undo", "r000001")):
        done = disk.arr(*command)
        assert done.code in (1, 64), done.said
        assert done.code == 64 or "mounted read-only" in " ".join(done.said.split()), done.said
        disk.honest(done) if done.code == 1 else None
    for command in (("status",), ("history",)):
        done = disk.arr(*command)
        assert done.code == 0, done.said
    assert disk.laws.writes() == []
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    disk.recovered()


def test_what_a_killed_run_left_is_read_on_a_read_only_mount(disk: Rig, small: Path) -> None:
    """Its entry is open and the file that showed its life is still there: looking may change neither."""
    died = disk.arr(*disk.order, arm=Arm(KILL, 110))
    assert [m.split()[0] for m in died.marks[-2:]] == ["intend", "apply_wish"], died.marks  # and nothing has ended it
    subprocess.run(["mount", "-o", "remount,ro", small], check=True)
    done = disk.arr("status")
    assert done.code == 0, done.said
    subprocess.run(["mount", "-o", "remount,rw", small], check=True)
    disk.recovered()
