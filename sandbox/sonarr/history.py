"""`/history`: what imports and deletions of this server have written into it, and `/importlistexclusion`."""

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
        download = (request.query.text("downloadId") or "").upper()
        rows = [
            h
            for h in self._rows()
            if (not events or h["eventType"] in events)
            and (not wanted or h["seriesId"] in wanted)
            and (episode is None or h["episodeId"] == episode)
            and (not download or str(h.get("downloadId", "")).upper() == download)
        ]
        if page.direction == "ascending":
            rows.reverse()
        more = (request.query.flag("includeSeries"), request.query.flag("includeEpisode"))
        return Response(200, paged(page, rows, lambda h: self._whole(h, *more)))

    def _whole(self, row: Json, with_series: bool, with_episode: bool) -> Json:
        """A row, with what it speaks of when that is wanted and still there."""
        store, shown = self._app.store, _shown(row)
        series = store.series.get(row["seriesId"]) if with_series else None
        episode = store.episodes.get(row["episodeId"]) if with_episode else None
        more = {"episode": self._app.render.episode(episode)} if episode else {}
        if series:
            more["series"] = self._app.render.plain(series)
        return {**shown, **more, "id": row["id"]}

    def _since(self, request: Request) -> Response:
        date = request.query.date("date") or ""
        event = request.query.choice("eventType", _EVENTS, "")
        rows = [h for h in reversed(self._rows()) if h["date"] >= date and (not event or h["eventType"] == event)]
        return Response(200, [_shown(h) for h in rows])

    def _of_series(self, request: Request) -> Response:
        series, season = request.query.integer("seriesId", 0), request.query.integer("seasonNumber")
        event = request.query.choice("eventType", _EVENTS, "")
        rows = [h for h in self._rows() if h["seriesId"] == series and (not event or h["eventType"] == event)]
        if season is not None:
            inside = {e["id"] for e in self._app.store.episodes.where(series) if e["seasonNumber"] == season}
            rows = [h for h in rows if h["episodeId"] in inside]
        return Response(200, [_shown(h) for h in rows])


def _shown(row: Json) -> Json:
    more = {"languages": ENGLISH, "customFormats": [], "customFormatScore": 0, "qualityCutoffNotMet": False}
    return {**{k: v for k, v in row.items() if k != "id"}, **more, "id": row["id"]}
