"""Where Sonarr and Radarr differ. Everything else of them is one program to us (api-facts of both: v3 API)."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Flavour:
    """One app's words.

    `versions`  the major versions that were tried. Older ones are refused; newer ones are used, and doctor says so.
    `item`      path and noun of an item; `item_id` its field in files, queue and commands; `outside` its lasting id.
    `part_id`   what an import fills, in the history: an episode, or the movie itself.
    `file`      path of its file rows; `files` the count of them in `statistics`.
    `list_params`  what makes the full list cheap.
    """

    app: str
    name: str
    versions: tuple[int, ...]
    item: str
    item_id: str
    part_id: str
    outside: str
    outside_id: str
    file: str
    files: str
    rescan: str
    unknown_items: str
    list_params: MappingProxyType[str, bool] = field(default_factory=lambda: MappingProxyType({}))


SONARR = Flavour(
    app="sonarr",
    name="Sonarr",
    versions=(4, 5),
    item="series",
    item_id="seriesId",
    part_id="episodeId",
    outside="tvdb",
    outside_id="tvdbId",
    file="episodefile",
    files="episodeFileCount",
    rescan="RescanSeries",
    unknown_items="includeUnknownSeriesItems",
)
RADARR = Flavour(
    app="radarr",
    name="Radarr",
    versions=(5, 6),
    item="movie",
    item_id="movieId",
    part_id="movieId",
    outside="tmdb",
    outside_id="tmdbId",
    file="moviefile",
    files="movieFileCount",
    rescan="RescanMovie",
    unknown_items="includeUnknownMovieItems",
    list_params=MappingProxyType({"excludeLocalCovers": True}),
)
