"""The schema, as the steps that lead to it. Called when a state is created and when an older one is opened.

The number of steps taken is `PRAGMA user_version`; it is written in the same transaction as its step, so a process
killed in the middle leaves the old schema or the new one. The number lives in the file's header, not in a table, so a
state of a newer program is recognised, and refused, before anything in it has to be understood.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlite_utils import Database

APPLICATION_ID = 0x61727221  # "arr!": tells our file from any other program's

Step = Callable[[Database], None]

_FIRST = (
    # One row for each lasting fact about the state itself.
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT",
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY, command TEXT NOT NULL, plan TEXT,
        began_at TEXT NOT NULL, ended_at TEXT, exit INTEGER, says TEXT NOT NULL DEFAULT ''
    ) STRICT""",
    """CREATE TABLE entries (
        id INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), action_id TEXT NOT NULL,
        address TEXT NOT NULL, subject TEXT NOT NULL, verb TEXT NOT NULL, action TEXT NOT NULL,
        destroys INTEGER NOT NULL, bytes_destroyed INTEGER NOT NULL,
        intended_at TEXT NOT NULL, accepted_at TEXT, handle TEXT,
        settled_at TEXT, outcome TEXT, says TEXT NOT NULL DEFAULT '', data TEXT NOT NULL DEFAULT '{}',
        changed_at TEXT NOT NULL,
        UNIQUE (run, action_id), CHECK ((settled_at IS NULL) = (outcome IS NULL))
    ) STRICT""",
    "CREATE INDEX entries_settled ON entries (settled_at)",
    "CREATE INDEX entries_changed ON entries (changed_at)",
    "CREATE INDEX entries_subject ON entries (subject, settled_at)",
    """CREATE TABLE plans (
        id TEXT PRIMARY KEY, created_at TEXT NOT NULL, bytes INTEGER NOT NULL, document TEXT NOT NULL
    ) STRICT""",
    # Outlives the plan's document: a plan file may come back long after.
    "CREATE TABLE consumed (plan TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (id), at TEXT NOT NULL) STRICT",
    "CREATE TABLE applied (address TEXT PRIMARY KEY, wish TEXT NOT NULL, at TEXT NOT NULL) STRICT",
    """CREATE TABLE owned (
        address TEXT NOT NULL, subject TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (address, subject)
    ) STRICT""",
    """CREATE TABLE protected (
        address TEXT NOT NULL, item TEXT NOT NULL, at TEXT NOT NULL, PRIMARY KEY (address, item)
    ) STRICT""",
    """CREATE TABLE populations (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, run INTEGER, scope TEXT NOT NULL, count INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX populations_scope ON populations (scope)",
    "CREATE INDEX populations_at ON populations (at)",
    """CREATE TABLE disks (
        id INTEGER PRIMARY KEY, at TEXT NOT NULL, run INTEGER, name TEXT NOT NULL,
        size INTEGER, used INTEGER, free INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX disks_name ON disks (name)",
    "CREATE INDEX disks_at ON disks (at)",
)


def _first(db: Database) -> None:
    for statement in _FIRST:
        db.execute(statement)


def _sightings(db: Database) -> None:
    db.execute(
        """CREATE TABLE sightings (
            item TEXT PRIMARY KEY, state TEXT NOT NULL, since TEXT NOT NULL, at TEXT NOT NULL
        ) STRICT"""
    )


STEPS: tuple[Step, ...] = (_first, _sightings)


def version(db: Database) -> int:
    """How many steps the file has taken."""
    return int(db.execute("PRAGMA user_version").fetchone()[0])


def lineage_of(db: Database) -> str:
    """The random name of the state; empty where none has been made yet."""
    row = db.execute("SELECT value FROM meta WHERE key = 'lineage'").fetchone()
    return "" if row is None else str(row[0])


def migrate(db: Database, steps: Sequence[Step]) -> None:
    """Take the steps that are missing, each in a transaction of its own. The caller holds the state's lock."""
    for number in range(version(db) + 1, len(steps) + 1):
        try:
            db.execute("BEGIN IMMEDIATE")
            steps[number - 1](db)
            db.execute(f"PRAGMA user_version = {number}")
            db.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise
