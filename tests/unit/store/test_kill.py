"""Real processes, killed with SIGKILL: whatever was said to be durable is there, and nothing is half."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.store import Store
from reconciler.store.migrations import STEPS
from tests.unit.store.child import second_step
from tests.unit.store.parts import Child, action

NEW_STEPS = (*STEPS, second_step("never"))


@pytest.mark.parametrize("lines", [1, 2, 3, 4, 37, 160])
def test_every_acknowledged_step_survives(folder: Path, lines: int) -> None:
    """Law 6: any prefix of the journal is a state to go on from; the log left behind by the dead is used."""
    with Child("journal", folder) as child:
        said = [child.line() for _ in range(lines)]
        said += child.kill()
    assert (folder / "arr.db-wal").stat().st_size > 0
    with Store.open(folder, SystemClock(), read_only=True) as seen:
        before = seen.pending()
    with Store.open(folder, SystemClock()) as store:
        assert store.check() == []
        assert store.pending() == before
        found = {run.run: {e.action.id: e for e in store.run(run.run)[1]} for run in store.runs(1000)}
        for line in said:
            step, run, *number = line.split()
            assert run in found
            if number:
                entry = found[run][action(int(number[0])).id]
                assert entry.action == action(int(number[0]))
                assert step != "accepted" or entry.accepted
                assert step != "settled" or entry.outcome == "done"
        assert len(store.pending()) <= 1
        for row in store.pending():
            assert store.settle(row.run, row.action.id, "unknown", "its process died", {})
        assert store.pending() == []
        assert store.begin_run("apply", None) == f"r{len(found) + 1:06d}"


@pytest.mark.parametrize(("point", "expected"), [("before", 1), ("between", 1), ("after", 1), ("done", 2)])
def test_a_migration_that_is_killed_leaves_old_or_new(folder: Path, point: str, expected: int) -> None:
    with Store.open(folder, SystemClock()) as store:
        run, lineage = store.begin_run("apply", None), store.lineage
        store.intend(run, action(1))
    with Child("migrate", folder, point) as child:
        assert child.line() == f"at {point}"
        child.kill()
    if expected == 1:
        with Store.open(folder, SystemClock()) as store:
            assert schema(store) == (len(STEPS), False, False)
            assert store.pending()[0].action == action(1)
    with Store.open(folder, SystemClock(), steps=NEW_STEPS) as store:
        assert schema(store) == (len(NEW_STEPS), True, True)
        assert (store.pending()[0].action, store.lineage, store.serial) == (action(1), lineage, 1)
        assert store.check() == []


@pytest.mark.parametrize("point", ["before", "after"])
def test_a_creation_that_is_killed_leaves_nothing_or_all(folder: Path, point: str) -> None:
    with Child("create", folder, point) as child:
        assert child.line() == f"at {point}"
        child.kill()
    assert not (folder / "arr.db").exists()
    with Store.open(folder, SystemClock(), read_only=True) as store:
        assert store.lineage == ""
    with Store.open(folder, SystemClock()) as store:
        assert store.lineage
        assert not list(folder.glob("arr.db.new*"))


def test_a_migration_that_fails_changes_nothing(folder: Path) -> None:
    with Store.open(folder, SystemClock()) as store:
        lineage = store.lineage

    def wrong(db: object) -> None:
        NEW_STEPS[-1](db)  # type: ignore[arg-type]
        raise RuntimeError("the step is wrong")

    with pytest.raises(RuntimeError, match="the step is wrong"):
        Store.open(folder, SystemClock(), steps=(*STEPS, wrong))
    with Store.open(folder, SystemClock()) as store:
        assert (schema(store), store.lineage) == ((len(STEPS), False, False), lineage)


def test_processes_that_create_at_once_agree(folder: Path) -> None:
    with Child("create_at_once", folder, "") as one, Child("create_at_once", folder, "") as two:
        assert (one.line(), two.line()) == ("ready", "ready")
        one.tell()
        two.tell()
        lineages = {one.line(), two.line()}
    with Store.open(folder, SystemClock()) as store:
        assert lineages == {store.lineage}


def test_processes_that_consume_one_plan_at_once(folder: Path) -> None:
    """A plan is used once: exactly one of them gets it."""
    for number in range(3):
        plan = f"plan{number}"
        with Child("consume", folder, plan) as one, Child("consume", folder, plan) as two:
            assert (one.line(), two.line()) == ("ready", "ready")
            one.tell()
            two.tell()
            answers = sorted([one.line(), two.line()])
        winner = answers[0].removeprefix("mine ")
        assert answers[1].startswith(f"stale the plan was used already, by run {winner}")
        with Store.open(folder, SystemClock()) as store:
            assert store.consumed(plan) == winner


def schema(store: Store) -> tuple[int, bool, bool]:
    """Version, and whether the second step's two effects are there."""
    db = store._connection.db
    version = db.execute("PRAGMA user_version").fetchone()[0]
    return version, "mood" in db.table("runs").columns_dict, db.table("later").exists()
