"""MoveSeries and BulkMoveSeries, and their outcomes.

The path in the database is the destination's before the command begins. An IOException puts it back and is swallowed;
anything else fails the command and leaves it, in bulk with every series after it; a source that is not there is no
news at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.binding import INT, STRING, Many, Model
from sandbox.commands import Context
from sandbox.errors import NetError
from sandbox.servarr.paths import clean, parent_of
from sandbox.sonarr.naming import folder_name
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_ONE = Model("BulkMoveSeries", {"seriesId": INT, "sourcePath": STRING})
_LOGGER = "MoveSeriesService"


class Mover:
    """The two commands."""

    def __init__(self, app: Sonarr4) -> None:
        self._app = app
        app.command(
            "MoveSeries",
            self._move_one,
            model=Model("MoveSeriesCommand", {"seriesId": INT, "sourcePath": STRING, "destinationPath": STRING}),
            body={"seriesId": 0, "sourcePath": None, "destinationPath": None},
            disk=True,
        )
        app.command(
            "BulkMoveSeries",
            self._move_many,
            model=Model("BulkMoveSeriesCommand", {"series": Many(_ONE, "List`1"), "destinationRootFolder": STRING}),
            body={"series": [], "destinationRootFolder": None},
            disk=True,
        )

    def _series(self, ident: int) -> Json:
        with self._app.lock:
            row = self._app.store.series.get(ident)
        if row is None:
            told = f"Series with ID {ident} does not exist"
            raise NetError("NzbDrone.Core.Datastore.ModelNotFoundException", told)
        return row

    def _move_one(self, context: Context) -> None:
        body = context.body
        series = self._series(body["seriesId"])
        self._move(context, series, body["sourcePath"], body["destinationPath"])

    def _move_many(self, context: Context) -> None:
        wanted, root = context.body["series"], context.body["destinationRootFolder"]
        self._tell(context, f"Moving {len(wanted)} series to '{root}'")
        for number, item in enumerate(wanted, 1):
            series = self._series(item["seriesId"])
            target = f"{clean(root)}/{folder_name(series['title'])}"
            self._move(context, series, item["sourcePath"], target, f" ({number}/{len(wanted)})")
        self._tell(context, f"Finished moving {len(wanted)} series to '{root}'")

    def _tell(self, context: Context, message: str) -> None:
        context.say(message)
        self._app.log.add("info", _LOGGER, message)

    def _move(self, context: Context, series: Json, source: str, target: str, count: str = "") -> None:
        title, disks = series["title"], self._app.disks
        if not disks.is_folder(source):
            return
        self._tell(context, f"Moving {title} from '{source}' to '{target}'{count}")
        if clean(source) == clean(target):
            self._tell(context, f"[{series['tvdbId']}][{title}] is already in the specified location '{target}'.")
            return
        try:
            disks.make_folder(parent_of(target))
            self._app.transfer.move_folder(source, target)
        except NetError as error:
            if not error.io:
                raise
            told = f"Unable to move series from '{source}' to '{target}'. Try moving files manually"
            self._app.log.add("error", _LOGGER, f"{told}: {error.message}", error)
            self._put_back(series["id"], source)
            return
        self._tell(context, f"{title} moved successfully to {target}")

    def _put_back(self, ident: int, path: str) -> None:
        with self._app.lock:
            row = self._app.store.series.get(ident)
            if row is not None:
                self._app.store.series.update({**row, "path": path})
