"""DownloadedMoviesScan: importing a finished download by hand.

A file is matched to a movie by the title and year in its release name, moved (or hardlinked or copied) into the movie's
folder under that name, and noted in the history. When files were moved and no video is left, the download's folder goes
with all that is in it.
"""

from __future__ import annotations

import errno
import os
import re
from typing import Any, ClassVar

from sandbox.binding import STRING, Choice, Model
from sandbox.commands import Context
from sandbox.disks import speaking_net
from sandbox.errors import NetError, from_os
from sandbox.radarr import metadata, quality, render
from sandbox.radarr.scan import file_row, weight
from sandbox.radarr.store import Store
from sandbox.servarr.paths import clean, is_parent, name_of
from sandbox.servarr.recycle import RecycleBin, bin_folder
from sandbox.transfer import is_video
from sandbox.values import Json

_MODES = ("auto", "move", "copy")
_RELEASE = re.compile(r"^(?P<title>.+?)[ ._(\[]+(?P<year>(?:19|20)\d{2})(?:[ ._)\]]|$)")
_LOGGER = "DownloadedMovieCommandService"
_ARGUMENT = "System.ArgumentException"


def _read(sent: Json) -> Json:
    own = {"sendUpdatesToClient": False, "sendUpdates": False, "importMode": "auto"}
    return {**own, **{k: v for k, v in sent.items() if v is not None}}


class Downloads:
    """The import of one Radarr."""

    OPTIONS: ClassVar[dict[str, Any]] = {
        "model": Model(
            "Command",
            {
                "path": STRING,
                "downloadClientId": STRING,
                "importMode": Choice("NzbDrone.Core.MediaFiles.MovieImport.ImportMode", _MODES),
            },
        ),
        "read": _read,
        "sends_updates": False,
        "disk": True,
        "long": True,
    }

    def __init__(self, store: Store) -> None:
        self._store, self._app = store, store.app
        self._bin = RecycleBin(store.app.disks, store.app.transfer, lambda: str(store.media["recycleBin"]))

    def scan(self, context: Context) -> None:
        """The command."""
        path, mode = context.body.get("path"), context.body["importMode"]
        if not path:
            raise NetError(_ARGUMENT, "A path must be provided (Parameter 'path')")
        if not path.startswith("/"):
            text = f"value [{path}]  is not a valid *nix path. paths must start with / (Parameter 'path')"
            raise NetError(_ARGUMENT, text)
        top = clean(path)
        context.succeed(self._import_all(top, mode) > 0)

    def _import_all(self, top: str, mode: str) -> int:
        disks, log = self._app.disks, self._app.log
        if disks.is_file(top):
            return int(self._import_one(top, None, move=mode != "copy"))
        if not disks.is_folder(top):
            log.add("warn", _LOGGER, f"Folder/File specified for import scan [{top}] doesn't exist.")
            return 0
        with self._app.lock:
            mapped = any(clean(m["path"]) == top or is_parent(top, m["path"]) for m in self._store.movies.each())
        if mapped:
            log.add(
                "warn", "DownloadedMovieImportService", "Unable to process folder that is mapped to an existing movie"
            )
            return 0
        videos = [p for p in disks.walk(top) if is_video(p)]
        done = sum(self._import_one(p, name_of(top), move=mode != "copy") for p in videos)
        if done and mode != "copy" and not any(is_video(p) for p in disks.walk(top)):
            disks.remove_folder(top)
        return done

    def _match(self, release: str) -> Json | None:
        found = _RELEASE.match(release)
        if found is None:
            return None
        title = metadata.clean_title(re.sub(r"[._]", " ", found["title"]).strip())
        year = int(found["year"])
        return next(
            (
                m
                for m in self._store.movies.each()
                if metadata.clean_title(m["metadata"]["title"]) == title and m["metadata"]["year"] == year
            ),
            None,
        )

    def _import_one(self, path: str, folder: str | None, *, move: bool) -> bool:
        """Imports one video; `folder` is the name of the download's folder. False when nothing fits or is better."""
        stem, extension = os.path.splitext(name_of(path))  # noqa: PTH122
        release = stem if folder is None or quality.is_release(stem) else folder
        with self._app.lock:
            movie = self._match(release) or (self._match(folder) if folder else None)
            held = self._store.file_of(movie) if movie else None
        size = self._app.disks.size(path)
        if movie is None:
            return False
        name = f"{release}{extension}"
        row = {**file_row(name, size, release), "originalFilePath": f"{folder}/{name_of(path)}" if folder else None}
        row["releaseGroup"] = quality.release_group(folder or "") or row["releaseGroup"]
        if held is not None and weight(row) < weight(held):
            return False
        target = render.join(movie["path"], name)
        self._app.disks.make_folder(clean(movie["path"]))
        if held is not None:
            old = render.join(movie["path"], held["relativePath"])
            if self._app.disks.is_file(old):
                self._bin.remove_file(old, bin_folder(movie["path"], old))
        self._place(path, target, move=move)
        self._note(movie, row, path, target, held)
        return True

    def _place(self, path: str, target: str, *, move: bool) -> None:
        disks = self._app.disks
        if move:
            self._app.transfer.move_file(path, target)
            return
        if not disks.same_mount(path, target):
            if disks.free(target) < disks.size(path):
                raise from_os(OSError(errno.ENOSPC, "No space left on device"), target)
            with speaking_net(target), open(disks.real(path), "rb") as reader, open(disks.real(target), "wb") as writer:  # noqa: PTH123
                os.truncate(writer.fileno(), disks.size(path))
                writer.write(reader.read(1))
        else:
            with speaking_net(target):
                if os.path.lexists(disks.real(target)):
                    os.unlink(disks.real(target))  # noqa: PTH108
                os.link(disks.real(path), disks.real(target))
        disks.order.made(target)
        disks.changed(target)

    def _note(self, movie: Json, row: Json, path: str, target: str, held: Json | None) -> None:
        with self._app.lock:
            if held is not None:
                self._store.drop_file(held, "Upgrade")
            file = self._store.add_file(movie["id"], {k: v for k, v in row.items() if v is not None})
            data = {
                "fileId": str(file["id"]),
                "droppedPath": path,
                "importedPath": target,
                "downloadClient": None,
                "downloadClientName": None,
                "releaseGroup": row["releaseGroup"],
                "customFormatScore": "0",
                "size": str(row["size"]),
                "indexerFlags": "0",
            }
            self._store.note(movie, file, "downloadFolderImported", row["sceneName"], data)
