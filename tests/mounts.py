"""A disk that goes offline and comes back: what lies in a folder is gone, an empty mount point is left, and nothing is lost.

with Renamed(folder) as disk:      # any user: the folder is renamed, and an empty one made in its place
with Mounted(folder) as disk:      # root: a real tmpfs, mounted there and unmounted
    disk.offline()
    disk.online()
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest


class Renamed:
    """`at`: the folder, with what it holds. It is online at the beginning, and at the end."""

    def __init__(self, at: Path) -> None:
        self.at, self.store = at, at.with_name(f"{at.name}.disk")
        self.is_online = True

    def offline(self) -> None:
        self.at.rename(self.store)
        self.at.mkdir()
        self.is_online = False

    def online(self) -> None:
        assert list(self.at.iterdir()) == [], "something was written to the empty mount point"
        self.at.rmdir()
        self.store.rename(self.at)
        self.is_online = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if not self.is_online:
            shutil.rmtree(self.at)
            self.store.rename(self.at)


class Mounted:
    """The same with a file system of its own, which is mounted out of sight as well, so that it stays."""

    def __init__(self, at: Path) -> None:
        self.at, self.store = at, at.with_name(f"{at.name}.disk")

    def offline(self) -> None:
        _run("umount", "--lazy", str(self.at))

    def online(self) -> None:
        assert list(self.at.iterdir()) == [], "something was written to the empty mount point"
        _run("mount", "--bind", str(self.store), str(self.at))

    def __enter__(self) -> Self:
        if os.getuid() != 0 or shutil.which("mount") is None:
            pytest.skip("mounting needs root and mount")
        self.store.mkdir()
        try:
            _run("mount", "-t", "tmpfs", "-o", "size=64m", "arr-test", str(self.store))
        except subprocess.CalledProcessError as e:
            pytest.skip(f"this machine mounts nothing for us: {e}")
        try:
            _run("cp", "-a", "--sparse=always", f"{self.at}/.", str(self.store))
            shutil.rmtree(self.at)
            self.at.mkdir()
            self.online()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        while os.path.ismount(self.at):
            self.offline()
        _run("umount", "--lazy", str(self.store))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=20, capture_output=True)
