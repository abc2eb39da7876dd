"""What Radarr's lookup service knows, and how it fails: the outside world of one simulated Radarr.

The entries are those of a world's `metadata` (tmdbId, imdbId, title, year, collection?, poster?); whatever else a real
service would tell has a default and may be given by an entry under the same name. The service can be slow, answer with
a web page, drop connections, or forget a movie; what Radarr makes of each is decided here too.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable

from sandbox.errors import Failed
from sandbox.values import Json, now, parse

_HTML = (
    "Site responded with browser content instead of api data. "
    "This disruption may be temporary, please try again later. [http://stub.invalid/metadata/v1/{page}]"
)
_HTML_KIND = "NzbDrone.Common.Http.UnexpectedHtmlContentException"
_CUT = "An error occurred while sending the request."
_DELIMITERS = re.compile(r"[\s.,_\-='|]+")
_COMMON = re.compile(r"\b(?:a|an|the|and|or|of)\b\s?", re.IGNORECASE)
_INNER = re.compile(r"(?<=\W)(?:a|an|the|and|or|of)(?=\W)", re.IGNORECASE)


class Outage(Exception):
    """The service did not answer properly; `kind` is the .NET exception, `html` whether a web page came back."""

    def __init__(self, kind: str, message: str, html: bool) -> None:
        super().__init__(message)
        self.kind, self.message, self.html = kind, message, html

    def failed(self) -> Failed:
        """As a 500 of the request that needed the service."""
        return Failed(500, self.message, self.kind)


class Gone(Exception):
    """The service answers, and knows no such movie."""


def sort_title(title: str) -> str:
    """`The Long Field of Rye` as `long field rye`."""
    bare = _COMMON.sub("", re.sub(r"[^\w\s]", "", _DELIMITERS.sub(" ", title)))
    return " ".join(bare.split()).lower()


def clean_title(title: str) -> str:
    """`The Long Field` as `thelongfield`: what titles are compared by."""
    return re.sub(r"[\W_]+", "", _INNER.sub("", title)).lower()


def details(entry: Json) -> Json:
    """Everything Radarr stores about a movie, from an entry of the world."""
    year = int(entry.get("year", 0))
    collection = entry.get("collection")
    return {
        "tmdbId": entry["tmdbId"],
        "imdbId": entry.get("imdbId"),
        "title": entry["title"],
        "originalTitle": entry.get("originalTitle", entry["title"]),
        "year": year,
        "overview": entry.get("overview", f"Overview of {entry['title']}"),
        "inCinemas": entry.get("inCinemas", f"{year}-03-01T00:00:00Z"),
        "digitalRelease": entry.get("digitalRelease", f"{year}-06-01T00:00:00Z"),
        "physicalRelease": entry.get("physicalRelease", f"{year}-07-01T00:00:00Z"),
        "runtime": entry.get("runtime", 3),
        "genres": entry.get("genres", ["Drama"]),
        "certification": entry.get("certification", "PG"),
        "studio": entry.get("studio", "Studio One"),
        "popularity": entry.get("popularity", 5.5),
        "ratings": {
            "imdb": {"votes": 900, "value": 7.3, "type": "user"},
            "tmdb": {"votes": 100, "value": 7.1, "type": "user"},
        },
        "poster": f"http://stub.invalid/img/{entry['tmdbId']}.jpg" if entry.get("poster") else None,
        "collection": {"title": collection["name"], "tmdbId": collection["tmdbId"]} if collection else None,
    }


def status(known: Json) -> str:
    """`announced`, `inCinemas` or `released`, from the dates."""
    moment = now()
    if any(parse(known[date]) <= moment for date in ("digitalRelease", "physicalRelease")):
        return "released"
    return "inCinemas" if parse(known["inCinemas"]) <= moment else "announced"


def release_date(known: Json, minimum: str) -> str:
    """The date from which a movie counts as available under this minimum availability."""
    if minimum == "released":
        return str(min(known["digitalRelease"], known["physicalRelease"]))
    return str(known["inCinemas"])


def available(known: Json, minimum: str) -> bool:
    """Whether a search for the movie makes sense by now."""
    return minimum in ("tba", "announced") or parse(release_date(known, minimum)) <= now()


class Lookup:
    """The service itself. `settings` gives the world's, which say how it fails at this moment."""

    def __init__(self, entries: Iterable[Json], settings: Callable[[], Json]) -> None:
        self._known = {entry["tmdbId"]: details(entry) for entry in entries}
        self._settings = settings

    def movie(self, tmdb_id: int) -> Json:
        """Details by TMDb id. Raises Outage or Gone; waits `delay` seconds first."""
        self._reach(f"movie/{tmdb_id}")
        return self._one(lambda known: bool(known["tmdbId"] == tmdb_id))

    def by_imdb(self, imdb_id: str) -> Json:
        """Details by IMDb id. Raises Outage or Gone."""
        self._reach(f"movie/imdb/{imdb_id}")
        return self._one(lambda known: bool(known["imdbId"] == imdb_id))

    def bulk(self, tmdb_ids: list[int]) -> list[Json]:
        """Details of those that the service knows. Raises Outage."""
        self._reach("movie/bulk")
        return [known for known in self._remembered() if known["tmdbId"] in tmdb_ids]

    def search(self, term: str) -> list[Json]:
        """Movies whose title contains the term; a year at its end narrows it. Raises Outage."""
        wanted = term.strip().lower()
        year = re.search(r"\s+\(?(\d{4})\)?$", wanted)
        title = wanted[: year.start()] if year else wanted
        self._reach(f"search?q={title}&year={year[1] if year else ''}")
        found = [known for known in self._remembered() if title in known["title"].lower()]
        return [k for k in found if not year or k["year"] == int(year[1])]

    def same_collection(self, tmdb_id: int) -> list[Json]:
        """Every movie of a collection. Raises Outage."""
        self._reach(f"movie/collection/{tmdb_id}")
        return [k for k in self._remembered() if k["collection"] and k["collection"]["tmdbId"] == tmdb_id]

    def _remembered(self) -> list[Json]:
        forgotten = self._settings().get("metadata_forgot", [])
        return [known for known in self._known.values() if known["tmdbId"] not in forgotten]

    def _one(self, wanted: Callable[[Json], bool]) -> Json:
        for known in self._remembered():
            if wanted(known):
                return known
        raise Gone

    def _reach(self, page: str) -> None:
        settings = self._settings()
        if settings.get("metadata_delay_s"):
            time.sleep(settings["metadata_delay_s"])
        stub = settings.get("metadata_stub") or "up"
        if "html" in stub:
            raise Outage(_HTML_KIND, _HTML.format(page=page), html=True)
        if stub != "up":
            raise Outage("System.Net.Http.HttpRequestException", _CUT, html=False)
