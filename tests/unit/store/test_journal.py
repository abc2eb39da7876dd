"""Intended, accepted, settled: what each leaves behind, and that each is one durable commit."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.clock import FakeClock
from reconciler.errors import StoreError
from reconciler.kind import Past
from reconciler.store import PendingRow, Store, journal, ledger, runs
from tests.unit.store.parts import action


def test_an_intent_is_pending_until_it_is_settled(store: Store, clock: FakeClock) -> None:
    """Law 6: what has no outcome is found again, with all that is needed to look for it."""
    run = store.begin_run("apply", "plan")
    begun = clock.now()
    store.intend(run, action(1))
    assert store.pending() == [PendingRow(run, begun, action(1), None, accepted=False)]
    clock.advance(5)
    store.accept(run, action(1).id, {"command": 7})
    assert store.pending() == [PendingRow(run, begun, action(1), {"command": 7}, accepted=True)]
    assert store.settle(run, action(1).id, "done", "moved", {"seen": "/d2/1"})
    assert store.pending() == []


def test_the_first_outcome_wins(store: Store) -> None:
    """Law 7: two that settle one entry do not overwrite each other."""
    run = store.begin_run("apply", None)
    store.intend(run, action(1))
    assert store.settle(run, action(1).id, "done", "moved", {"by": 1})
    assert not store.settle(run, action(1).id, "broken", "half of it", {"by": 2})
    store.accept(run, action(1).id, {"command": 7})
    (entry,) = store.run(run)[1]
    assert (entry.state, entry.says, entry.data, entry.handle) == ("done", "moved", {"by": 1}, {"command": 7})
    assert store.pending() == []


def test_what_was_never_intended_cannot_go_on(store: Store) -> None:
    run = store.begin_run("apply", None)
    with pytest.raises(KeyError):
        store.accept(run, "disk_fill.tv/1", {})
    with pytest.raises(KeyError):
        store.settle(run, "disk_fill.tv/1", "done", "", {})
    for unknown in ("r000099", "12", "r", "rx", "r-1"):
        with pytest.raises(KeyError):
            store.intend(unknown, action(1))
    assert store.run(run)[1] == []


def test_an_action_is_intended_once_in_a_run(store: Store) -> None:
    first, second = store.begin_run("apply", None), store.begin_run("apply", None)
    store.intend(first, action(1))
    with pytest.raises(ValueError, match="already intended"):
        store.intend(first, action(1))
    store.intend(second, action(1))
    assert [row.run for row in store.pending()] == [first, second]


def test_every_step_is_one_synced_commit(store: Store) -> None:
    """At most three durable commits of our own per action."""
    run = store.begin_run("apply", None)
    raw = store._connection.db.conn
    seen: list[str] = []
    raw.set_trace_callback(seen.append)
    store.intend(run, action(1))
    store.accept(run, action(1).id, {"command": 1})
    store.settle(run, action(1).id, "done", "", {})
    raw.set_trace_callback(None)
    assert [s for s in seen if s.startswith(("COMMIT", "BEGIN"))] == ["BEGIN IMMEDIATE", "COMMIT"] * 3
    assert raw.execute("PRAGMA synchronous").fetchone() == (2,)
    assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_another_process_sees_a_commit_at_once(store: Store, folder: Path, clock: FakeClock) -> None:
    run = store.begin_run("apply", None)
    with Store.open(folder, clock, read_only=True) as other:
        store.intend(run, action(1))
        assert [row.action.id for row in other.pending()] == [action(1).id]
        with pytest.raises(StoreError, match="reading only"):
            other.settle(run, action(1).id, "done", "", {})
        with pytest.raises(StoreError, match="reading only"):
            other.lock("apply")
    assert len(store.pending()) == 1


def test_runs_tell_how_they_ended(store: Store, clock: FakeClock) -> None:
    first = store.begin_run("apply", "abcd")
    store.intend(first, action(1))
    store.intend(first, action(2))
    store.settle(first, action(1).id, "done", "", {})
    began = clock.now()
    clock.advance(60)
    store.end_run(first, 3, "1 of 2 done")
    store.end_run(first, 0, "a second end")
    second = store.begin_run("run", None)
    assert (first, second, store.serial) == ("r000001", "r000002", 2)
    newest, oldest = store.runs(10)
    assert (newest.run, newest.ended, newest.exit, newest.outcomes) == (second, None, None, {})
    assert (oldest.plan, oldest.began, oldest.ended) == ("abcd", began, began + timedelta(seconds=60))
    assert (oldest.exit, oldest.says, oldest.outcomes) == (3, "1 of 2 done", {"done": 1, "pending": 1})
    assert store.runs(1) == [newest]
    assert [e.state for e in store.run(first)[1]] == ["done", "intended"]
    with pytest.raises(KeyError):
        store.run("r000003")
    with pytest.raises(KeyError):
        store.end_run("r000003", 0, "")


def test_history_is_what_was_settled_oldest_first_and_bounded(store: Store, clock: FakeClock) -> None:
    run = store.begin_run("apply", None)
    for number in (1, 2, 3):
        store.intend(run, action(number))
    store.settle(run, action(2).id, "done", "", {})
    second = clock.now()
    clock.advance(10 * 86400)
    store.settle(run, action(1).id, "broken", "", {})
    now = clock.now()
    done = action(2).model_copy(update={"data": {}, "rests_on": {}, "details": (), "undo": None})
    assert store.ledger(now).history == (
        Past(run, second, done, "done"),
        Past(run, now, action(1), "broken"),
    )
    assert store.ledger(now, days=9).history == (Past(run, now, action(1), "broken"),)
    assert store.ledger(now).pending == ()


def test_what_may_have_been_destroyed_counts(store: Store, clock: FakeClock) -> None:
    """A day's budget is spent by everything that is not proven not to have happened."""
    run = store.begin_run("apply", None)
    outcomes = ("done", "broken", "unknown", "failed", "not-done")
    for number, outcome in enumerate(outcomes):
        store.intend(run, action(number, destroys=1, size=10**number))
        store.settle(run, action(number).id, outcome, "", {})
    assert store.destroyed_since(clock.now()) == (3, 111)
    clock.advance(1)
    assert store.destroyed_since(clock.now()) == (0, 0)
    store.intend(run, action(9, destroys=2, size=5))
    clock.advance(10**6)
    assert store.destroyed_since(clock.now()) == (2, 5)


