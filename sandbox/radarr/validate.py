"""The refusals of Radarr's movie controllers, in the order in which they come out.

Each function gives the failures of one request, none when it is fine. The rules are the validators that the recordings
show, with their messages.
"""

from __future__ import annotations

from sandbox.errors import failure
from sandbox.radarr import render
from sandbox.radarr.store import Store
from sandbox.servarr.paths import bin_failure, clean, is_parent, is_valid, system_failure
from sandbox.values import Json


def blank(text: str | None) -> bool:
    """Whether a string is null or white space."""
    return text is None or not text.strip()


def empty(prop: str, value: object, label: str | None = None) -> Json:
    """The failure of a member that must not be empty."""
    name = label or prop
    return failure(prop, f"'{name}' must not be empty.", "NotEmptyValidator", value, name)


def not_positive(prop: str, value: int, label: str | None = None) -> Json:
    """The failure of an id that is none."""
    name = label or prop
    told = f"'{name}' must be greater than '0'."
    return failure(prop, told, "GreaterThanValidator", value, name, comparisonValue=0, comparisonProperty="")


def invalid_path(prop: str, path: str | None, label: str | None = None) -> Json:
    """The failure of a path that is no path."""
    return failure(prop, f"Invalid Path: '{path or ''}'", "PathValidator", path, label, path=path)


def profile(store: Store, ident: int) -> Json | None:
    """Why this is no quality profile."""
    if ident <= 0:
        return not_positive("QualityProfileId", ident, "Quality Profile Id")
    if ident not in store.profiles:
        told = "Quality Profile does not exist"
        return failure("QualityProfileId", told, "QualityProfileExistsValidator", ident, "Quality Profile Id")
    return None


def movie_path(store: Store, path: str, movie_id: int) -> Json | None:
    """Why a movie may not live at this path."""
    if not is_valid(path):
        return invalid_path("Path", path)
    told = clean(path)
    if told in store.roots.paths():
        text = f"Path '{path}' is already configured as a root folder"
        return failure("Path", text, "RootFolderValidator", path, path=path)
    others = [m for m in store.movies.each() if m["id"] != movie_id]
    if any(clean(m["path"]) == told for m in others):
        text = f"Path '{path}' is already configured for an existing movie"
        return failure("Path", text, "MoviePathValidator", path, path=path)
    if any(is_parent(told, m["path"]) for m in store.movies.each()):
        text = f"Path '{path}' is an ancestor of an existing movie"
        return failure("Path", text, "MovieAncestorValidator", path, path=path)
    binned = bin_failure(path, store.media["recycleBin"])
    if binned:
        return binned
    return system_failure(path)


def _shared(store: Store, sent: Json) -> list[Json | None]:
    path = sent.get("path")
    return [
        None if blank(path) else movie_path(store, path or "", sent.get("id", 0)),
        profile(store, sent.get("qualityProfileId", 0)),
    ]


def _path_required(path: str | None) -> Json | None:
    if blank(path):
        return empty("Path", path)
    return None if is_valid(path) else invalid_path("Path", path)


def _root_required(store: Store, sent: Json) -> Json | None:
    root = sent.get("rootFolderPath")
    if root is None or blank(root):
        return empty("RootFolderPath", root, "Root Folder Path")
    if not is_valid(root):
        return invalid_path("RootFolderPath", root, "Root Folder Path")
    return store.roots.exists_failure(root)


def create(store: Store, sent: Json) -> list[Json]:
    """The failures of `POST /movie`."""
    found = _shared(store, sent)
    if blank(sent.get("rootFolderPath")):
        found.append(_path_required(sent.get("path")))
    if blank(sent.get("path")):
        found.append(_root_required(store, sent))
    tmdb_id = sent.get("tmdbId", 0)
    if tmdb_id <= 0 and blank(sent.get("title")):
        found.append(empty("Title", sent.get("title")))
    if tmdb_id == 0:
        found.append(empty("TmdbId", 0, "Tmdb Id"))
    elif store.by_tmdb(tmdb_id):
        told = "This movie has already been added"
        found.append(failure("TmdbId", told, "MovieExistsValidator", tmdb_id, "Tmdb Id"))
    return [f for f in found if f is not None]


def change(store: Store, sent: Json) -> list[Json]:
    """The failures of `PUT /movie`."""
    found = [*_shared(store, sent), _path_required(sent.get("path"))]
    if sent.get("id", 0) <= 0:
        found.append(not_positive("Id", sent.get("id", 0)))
    return [f for f in found if f is not None]


def edited(store: Store, movie: Json, root: str | None) -> list[Json]:
    """The failures of one movie of `PUT /movie/editor`, as it is to become; `root` is the new root folder, if any."""
    found = [None if root is None or blank(root) else _root_required(store, {"rootFolderPath": root})]
    found.append(profile(store, movie["qualityProfileId"]))
    return [f for f in found if f is not None]


def imported(store: Store, movie: Json) -> Json | None:
    """Why an imported movie may not be added: only its path is looked at."""
    return movie_path(store, movie["path"], 0)


def folder_for(known: Json, sent: Json) -> str:
    """Where a new movie is to live: the path sent, else its folder below the root folder sent."""
    if not blank(sent.get("path")):
        return str(sent["path"])
    return render.join(sent["rootFolderPath"], render.folder_name(known["title"], known["year"]))
