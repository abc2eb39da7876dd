"""What `addOptions.monitor` of a new series does, once its first scan is over."""

from __future__ import annotations

from collections.abc import Callable

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
    wish = _wish(how, episodes)
    if wish is not None:
        changed = [{**e, "monitored": wish(e)} for e in episodes]
        store.episodes.update_many(changed)
        wanted = {e["seasonNumber"] for e in changed if e["monitored"]}
        specials = how in ("monitorSpecials", "all")
        row["seasons"] = [
            {**s, "monitored": s["seasonNumber"] in wanted and (s["seasonNumber"] > 0 or specials)}
            for s in row["seasons"]
        ]
    store.series.update(row)


def _wish(how: str, episodes: list[Json]) -> Wish | None:
    """Which episodes are wished for; None leaves them as they are."""
    moment = iso(now())
    regular = [e["seasonNumber"] for e in episodes if e["seasonNumber"] > 0]
    first, last = min(regular, default=1), max(regular, default=1)
    wishes: dict[str, Wish] = {
        "all": lambda e: e["seasonNumber"] > 0,
        "future": lambda e: e["seasonNumber"] > 0 and e.get("airDateUtc", "9") >= moment,
        "missing": lambda e: e["seasonNumber"] > 0 and not e["episodeFileId"],
        "existing": lambda e: e["seasonNumber"] > 0 and e["episodeFileId"] > 0,
        "pilot": lambda e: (e["seasonNumber"], e["episodeNumber"]) == (first, 1),
        "firstSeason": lambda e: e["seasonNumber"] == first,
        "lastSeason": lambda e: e["seasonNumber"] == last,
        "latestSeason": lambda e: e["seasonNumber"] == last,
        "monitorSpecials": lambda e: e["monitored"] or e["seasonNumber"] == 0,
        "unmonitorSpecials": lambda e: e["monitored"] and e["seasonNumber"] > 0,
        "none": lambda _e: False,
    }
    return wishes.get(how)
