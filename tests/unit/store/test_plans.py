"""Saved plans: found by what is unique of their id, and bounded in number, age and size."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.clock import FakeClock
from reconciler.errors import Exit, StaleError, UsageError
from reconciler.store import Store

DOCUMENT = {"schema_version": "arr.plan/1", "actions": [{"says": "Größe 1.5 TB", "ratio": 0.1}], "none": None}


def test_a_plan_is_found_by_its_beginning(store: Store, clock: FakeClock) -> None:
    store.save_plan("7k3fabcd", DOCUMENT, clock.now())
    store.save_plan("zzzzzzzz", {}, clock.now())
    for prefix in ("7k3f", "7K3FA", " 7k3fabcd "):
        assert store.find_plan(prefix) == ("7k3fabcd", DOCUMENT)
    for prefix, says in (("7k3", "too short"), ("", "too short"), ("7k3g", "no saved plan"), ("7k3fabcde", "no saved")):
        with pytest.raises(UsageError, match=says) as refused:
            store.find_plan(prefix)
        assert refused.value.exit == Exit.USAGE


def test_a_beginning_that_two_share_is_ambiguous(store: Store, clock: FakeClock) -> None:
    store.save_plan("7k3fabcd", {"n": 1}, clock.now())
    store.save_plan("7k3fabxx", {"n": 2}, clock.now())
    with pytest.raises(UsageError, match=r"several plans.*7k3fab"):
        store.find_plan("7k3f")
    assert store.find_plan("7k3fabc")[1] == {"n": 1}
    assert (store.short("7k3fabcd"), store.short("7k3fabxx")) == ("7k3fabc", "7k3fabx")
    assert (store.short("7k3fzzzz"), store.short("abcdefgh")) == ("7k3fz", "abcd")


def test_a_plan_is_used_once(store: Store, clock: FakeClock) -> None:
    store.save_plan("7k3fabcd", {}, clock.now())
    first, second = store.begin_run("apply", "7k3fabcd"), store.begin_run("apply", "7k3fabcd")
    assert store.consumed("7k3fabcd") is None
    clock.advance(1)
    store.consume("7k3fabcd", first)
    with pytest.raises(StaleError, match=f"by run {first}") as refused:
        store.consume("7k3fabcd", second)
    assert refused.value.exit == Exit.STALE
    assert store.consumed("7k3fabcd") == first
    with pytest.raises(KeyError):
        store.consume("other", "r000077")
    assert store.consumed("other") is None


def test_saving_a_used_plan_again_does_not_make_it_new(store: Store, clock: FakeClock) -> None:
    """Only the same plan, made anew after it was used, may be used again."""
    made = clock.now()
    store.save_plan("7k3fabcd", {}, made)
    clock.advance(60)
    run = store.begin_run("apply", "7k3fabcd")
    store.consume("7k3fabcd", run)
    store.save_plan("7k3fabcd", {}, made)
    assert store.consumed("7k3fabcd") == run
    clock.advance(60)
    store.save_plan("7k3fabcd", {}, clock.now())
    assert store.consumed("7k3fabcd") is None


def test_that_a_plan_was_used_outlives_its_document(store: Store, clock: FakeClock) -> None:
    store.save_plan("oldplan1", {}, clock.now())
    clock.advance(1)
    run = store.begin_run("apply", "oldplan1")
    store.consume("oldplan1", run)
    clock.advance(timedelta(days=91).total_seconds())
    store.save_plan("newplan1", {}, clock.now())
    with pytest.raises(UsageError, match="no saved plan"):
        store.find_plan("oldplan1")
    assert store.consumed("oldplan1") == run


def test_plans_are_kept_within_bounds(store: Store, clock: FakeClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reconciler.store.plans.KEEP_COUNT", 5)
    monkeypatch.setattr("reconciler.store.plans.KEEP_BYTES", 10_000)
    count = "SELECT count(*), min(id) FROM plans"
    for number in range(9):
        clock.advance(1)
        store.save_plan(f"p{number:07d}", {}, clock.now())
    assert store._connection.db.execute(count).fetchone() == (5, "p0000004")
    for name in ("large001", "large002", "large003"):
        clock.advance(1)
        store.save_plan(name, {"text": "x" * 4000}, clock.now())
    assert store._connection.db.execute(count).fetchone() == (2, "large002")
    clock.advance(1)
    store.save_plan("large004", {"text": "x" * 10_001}, clock.now())
    assert store._connection.db.execute(count).fetchone() == (1, "large004")
