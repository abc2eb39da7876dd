"""Sonarr 4 and 5: tables, routes and commands put together."""

from __future__ import annotations

from typing import ClassVar

from sandbox.binding import INT, INTS, STRING, Choice, Model
from sandbox.commands import Context
from sandbox.errors import Answer, Empty, Failed
from sandbox.http import Response
from sandbox.servarr.app import App
from sandbox.servarr.controllers import add_commands, add_filesystem, add_log, add_queue, add_system
from sandbox.servarr.recycle import RecycleBin
from sandbox.servarr.roots import RootFolders
from sandbox.servarr.settings import Settings
from sandbox.servarr.tags import Tags
from sandbox.sonarr.deletion import Deletion
from sandbox.sonarr.episodes import EpisodeController
from sandbox.sonarr.health import health
from sandbox.sonarr.history import HistoryController
from sandbox.sonarr.importing import Importer
from sandbox.sonarr.metadata import Metadata
from sandbox.sonarr.moves import Mover
from sandbox.sonarr.refresh import Refresher
from sandbox.sonarr.refusals import Refusals
from sandbox.sonarr.render import Renderer
from sandbox.sonarr.scan import Scanner
from sandbox.sonarr.seeds import sow
from sandbox.sonarr.series import SeriesController
from sandbox.sonarr.store import Store
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
_MEDIA_MANAGEMENT: Json = {
    "autoUnmonitorPreviouslyDownloadedEpisodes": False,
    "recycleBin": "",
    "recycleBinCleanupDays": 7,
    "downloadPropersAndRepacks": "preferAndUpgrade",
    "createEmptySeriesFolders": False,
    "deleteEmptyFolders": False,
    "fileDate": "none",
    "rescanAfterRefresh": "always",
    "setPermissionsLinux": False,
    "chmodFolder": "755",
    "chownGroup": "",
    "episodeTitleRequired": "always",
    "skipFreeSpaceCheckWhenImporting": False,
    "minimumFreeSpaceWhenImporting": 100,
    "copyUsingHardlinks": True,
    "useScriptImport": False,
    "scriptImportPath": "",
    "importExtraFiles": False,
    "extraFileExtensions": "srt",
    "enableMediaInfo": True,
}
_CHOICES = {
    "downloadPropersAndRepacks": Choice("ProperDownloadTypes", ("preferAndUpgrade", "doNotUpgrade", "doNotPrefer")),
    "fileDate": Choice("FileDateType", ("none", "localAirDate", "utcAirDate")),
    "rescanAfterRefresh": Choice("RescanAfterRefreshType", ("always", "afterManual", "never")),
    "seasonPackUpgrade": Choice("SeasonPackUpgradeType", ("all", "threshold", "any")),
    "episodeTitleRequired": Choice("EpisodeTitleRequiredType", ("always", "bulkSeasonReleases", "never")),
}


