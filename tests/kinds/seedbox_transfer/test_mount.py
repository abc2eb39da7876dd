"""The disk of `to` is not mounted: its empty mount point is not taken for it (accident A12). A real mount, which needs root."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.clients.localfs.mark import where
from tests.kinds.seedbox_transfer.lab import Box


class Disk:
    """A small file system; what lies on it stays while it is not mounted, as on a disk."""

    def __init__(self, folder: Path, at: Path) -> None:
        self.image, self.at = folder / "disk", at
        self.image.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=32m", "arr-test", str(self.image)], check=True, timeout=20)
        self.mount()

    def mount(self) -> None:
        subprocess.run(["mount", "--bind", str(self.image), str(self.at)], check=True, timeout=20)

    def unmount(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.at)], check=True, timeout=20)

    def close(self) -> None:
        while os.path.ismount(self.at):
            self.unmount()
        subprocess.run(["umount", "--lazy", str(self.image)], check=True, timeout=20)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        found.declare("verify: size")
        yield found


@pytest.fixture
def disk(box: Box) -> Iterator[Disk]:
    if os.getuid() != 0 or shutil.which("mount") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("mounting needs root and mount")
        pytest.skip("mounting needs root and mount")
    try:
        found = Disk(box.folder, box.to)
    except subprocess.CalledProcessError as e:
        pytest.skip(f"this machine mounts nothing for us: {e}")
    try:
        yield found
    finally:
        found.close()


def test_nothing_comes_onto_the_mount_point_of_a_disk_that_is_gone(box: Box, disk: Disk) -> None:
    box.put("Show", {"a": b"one"})
    assert [o.state for o in box.bring().outcomes] == ["done"]
    box.put("Other", {"b": b"two"})
    assert len(list(box.settled_plan().actions())) == 1
    disk.unmount()
    found = box.proposal()
    assert (found.actions, found.held, found.sightings) == ((), (), {})
    (blocked,) = found.blocked
    assert "is not the folder that was fetched into before" in blocked.reason
    assert blocked.remedy.startswith("mount its disk")
    assert "tidied away" not in "".join(found.summary)
    told = box.arr("plan", "--detailed-exitcode")
    assert told.returncode == 7, told.stdout
    assert list(box.to.iterdir()) == []
    disk.mount()
    assert [o.state for o in box.bring().outcomes] == ["done"]
    assert box.here() == {"Show/a": b"one", "Other/b": b"two"}


def test_a_disk_that_goes_between_plan_and_apply(box: Box, disk: Disk) -> None:
    box.put("Show", {"a": b"one"})
    assert box.bring().exit == 0
    box.put("Other", {"b": b"two"})
    plan = box.settled_plan()
    disk.unmount()
    (outcome,) = box.apply(plan).outcomes
    assert outcome.state == "stale"
    assert "is its disk mounted" in outcome.says
    assert list(box.to.iterdir()) == []


def test_a_disk_that_goes_while_its_release_comes(box: Box, disk: Disk) -> None:
    """Nothing is made on the mount point; what had come waits on the disk, and is carried on."""
    files = {f"{n:02}/x": os.urandom(40_000) for n in range(40)}
    box.put("Show", files)
    box.declare("verify: size", "limit: {rate: 500 KB/s}")
    plan = box.settled_plan()

    class Pull:
        pulled = False

        def progress(self, _action: object, _verdict: object) -> None:
            if not self.pulled:
                self.pulled = True
                disk.unmount()

        def __getattr__(self, _name: str) -> object:
            return lambda *_args, **_more: None

    pull = Pull()
    (outcome,) = box.apply(plan, listener=pull).outcomes  # type: ignore[arg-type]
    assert pull.pulled
    assert outcome.state != "done", outcome.says
    assert list(box.to.iterdir()) == []
    disk.mount()
    box.declare("verify: size")
    assert [o.state for o in box.apply(box.plan()).outcomes] in (["done"], [])
    if not (box.to / "Show").exists():
        assert [o.state for o in box.bring().outcomes] == ["done"]
    assert box.here() == {f"Show/{name}": data for name, data in files.items()}


def test_another_disk_in_its_place_and_the_way_out(box: Box) -> None:
    """A folder that bears another mark is another one; an empty mark is a person's word that it is the right one."""
    box.put("Show", {"a": b"one"})
    assert box.bring().exit == 0
    mark = where(str(box.to))
    mark.write_text("another\n")
    assert ["is another one" in blocked.reason for blocked in box.proposal().blocked] == [True]
    shutil.rmtree(box.to)
    box.to.mkdir()
    (blocked,) = box.proposal().blocked
    said = blocked.remedy.partition("anew: ")[2]
    subprocess.run(["sh", "-c", said], check=True, timeout=20)
    box.put("Other", {"b": b"two"})
    assert [o.state for o in box.bring().outcomes] == ["done"]
    assert box.here() == {"Other/b": b"two"}
    assert mark.read_text().strip() not in ("", "another")
    assert box.proposal().blocked == ()
