"""The metadata service behind Sonarr: what a world's `metadata` knows, in that service's own form.

The settings `metadata_stub` (anything but "up" is an outage), `metadata_delay_s` and `metadata_forgot` (tvdbIds) change
what it answers while a server runs.
"""

from __future__ import annotations

from sandbox.errors import Failed
from sandbox.servarr.app import App
from sandbox.sonarr import naming
from sandbox.values import NEVER, Json, iso, parse, prune

_LANGUAGES = {
    "eng": (1, "English"),
    "fra": (2, "French"),
    "spa": (3, "Spanish"),
    "deu": (4, "German"),
    "ita": (5, "Italian"),
    "dan": (6, "Danish"),
    "nld": (7, "Dutch"),
    "jpn": (8, "Japanese"),
    "zho": (10, "Chinese"),
    "rus": (11, "Russian"),
    "pol": (12, "Polish"),
    "swe": (14, "Swedish"),
    "nor": (15, "Norwegian"),
    "fin": (16, "Finnish"),
    "por": (18, "Portuguese"),
    "kor": (21, "Korean"),
}
_SKYHOOK = "NzbDrone.Core.MetadataSource.SkyHook.SkyHookException"


class Metadata:
    """Answers by id and by title."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._shows: dict[int, Json] = {m["tvdbId"]: m for m in app.world.get("metadata", [])}

    def find(self, tvdb_id: int) -> Json | None:
        """A show by id, after the service's delay. Failed (503) in an outage."""
        settings = self._app.settings()
        self._app.pause(settings.get("metadata_delay_s") or 0)
        if settings.get("metadata_stub", "up") != "up":
            raise Failed(503, f"Failed to get series {tvdb_id} from SkyHook", _SKYHOOK)
        if tvdb_id in settings.get("metadata_forgot", []):
            return None
        return self._shows.get(tvdb_id)

    def search(self, term: str) -> list[Json]:
        """Shows by `tvdb:1`, `imdb:tt1`, `tmdb:1` or a part of their title."""
        if not term.strip():
            told = (
                f"Search for '{term}' failed. Invalid response received from SkyHook. "
                "Object reference not set to an instance of an object."
            )
            raise Failed(503, told, _SKYHOOK)
        if self._app.settings().get("metadata_stub", "up") != "up":
            raise Failed(503, f"Search for '{term}' failed. Unable to communicate with SkyHook.", _SKYHOOK)
        kind, _, value = term.lower().partition(":")
        wanted = value.strip()
        if kind in ("tvdb", "tvdbid"):
            found = self.find(int(wanted)) if wanted.isdigit() else None
            return [found] if found else []
        keys = {"imdb": "imdbId", "imdbid": "imdbId", "tmdb": "tmdbId", "tvmaze": "tvMazeId"}
        if kind in keys:
            return [s for s in self._shows.values() if str(s.get(keys[kind], "")).lower() == wanted]
        return [s for s in self._shows.values() if term.lower() in s["title"].lower()]


def series_of(show: Json) -> Json:
    """The members of a series row that come from the service."""
    title = show["title"]
    code = show.get("originalLanguage") or "eng"
    language, name = _LANGUAGES.get(code, (1, "English"))
    clock = show.get("timeOfDay")
    rating = show.get("rating") or {}
    return {
        "title": title,
        "sortTitle": naming.sort_title(title),
        "cleanTitle": naming.clean_title(title),
        "titleSlug": show.get("slug") or title.lower().replace(" ", "-"),
        "status": show.get("status", "continuing"),
        "overview": show.get("overview"),
        "network": show.get("network"),
        "airTime": f"{clock['hours']:02d}:{clock['minutes']:02d}" if clock else None,
        "images": [],
        "originalLanguage": {"id": language, "name": name},
        "year": int(show["firstAired"][:4]) if show.get("firstAired") else 0,
        "firstAired": iso(parse(show["firstAired"])) if show.get("firstAired") else None,
        "lastAired": iso(parse(show["lastAired"])) if show.get("lastAired") else None,
        "runtime": show.get("runtime") or 0,
        "tvdbId": show["tvdbId"],
        "tvRageId": show.get("tvRageId") or 0,
        "tvMazeId": show.get("tvMazeId") or 0,
        "tmdbId": show.get("tmdbId") or 0,
        "imdbId": show.get("imdbId"),
        "certification": show.get("contentRating") or None,
        "genres": show.get("genres") or [],
        "ratings": {"votes": int(rating.get("count") or 0), "value": float(rating.get("value") or 0)},
    }


def season_numbers(show: Json) -> list[int]:
    """The numbers of the seasons the service lists."""
    return [s["seasonNumber"] for s in show.get("seasons", [])]


def episode_of(entry: Json) -> Json:
    """The members of an episode row that come from the service."""
    return prune(
        {
            "tvdbId": entry.get("tvdbId", 0),
            "seasonNumber": entry["seasonNumber"],
            "episodeNumber": entry["episodeNumber"],
            "absoluteEpisodeNumber": entry.get("absoluteEpisodeNumber"),
            "title": entry.get("title") or "TBA",
            "airDate": entry.get("airDate"),
            "airDateUtc": entry.get("airDateUtc"),
            "runtime": entry.get("runtime") or 0,
            "overview": entry.get("overview"),
            "finaleType": entry.get("finaleType"),
        }
    )


def lookup_shape(show: Json) -> Json:
    """A show that is not in the library, as `/series/lookup` gives it."""
    seasons = [{"seasonNumber": n, "monitored": n > 0} for n in season_numbers(show)]
    own = series_of(show)
    return prune(
        {
            **own,
            "ended": own["status"] == "ended",
            "seasons": seasons,
            "qualityProfileId": 0,
            "seasonFolder": False,
            "monitored": True,
            "monitorNewItems": "all",
            "useSceneNumbering": False,
            "seriesType": "standard",
            "folder": naming.folder_name(show["title"]),
            "tags": [],
            "added": NEVER,
            "statistics": {
                "seasonCount": sum(s["seasonNumber"] > 0 for s in seasons),
                "episodeFileCount": 0,
                "episodeCount": 0,
                "totalEpisodeCount": 0,
                "sizeOnDisk": 0,
                "percentOfEpisodes": 0,
            },
            "languageProfileId": 1,
        }
    )
