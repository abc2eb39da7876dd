"""Simulated disks: what counts against their size, what crosses them, in which order they list."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sandbox import disks
from sandbox.disks import Disks, Order
from sandbox.errors import NetError
from sandbox.transfer import Transfer
from sandbox.world import World

GIB = 1 << 30


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "home")
    made.home.mkdir()
    made.build(
        {"disks": [{"path": "/data/a", "size": 900 * GIB}, {"path": "/data/b", "size": 500 * GIB, "reserved": GIB}]}
    )
    return made


def mover(world: World) -> Transfer:
    return Transfer(Disks(world.home), lambda *_: None, 0.0)


def test_sparse_file_counts_with_its_logical_size(world: World) -> None:
    world.event("make_file", {"path": "/data/a/big.mkv", "size": 300 * GIB})
    assert world.disks.free("/data/a") == 600 * GIB
    assert Path(world.disks.real("/data/a/big.mkv")).stat().st_blocks == 0


def test_reserved_bytes_are_not_free(world: World) -> None:
    assert world.disks.free("/data/b/anything") == 499 * GIB


def test_hardlinked_file_counts_once(world: World) -> None:
    world.event("make_file", {"path": "/data/a/one.mkv", "size": GIB})
    Path(world.disks.real("/data/a/two.mkv")).hardlink_to(world.disks.real("/data/a/one.mkv"))
    world.disks.changed("/data/a")
    assert world.disks.free("/data/a") == 899 * GIB


def test_capacity_is_shared_by_processes(world: World) -> None:
    other = Disks(world.home)
    world.event("make_file", {"path": "/data/a/x/big.mkv", "size": 900 * GIB})
    assert other.free("/data/a") == 0


def test_change_by_another_process_is_seen_however_slow_the_count_was(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Usage is remembered for longer, the longer it took to count; what another process wrote since is no less there."""
    other, count = Disks(world.home), disks._sum_files

    def slowly(*args: Any) -> int:
        time.sleep(0.1)
        return count(*args)

    monkeypatch.setattr(disks, "_sum_files", slowly)
    assert other.free("/data/a") == 900 * GIB
    world.event("make_file", {"path": "/data/a/big.mkv", "size": GIB})
    assert other.free("/data/a") == 899 * GIB


def test_rename_between_disks_is_refused(world: World) -> None:
    world.event("make_file", {"path": "/data/a/f.mkv", "size": 1})
    with pytest.raises(NetError, match="cross-device"):
        world.disks.rename("/data/a/f.mkv", "/data/b/f.mkv")


def test_folder_lists_newest_first(world: World) -> None:
    for name in ("b", "a", "c"):
        world.event("make_file", {"path": f"/data/a/{name}.mkv", "size": 1})
    world.event("rename", {"from": "/data/a/b.mkv", "to": "/data/a/z.mkv"})
    assert world.disks.listing("/data/a")[1] == ["z.mkv", "c.mkv", "a.mkv"]


def test_read_only_disk_refuses_without_being_denied(world: World) -> None:
    world.event("remount", {"path": "/data/b", "writable": False})
    with pytest.raises(NetError, match="Read-only file system") as refused:
        world.disks.make_folder("/data/b/tv")
    assert refused.value.io


def test_huge_sparse_folder_moves_at_no_cost(world: World) -> None:
    """A move of hundreds of gigabytes is a matter of lengths, not of bytes."""
    world.event("make_file", {"path": "/data/a/show/S01E01.mkv", "size": 400 * GIB})
    mover(world).move_folder("/data/a/show", "/data/b/show")
    moved = Path(world.disks.real("/data/b/show/S01E01.mkv")).stat()
    assert (moved.st_size, moved.st_blocks) == (400 * GIB, 0)
    assert not world.disks.is_folder("/data/a/show")


def test_bytes_of_a_file_arrive(world: World) -> None:
    world.event("make_file", {"path": "/data/a/show/note.txt", "size": 100_000})
    with Path(world.disks.real("/data/a/show/note.txt")).open("r+b") as file:
        file.seek(70_000)
        file.write(b"words")
    mover(world).move_folder("/data/a/show", "/data/b/show")
    data = Path(world.disks.real("/data/b/show/note.txt")).read_bytes()
    assert (len(data), data[70_000:70_005]) == (100_000, b"words")


def test_full_disk_splits_a_folder_and_keeps_every_byte(world: World) -> None:
    """Newest first: what fits has moved, what does not is whole at the source, and no partial copy stays."""
    for number in (1, 2, 3):
        world.event("make_file", {"path": f"/data/a/show/S01E0{number}.mkv", "size": 200 * GIB})
    with pytest.raises(NetError, match="No space left on device"):
        mover(world).move_folder("/data/a/show", "/data/b/show")
    files = {f["path"]: f["size"] for f in world.tree(["/data/a", "/data/b"])}
    assert files == {
        "/data/b/show/S01E03.mkv": 200 * GIB,
        "/data/b/show/S01E02.mkv": 200 * GIB,
        "/data/a/show/S01E01.mkv": 200 * GIB,
    }


def test_file_at_the_destination_is_overwritten(world: World) -> None:
    world.event("make_file", [{"path": "/data/a/show/x.mkv", "size": 2}, {"path": "/data/b/show/x.mkv", "size": 3}])
    world.event("make_file", {"path": "/data/b/show/other.txt", "size": 1})
    mover(world).move_folder("/data/a/show", "/data/b/show")
    files = {f["path"]: f["size"] for f in world.tree(["/data/a", "/data/b"])}
    assert files == {"/data/b/show/x.mkv": 2, "/data/b/show/other.txt": 1}


def test_folder_under_two_paths_loses_its_first_file(world: World) -> None:
    world.event("make_file", {"path": "/data/a/show/x.mkv", "size": 2})
    world.event("bind_mount", {"from": "/data/a", "to": "/data/alias"})
    with pytest.raises(NetError, match="Path doesn't exist!") as failed:
        mover(world).move_folder("/data/a/show", "/data/alias/show")
    assert not failed.value.io
    assert world.tree(["/data/a"]) == [{"path": "/data/a/show/", "size": 0}]


class SlowReader(io.FileIO):
    """Takes long enough for every other reader to get as far."""

    def read(self, size: int | None = -1, /) -> bytes:
        found = super().read(-1 if size is None else size)
        time.sleep(0.02)
        return found


class Slow(type(Path())):  # type: ignore[misc]
    """A file that is read slowly."""

    def open(self, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        return SlowReader(str(self)) if mode == "rb" else super().open(mode, *args, **kwargs)


def test_the_log_of_creations_is_read_once_by_all_threads(tmp_path: Path) -> None:
    """A move and requests list folders at once; what two read would count twice, and the next read begin in mid-line."""
    log = Slow(tmp_path / "order.log")
    order = Order(log)
    for number in range(4):
        order.made(f"/data/{number}", f"/data/{number}/file")
        start = threading.Barrier(4)

        def refresh(start: threading.Barrier = start) -> None:
            start.wait()
            order.refresh()

        with ThreadPoolExecutor(4) as threads:
            for done in [threads.submit(refresh) for _ in range(4)]:
                done.result()
    assert [order.rank(f"/data/{n}") for n in range(4)] == [1, 3, 5, 7]
