"""How Sonarr shows series, episodes and files; rendered series are kept until something they show has changed."""

from __future__ import annotations

import json
import time

from sandbox.servarr.paths import root_of
from sandbox.servarr.roots import RootFolders
from sandbox.sonarr.store import BULK, Store
from sandbox.values import Json, iso, now, prune

ENGLISH = [{"id": 1, "name": "English"}]
_MEDIA = {
    "audioBitrate": 0,
    "audioChannels": 1,
    "audioCodec": "AAC",
    "audioLanguages": "",
    "audioStreamCount": 1,
    "videoBitDepth": 8,
    "videoBitrate": 0,
    "videoCodec": "h264",
    "videoFps": 5,
    "videoDynamicRange": "",
    "videoDynamicRangeType": "",
    "resolution": "1280x720",
    "runTime": "1:02",
    "scanType": "Progressive",
    "subtitles": "",
}


class Renderer:
    """Makes API shapes of rows. The caller holds the application's lock."""

    def __init__(self, store: Store, roots: RootFolders) -> None:
        self._store, self._roots = store, roots
        self._kept: dict[int, tuple[float, bytes]] = {}
        store.on_change(self._forget)
        roots.table.watchers.append(lambda _row: self._kept.clear())

    def _forget(self, ident: int) -> None:
        self._kept.pop(ident, None)

    def series(self, row: Json) -> Json:
        """A series as GET gives it, with statistics."""
        return self._series(row)[0]

    def library(self, rows: list[Json]) -> bytes:
        """Many series as one JSON array, quickly."""
        moment = time.time()
        return b"[" + b",\n".join(self._bytes(r, moment) for r in rows) + b"]"

    def _bytes(self, row: Json, moment: float) -> bytes:
        until, body = self._kept.get(row["id"], (0.0, b""))
        if moment >= until:
            shown, following = self._series(row)
            body = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
            self._kept[row["id"]] = (following, body)
        return body

    def _series(self, row: Json) -> tuple[Json, float]:
        """The shape, and the moment from which its statistics say something else."""
        seasons, whole, following = self._statistics(row)
        shown = self.plain(row)
        shown |= {"alternateTitles": [], "rootFolderPath": root_of(row["path"], self._roots.paths())}
        shown["seasons"] = [
            {**s, "statistics": seasons[s["seasonNumber"]]} if s["seasonNumber"] in seasons else s
            for s in row["seasons"]
        ]
        airing: Json = {k: whole.pop(k) for k in ("nextAiring", "previousAiring") if k in whole}
        return {**shown, **airing, "statistics": whole}, following

    def plain(self, row: Json) -> Json:
        """A series without statistics and root folder, as the editor answers."""
        return prune(
            {
                **{k: v for k, v in row.items() if k not in ("id", BULK)},
                "ended": row["status"] == "ended",
                "languageProfileId": 1,
                "id": row["id"],
            }
        )

    def _statistics(self, row: Json) -> tuple[dict[int, Json], Json, float]:
        count = sum(s["seasonNumber"] > 0 for s in row["seasons"])
        if BULK in row:
            return _bulk_statistics(row, count)
        moment = iso(now())
        files: dict[int, list[Json]] = {}
        for file in self._store.files_of(row["id"]):
            files.setdefault(file["seasonNumber"], []).append(file)
        by_season: dict[int, list[Json]] = {}
        for episode in self._store.episodes_of(row["id"]):
            by_season.setdefault(episode["seasonNumber"], []).append(episode)
        seasons = {n: _season(episodes, files.get(n, []), moment) for n, episodes in by_season.items()}
        whole: Json = {"seasonCount": count, **_sum(list(seasons.values()))}
        later = [e["airDateUtc"] for e in self._store.episodes.where(row["id"]) if e.get("airDateUtc", "") > moment]
        following = min(later, default="")
        until = now().fromisoformat(following).timestamp() if following else float("inf")
        return seasons, whole, until

    def episode(self, row: Json, *, with_file: bool = False, with_series: bool = False) -> Json:
        """An episode; `with_file` embeds its file."""
        shown = prune({k: v for k, v in row.items() if k != "id"})
        shown |= {"hasFile": row["episodeFileId"] > 0, "unverifiedSceneNumbering": False}
        if with_file and row["episodeFileId"]:
            shown["episodeFile"] = self.file(self._store.get(row["seriesId"]), self._store.file(row["episodeFileId"]))
        if with_series:
            shown["series"] = self.plain(self._store.get(row["seriesId"]))
        return {**shown, "id": row["id"]}

    def file(self, series: Json, row: Json) -> Json:
        """An episode file; its path is made from the series' path of this moment."""
        return prune(
            {
                "seriesId": row["seriesId"],
                "seasonNumber": row["seasonNumber"],
                "relativePath": row["relativePath"],
                "path": f"{series['path']}/{row['relativePath']}",
                "size": row["size"],
                "dateAdded": row["dateAdded"],
                "sceneName": row.get("sceneName"),
                "releaseGroup": row.get("releaseGroup"),
                "languages": ENGLISH,
                "quality": row["quality"],
                "customFormats": [],
                "customFormatScore": 0,
                "indexerFlags": 0,
                "releaseType": row["releaseType"],
                "mediaInfo": _MEDIA,
                "qualityCutoffNotMet": False,
                "id": row["id"],
            }
        )


