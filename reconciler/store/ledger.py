"""The ledger: what the state remembers, as one value for planning. Called at the start of every plan.

Memory of wishes, ownership and protections is written when a wish was applied, never by planning (house decision 8).
"""

from __future__ import annotations

import gc
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from reconciler.action import Json
from reconciler.address import Address
from reconciler.kind import Ledger, Past
from reconciler.store.migrations import lineage_of
from reconciler.store.observations import populations, sightings
from reconciler.store.part import Part
from reconciler.store.rows import json_in, json_out, run_id, time_in, time_out

RECENT = timedelta(days=2)  # limits a day count every entry; two days bear a clock that is set
LAST = 4  # of each subject, verb and outcome: cool-downs, breaks and flapping look at no more

# Older than RECENT, only the last few of a subject count, and of what was done only that it was, and what its kind said
# that has to be kept: the memory that a plan takes grows with the library, not with the journal.
HISTORY = """SELECT run, settled_at,
    CASE WHEN outcome = 'done' AND settled_at < :recent AND json_valid(action)
        THEN CASE WHEN json_type(action, '$.data.kept') IS NULL
            THEN json_remove(action, '$.data', '$.rests_on', '$.details', '$.compensation', '$.undo')
            ELSE json_replace(json_remove(action, '$.rests_on', '$.details', '$.compensation', '$.undo'),
                '$.data', json_object('kept', json_extract(action, '$.data.kept'))) END
        ELSE action END,
    outcome, accepted_at
    FROM entries WHERE id IN (
        SELECT id FROM (
            SELECT id, settled_at, row_number() OVER (
                PARTITION BY address, subject, verb, outcome ORDER BY settled_at DESC, id DESC
            ) AS place FROM entries WHERE settled_at >= :since
        ) WHERE place <= :last OR settled_at >= :recent
    ) ORDER BY settled_at, id"""


class Memory(Part):
    """The tables `applied`, `owned` and `protected`, and the history that the journal gives."""

    def ledger(self, now: datetime, *, days: int = 400) -> Ledger:
        """All of one moment; `pending` is empty: what the world says of it is the engine's to find out.

        `history` holds what was settled in the last `days`, oldest first: all of RECENT, before that the LAST of each
        subject, verb and outcome; what was done then comes without its data, but for `kept`.
        """
        window = {"since": time_in(now - timedelta(days=days)), "recent": time_in(now - RECENT), "last": LAST}
        with self._connection.reading() as db:
            history = self._history(db.execute(HISTORY, window))
            lineage = lineage_of(db)
            applied = {address: json_out(wish) for address, wish in db.execute("SELECT address, wish FROM applied")}
            owned = _sets(db, "SELECT address, subject FROM owned")
            protected = frozenset(row[0] for row in db.execute("SELECT item FROM protected"))
            counts = populations(db)
            seen = sightings(db)
        return Ledger(
            lineage=lineage,
            applied=applied,
            history=history,
            owned=owned,
            protected=protected,
            populations=counts,
            sightings=seen,
        )

    def apply_wish(self, address: Address | str, wish: dict[str, Json]) -> None:
        """Remember the wish of a resource as applied, with nothing left over."""
        with self._connection.writing() as db:
            row = {"address": str(address), "wish": json_in(wish), "at": time_in(self._clock.now())}
            db.table("applied").insert(row, pk="address", replace=True)

    def protect(self, address: Address | str, items: Iterable[str]) -> None:
        """What an applied wish protects from now on, in place of what the same address protected before.

        Call it only when the change was applied: taking a line out of the desired state alone protects on. The stack's
        own `protect` section is the address "".
        """
        address, now = str(address), time_in(self._clock.now())
        with self._connection.writing() as db:
            table = db.table("protected")
            wanted = set(items)
            for (item,) in db.execute("SELECT item FROM protected WHERE address = ?", [address]).fetchall():
                if item not in wanted:
                    table.delete_where("address = ? AND item = ?", [address, item])
            for item in sorted(wanted):
                table.insert({"address": address, "item": item, "at": now}, pk=("address", "item"), ignore=True)

    def _history(self, rows: Iterable[tuple[int, str, str, str, str | None]]) -> tuple[Past, ...]:
        # The collector would look at every action again and again as they pile up: four fifths of the time for 100,000.
        paused = gc.isenabled()
        gc.disable()
        try:
            return tuple(
                [
                    Past(run_id(run), time_out(at), self._action(action), outcome, _seconds(accepted, at))
                    for run, at, action, outcome, accepted in rows
                ]
            )
        finally:
            if paused:
                gc.enable()


def _seconds(accepted: str | None, settled: str) -> float | None:
    """How long an accepted action took."""
    return (time_out(settled) - time_out(accepted)).total_seconds() if accepted is not None else None


def _sets(db: Database, sql: str) -> dict[str, frozenset[str]]:
    found = defaultdict(set)
    for key, value in db.execute(sql):
        found[key].add(value)
    return {key: frozenset(values) for key, values in found.items()}
