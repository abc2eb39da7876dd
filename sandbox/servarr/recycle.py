"""Deleting for good, or into the recycle bin when one is configured."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.disks import Disks
from sandbox.servarr.paths import name_of, parent_of
from sandbox.transfer import Transfer


class RecycleBin:
    """`where` gives the configured folder, empty when there is none."""

    def __init__(self, disks: Disks, transfer: Transfer, where: Callable[[], str]) -> None:
        self._disks, self._transfer, self._where = disks, transfer, where

    def remove_folder(self, path: str) -> None:
        """Removes a folder with all in it; in the bin it merges with an earlier one of the same name."""
        target = self._where().rstrip("/")
        if not target:
            self._disks.remove_folder(path)
            return
        self._transfer.move_folder(path, f"{target}/{name_of(path)}")

    def remove_file(self, path: str, subfolder: str = "") -> None:
        """Removes a file; in the bin it gets a free name below `subfolder`."""
        target = self._where().rstrip("/")
        if not target:
            self._disks.remove_file(path)
            return
        folder = f"{target}/{subfolder}" if subfolder else target
        self._disks.make_folder(folder)
        stem, dot, suffix = name_of(path).rpartition(".")
        name, number = name_of(path), 1
        while self._disks.is_file(f"{folder}/{name}"):
            number += 1
            name = f"{stem}_{number}{dot}{suffix}"
        self._transfer.move_file(path, f"{folder}/{name}")


def bin_folder(item_path: str, file: str) -> str:
    """Where in the bin a file of a series or movie goes: its folder, seen from the item's root."""
    return parent_of(file)[len(parent_of(item_path)) :].strip("/")
