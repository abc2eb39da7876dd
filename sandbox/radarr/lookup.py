"""`/movie/lookup`: what the metadata service knows, and how its failures come out."""

from __future__ import annotations

import re

from sandbox.errors import Failed
from sandbox.http import Request, Response
from sandbox.radarr import render
from sandbox.radarr.metadata import Gone, Outage
from sandbox.radarr.store import Store
from sandbox.values import Json

_NOT_FOUND = "NzbDrone.Core.Exceptions.MovieNotFoundException"
_NULL_INPUT = "Value cannot be null. (Parameter 'input')"
_BY_ID = re.compile(r"^(tmdb|tmdbid|imdb|imdbid):\s*(.*)$", re.IGNORECASE)


class LookupController:
    """The controller."""

    def __init__(self, store: Store) -> None:
        self._store = store
        store.app.api("GET", "/movie/lookup", self._search)
        store.app.api("GET", "/movie/lookup/tmdb", self._by_tmdb)
        store.app.api("GET", "/movie/lookup/imdb", self._by_imdb)

    def _search(self, request: Request) -> Response:
        term = request.query.text("term") or ""
        if not term:
            raise self._failed("", Outage("System.ArgumentNullException", _NULL_INPUT, html=False))
        try:
            return Response(200, [self._show(known) for known in self._find(term)])
        except Outage as outage:
            raise self._failed(term, outage) from outage

    def _failed(self, term: str, outage: Outage) -> Failed:
        how = "Unable to communicate with RadarrAPI" if outage.html else "Invalid response received from RadarrAPI"
        text = f"Search for '{term}' failed. {how}. {outage.message}"
        return Failed(503, text, "NzbDrone.Core.MetadataSource.SkyHook.SkyHookException")

    def _find(self, term: str) -> list[Json]:
        by_id = _BY_ID.match(term)
        if by_id is None:
            return self._store.lookup.search(term)
        kind, value = by_id[1].lower(), by_id[2].strip()
        try:
            if kind.startswith("imdb"):
                return [self._store.lookup.by_imdb(value)]
            return [self._store.lookup.movie(int(value))]
        except (Gone, ValueError):
            return []

    def _show(self, known: Json) -> Json:
        held = self._store.by_tmdb(known["tmdbId"])
        if held is None:
            return render.found(known, folder=True)
        return render.movie(held, self._store.file_of(held), translated=False, folder=True)

    def _by_tmdb(self, request: Request) -> Response:
        tmdb_id = request.query.integer("tmdbId", 0) or 0
        return self._one(tmdb_id, f"Movie with tmdbId {tmdb_id} was not found, it may have been removed from TMDb.")

    def _by_imdb(self, request: Request) -> Response:
        imdb_id = request.query.text("imdbId")
        if not imdb_id:
            raise Failed(500, _NULL_INPUT, "System.ArgumentNullException")
        return self._one(imdb_id, f"Movie with IMDBId {imdb_id} was not found, it may have been removed from TMDb.")

    def _one(self, ident: int | str, absent: str) -> Response:
        try:
            service = self._store.lookup
            known = service.movie(ident) if isinstance(ident, int) else service.by_imdb(ident)
        except Gone:
            raise Failed(500, absent, _NOT_FOUND) from None
        except Outage as outage:
            raise outage.failed() from outage
        return Response(200, render.found(known, folder=False))
