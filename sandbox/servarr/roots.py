"""`/rootfolder`: the folders an app manages, their free space and what in them it does not know."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.binding import INT, STRING, WHATEVER, Model
from sandbox.errors import Invalid, NetError, failure
from sandbox.http import Request, Response
from sandbox.servarr.app import App
from sandbox.servarr.paths import bin_failure, clean, is_valid, path_failure, system_failure
from sandbox.values import Json

_SPECIAL = frozenset({"$recycle.bin", "system volume information", "recycler", "lost+found", ".appledb", ".appledesktop",
                      ".appledouble", "@eadir", ".grab"})  # fmt: skip


class RootFolders:
    """The table and its controller.

    `shows_total`: Sonarr 5 answers with `totalSpace` too. `recycle_bin` gives the configured bin, empty for none.
    """

    def __init__(self, app: App, *, shows_total: bool = False, recycle_bin: Callable[[], str] = lambda: "") -> None:
        self._app, self._shows_total, self._recycle_bin = app, shows_total, recycle_bin
        self.table = app.database.table("rootfolders")
        members: Json = {"id": INT, "path": STRING, "unmappedFolders": WHATEVER}
        self._model = Model(f"{app.NAME}.Api.V3.RootFolders.RootFolderResource", members)
        app.api("GET", "/rootfolder", lambda _r: Response(200, [self.show(r) for r in self.table.all()]))
        app.api("GET", "/rootfolder/{id}", self._get)
        app.api("POST", "/rootfolder", self._post)
        app.api("DELETE", "/rootfolder/{id}", self._delete)

    def paths(self) -> list[str]:
        """The configured paths, without a slash at the end."""
        return [r["path"] for r in self.table.each()]

    def add(self, path: str) -> Json:
        """Adds a root folder without asking any validator (seeds)."""
        return self.table.insert({"path": clean(path)})

    def show(self, row: Json) -> Json:
        """A root folder as the API shows it; one that is gone has neither space nor unmapped folders."""
        path, disks = row["path"], self._app.disks
        if not disks.is_folder(path):
            return {"path": path, "accessible": False, "id": row["id"]}
        total = {"totalSpace": disks.total(path)} if self._shows_total else {}
        return {
            "path": path,
            "accessible": True,
            "freeSpace": disks.free(path),
            **total,
            "unmappedFolders": self._unmapped(path),
            "id": row["id"],
        }

    def _unmapped(self, root: str) -> list[Json]:
        try:
            folders, _ = self._app.disks.listing(root)
        except NetError:
            return []
        known = {clean(i["path"]) for i in self._app.items()}
        names = [n for n in folders if f"{root}/{n}" not in known and n.lower() not in _SPECIAL]
        return [{"name": n, "path": f"{root}/{n}", "relativePath": n} for n in sorted(names, key=str.lower)]

    def _get(self, request: Request) -> Response:
        row = self.table.get(request.params["id"])
        if row is None:
            raise self._app.missing()
        return Response(200, self.show(row))

    def _post(self, request: Request) -> Response:
        sent = request.bind(self._model)
        problem = self.refusal(sent.get("path"))
        if problem:
            raise Invalid(problem)
        if sent.get("id"):
            raise self._app.misused(f"Can't insert model with existing ID {sent['id']}")
        row = self.add(sent["path"])
        return Response(201, self.show(row), headers=self._app.location(request.origin, f"/rootfolder/{row['id']}"))

    def refusal(self, path: str | None) -> Json | None:
        """Why this path can't become a root folder, as a validation failure; None when it can."""
        invalid = path_failure(path)
        if invalid or path is None:
            return invalid
        told = clean(path)
        if told in self.paths():
            return failure(
                "Path", f"Path '{path}' is already configured as a root folder", "RootFolderValidator", path, path=path
            )
        binned = bin_failure(path, self._recycle_bin())
        if binned:
            return binned
        if not self._app.disks.is_folder(told):
            return failure("Path", f"Path '{path}' does not exist", "PathExistsValidator", path, path=path)
        system = system_failure(path)
        if system:
            return system
        if not self._app.disks.writable(told):
            text = f"Folder '{path}' is not writable by user 'media'"
            return failure("Path", text, "FolderWritableValidator", path, path=path, user="media")
        return None

    def exists_failure(self, path: str, prop: str = "RootFolderPath") -> Json | None:
        """The failure of a path that is no configured root folder."""
        if is_valid(path) and clean(path) in self.paths():
            return None
        return failure(
            prop,
            f"Root folder '{path}' does not exist",
            "RootFolderExistsValidator",
            path,
            "Root Folder Path",
            path=path,
        )

    def _delete(self, request: Request) -> Response:
        self.table.delete(request.params["id"])
        return Response(200)
