"""Sonarr's tables: series, episodes, episode files, history; and the statistics drawn from them.

Everything that changes a series' episodes goes through here, so that rendered series can be kept until something they
show has changed. Series that a world declares as mere `rows` get their episodes and files when first asked for.
"""

from __future__ import annotations

from collections.abc import Callable

from sandbox.database import Database
from sandbox.errors import model_not_found, rows_missing
from sandbox.values import Json, iso, now, stamp

BULK = "bulk"


class Store:
    """The tables. The caller holds the application's lock."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.series = database.table("series")
        self.episodes = database.table("episodes", index="seriesId")
        self.files = database.table("files", index="seriesId")
        self.extras = database.table("extras", index="seriesId")
        self.history = database.table("history", index="seriesId")
        self.exclusions = database.table("exclusions")

    def on_change(self, forget: Callable[[int], None]) -> None:
        """Calls back with the id of a series of which something has changed."""
        self.series.watchers.append(lambda row: forget(row["id"]))
        self.episodes.watchers.append(lambda row: forget(row["seriesId"]))
        self.files.watchers.append(lambda row: forget(row["seriesId"]))

    def get(self, ident: int) -> Json:
        """A series. Failed (404) when there is none of this id."""
        row = self.series.get(ident)
        if row is None:
            raise model_not_found("Series", ident)
        return row

    def get_many(self, idents: list[int]) -> list[Json]:
        """Series by ids. Failed (500) when one is missing, or named twice."""
        found = [row for i in dict.fromkeys(idents) if (row := self.series.get(i))]
        if len(found) != len(idents):
            raise rows_missing(len(idents), len(found))
        return found

    def episodes_of(self, series: int) -> list[Json]:
        """The episodes of a series by season and number, for reading only."""
        self._expand(series)
        return sorted(self.episodes.where(series), key=lambda e: (e["seasonNumber"], e["episodeNumber"]))

    def files_of(self, series: int) -> list[Json]:
        """The episode files of a series by id, for reading only."""
        self._expand(series)
        return self.files.where(series)

    def _expand(self, ident: int) -> None:
        """Gives a series of a world's `rows` the episodes and files that its figures speak of."""
        row = self.series.get(ident)
        if row is None or BULK not in row:
            return
        bulk = row.pop(BULK)
        with self._database.together():
            self.series.update(row)
            for number in range(1, bulk["files"] + 1):
                name = f"{row['title']} - S01E{number:02d} - HDTV-720p.mkv"
                file = self.add_file(ident, 1, f"Season 1/{name}", bulk["size"], quality(), None)
                self.episodes.insert(
                    {
                        "seriesId": ident,
                        "tvdbId": row["tvdbId"] * 1000 + number,
                        "seasonNumber": 1,
                        "episodeNumber": number,
                        "title": f"Part {number}",
                        "airDate": "2019-01-05",
                        "airDateUtc": "2019-01-05T20:00:00Z",
                        "runtime": 45,
                        "episodeFileId": file["id"],
                        "monitored": True,
                    }
                )

    def add_file(
        self,
        series: int,
        season: int,
        relative: str,
        size: int,
        qualities: Json,
        group: str | None,
        kind: str = "single",
    ) -> Json:
        """Adds an episode file; the caller links its episodes."""
        return self.files.insert(
            {
                "seriesId": series,
                "seasonNumber": season,
                "relativePath": relative,
                "size": size,
                "dateAdded": stamp(),
                "quality": qualities,
                "releaseGroup": group,
                "releaseType": f"{kind}Episode",
            }
        )

    def drop_file(self, series: Json, file: Json, reason: str, *, unmonitor: bool = False) -> list[str]:
        """Forgets an episode file and says so in the history, for each of its episodes. Gives its extra files."""
        extras = [x for x in self.extras.where(series["id"]) if x["fileId"] == file["id"]]
        linked = [e for e in self.episodes.where(series["id"]) if e["episodeFileId"] == file["id"]]
        with self._database.together():
            self.files.delete(file["id"])
            self.extras.delete(*[x["id"] for x in extras])
            changed = [{**e, "episodeFileId": 0} | ({"monitored": False} if unmonitor else {}) for e in linked]
            self.episodes.update_many(changed)
            if reason != "NoLinkedEpisodes":
                self.history.insert_many(_deleted(series, e, file, reason) for e in linked)
        return [x["relativePath"] for x in extras]

    def delete_series(self, rows: list[Json]) -> None:
        """Removes series with their history at once."""
        with self._database.together():
            for row in rows:
                self.history.delete(*[h["id"] for h in self.history.where(row["id"])])
            self.series.delete(*[r["id"] for r in rows])

    def delete_episodes(self, series: int) -> None:
        """Removes what is left of a series that is gone."""
        with self._database.together():
            self.episodes.delete(*[e["id"] for e in self.episodes.where(series)])
            self.files.delete(*[f["id"] for f in self.files.where(series)])
            self.extras.delete(*[x["id"] for x in self.extras.where(series)])

    def episode(self, ident: int) -> Json:
        """An episode. Failed (404) when there is none of this id."""
        row = self.episodes.get(ident)
        if row is None:
            raise model_not_found("Episode", ident)
        return row

    def file(self, ident: int) -> Json:
        """An episode file. Failed (404) when there is none of this id."""
        row = self.files.get(ident)
        if row is None:
            raise model_not_found("EpisodeFile", ident)
        return row


def quality() -> Json:
    """HDTV-720p, the quality of files that a world declares without names of their own."""
    return {
        "quality": {"id": 4, "name": "HDTV-720p", "source": "television", "resolution": 720},
        "revision": {"version": 1, "real": 0, "isRepack": False},
    }


def _deleted(series: Json, episode: Json, file: Json, reason: str) -> Json:
    kind = file["releaseType"]
    return {
        "episodeId": episode["id"],
        "seriesId": series["id"],
        "sourceTitle": f"{series['path']}/{file['relativePath']}",
        "quality": file["quality"],
        "date": iso(now()),
        "eventType": "episodeFileDeleted",
        "data": {
            "reason": reason,
            "releaseGroup": file.get("releaseGroup"),
            "size": str(file["size"]),
            "indexerFlags": "0",
            "releaseType": kind[:1].upper() + kind[1:],
        },
    }
