"""What planning may see of the past: wishes, ownership, protections, and the counts of what was seen."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import datetime, timedelta

from reconciler.address import Address
from reconciler.clock import FakeClock
from reconciler.store import Store
from tests.unit.store.parts import action

TV = Address("disk_fill", "tv")
GB = 10**9


def test_wishes_and_ownership_are_remembered(store: Store, clock: FakeClock) -> None:
    store.apply_wish(TV, {"max": "85%", "disks": ["d1"]})
    store.apply_wish("tag.kids", {"label": "kids"})
    store.apply_wish(TV, {"max": "80%", "disks": ["d1"]})
    for number, owned in ((1, True), (2, True), (1, True), (2, False), (3, None)):
        run, made = store.begin_run("apply", None), action(number, address="tag.kids")
        store.intend(run, made)
        assert store.settle(run, made.id, "done", "", {}, owned=owned)
        assert not store.settle(run, made.id, "done", "", {}, owned=not owned), "the first outcome counts"
    ledger = store.ledger(clock.now())
    assert ledger.lineage == store.lineage
    assert ledger.applied == {"disk_fill.tv": {"max": "80%", "disks": ["d1"]}, "tag.kids": {"label": "kids"}}
    assert ledger.owned == {"tag.kids": frozenset({action(1).subject.ident})}


def test_a_protection_ends_only_by_an_applied_change(store: Store, clock: FakeClock) -> None:
    store.protect("", ["tag:arr-protect", "tvdb:1"])
    store.protect(TV, ["tvdb:1", "tvdb:2"])
    assert store.ledger(clock.now()).protected == {"tag:arr-protect", "tvdb:1", "tvdb:2"}
    store.protect(TV, ["tvdb:3"])
    assert store.ledger(clock.now()).protected == {"tag:arr-protect", "tvdb:1", "tvdb:3"}
    store.protect("", [])
    store.protect(TV, ["tvdb:3", "tvdb:3"])
    assert store.ledger(clock.now()).protected == {"tvdb:3"}


def test_a_protection_that_stays_keeps_its_date(store: Store, clock: FakeClock) -> None:
    store.protect(TV, ["tvdb:1", "tvdb:2"])
    clock.advance(86400)
    store.protect(TV, ["tvdb:1", "tvdb:3"])
    rows = store._connection.db.execute("SELECT item, substr(at, 1, 10) FROM protected ORDER BY item").fetchall()
    assert rows == [("tvdb:1", "2026-01-01"), ("tvdb:3", "2026-01-02")]


def test_the_collector_is_as_it_was(store: Store, clock: FakeClock) -> None:
    store.ledger(clock.now())
    assert gc.isenabled()
    gc.disable()
    try:
        store.ledger(clock.now())
        assert not gc.isenabled()
    finally:
        gc.enable()


def settled(store: Store, number: int, outcome: str = "done") -> str:
    run, made = (
        store.begin_run("apply", None),
        action(number).model_copy(update={"data": {"files": [["a.mkv", 1]] * 1000}}),
    )
    store.intend(run, made)
    store.settle(run, made.id, outcome, "", {})
    return run


def test_the_history_grows_with_the_library_and_not_with_the_journal(store: Store, clock: FakeClock) -> None:
    """Of what is older than two days the last few of each subject and outcome are held, of the rest everything."""
    begin = clock.now()
    runs = {outcome: [settled(store, 1, outcome) for _ in range(30)] for outcome in ("done", "failed")}
    other = settled(store, 2)
    clock.advance(10 * 86400)
    today = [settled(store, 3) for _ in range(7)]
    ledger = store.ledger(clock.now(), days=31)
    assert [p.run for p in ledger.history] == [*runs["done"][-4:], *runs["failed"][-4:], other, *today]
    old = [p for p in ledger.history if p.at < begin + timedelta(days=1)]
    assert {p.outcome for p in old if p.action.data} == {"failed"}  # what stopped half-way needs it, what was done not
    assert {p.action.before["path"] for p in old} == {"/d1/1", "/d1/2"}
    assert all(p.action.data for p in ledger.history if p.run in today)


def test_what_a_kind_wants_kept_of_an_old_action_is_kept(store: Store, clock: FakeClock) -> None:
    run = store.begin_run("apply", None)
    data = {"files": ["a.mkv"] * 10, "kept": {"as": "ab12", "bytes": 7, "of": ["x"]}}
    store.intend(run, action(1).model_copy(update={"data": data}))
    store.settle(run, action(1).id, "done", "", {})
    clock.advance(3 * 86400)
    (past,) = store.ledger(clock.now(), days=31).history
    assert past.action.data == {"kept": {"as": "ab12", "bytes": 7, "of": ["x"]}}
    assert past.action.rests_on == {}


def test_reading_a_long_history_takes_little_memory(store: Store, clock: FakeClock) -> None:
    for n in range(150):
        settled(store, n % 3)
    clock.advance(3 * 86400)
    tracemalloc.start()
    try:
        assert len(store.ledger(clock.now(), days=31).history) == 12
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 500_000  # an entry as it was journalled is 12 kB of text, and several times that when it is read


def bar(name: str, free: int) -> dict[str, object]:
    return {"name": name, "size": 8000 * GB, "used": 8000 * GB - free, "free": free, "free_after": free, "ok": True}


def test_the_last_count_of_each_scope_stands(store: Store, clock: FakeClock) -> None:
    """A scope that a run did not look at keeps its count."""
    store.observe(None, {"disk_fill.tv sonarr": 120, "disk_fill.tv radarr": 300}, [bar("d1", GB)], clock.now())
    clock.advance(60)
    run = store.begin_run("apply", None)
    store.observe(run, {"disk_fill.tv sonarr": 7}, [], clock.now())
    store.observe(None, {}, [], clock.now())
    assert store.ledger(clock.now()).populations == {"disk_fill.tv sonarr": 7, "disk_fill.tv radarr": 300}


def test_a_count_from_a_clock_that_was_ahead_does_not_stand_for_ever(store: Store, clock: FakeClock) -> None:
    store.observe(None, {"a s": 5}, [], clock.now() + timedelta(days=3000))
    store.observe(None, {"a s": 6}, [], clock.now())
    assert store.ledger(clock.now()).populations == {"a s": 6}


def test_a_disk_that_two_resources_name_is_kept_once(store: Store, clock: FakeClock) -> None:
    store.observe(None, {}, [bar("d1", GB), bar("d2", GB), bar("d1", GB)], clock.now())
    rows = store._connection.db.execute("SELECT name, size, used, free FROM disks ORDER BY name").fetchall()
    assert rows == [(name, 8000 * GB, 7999 * GB, GB) for name in ("d1", "d2")]


def days_kept(store: Store, table: str) -> list[tuple[str, int]]:
    sql = f"SELECT substr(at, 1, 10), count(*) FROM {table} GROUP BY 1 ORDER BY 1"  # noqa: S608
    return list(store._connection.db.execute(sql))


def test_observations_are_thinned_with_age(store: Store, clock: FakeClock) -> None:
    """In full for a week, one a day until 400 days, then none; the newest of a scope stays whatever its age."""
    store.observe(None, {"gone sonarr": 9}, [], clock.now())
    begin = clock.now()
    for _ in range(2 * 420):
        clock.advance(43200)
        store.observe(None, {"a s": 1}, [bar("d1", GB)], clock.now())
    today = clock.now()
    for table in ("populations", "disks"):
        kept = [(datetime.fromisoformat(f"{day}T00:00:00Z"), n) for day, n in days_kept(store, table)]
        if table == "populations":
            assert kept.pop(0)[0].date() == begin.date()
        assert timedelta(days=399) <= today - kept[0][0] <= timedelta(days=401)
        old = [n for day, n in kept if day.date() < (today - timedelta(days=7)).date()]
        assert len(old) in (392, 393, 394)
        assert set(old) == {1}
        recent = [n for day, n in kept if day.date() > (today - timedelta(days=7)).date()]
        assert set(recent[:-1]) == {2}
    assert store.ledger(today).populations == {"a s": 1, "gone sonarr": 9}


def test_a_sighting_counts_from_the_first_look_at_the_same_state(store: Store, clock: FakeClock) -> None:
    first = clock.now()
    store.sight({"a x": "one", "a y": "one"}, first)
    store.sight({"a x": "one", "a y": "two"}, first + timedelta(minutes=5))
    told = store.ledger(clock.now()).sightings
    assert told == {"a x": ("one", first), "a y": ("two", first + timedelta(minutes=5))}


def test_a_sighting_of_the_future_begins_anew_and_an_old_one_is_forgotten(store: Store, clock: FakeClock) -> None:
    now = clock.now()
    store.sight({"a x": "one"}, now + timedelta(days=3000))
    store.sight({"a x": "one", "a y": "one"}, now)
    assert store.ledger(now).sightings["a x"] == ("one", now)
    store.sight({"a x": "one"}, now + timedelta(days=31))
    assert store.ledger(now).sightings.keys() == {"a x"}
