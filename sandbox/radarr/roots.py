"""Radarr's root folders: the shared ones with the validators that Radarr has beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from sandbox.errors import failure
from sandbox.servarr.paths import clean, is_valid
from sandbox.servarr.roots import RootFolders
from sandbox.values import Json

STARTUP = "/app"


class MovieRoots(RootFolders):
    """`refuse_bin` says why a path is in the recycle bin; it is set once the store exists."""

    USER: ClassVar[str] = "nobody"
    refuse_bin: Callable[[str], Json | None] = staticmethod(lambda _path: None)

    def refusal(self, path: str | None) -> Json | None:
        """As the shared rule, in Radarr's order: path, duplicate, existence, start-up folder, right to write, recycle bin."""
        if path is None or not is_valid(path):
            return failure("Path", f"Invalid Path: '{path or ''}'", "PathValidator", path, path=path)
        told = clean(path)
        if told in self.paths():
            text = f"Path '{path}' is already configured as a root folder"
            return failure("Path", text, "RootFolderValidator", path, path=path)
        if told == STARTUP:
            text = f"Path '{path}' cannot be set to the start up folder"
            return failure("Path", text, "StartupFolderValidator", path, path=path, relationship="set to")
        binned = self.refuse_bin(path)
        if binned:
            return binned
        if not self._app.disks.is_folder(told):
            return failure("Path", f"Path '{path}' does not exist", "PathExistsValidator", path, path=path)
        if not self._app.disks.writable(told):
            text = f"Folder '{path}' is not writable by user '{self.USER}'"
            return failure("Path", text, "FolderWritableValidator", path, path=path, user=self.USER)
        return None

    def _unmapped(self, root: str) -> list[Json]:
        """Radarr passes over folders that begin with a dot."""
        return [f for f in super()._unmapped(root) if not f["name"].startswith(".")]
