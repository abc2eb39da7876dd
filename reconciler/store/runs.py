"""Runs: each use of `arr` that may change the world. Called by the executor around its work, and by the history views.

A run whose process died has a beginning and no end. Every later time in the state rests on the order of runs, so a run
is refused while the clock stands before what is already written.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlite_utils import Database

from reconciler.errors import StoreError
from reconciler.store.part import Part
from reconciler.store.rows import EntryRow, RunRow, json_out, run_id, run_number, time_in, time_out, time_text

CLOCK_SLACK = timedelta(minutes=5)  # two machines that share a state, and a clock being adjusted

NEWEST = """SELECT max(at) FROM (
    SELECT max(began_at) AS at FROM runs UNION ALL SELECT max(ended_at) FROM runs
    UNION ALL SELECT max(changed_at) FROM entries)"""

RUNS = """SELECT id, command, plan, began_at, ended_at, exit, says,
    (SELECT json_group_object(outcome, n) FROM (SELECT coalesce(outcome, 'pending') AS outcome, count(*) AS n
        FROM entries WHERE run = runs.id GROUP BY 1)) AS outcomes FROM runs"""


class Runs(Part):
    """The table `runs`."""

    @property
    def serial(self) -> int:
        """How many runs there have been."""
        with self._connection.reading() as db:
            return int(db.execute("SELECT coalesce(max(id), 0) FROM runs").fetchone()[0])

    def newest(self) -> datetime | None:
        """The latest time in the journal; None while it is empty."""
        with self._connection.reading() as db:
            return _newest(db)

    def begin_run(self, command: str, plan_id: str | None) -> str:
        """The id of a new run, `r000012`. One durable commit.

        StoreError, with nothing written, when the clock stands more than five minutes before the journal's newest time:
        cool-downs and limits a day would be reckoned wrongly.
        """
        now = self._clock.now()
        with self._connection.writing() as db:
            newest = _newest(db)
            if newest is not None and now < newest - CLOCK_SLACK:
                raise StoreError(
                    f"the clock has gone backwards: it says {time_text(now)}, "
                    f"but the journal's newest entry is of {time_text(newest)}",
                    "set this machine's clock, then run again; if the entry's time is the wrong one, "
                    "see 'Times that lie in the future' in state/README.md",
                )
            sql = "INSERT INTO runs (command, plan, began_at) VALUES (?, ?, ?)"
            return run_id(db.execute(sql, [command, plan_id, time_in(now)]).lastrowid or 0)

    def end_run(self, run: str, exit: int, says: str) -> None:
        """Note how a run ended. A second end changes nothing. One durable commit; KeyError for a run that is not there."""
        with self._connection.writing() as db:
            number = known(db, run)
            sql = "UPDATE runs SET ended_at = ?, exit = ?, says = ? WHERE id = ? AND ended_at IS NULL"
            db.execute(sql, [time_in(self._clock.now()), exit, says, number])

    def runs(self, limit: int) -> list[RunRow]:
        """The latest runs, newest first."""
        with self._connection.reading() as db:
            return [_run(row) for row in db.query(f"{RUNS} ORDER BY id DESC LIMIT ?", [limit])]

    def run(self, run: str) -> tuple[RunRow, list[EntryRow]]:
        """One run and its actions, in the order of their intents. KeyError for a run that is not there."""
        with self._connection.reading() as db:
            number = known(db, run)
            row = next(db.query(f"{RUNS} WHERE id = ?", [number]))
            entries = list(db.query("SELECT * FROM entries WHERE run = ? ORDER BY id", [number]))
            return _run(row), [self._entry(entry) for entry in entries]

    def _entry(self, row: Mapping[str, Any]) -> EntryRow:
        return EntryRow(
            run=run_id(row["run"]),
            action=self._action(row["action"]),
            intended=time_out(row["intended_at"]),
            accepted=_moment(row["accepted_at"]),
            settled=_moment(row["settled_at"]),
            outcome=row["outcome"],
            says=row["says"],
            data=json_out(row["data"]),
            handle=None if row["handle"] is None else json_out(row["handle"]),
        )


def known(db: Database, run: str) -> int:
    """The number of a run that exists; KeyError otherwise."""
    number = run_number(run)
    if db.execute("SELECT 1 FROM runs WHERE id = ?", [number]).fetchone() is None:
        raise KeyError(run)
    return number


def _newest(db: Database) -> datetime | None:
    text = db.execute(NEWEST).fetchone()[0]
    return None if text is None else time_out(text)


def _run(row: Mapping[str, Any]) -> RunRow:
    return RunRow(
        run=run_id(row["id"]),
        command=row["command"],
        plan=row["plan"],
        began=time_out(row["began_at"]),
        ended=_moment(row["ended_at"]),
        exit=row["exit"],
        says=row["says"],
        outcomes=json_out(row["outcomes"]),
    )


def _moment(text: str | None) -> datetime | None:
    return None if text is None else time_out(text)
