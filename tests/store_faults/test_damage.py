"""A state that was damaged, cut or made by a later version: refused in words or read as it is, never guessed at, nothing sent.

Each damage is done to a copy of the same state: one with runs, and with an action whose process died after the server had done
it. A command over it ends in a documented code with a remedy; whenever a request left, the journal holds its intent.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.errors import StoreError
from reconciler.store import Store
from tests import figures
from tests.effort import PROOF
from tests.store_faults.rig import KILL, Arm, Rig, rig

WHAT = (
    "calls to the disk of the state that were let fail, each in a run of its own, and what remained was recovered from"
)
PAGE = 4096


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("rig")) as found:
        yield found


def said_well(disk: Rig) -> str:
    """`arr apply` over what lies there: honest, and nothing sent without an intent. What it said."""
    done = disk.arr("apply", "--yes")
    disk.honest(done)
    if disk.sent("POST"):
        with sqlite3.connect(disk.state / "arr.db") as db:
            (intents,) = db.execute("SELECT count(*) FROM entries WHERE verb = 'create'").fetchone()
        db.close()
        assert disk.sent("POST") <= intents - 1, "one was intended, and sent, before"
    elif done.code == 1 and "damaged" in done.err:
        assert "put a backup in its place" in done.err
    return done.said


@pytest.mark.parametrize("seed", range(60) if PROOF else (0, 1, 20, 29, 35))
def test_pages_with_other_bytes(disk: Rig, seed: int) -> None:
    """Whole pages, single bytes, and texts: whatever SQLite's own form does not show is found where it is read."""
    disk.situation("settle")
    path, chance = disk.state / "arr.db", random.Random(seed)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for _ in range(chance.choice((1, 3, 40))):
            at = chance.randrange(100, size)
            file.seek(at // PAGE * PAGE if seed % 3 == 0 else at)
            file.write(chance.randbytes(PAGE if seed % 3 == 0 else chance.choice((1, 2, 8))))
    said_well(disk)
    figures.add("store", WHAT, damaged_files=1)


@pytest.mark.parametrize(
    "value", ["x'ff'", "'x'", "''", "'[]'", "'{\"a\": NaN}'", "'9'", "x'00'"][:: 1 if PROOF else 3]
)
@pytest.mark.parametrize(
    "cell",
    [
        "entries.action",
        "entries.intended_at",
        "entries.handle",
        "entries.data",
        "applied.wish",
        "runs.began_at",
        "meta.value",
    ],
)
def test_cells_with_other_words(disk: Rig, cell: str, value: str) -> None:
    """A row that somebody edited is damage too, and told as such."""
    disk.situation("settle")
    table, column = cell.split(".")
    with sqlite3.connect(disk.state / "arr.db") as db:
        db.execute(f"UPDATE {table} SET {column} = CAST({value} AS TEXT)")  # noqa: S608  # ours
    db.close()
    said_well(disk)
    figures.add("store", WHAT, damaged_files=1)


def test_a_database_cut_anywhere(disk: Rig) -> None:
    disk.situation("settle")
    whole = (disk.state / "arr.db").read_bytes()
    for size in [
        *range(0, 120, 7 if PROOF else 50),
        *range(PAGE, len(whole), PAGE * (1 if PROOF else 9)),
        len(whole) - 1,
    ]:
        disk.situation("settle")
        os.truncate(disk.state / "arr.db", size)
        assert "is damaged: it" in " ".join(said_well(disk).split()), size
        assert disk.laws.writes() == []
        assert (disk.state / "arr.db").stat().st_size == size, "it was left as it is"


def test_a_log_cut_at_any_byte(disk: Rig, tmp_path: Path) -> None:
    """What a commit of a killed process left in the log is there or not, as a whole; what was before it is always there."""
    disk.situation("apply")
    died = disk.arr(*disk.order, arm=Arm(KILL, 120))
    assert died.code == -9
    log = (disk.state / "arr.db-wal").read_bytes()
    held: list[int] = []
    step = 61 if PROOF else 1709
    for size in [0, 1, 31, 32, 33, *range(34, len(log), step), len(log)]:
        copy = tmp_path / "copy"
        shutil.copytree(disk.state, copy)
        os.truncate(copy / "arr.db-wal", size)
        (copy / "arr.db-shm").unlink(missing_ok=True)
        with Store.open(copy, SystemClock(), read_only=True) as store:
            assert store.check() == []
            held.append(sum(len(store.run(row.run)[1]) for row in store.runs(9)))
        shutil.rmtree(copy)
    assert held == sorted(held), "a longer log held less"
    disk.durable(disk.state, died.marks)
    disk.recovered()
    figures.add("store", WHAT, damaged_files=len(held))


def test_a_state_of_a_later_version(disk: Rig) -> None:
    disk.situation("settle")
    assert disk.arr("migrate", 0).code == 0
    before = (disk.state / "arr.db").read_bytes()
    for command in ("plan", "status", "history"):
        done = disk.arr(command)
        told = " ".join(done.err.split())
        assert done.code == 1, done.said
        assert re.search(r"is of a newer version of arr \(schema \d+; this one knows \d+\)", told), told
        assert "use that newer version" in told
    assert (disk.state / "arr.db").read_bytes() == before
    assert disk.laws.writes() == []


def test_no_command_takes_a_damaged_state_for_a_fresh_one(disk: Rig) -> None:
    """A file in the state's place that is none is never written over: with it would go what was intended."""
    disk.situation("settle")
    for content in (b"", b"\x00" * PAGE, b"x" * 5 * PAGE, b"SQLite format 3\x00" + b"\x00" * 200):
        (disk.state / "arr.db").write_bytes(content)
        said_well(disk)
        assert (disk.state / "arr.db").read_bytes() == content
        with pytest.raises(StoreError):
            Store.open(disk.state, SystemClock())
