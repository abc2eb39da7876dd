"""RefreshSeries and RescanSeries: metadata into rows, then a scan.

A refresh reads the row, asks the service, and writes the whole row back: what a PUT said in between is lost, as on the
real server. A show the service no longer knows is marked `deleted` and is not scanned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.binding import BOOL, INTS, MAYBE_INT, Model
from sandbox.commands import Context
from sandbox.errors import Failed, NetError
from sandbox.sonarr.metadata import episode_of, season_numbers, series_of
from sandbox.sonarr.monitoring import apply_add_options
from sandbox.values import Json, prune

if TYPE_CHECKING:
    from sandbox.sonarr.app import Sonarr4

_OWN = ("episodeFileId", "monitored", "id", "seriesId")


class Refresher:
    """The two commands."""

    def __init__(self, app: Sonarr4) -> None:
        self._app, self._store = app, app.store
        app.command(
            "RefreshSeries",
            self._refresh_all,
            model=Model("RefreshSeriesCommand", {"seriesId": MAYBE_INT, "seriesIds": INTS, "isNewSeries": BOOL}),
            read=_refresh_members,
            long=True,
            completion="Completed",
        )
        app.command(
            "RescanSeries",
            self._rescan_all,
            model=Model("RescanSeriesCommand", {"seriesId": MAYBE_INT}),
            body={"seriesId": None},
        )

    def _wanted(self, idents: list[int]) -> list[Json]:
        with self._app.lock:
            if not idents:
                return sorted(self._store.series.all(), key=lambda s: str(s["sortTitle"]))
            found = []
            for ident in idents:
                row = self._store.series.get(ident)
                if row is None:
                    told = f"Series with ID {ident} does not exist"
                    raise NetError("NzbDrone.Core.Datastore.ModelNotFoundException", told)
                found.append(row)
            return found

    def _refresh_all(self, context: Context) -> None:
        for series in self._wanted(context.body["seriesIds"]):
            context.say(f"Updating {series['title']}")
            try:
                fresh = self.refresh(series)
            except NetError:
                # The scan comes all the same; what becomes of the command differs between versions.
                self._rescan(series, context)
                if self._app.LOST_SHOW == "successful":
                    raise
                context.conclude(self._app.LOST_SHOW)
                continue
            if fresh is not None:
                self._rescan(fresh, context)
            elif context.body["seriesIds"]:
                context.conclude(self._app.LOST_SHOW)

    def _rescan(self, series: Json, context: Context) -> None:
        """The scan after a refresh, as the settings want it; a new series is always scanned."""
        when = self._app.media["rescanAfterRefresh"]
        manual = context.trigger == "manual"
        if context.body["isNewSeries"] or when == "always" or (when == "afterManual" and manual):
            try:
                self._app.scanner.scan(series, context.say)
            except NetError as error:
                self._app.log.add("error", "RefreshSeriesService", f"Couldn't rescan series {series['title']}", error)
            return
        with self._app.lock:
            apply_add_options(self._store, series["id"])

    def _rescan_all(self, context: Context) -> None:
        ident = context.body.get("seriesId")
        for series in self._wanted([ident] if ident else []):
            self._app.scanner.scan(series, context.say)

    def refresh(self, series: Json, *, patiently: bool = True) -> Json | None:
        """Brings a series up to what the service says. None when it says nothing, and the series is not to be scanned."""
        if patiently:
            self._app.pause(self._app.timing.metadata_s * self._app.REFRESH_PACE)
        try:
            show = self._app.metadata.find(series["tvdbId"])
        except Failed as error:
            self._app.log.add("error", "RefreshSeriesService", f"Couldn't refresh info for {series['title']}")
            raise NetError(error.kind or "System.Exception", error.message) from error
        with self._app.lock:
            if show is None:
                told = (
                    f"Series '[{series['tvdbId']}][{series['title']}]' (tvdbid {series['tvdbId']}) was not found, "
                    "it may have been removed from TheTVDB."
                )
                self._app.log.add("error", "RefreshSeriesService", told)
                self._store.series.update({**series, "status": "deleted"})
                return None
            row = prune({**series, **series_of(show), "seasons": _seasons(series, show)})
            self._store.series.update(row)
            self._update_episodes(row, show)
            return row

    def _update_episodes(self, series: Json, show: Json) -> None:
        """Matches by season and number; the new ones are monitored as their season is, those gone are removed."""
        seasons = {s["seasonNumber"]: s["monitored"] for s in series["seasons"]}
        have = {(e["seasonNumber"], e["episodeNumber"]): e for e in self._store.episodes_of(series["id"])}
        added, changed = [], []
        for entry in show.get("episodes", []):
            fresh = episode_of(entry)
            old = have.pop((fresh["seasonNumber"], fresh["episodeNumber"]), None)
            if old is None:
                monitored = seasons.get(fresh["seasonNumber"], False)
                added.append({"seriesId": series["id"], **fresh, "episodeFileId": 0, "monitored": monitored})
            else:
                row = {**{k: old[k] for k in _OWN}, **fresh}
                changed += [row] if row != old else []
        with self._app.database.together():
            self._store.episodes.insert_many(sorted(added, key=lambda e: (e["seasonNumber"], e["episodeNumber"])))
            self._store.episodes.update_many(changed)
            self._store.episodes.delete(*[e["id"] for e in have.values()])


def _refresh_members(sent: Json) -> Json:
    """`seriesId` alone becomes a list of one; nothing (or a typo) means every series."""
    idents = list(sent.get("seriesIds") or [])
    single = sent.get("seriesId")
    if single and not idents:
        idents = [single]
    return {"seriesIds": idents, "isNewSeries": sent.get("isNewSeries", False), "updateScheduledTask": not idents}


def _seasons(series: Json, show: Json) -> list[Json]:
    """The service's seasons with the flags they have here; new ones are monitored unless the series wishes none."""
    have = {s["seasonNumber"]: s["monitored"] for s in series["seasons"]}
    new = series["monitorNewItems"] == "all"
    return [{"seasonNumber": n, "monitored": have.get(n, new and n > 0)} for n in season_numbers(show)]