def _season(episodes: list[Json], files: list[Json], moment: str) -> Json:
    """The statistics of one season: counts of its episodes, sizes of its file rows, linked or not."""
    monitored = [e["airDateUtc"] for e in episodes if e["monitored"] and "airDateUtc" in e]
    counted = [e for e in episodes if e["episodeFileId"] or (e["monitored"] and e.get("airDateUtc", "9") <= moment)]
    have = sum(e["episodeFileId"] > 0 for e in episodes)
    return prune(
        {
            "nextAiring": min((a for a in monitored if a >= moment), default=None),
            "previousAiring": max((a for a in monitored if a < moment), default=None),
            "episodeFileCount": have,
            "episodeCount": len(counted),
            "totalEpisodeCount": len(episodes),
            "sizeOnDisk": sum(f["size"] for f in files),
            "releaseGroups": sorted({f["releaseGroup"] for f in files if f.get("releaseGroup")}),
            "percentOfEpisodes": _percent(have, len(counted)),
        }
    )


def _sum(seasons: list[Json]) -> Json:
    """The statistics of a whole series; without any episode there are no release groups to list."""
    whole = {
        k: sum(s[k] for s in seasons) for k in ("episodeFileCount", "episodeCount", "totalEpisodeCount", "sizeOnDisk")
    }
    groups = {"releaseGroups": sorted({g for s in seasons for g in s["releaseGroups"]})} if seasons else {}
    airing = {
        "nextAiring": min((s["nextAiring"] for s in seasons if "nextAiring" in s), default=None),
        "previousAiring": max((s["previousAiring"] for s in seasons if "previousAiring" in s), default=None),
    }
    percent = _percent(whole["episodeFileCount"], whole["episodeCount"])
    return {**whole, **groups, **prune(airing), "percentOfEpisodes": percent}


def _percent(have: int, of: int) -> float:
    return have / of * 100 if of else 0


def _bulk_statistics(row: Json, count: int) -> tuple[dict[int, Json], Json, float]:
    """The statistics of a series that stands as a mere row: one season, every episode there."""
    files, size = row[BULK]["files"], row[BULK]["files"] * row[BULK]["size"]
    figures = {"episodeFileCount": files, "episodeCount": files, "totalEpisodeCount": files, "sizeOnDisk": size}
    season: Json = {
        "previousAiring": "2019-01-05T20:00:00Z",
        **figures,
        "releaseGroups": [],
        "percentOfEpisodes": 100.0,
    }
    return {1: dict(season)}, {"seasonCount": count, **season}, float("inf")
