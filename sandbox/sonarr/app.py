"""Sonarr 4 and 5: tables, routes and commands put together."""

from __future__ import annotations

from typing import ClassVar

from sandbox.servarr.app import App
from sandbox.servarr.controllers import add_commands, add_filesystem, add_log, add_queue, add_system
from sandbox.servarr.roots import RootFolders
from sandbox.servarr.tags import Tags
from sandbox.values import Json

_TASKS = [
    ("RefreshMonitoredDownloads", 1, 1),
    ("MessagingCleanup", 5, 2),
    ("ApplicationUpdateCheck", 360, 3),
    ("UpdateSceneMapping", 180, 4),
    ("CheckHealth", 360, 5),
    ("RefreshSeries", 720, 6),
    ("Housekeeping", 1440, 7),
    ("CleanUpRecycleBin", 1440, 8),
    ("ImportListSync", 5, 9),
    ("Backup", 10080, 10),
    ("RssSync", 15, 11),
]


class Sonarr4(App):
    """Sonarr 4.0.19."""

    NAME = "Sonarr"
    VERSION = "4.0.19.2979"
    UNKNOWN_COMMAND: ClassVar[int] = 500
    VALIDATES_TAGS: ClassVar[bool] = False
    SHOWS_TOTAL: ClassVar[bool] = False

    def build(self) -> None:
        self.plain_problems = True
        self.series = self.database.table("series")
        self.roots = RootFolders(self, shows_total=self.SHOWS_TOTAL)
        self.tags = Tags(self, validates=self.VALIDATES_TAGS)
        add_system(self, _TASKS)
        add_commands(self, self.UNKNOWN_COMMAND)
        add_log(self)
        add_queue(self, "includeUnknownSeriesItems", "seriesId")
        add_filesystem(self)
        for name in ("CheckHealth", "Housekeeping"):
            self.command(name, sends_updates=False)

    def items(self) -> list[Json]:
        return self.series.all()

    def tag_users(self, tag: int) -> dict[str, list[int]]:
        users = [s["id"] for s in self.series.each() if tag in s["tags"]]
        names = (
            "delayProfileIds",
            "importListIds",
            "notificationIds",
            "restrictionIds",
            "indexerIds",
            "downloadClientIds",
        )
        return {**{n: [] for n in names}, "autoTagIds": [], "seriesIds": users}


class Sonarr5(Sonarr4):
    """Sonarr 5, development branch; it serves `/api/v3` too."""

    VERSION = "5.0.0.0"
    CURRENT_API: ClassVar[Json] = {"current": "v5", "deprecated": ["v3"]}
    UNKNOWN_COMMAND = 400
    VALIDATES_TAGS = True
    SHOWS_TOTAL = True
