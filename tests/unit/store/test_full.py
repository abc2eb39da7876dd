"""Real small filesystems: a full disk and a read-only mount refuse, and lose nothing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import FakeClock
from reconciler.errors import StoreError
from reconciler.store import Store
from tests.unit.store.parts import action

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A filesystem of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False)
    if done.returncode:
        if os.environ.get("CI") == "true":
            pytest.fail(f"a tmpfs cannot be mounted: {done.stderr!r}")
        pytest.skip("this container does not let root mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(disk: Path) -> Path:
    """Take all the room that is left."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\x00" * 4096)
        except OSError:
            return filler


def test_an_intent_that_does_not_fit_is_refused(disk: Path) -> None:
    with Store.open(disk / "state", FakeClock()) as store:
        run = store.begin_run("apply", None)
        store.intend(run, action(1))
        filler = fill(disk)
        acknowledged = 1
        with pytest.raises(StoreError, match="is full") as refused:
            while True:
                store.intend(run, action(acknowledged + 1))
                acknowledged += 1
        assert "free some space" in refused.value.remedy
        assert len(store.pending()) == acknowledged
        with Store.open(disk / "state", FakeClock(), read_only=True) as reader:
            assert len(reader.pending()) == acknowledged
        filler.unlink()
        store.intend(run, action(acknowledged + 1))
        assert (len(store.pending()), store.check()) == (acknowledged + 1, [])


def test_a_state_that_filled_its_disk_is_whole_when_opened_again(disk: Path) -> None:
    acknowledged = 0
    store = Store.open(disk / "state", FakeClock())
    with pytest.raises(StoreError, match="is full"), store:
        run = store.begin_run("apply", None)
        while True:
            store.intend(run, action(acknowledged))
            acknowledged += 1
    assert acknowledged > 50
    with Store.open(disk / "state", FakeClock(), read_only=True) as reader:
        assert len(reader.pending()) == acknowledged


def test_a_state_cannot_be_made_on_a_full_disk(disk: Path) -> None:
    filler = fill(disk)
    with pytest.raises(StoreError, match=r"is full|No space"):
        Store.open(disk / "state", FakeClock())
    assert not [p.name for p in disk.rglob("*") if p.name.startswith("arr.db")]
    filler.unlink()
    with Store.open(disk / "state", FakeClock()) as store:
        assert store.lineage


def test_a_state_on_a_disk_that_is_full_already(disk: Path) -> None:
    """Writing is refused for what it is, and what is there can be read."""
    with Store.open(disk / "state", FakeClock()) as store:
        lineage = store.lineage
    filler = fill(disk)
    with pytest.raises(StoreError, match="is full"):
        Store.open(disk / "state", FakeClock())
    with Store.open(disk / "state", FakeClock(), read_only=True) as reader:
        assert reader.lineage == lineage
    filler.unlink()
    with Store.open(disk / "state", FakeClock()) as store:
        assert store.begin_run("apply", None) == "r000001"


def test_a_read_only_mount_says_no_to_root_as_well(disk: Path) -> None:
    with Store.open(disk / "state", FakeClock()) as store:
        lineage = store.lineage
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with pytest.raises(StoreError, match="its filesystem is mounted read-only") as refused:
        Store.open(disk / "state", FakeClock())
    assert "read-only mount" in refused.value.remedy
    with pytest.raises(StoreError, match="cannot be used"):
        Store.open(disk / "new", FakeClock())
    with Store.open(disk / "state", FakeClock(), read_only=True) as reader:
        assert reader.lineage == lineage
