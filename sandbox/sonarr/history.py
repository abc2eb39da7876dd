"""`/history` as far as the library's own events fill it, and `/importlistexclusion`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.http import Request, Response
from sandbox.servarr.paging import paged, read_page
from sandbox.sonarr.render import ENGLISH
from sandbox.values import Json

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_EVENTS = (
    "unknown",
    "grabbed",
    "seriesFolderImported",
    "downloadFolderImported",
    "downloadFailed",
    "episodeFileDeleted",
    "episodeFileRenamed",
    "downloadIgnored",
)


class HistoryController:
    """The routes."""

    def __init__(self, app: Sonarr4) -> None:
        self._app = app
        app.api("GET", "/history", self._page)
        app.api("GET", "/history/since", self._since)
        app.api("GET", "/history/series", self._of_series)
        app.api("GET", "/importlistexclusion", lambda _r: Response(200, app.store.exclusions.all()))

    def _rows(self) -> list[Json]:
        return sorted(self._app.store.history.all(), key=lambda h: (h["date"], h["id"]), reverse=True)

    def _page(self, request: Request) -> Response:
        page = read_page(request, ("date", "series.sortTitle"))
        events = [_EVENTS[n] for n in request.query.integers("eventType") if 0 <= n < len(_EVENTS)]
        wanted, episode = request.query.integers("seriesIds"), request.query.integer("episodeId")
        rows = [
            h
            for h in self._rows()
            if (not events or h["eventType"] in events)
            and (not wanted or h["seriesId"] in wanted)
            and (episode is None or h["episodeId"] == episode)
        ]
        if page.direction == "ascending":
            rows.reverse()
        return Response(200, paged(page, rows, _shown))

    def _since(self, request: Request) -> Response:
        date = request.query.date("date") or ""
        event = request.query.choice("eventType", _EVENTS, "")
        rows = [h for h in reversed(self._rows()) if h["date"] >= date and (not event or h["eventType"] == event)]
        return Response(200, [_shown(h) for h in rows])

    def _of_series(self, request: Request) -> Response:
        series, season = request.query.integer("seriesId", 0), request.query.integer("seasonNumber")
        rows = [h for h in self._rows() if h["seriesId"] == series]
        if season is not None:
            inside = {e["id"] for e in self._app.store.episodes.where(series) if e["seasonNumber"] == season}
            rows = [h for h in rows if h["episodeId"] in inside]
        return Response(200, [_shown(h) for h in rows])


def _shown(row: Json) -> Json:
    more = {"languages": ENGLISH, "customFormats": [], "customFormatScore": 0, "qualityCutoffNotMet": False}
    return {**{k: v for k, v in row.items() if k != "id"}, **more, "id": row["id"]}