def test_a_run_is_refused_while_the_clock_is_behind_the_journal(store: Store, clock: FakeClock) -> None:
    assert store.newest() is None
    run = store.begin_run("apply", None)
    clock.advance(3600)
    store.intend(run, action(1))
    assert store.newest() == clock.now()
    clock.advance(-299)
    store.begin_run("apply", None)
    clock.advance(-2)
    with pytest.raises(StoreError, match=r"it says 2026-01-01 12:54:59 UTC.*is of 2026-01-01 13:00:00 UTC") as refused:
        store.begin_run("apply", None)
    assert "clock" in refused.value.remedy
    assert store.serial == 2


def test_an_entry_that_was_tampered_with_is_not_guessed_at(store: Store, folder: Path) -> None:
    run = store.begin_run("apply", None)
    store.intend(run, action(1))
    other = sqlite3.connect(folder / "arr.db")
    other.execute("UPDATE entries SET action = '{}'")
    other.commit()
    other.close()
    with pytest.raises(StoreError, match=r"a journalled action does not read \(id: Field required\)"):
        store.pending()


@pytest.mark.parametrize(
    ("sql", "values"),
    [
        (journal.PENDING, []),
        (journal.DESTROYED, ["2026"]),
        (ledger.HISTORY, {"since": "2026", "recent": "2026", "last": 4}),
        (runs.NEWEST, []),
        (f"{runs.RUNS} WHERE id = ?", ["2026"]),
    ],
)
def test_a_long_journal_is_never_read_whole(store: Store, sql: str, values: list[str] | dict[str, str | int]) -> None:
    """Every question to the journal goes by an index, however many years it holds."""
    steps = store._connection.db.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
    assert steps
    assert [s[3] for s in steps if s[3].startswith("SCAN entries")] == []
