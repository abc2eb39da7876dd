"""This machine's own file system: sizes as the kernel tells them, hard links told apart by where their names are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.facts import NotThere, Query, ReadFailed
from resources.clients.localfs import APP, HERE, FsSize, HardLinks, LocalFs


@pytest.fixture
def local() -> LocalFs:
    return APP.open(HERE, None, access="read", clock=SystemClock())


def test_the_size_of_a_file_system(local: LocalFs, tmp_path: Path) -> None:
    told, kernel = local.read(FsSize(HERE, str(tmp_path))), os.statvfs(tmp_path)
    assert told.total == kernel.f_blocks * kernel.f_frsize
    assert 0 < told.free <= told.total


def test_names_inside_and_outside(local: LocalFs, tmp_path: Path) -> None:
    folder, outside = tmp_path / "show", tmp_path / "seeds"
    (folder / "Season 1").mkdir(parents=True)
    outside.mkdir()
    (folder / "Season 1" / "a.mkv").write_bytes(b"a" * 100)
    (folder / "Season 1" / "b.mkv").write_bytes(b"b" * 10)
    os.link(folder / "Season 1" / "a.mkv", outside / "a.mkv")
    os.link(folder / "Season 1" / "b.mkv", folder / "b again.mkv")
    (folder / "link.mkv").symlink_to(outside / "a.mkv")
    told = local.read(HardLinks(HERE, str(folder)))
    assert (told.files, told.bytes) == (3, 110)
    assert (told.shared_files, told.shared_bytes) == (1, 100)
    assert told.symlinks == 1


def test_symbolic_links_are_counted_and_not_followed(local: LocalFs, tmp_path: Path) -> None:
    folder, outside = tmp_path / "show", tmp_path / "elsewhere"
    (folder / "Season 1").mkdir(parents=True)
    outside.mkdir()
    (outside / "a.mkv").write_bytes(b"a" * 100)
    assert local.read(HardLinks(HERE, str(folder))).symlinks == 0
    (folder / "Season 1" / "extras").symlink_to(outside, target_is_directory=True)
    (folder / "dangling.mkv").symlink_to(outside / "gone.mkv")
    told = local.read(HardLinks(HERE, str(folder)))
    assert (told.files, told.symlinks) == (0, 2)
    (tmp_path / "itself").symlink_to(outside, target_is_directory=True)
    told = local.read(HardLinks(HERE, str(tmp_path / "itself")))
    assert (told.files, told.symlinks) == (1, 1)


def test_a_missing_folder_is_absent_and_a_missing_mount_unknown(local: LocalFs, tmp_path: Path) -> None:
    with pytest.raises(NotThere):
        local.read(HardLinks(HERE, str(tmp_path / "gone")))
    with pytest.raises(ReadFailed, match="no folder on this machine"):
        local.read(HardLinks(HERE, str(tmp_path / "no" / "mount")))
    with pytest.raises(ReadFailed, match="cannot be looked at"):
        local.read(FsSize(HERE, str(tmp_path / "gone")))


def test_a_file_is_no_folder(local: LocalFs, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ReadFailed, match="is no folder"):
        local.read(FsSize(HERE, str(tmp_path / "file")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_unknown_and_never_without_links(local: LocalFs, tmp_path: Path) -> None:
    folder = tmp_path / "show"
    (folder / "closed").mkdir(parents=True)
    (folder / "closed").chmod(0)
    try:
        with pytest.raises(ReadFailed):
            local.read(HardLinks(HERE, str(folder)))
    finally:
        (folder / "closed").chmod(0o755)


def test_what_it_cannot_be_asked(local: LocalFs) -> None:
    with pytest.raises(ReadFailed, match="cannot be asked"):
        local.read(Query(HERE))