class Sonarr4(App):
    """Sonarr 4.0.19."""

    NAME = "Sonarr"
    VERSION = "4.0.19.2979"
    REFRESH_PACE: ClassVar[float] = 1.0
    LOST_SHOW: ClassVar[str] = "successful"
    MEDIA_MANAGEMENT: ClassVar[Json] = _MEDIA_MANAGEMENT
    VALIDATES_TAGS: ClassVar[bool] = False
    SHOWS_TOTAL: ClassVar[bool] = False
    TAG_DETAIL: ClassVar[tuple[str, ...]] = ()

    def build(self) -> None:
        self.plain_problems = True
        self.store = Store(self.database)
        self.metadata = Metadata(self)
        self.media = Settings(self, "/config/mediamanagement", self.MEDIA_MANAGEMENT, _CHOICES)
        self.bin = RecycleBin(self.disks, self.transfer, self.recycle_bin)
        self.roots = RootFolders(self, shows_total=self.SHOWS_TOTAL, recycle_bin=self.recycle_bin)
        self.tags = Tags(self, validates=self.VALIDATES_TAGS)
        self.render = Renderer(self.store, self.roots)
        self.refusals = Refusals(self.store, self.roots)
        self.deletion = Deletion(self)
        self.scanner = Scanner(self)
        add_system(self, _TASKS)
        add_commands(self)
        add_log(self)
        add_queue(self, "includeUnknownSeriesItems", "seriesId")
        add_filesystem(self)
        self.api("GET", "/importlist", lambda _r: Response(200, []))
        self.controller = SeriesController(self)
        EpisodeController(self)
        HistoryController(self)
        self.refresher = Refresher(self)
        Mover(self)
        Importer(self)
        self._small_commands()

    def recycle_bin(self) -> str:
        """The configured recycle bin, empty for none."""
        return str(self.media["recycleBin"])

    def _small_commands(self) -> None:
        def backup(context: Context) -> None:
            context.say("Backup zip created")

        def housekeep(_context: Context) -> None:
            with self.lock:
                self.tags.purge()

        self.command("Housekeeping", housekeep, sends_updates=False, exclusive=self.VERSION.startswith("5"))
        self.command(
            "Backup",
            backup,
            model=Model("BackupCommand", {"type": STRING}),
            read=lambda sent: {"type": sent.get("type", "manual"), "updateScheduledTask": False},
        )
        for name in ("CheckHealth", "CleanUpRecycleBin", "MessagingCleanup", "RefreshMonitoredDownloads"):
            self.command(name, sends_updates=False)
        self.command("ProcessMonitoredDownloads", sends_updates=False, disk=True, long=True)

        def sync(context: Context) -> None:
            context.say("RSS Sync Completed. Reports found: 0, Reports grabbed: 0")

        self.command("RssSync", sync, long=True)
        # Searches find nothing here: there are no indexers.
        one, many = (
            Model("SearchCommand", {"seriesId": INT, "seasonNumber": INT}),
            Model("SearchCommand", {"episodeIds": INTS}),
        )
        self.command("SeriesSearch", model=one, body={"seriesId": 0})
        self.command("SeasonSearch", model=one, body={"seriesId": 0, "seasonNumber": 0})
        self.command("EpisodeSearch", model=many, body={"episodeIds": []})
        self.command("UpdateSceneMapping")
        self.command("ImportListSync")
        self.command("ApplicationUpdateCheck")

    def seed(self) -> None:
        sow(self)

    def items(self) -> list[Json]:
        return list(self.store.series.each())

    def tag_users(self, tag: int) -> dict[str, list[int]]:
        users = [s["id"] for s in self.store.series.each() if tag in s["tags"]]
        names = ("delayProfileIds", "importListIds", "notificationIds", "restrictionIds", *self.TAG_DETAIL)
        return {
            **{n: [] for n in names},
            "indexerIds": [],
            "downloadClientIds": [],
            "autoTagIds": [],
            "seriesIds": users,
        }

    def health(self) -> list[Json]:
        return health(self)


class Sonarr5(Sonarr4):
    """Sonarr 5, development branch; it serves `/api/v3` too."""

    VERSION = "5.0.0.0"
    CURRENT_API: ClassVar[Json] = {"current": "v5", "deprecated": ["v3"]}
    STATUS: ClassVar[Json] = {"isContainerized": True}
    REFRESH_PACE = 0.06
    VALIDATES_TAGS = True
    SHOWS_TOTAL = True
    TAG_DETAIL = ("excludedReleaseProfileIds",)
    LOST_SHOW = "indeterminate"
    MEDIA_MANAGEMENT: ClassVar[Json] = {
        **_MEDIA_MANAGEMENT,
        "userRejectedExtensions": "",
        "seasonPackUpgrade": "all",
        "seasonPackUpgradeThreshold": 100,
    }

    def missing(self) -> Answer:
        return Empty(404)

    def misused(self, message: str) -> Failed:
        return Failed(400, message, "System.InvalidOperationException")
