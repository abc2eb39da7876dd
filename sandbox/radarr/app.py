"""Radarr 6: tables, routes and commands put together."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.binding import INT, INTS, MAYBE_INT, STRING, Many, Model
from sandbox.commands import Context, Spec, common_members
from sandbox.errors import Empty, NetError
from sandbox.http import Request, Response
from sandbox.radarr import extras
from sandbox.radarr.config import media_management
from sandbox.radarr.deletion import Deleter
from sandbox.radarr.downloads import Downloads
from sandbox.radarr.files import Files
from sandbox.radarr.lookup import LookupController
from sandbox.radarr.metadata import Lookup
from sandbox.radarr.moves import Mover
from sandbox.radarr.movies import Movies
from sandbox.radarr.roots import MovieRoots
from sandbox.radarr.scan import Scanner
from sandbox.radarr.store import Store
from sandbox.servarr.app import App
from sandbox.servarr.controllers import add_commands, add_filesystem, add_log, add_queue, add_system
from sandbox.servarr.tags import Tags
from sandbox.values import Json

_TASKS = [
    ("MessagingCleanup", 5, 1),
    ("ApplicationCheckUpdate", 360, 2),
    ("CheckHealth", 360, 3),
    ("RefreshMovie", 1440, 4),
    ("Housekeeping", 1440, 5),
    ("CleanUpRecycleBin", 1440, 6),
    ("RefreshCollections", 1440, 7),
    ("Backup", 10080, 8),
    ("RssSync", 30, 9),
    ("ImportListSync", 5, 10),
    ("RefreshMonitoredDownloads", 1, 11),
]
_TAG_USERS = (
    "delayProfileIds",
    "importListIds",
    "notificationIds",
    "releaseProfileIds",
    "indexerIds",
    "downloadClientIds",
)
_HEALTH = [
    (
        "IndexerRssCheck",
        "error",
        "No indexers available with RSS sync enabled, Radarr will not grab new releases automatically",
    ),
    ("DownloadClientCheck", "warning", "No download client is available"),
    (
        "IndexerSearchCheck",
        "warning",
        "No indexers available with Automatic Search enabled, Radarr will not provide any automatic search results",
    ),
]
_PAGE = '<!DOCTYPE html><html><head><title>{title}</title></head><body><div id="root"></div></body></html>\n'
# Commands that have nothing to do here: there are no indexers, no lists and no log files.
_IDLE = (
    "ImportListSync",
    "MissingMoviesSearch",
    "CutoffUnmetMoviesSearch",
    "ClearBlocklist",
    "ClearLog",
    "DeleteLogFiles",
)
_NULL_SOURCE = "Value cannot be null. (Parameter 'source')"


class Radarr6(App):
    """Radarr 6.0.3."""

    NAME = "Radarr"
    VERSION = "6.0.3.10276"
    THREADS: ClassVar[int] = 3
    ITEM: ClassVar[str] = "movie"

    def build(self) -> None:
        media = media_management(self)
        self.roots = MovieRoots(self, recycle_bin=lambda: str(media["recycleBin"]))
        self.store = Store(self, self.roots, Lookup(self.world.get("metadata", []), self.settings), media)
        self.tags = Tags(self, validates=True)
        scanner = Scanner(self.store)
        self._deleter = Deleter(self.store, scanner)
        extras.add_backups(self.store)
        add_system(self, _TASKS)
        add_commands(self)
        add_log(self)
        add_queue(self, "includeUnknownMovieItems", "movieId")
        add_filesystem(self, frozenset({"@eadir", "cache", "boot", "trash"}))
        extras.add_history(self.store)
        extras.add_collections(self.store)
        extras.add_profiles(self.store)
        extras.Exclusions(self.store)
        LookupController(self.store)
        Movies(self.store, self._deleter)
        Files(self.store, self._deleter)
        for route in self.routes:
            route.plain = route.plain or (
                route.method == "POST" and route.pattern.pattern.startswith("/api/v3/command")
            )
        self._add_commands(scanner, Mover(self.store), Downloads(self.store))

    def _add_commands(self, scanner: Scanner, mover: Mover, downloads: Downloads) -> None:
        self.commands.members(_members)
        one = Model("Command", {"movieId": MAYBE_INT})
        many = Model("Command", {"movieIds": INTS})
        self.command("RescanMovie", scanner.rescan, model=one, read=_given("movieId"))
        self.command(
            "RefreshMovie",
            scanner.refresh,
            model=many,
            read=_read_refresh,
            long=True,
            completion="Completed",
        )
        self.command(
            "RefreshCollections", body={"collectionIds": []}, long=True, updates_task=False, completion="Completed"
        )
        moved = Model("Command", {"movieId": INT, "sourcePath": STRING, "destinationPath": STRING})
        self.command("MoveMovie", mover.one, model=moved, read=_given(movieId=0), disk=True)
        one_move = Model("NzbDrone.Core.Movies.Commands.BulkMoveMovie", {"movieId": INT, "sourcePath": STRING})
        moves = Many(one_move, f"System.Collections.Generic.List`1[{one_move.net}]")
        bulk = Model("Command", {"movies": moves, "destinationRootFolder": STRING})
        self.command("BulkMoveMovie", mover.many, model=bulk, read=_given(), disk=True)
        self.command("MoviesSearch", _require("movieIds"), model=many, read=_given())
        self.command("RenameMovie", _require("movieIds"), model=many, read=_given(), disk=True)
        files = Model("Command", {"movieId": INT, "files": INTS})
        self.command("RenameFiles", self._rename_files, model=files, read=_given(movieId=0), disk=True)
        self.command("DownloadedMoviesScan", downloads.scan, **downloads.OPTIONS)
        self.command("Housekeeping", self._housekeeping, sends_updates=False)
        self.command("CleanUpRecycleBin", self._deleter.clean_bin, sends_updates=False)
        for name in (
            "CheckHealth",
            "MessagingCleanup",
            "RefreshMonitoredDownloads",
            "ApplicationCheckUpdate",
            "RssSync",
        ):
            self.command(name, sends_updates=False)
        self.command("ProcessMonitoredDownloads", sends_updates=False, disk=True, long=True)
        for name in _IDLE:
            self.command(name)

    def seed(self) -> None:
        """What the world's `seed` says: `{tags: [label], rootFolders: [path], movies: [{tmdbId, path, tags, monitored}]}`.

        Their files follow from their folders, by a scan.
        """
        seed = self.world.get("seed", {})
        for path in seed.get("rootFolders", []):
            self.roots.add(path)
        for label in seed.get("tags", []):
            self.tags.ensure(label)
        scanner = Scanner(self.store)
        for item in seed.get("movies", []):
            wish = {
                "path": item["path"],
                "qualityProfileId": item.get("qualityProfileId", 1),
                "monitored": item.get("monitored", True),
                "minimumAvailability": "released",
                "tags": [self.tags.ensure(label) for label in item.get("tags", [])],
            }
            row = self.store.add_movie(self.store.lookup.movie(item["tmdbId"]), wish)
            scanner.scan(row["id"], Context({}, "manual", lambda _text: None, lambda _well: None))

    def items(self) -> list[Json]:
        return list(self.store.movies.each())

    def tag_users(self, tag: int) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {name: [] for name in _TAG_USERS}
        tables = {"delayProfileIds": self.store.delay_profiles, "releaseProfileIds": self.store.release_profiles}
        for member, table in tables.items():
            found[member] = [r["id"] for r in table.all() if tag in r["tags"]]
        users = sorted(m["id"] for m in self.store.movies.each() if tag in m["tags"])
        return {**found, "autoTagIds": [], "movieIds": users}

    def health(self) -> list[Json]:
        wiki = "https://wiki.servarr.com/radarr/system#"

        def anchor(text: str) -> str:
            return text.lower().replace(",", "").replace(" ", "-")

        return [{"source": s, "type": t, "message": m, "wikiUrl": wiki + anchor(m)} for s, t, m in _HEALTH]

    def unrouted(self, request: Request) -> Response:
        """The web interface: any path outside the API is its page."""
        if request.method not in ("GET", "HEAD"):
            raise Empty(405, {"Allow": "GET"})
        if request.path.lower() == "/initialize.json":
            return Response(200, self._initialize(), "application/json", versioned=False)
        title = "Login - Radarr" if request.path.lower() == "/login" else "Radarr"
        return Response(200, _PAGE.format(title=title).encode(), "text/html", versioned=False, negotiated=False)

    def _initialize(self) -> Json:
        return {
            "apiRoot": f"{self.url_base}/api/v3",
            "apiKey": self.api_key,
            "release": f"{self.version}-Debug-dev",
            "version": self.version,
            "instanceName": self.config.instance_name or self.NAME,
            "theme": "auto",
            "branch": "develop",
            "analytics": False,
            "userHash": "2246e973",
            "urlBase": self.url_base,
            "isProduction": False,
        }

    def _housekeeping(self, _context: Context) -> None:
        with self.lock:
            self.tags.purge()

    def _rename_files(self, context: Context) -> None:
        with self.lock:
            self.store.require_in_command(context.body["movieId"])


def _members(spec: Spec) -> Json:
    return {**common_members(spec), "isTypeExclusive": spec.type_exclusive}


def _read_refresh(sent: Json) -> Json:
    """A refresh of everything counts as the scheduled one."""
    ids = sent.get("movieIds") or []
    return {"movieIds": ids, "isNewMovie": sent.get("isNewMovie", False), "updateScheduledTask": not ids}


def _given(*names: str, **defaults: Any) -> Any:
    """A reader that keeps what was sent and adds defaults; nulls are left out, as the servers print them."""

    def read(sent: Json) -> Json:
        return {k: v for k, v in {**dict.fromkeys(names), **defaults, **sent}.items() if v is not None}

    return read


def _require(name: str) -> Any:
    """A command that fails without its list of ids and has nothing to do with one."""

    def run(context: Context) -> None:
        if context.body.get(name) is None:
            raise NetError("System.ArgumentNullException", _NULL_SOURCE)

    return run
