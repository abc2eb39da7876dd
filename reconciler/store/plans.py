"""Saved plans: found by a prefix of their id, used once. Called by `arr plan`, `arr apply` and `arr show`.

That a plan was used is recorded apart from its document, which is pruned: the plan may come back as a file.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta

from reconciler.action import Json
from reconciler.errors import StaleError, UsageError
from reconciler.store.part import Part
from reconciler.store.rows import json_in, json_out, run_id, time_in, time_out, time_text
from reconciler.store.runs import known

SHORTEST = 4  # characters of a shown id
KEEP = timedelta(days=90)
KEEP_COUNT = 200
KEEP_BYTES = 64_000_000

_PRUNE = """DELETE FROM plans WHERE id IN (
    SELECT id FROM (SELECT id, created_at, row_number() OVER newest AS place, sum(bytes) OVER newest AS total FROM plans
        WINDOW newest AS (ORDER BY created_at DESC, rowid DESC))
    WHERE place > 1 AND (place > ? OR total > ? OR created_at < ?))"""


class Plans(Part):
    """The tables `plans` and `consumed`."""

    def save_plan(self, plan_id: str, document: dict[str, Json], created: datetime) -> None:
        """Keep a plan; the same plan again replaces it. The newest is kept always, others while they are young and few.

        A plan's id says what it is, not when: drift that comes back after an apply makes the same id again. So a plan
        made after its twin was used up may itself be used once.
        """
        text = json_in(document)
        row = {"id": plan_id, "created_at": time_in(created), "bytes": len(text.encode()), "document": text}
        with self._connection.writing() as db:
            db.table("plans").insert(row, pk="id", replace=True)
            db.execute("DELETE FROM consumed WHERE plan = ? AND at <= ?", [plan_id, time_in(created)])
            db.execute(_PRUNE, [KEEP_COUNT, KEEP_BYTES, time_in(created - KEEP)])

    def find_plan(self, prefix: str) -> tuple[str, dict[str, Json]]:
        """The one saved plan whose id begins so, in full, and its document. UsageError when none or several do."""
        start = prefix.strip().lower()
        with self._connection.reading() as db:
            sql = "SELECT id FROM plans WHERE substr(id, 1, ?) = ? ORDER BY created_at DESC LIMIT 9"
            ids = [row[0] for row in db.execute(sql, [len(start), start])]
            if len(start) < SHORTEST or not ids:
                what = f"no saved plan begins with '{prefix}'" if len(start) >= SHORTEST else f"'{prefix}' is too short"
                raise UsageError(what, f"give {SHORTEST} characters or more of a plan's id; `arr plan` makes a new one")
            if len(ids) > 1:
                raise UsageError(f"several plans begin with '{prefix}': {', '.join(ids)}", "give more characters")
            document = db.execute("SELECT document FROM plans WHERE id = ?", ids).fetchone()[0]
            return ids[0], json_out(document)

    def short(self, plan_id: str) -> str:
        """The shortest beginning of the id, four characters or more, that no other saved plan shares."""
        with self._connection.reading() as db:
            sql = "SELECT id FROM plans WHERE substr(id, 1, ?) = ? AND id <> ?"
            others = [row[0] for row in db.execute(sql, [SHORTEST, plan_id[:SHORTEST], plan_id])]
        length = SHORTEST
        while length < len(plan_id) and any(other.startswith(plan_id[:length]) for other in others):
            length += 1
        return plan_id[:length]

    def consumed(self, plan_id: str) -> str | None:
        """The run that used the plan, or None."""
        with self._connection.reading() as db:
            row = db.execute("SELECT run FROM consumed WHERE plan = ?", [plan_id]).fetchone()
        return None if row is None else run_id(row[0])

    def consume(self, plan_id: str, run: str) -> None:
        """Use the plan up, durably, for `run`. Of several processes at once exactly one succeeds.

        StaleError when it was used before; KeyError for a run that is not there.
        """
        with self._connection.writing() as db:
            try:
                db.execute(
                    "INSERT INTO consumed VALUES (?, ?, ?)", [plan_id, known(db, run), time_in(self._clock.now())]
                )
            except sqlite3.IntegrityError:
                used, at = db.execute("SELECT run, at FROM consumed WHERE plan = ?", [plan_id]).fetchone()
                raise StaleError(
                    f"the plan was used already, by run {run_id(used)} at {time_text(time_out(at))}",
                    "make a new one with `arr plan`; a plan can be applied once",
                ) from None
