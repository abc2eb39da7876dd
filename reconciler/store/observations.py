"""Observations over time: how many subjects were seen where, and how full the disks were. Appended after a plan.

They may only restrict (house decision 8): the last count of each scope is what the shrink guard compares with, so a
count that collapsed blocks once and has to be seen again. Kept in full for a week, then one a day, for 400 days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from sqlite_utils import Database

from reconciler.action import Json
from reconciler.store.part import Part
from reconciler.store.rows import run_number, time_in

FULL = timedelta(days=7)
KEEP = timedelta(days=400)


class Observations(Part):
    """The tables `populations` and `disks`."""

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
