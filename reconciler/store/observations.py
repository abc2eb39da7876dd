"""Observations over time: how many subjects were seen where, and how full the disks were. Appended after a plan.

They may only restrict (house decision 8): the last count of each scope is what the shrink guard compares with, so a
count that collapsed blocks once and has to be seen again. Kept in full for a week, then one a day, for 400 days.
Of what has to stay as it is for a while (a release that is still being written) the last state is kept, and since when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlite_utils import Database

from reconciler.action import Json
from reconciler.store.migrations import version
from reconciler.store.part import Part
from reconciler.store.rows import run_number, time_in, time_out

FULL = timedelta(days=7)
KEEP = timedelta(days=400)
SIGHTINGS = 2  # the version of the schema that brought them
UNSEEN = timedelta(days=30)  # how long what is not seen any more is remembered


class Observations(Part):
    """The tables `populations`, `disks` and `sightings`."""

    def observe(
        self, run: str | None, scope_counts: Mapping[str, int], bars: Iterable[Mapping[str, Json]], at: datetime
    ) -> None:
        """Append what was seen at `at`. One commit, nothing when there is nothing to append.

        `scope_counts`: "address scope" → subjects, of complete reads only. `bars`: `action.Bar` as JSON; of each its
        name, size, used and free bytes as they are now are kept, once a name.
        """
        number, moment = (None if run is None else run_number(run)), time_in(at)
        counts = [(moment, number, scope, count) for scope, count in sorted(scope_counts.items())]
        disks = {b["name"]: (moment, number, b["name"], b.get("size"), b.get("used"), b["free"]) for b in bars}
        if not counts and not disks:
            return
        with self._connection.writing() as db:
            for row in counts:
                db.execute("INSERT INTO populations (at, run, scope, count) VALUES (?, ?, ?, ?)", row)
            for disk in disks.values():
                db.execute("INSERT INTO disks (at, run, name, size, used, free) VALUES (?, ?, ?, ?, ?, ?)", disk)
            for table, key in (("populations", "scope"), ("disks", "name")):
                _thin(db, table, key, at)

    def sight(self, states: Mapping[str, str], at: datetime) -> None:
        """Remember in which state each item was seen at `at`. `states`: "address item" → any text that tells states apart.

        An item seen in another state than before, or for the first time, is in it since `at`.
        """
        if not states:
            return
        moment = time_in(at)
        with self._connection.writing() as db:
            for item, state in sorted(states.items()):
                db.execute(
                    """INSERT INTO sightings (item, state, since, at) VALUES (:item, :state, :now, :now)
                       ON CONFLICT (item) DO UPDATE SET at = :now, state = :state,
                       since = CASE WHEN state = :state AND since <= :now THEN since ELSE :now END""",
                    {"item": item, "state": state, "now": moment},
                )
            db.execute("DELETE FROM sightings WHERE at < ?", [time_in(at - UNSEEN)])


def sightings(db: Database) -> dict[str, tuple[str, datetime]]:
    """Item → its state and since when. Nothing where the state is of an older program and opened for reading."""
    if version(db) < SIGHTINGS:
        return {}
    rows = db.execute("SELECT item, state, since FROM sightings").fetchall()
    return {item: (state, time_out(since)) for item, state, since in rows}


def populations(db: Database) -> dict[str, int]:
    """The count of every scope that was appended last."""
    sql = "SELECT scope, count FROM populations WHERE id IN (SELECT max(id) FROM populations GROUP BY scope) ORDER BY scope"
    return dict(db.execute(sql).fetchall())


def _thin(db: Database, table: str, key: str, now: datetime) -> None:
    """Of what is older than a week keep the last of each day; past keeping, nothing; but always the newest of a key."""
    db.execute(
        f"""DELETE FROM {table} WHERE at < :week
            AND id NOT IN (SELECT max(id) FROM {table} GROUP BY {key})
            AND (at < :end OR id NOT IN (
                SELECT max(id) FROM {table} WHERE at < :week GROUP BY {key}, substr(at, 1, 10)))""",  # noqa: S608  # ours
        {"week": time_in(now - FULL), "end": time_in(now - KEEP)},
    )
