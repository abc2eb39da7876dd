"""`/config/mediamanagement` of Radarr: the settings that scans, imports and deletions look at."""

from __future__ import annotations

import re

from sandbox.binding import Choice
from sandbox.errors import Failed, failure
from sandbox.servarr.app import App
from sandbox.servarr.settings import Settings
from sandbox.values import Json

USER = "nobody"
_MEDIA: Json = {
    "autoUnmonitorPreviouslyDownloadedMovies": False,
    "recycleBin": "",
    "recycleBinCleanupDays": 7,
    "downloadPropersAndRepacks": "preferAndUpgrade",
    "createEmptyMovieFolders": False,
    "deleteEmptyFolders": False,
    "fileDate": "none",
    "rescanAfterRefresh": "always",
    "autoRenameFolders": False,
    "pathsDefaultStatic": False,
    "setPermissionsLinux": False,
    "chmodFolder": "755",
    "chownGroup": "",
    "skipFreeSpaceCheckWhenImporting": False,
    "minimumFreeSpaceWhenImporting": 100,
    "copyUsingHardlinks": True,
    "useScriptImport": False,
    "scriptImportPath": "",
    "importExtraFiles": False,
    "extraFileExtensions": "srt",
    "enableMediaInfo": True,
}
_FILES = "NzbDrone.Core.MediaFiles"
_CHOICES = {
    "downloadPropersAndRepacks": Choice(
        "NzbDrone.Core.Qualities.ProperDownloadTypes", ("preferAndUpgrade", "doNotUpgrade", "doNotPrefer")
    ),
    "fileDate": Choice(f"{_FILES}.FileDateType", ("none", "cinemas", "release")),
    "rescanAfterRefresh": Choice(f"{_FILES}.RescanAfterRefreshType", ("always", "afterManual", "never")),
}


def not_writable(path: str, prop: str, label: str) -> Json:
    """The failure of a folder in which the server could not make a file."""
    text = f"Folder '{path}' is not writable by user '{USER}'"
    return failure(prop, text, "FolderWritableValidator", path, label, path=path, user=USER)


def not_there(path: str, prop: str, label: str) -> Json:
    """The failure of a folder that does not exist."""
    return failure(prop, f"Path '{path}' does not exist", "PathExistsValidator", path, label, path=path)


def media_management(app: App) -> Settings:
    """The settings and their controller."""

    def check(sent: Json) -> list[Json]:
        return [*_recycle_bin(app, sent.get("recycleBin") or ""), *_numbers(sent)]

    return Settings(app, "/config/mediamanagement", _MEDIA, _CHOICES, check)


def _recycle_bin(app: App, path: str) -> list[Json]:
    if not path:
        return []
    if not path.startswith("/"):
        text = f"value [{path}]  is not a valid *nix path. paths must start with / (Parameter 'path')"
        raise Failed(500, text, "System.ArgumentException")
    found = []
    if not app.disks.writable(path):
        found.append(not_writable(path, "RecycleBin", "Recycle Bin"))
    if not app.disks.is_folder(path):
        found.append(not_there(path, "RecycleBin", "Recycle Bin"))
    return found


def _numbers(sent: Json) -> list[Json]:
    found = []
    mode = sent.get("chmodFolder")
    if mode is not None and not re.fullmatch(r"[0-7]?[0-7]{3}", mode):
        text = "Must contain a valid Unix permissions octal"
        found.append(failure("ChmodFolder", text, "FolderChmodValidator", mode, "Chmod Folder"))
    least = sent.get("minimumFreeSpaceWhenImporting", 0)
    if least < 100:
        label = "Minimum Free Space When Importing"
        text = f"'{label}' must be greater than or equal to '100'."
        more = {"comparisonValue": 100, "comparisonProperty": ""}
        prop, code = "MinimumFreeSpaceWhenImporting", "GreaterThanOrEqualValidator"
        found.append(failure(prop, text, code, least, label, **more))
    return found
