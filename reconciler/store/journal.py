"""The journal: intended → accepted → settled, one durable commit each. Called by the executor and by settling.

Law 6: no durable intent, no side effect; and any prefix of the journal is a state to start again from, because what an
entry lacks (an acceptance, an outcome) is exactly what the next run has to look for in the world. Law 7: of two that
settle one entry, the first is believed.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime

from reconciler.action import Action, Json
from reconciler.store.faults import faults
from reconciler.store.part import Part
from reconciler.store.rows import PendingRow, action_in, json_in, json_out, run_id, run_number, time_in, time_out
from reconciler.store.runs import known

# What is proven not to have happened destroyed nothing; every other outcome may have.
HARMLESS = ("failed", "not-done")

_INTEND = """INSERT INTO entries
    (run, action_id, address, subject, verb, action, destroys, bytes_destroyed, intended_at, changed_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_ACCEPT = """UPDATE entries SET accepted_at = coalesce(accepted_at, ?), handle = ?, changed_at = max(changed_at, ?)
    WHERE run = ? AND action_id = ?"""
_SETTLE = """UPDATE entries SET settled_at = ?, outcome = ?, says = ?, data = ?, changed_at = max(changed_at, ?)
    WHERE run = ? AND action_id = ? AND settled_at IS NULL"""
_OWN = """INSERT OR IGNORE INTO owned (address, subject, at)
    SELECT address, subject, ? FROM entries WHERE run = ? AND action_id = ?"""
_DISOWN = """DELETE FROM owned WHERE (address, subject) IN
    (SELECT address, subject FROM entries WHERE run = ? AND action_id = ?)"""
PENDING = """SELECT run, intended_at, action, handle, accepted_at FROM entries
    WHERE settled_at IS NULL ORDER BY id"""
DESTROYED = f"""SELECT coalesce(sum(destroys), 0), coalesce(sum(bytes_destroyed), 0) FROM entries
    WHERE settled_at IS NULL OR (settled_at >= ? AND outcome NOT IN {HARMLESS})"""  # noqa: S608  # constants


class Journal(Part):
    """The table `entries`."""

    def intend(self, run: str, action: Action) -> None:
        """Record, durably, that `action` is about to be done. Only then may it be.

        KeyError for a run that is not there; ValueError when the run intended it before.
        """
        now, effects = time_in(self._clock.now()), action.effects
        with self._connection.writing() as db:
            row = [known(db, run), action.id, action.address, action.subject.ident, action.verb, action_in(action)]
            try:
                db.execute(_INTEND, [*row, effects.destroys, effects.bytes_destroyed, now, now])
            except sqlite3.IntegrityError as e:
                raise ValueError(f"{action.id} was already intended in {run}") from e

    def accept(self, run: str, action_id: str, handle: dict[str, Json]) -> None:
        """Record, durably, that a long action was taken on, and the handle by which it is found again.

        A later handle replaces an earlier one. KeyError for an entry that is not there.
        """
        now = time_in(self._clock.now())
        with self._connection.writing() as db:
            if not db.execute(_ACCEPT, [now, json_in(handle), now, run_number(run), action_id]).rowcount:
                raise KeyError(f"{run} {action_id}")

    def settle(
        self, run: str, action_id: str, state: str, says: str, data: dict[str, Json], *, owned: bool | None = None
    ) -> bool:
        """Record, durably, how it ended: done, failed, broken, not-done or unknown.

        In the same commit its subject becomes one that its resource made (`owned` True), or is nobody's any more (False).
        False, with nothing changed, when it was settled before. KeyError for an entry that is not there.
        """
        now, number = time_in(self._clock.now()), run_number(run)
        with self._connection.writing() as db:
            if db.execute(_SETTLE, [now, state, says, json_in(data), now, number, action_id]).rowcount:
                if owned is not None:
                    db.execute(_OWN if owned else _DISOWN, [*([now] if owned else []), number, action_id])
                return True
            sql = "SELECT 1 FROM entries WHERE run = ? AND action_id = ?"
            if db.execute(sql, [number, action_id]).fetchone() is None:
                raise KeyError(f"{run} {action_id}")
            return False

    def pending(self) -> list[PendingRow]:
        """Every intent without an outcome, oldest first: under way, or left by a process that died."""
        with self._connection.reading() as db:
            rows = db.execute(PENDING).fetchall()
        with faults(self._connection.path):
            return [
                PendingRow(
                    run=run_id(run),
                    at=time_out(at),
                    action=self._action(action),
                    handle=None if handle is None else json_out(handle),
                    accepted=accepted is not None,
                )
                for run, at, action, handle, accepted in rows
            ]

    def destroyed_since(self, since: datetime) -> tuple[int, int]:
        """Subjects and bytes destroyed by what was settled at or after `since`.

        Counted unless it is proven not to have happened; what has no outcome yet counts whatever its age.
        """
        with self._connection.reading() as db:
            count, size = db.execute(DESTROYED, [time_in(since)]).fetchone()
        return int(count), int(size)
