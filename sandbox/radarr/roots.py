"""Radarr's root folders: the shared ones with the validators that Radarr has beside."""

from __future__ import annotations

from sandbox.errors import failure
from sandbox.radarr.config import not_there, not_writable
from sandbox.servarr.paths import bin_failure, clean, is_valid
from sandbox.servarr.roots import RootFolders
from sandbox.values import Json

STARTUP = "/app"


class MovieRoots(RootFolders):
    """Radarr's order of refusals, and what it passes over."""

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
        binned = bin_failure(path, self._recycle_bin())
        if binned:
            return binned
        if not self._app.disks.is_folder(told):
            return not_there(path, "Path", "Path")
        if not self._app.disks.writable(told):
            return not_writable(path, "Path", "Path")
        return None

    def _unmapped(self, root: str) -> list[Json]:
        """Radarr passes over folders that begin with a dot."""
        return [f for f in super()._unmapped(root) if not f["name"].startswith(".")]
