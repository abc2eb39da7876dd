"""What `addOptions.monitor` of a new series does, once its first scan is over."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from sandbox.sonarr.store import Store
from sandbox.values import Json, iso, now

Wish = Callable[[Json], bool]


def apply_add_options(store: Store, ident: int) -> None:
    """Monitors seasons and episodes as the options wish, and drops the options: they work once."""
    row = store.series.get(ident)
    if row is None or "addOptions" not in row:
        return
    how = row.pop("addOptions")["monitor"]
    episodes = store.episodes_of(ident)
    wish = _wish(how, row["seasons"])
    if wish is not None:
        changed = [{**e, "monitored": wish(e)} for e in episodes]
        store.episodes.update_many(changed)
        wanted = {e["seasonNumber"] for e in changed if e["monitored"]}
        row["seasons"] = [{**s, "monitored": _season(how, s["seasonNumber"], row, wanted)} for s in row["seasons"]]
    store.series.update(row)


def _season(how: str, number: int, row: Json, wanted: set[int]) -> bool:
    """Whether a season is monitored: when an episode of it is, and the last one when what comes is wished for."""
    numbers = [s["seasonNumber"] for s in row["seasons"]]
    coming = how == "all" or (how == "future" and row["status"] in ("continuing", "upcoming"))
    if 0 < number == max(numbers) and coming:
        return True
    if how == "pilot" and number == min((n for n in numbers if n > 0), default=0):
        return False
    return number in wanted


def _wish(how: str, seasons: list[Json]) -> Wish | None:
    """Which episodes are wished for; None leaves them as they are."""
    moment = iso(now())
    recent = iso(now() - timedelta(days=90))
    regular = [s["seasonNumber"] for s in seasons if s["seasonNumber"] > 0]
    first, last = min(regular, default=0), max(regular, default=0)
    wishes: dict[str, Wish] = {
        "all": lambda e: e["seasonNumber"] > 0,
        "future": lambda e: e["seasonNumber"] > 0 and e.get("airDateUtc", "9") >= moment,
        "recent": lambda e: e["seasonNumber"] > 0 and e.get("airDateUtc", "9") >= recent,
        "missing": lambda e: e["seasonNumber"] > 0 and not e["episodeFileId"],
        "existing": lambda e: e["seasonNumber"] > 0 and e["episodeFileId"] > 0,
        "pilot": lambda e: (e["seasonNumber"], e["episodeNumber"]) == (first, 1),
        "firstSeason": lambda e: e["seasonNumber"] == first > 0,
        "lastSeason": lambda e: e["seasonNumber"] == last > 0,
        "latestSeason": lambda e: e["seasonNumber"] == last > 0,
        "monitorSpecials": lambda e: e["monitored"] or e["seasonNumber"] == 0,
        "unmonitorSpecials": lambda e: e["monitored"] and e["seasonNumber"] > 0,
        "none": lambda _e: False,
    }
    return wishes.get(how)
