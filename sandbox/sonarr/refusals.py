"""What Sonarr refuses of a series: the validators, in the order in which their failures are listed."""

from __future__ import annotations

from sandbox.errors import failure
from sandbox.servarr.paths import clean, is_parent, name_of, path_failure, system_failure
from sandbox.servarr.roots import RootFolders
from sandbox.sonarr.naming import folder_name
from sandbox.sonarr.store import Store
from sandbox.values import Json

PROFILES = range(1, 7)


class Refusals:
    """Gives lists of validation failures; an empty list is consent."""

    def __init__(self, store: Store, roots: RootFolders) -> None:
        self._store, self._roots = store, roots

    def of_new(self, sent: Json) -> list[Json]:
        """For POST."""
        path, root = sent.get("path"), sent.get("rootFolderPath")
        out = self._profile(sent.get("qualityProfileId", 0))
        if path and path.strip():
            out += self._path(path, 0)
        if not (root and root.strip()):
            out += _valid_path(path, "Path", "Path")
        if not (path and path.strip()):
            problems = _valid_path(root, "RootFolderPath", "Root Folder Path")
            refused = None if problems else self._root(str(root), sent.get("title") or "")
            out += problems or ([refused] if refused else [])
        if not sent.get("title"):
            out.append(_empty("Title", "Title", sent.get("title")))
        tvdb = sent.get("tvdbId", 0)
        if tvdb <= 0:
            out.append(_positive("TvdbId", "Tvdb Id", tvdb))
        elif any(s["tvdbId"] == tvdb for s in self._store.series.each()):
            told = "This series has already been added"
            out.append(failure("TvdbId", told, "SeriesExistsValidator", tvdb, "Tvdb Id"))
        return out

    def of_changed(self, sent: Json) -> list[Json]:
        """For PUT; `sent` has its id."""
        path = sent.get("path")
        out = self._profile(sent.get("qualityProfileId", 0))
        if path and path.strip():
            out += self._path(path, sent["id"])
        return out + _valid_path(path, "Path", "Path")

    def of_added(self, row: Json) -> list[Json]:
        """For a new series whose path is known at last."""
        return self._path(row["path"], 0)

    def of_edit(self, sent: Json) -> list[Json]:
        """For the editor: the root folder and the quality profile, when they are named."""
        out: list[Json] = []
        root, profile = sent.get("rootFolderPath"), sent.get("qualityProfileId")
        if root:
            missing = self._roots.exists_failure(root)
            out += [missing] if missing else []
        if profile is not None:
            out += self._profile(profile)
        return out

    def _root(self, root: str, title: str) -> Json | None:
        """A root folder must be configured, and must not look like the folder of the series itself."""
        unknown = self._roots.exists_failure(root)
        if unknown or not title:
            return unknown
        folder, name = folder_name(title), name_of(root)
        if folder != name and _distance(folder, name) >= max(1.0, len(folder) * 0.2):
            return None
        text = f"Root folder path '{root}' contains series folder '{folder}'"
        more = {"rootFolderPath": root, "seriesFolder": folder}
        return failure("RootFolderPath", text, "SeriesFolderAsRootFolderValidator", root, "Root Folder Path", **more)

    def _profile(self, profile: int) -> list[Json]:
        if profile <= 0:
            return [_positive("QualityProfileId", "Quality Profile Id", profile)]
        if profile not in PROFILES:
            told = "Quality Profile does not exist"
            return [failure("QualityProfileId", told, "QualityProfileExistsValidator", profile, "Quality Profile Id")]
        return []

    def _path(self, path: str, own: int) -> list[Json]:
        """The first refusal of a path: validity, root folders, other series, ancestors."""
        invalid = path_failure(path)
        if invalid:
            return [invalid]
        told = clean(path)
        if told in self._roots.paths():
            text = f"Path '{path}' is already configured as a root folder"
            return [failure("Path", text, "RootFolderValidator", path, path=path)]
        others = [s["path"] for s in self._store.series.each() if s["id"] != own]
        if told in map(clean, others):
            text = f"Path '{path}' is already configured for another series"
            return [failure("Path", text, "SeriesPathValidator", path, path=path)]
        if any(is_parent(told, s["path"]) for s in self._store.series.each()):
            text = f"Path '{path}' is an ancestor of an existing series"
            return [failure("Path", text, "SeriesAncestorValidator", path, path=path)]
        system = system_failure(path)
        return [system] if system else []


def _positive(prop: str, label: str, value: int) -> Json:
    text = f"'{label}' must be greater than '0'."
    return failure(prop, text, "GreaterThanValidator", value, label, comparisonValue=0, comparisonProperty="")


def _empty(prop: str, label: str, value: str | None) -> Json:
    return failure(prop, f"'{label}' must not be empty.", "NotEmptyValidator", value, label)


def _valid_path(path: str | None, prop: str, label: str) -> list[Json]:
    if not (path and path.strip()):
        return [_empty(prop, label, path)]
    invalid = path_failure(path, prop)
    return [invalid] if invalid else []


def _distance(a: str, b: str) -> int:
    """How many letters must be added, removed or replaced to make one word the other."""
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]
