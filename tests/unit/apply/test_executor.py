"""The executor's laws: precondition, intent before act, verified outcomes, lost replies, stops, single use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.action import Action, Effects
from reconciler.apply.executor import Executor
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Outcome, Report, Silent
from reconciler.apply.settle import pending, settle
from reconciler.errors import Exit, LockedError, StaleError, StoreError
from reconciler.kind import NotBegun, ReplyLost, Resource, Verdict, WriteRefused
from reconciler.opener import Opener, ReadWorld
from reconciler.plan import files
from reconciler.plan.model import Plan
from reconciler.plan.observe import observe
from reconciler.plan.planner import Ground, make_plan
from reconciler.plan.undo import undo_plan
from reconciler.stack import Guards
from reconciler.store import Store
from tests.toy import NOW, NotesKind, ToyWorld, notes, toy_world


class Bench:
    """A toy world with a real store beside it."""

    def __init__(self, tmp_path: Path) -> None:
        self.world: ToyWorld = toy_world(tmp_path / "desk")
        self.store = Store.open(tmp_path / "state", self.world.clock)
        self.opener = Opener(self.world.stack, {"folder": self.world.app}, self.world.clock)

    def plan(self, *resources: Resource[Any]) -> Plan:
        kinds = self.world.kinds
        ledger = self.store.ledger(self.world.clock.now())
        facts = observe(resources, kinds, self.opener, ledger, NOW)
        now = self.world.clock.now()
        plan = make_plan(Ground(kinds, self.world.stack, resources, "d", facts, ledger, now))
        self.store.save_plan(plan.id, files.document(plan), plan.created)
        return plan

    def executor(self, plan: Plan, **more: Any) -> Executor:
        return Executor(plan=plan, kinds=self.world.kinds, opener=self.opener, journal=self.store, **more)

    def apply(self, plan: Plan, **more: Any) -> Report:
        return self.executor(plan, **more).run()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    with found.store:
        yield found


def states(report: Report) -> list[str]:
    return [o.state for o in report.outcomes]


def test_apply_then_plan_is_empty(bench: Bench) -> None:
    """Law 1."""
    wish = notes(bench.world, notes={"a": "1", "b": "2"})
    report = bench.apply(bench.plan(wish))
    assert states(report) == ["done", "done"]
    assert report.exit is Exit.OK
    assert bench.world.notes() == {"a": "1", "b": "2"}
    assert not list(bench.plan(wish).actions())


def test_a_subject_that_moved_is_left_alone_and_the_rest_goes_on(bench: Bench) -> None:
    """Law 5."""
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "2"}))
    (bench.world.path / "a").write_text("somebody else's")
    report = bench.apply(plan)
    assert states(report) == ["stale", "done"]
    assert "somebody else's" in report.outcomes[0].says
    assert report.exit is Exit.STALE
    assert bench.world.notes() == {"a": "somebody else's", "b": "2"}


def test_no_durable_intent_no_side_effect(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Law 6: when the journal cannot be written the world is not touched."""
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))

    def full(run: str, action: Action) -> None:
        raise StoreError("the state cannot be written: no space left on the disk")

    monkeypatch.setattr(bench.store, "intend", full)
    with pytest.raises(StoreError, match="no space"):
        bench.apply(plan)
    assert bench.world.notes() == {}


@pytest.mark.parametrize(("fault", "left"), [("lose-after", "1"), ("lose-before", None)])
def test_a_lost_reply_is_looked_up_never_repeated(bench: Bench, fault: str, left: str | None) -> None:
    """Law 7."""
    wish = notes(bench.world, notes={"a": "1"})
    plan = bench.plan(wish)
    bench.world.app.faults.add(fault)
    report = bench.apply(plan)
    assert bench.world.notes().get("a") == left
    assert states(report) == (["done"] if left else ["failed"])
    bench.world.app.faults.clear()
    again = bench.apply(bench.plan(wish)) if not left else None
    assert bench.world.notes() == {"a": "1"}
    assert again is None or states(again) == ["done"]


def test_a_write_that_the_server_refuses_is_failed_with_its_words(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    bench.world.app.faults.add("refuse")
    report = bench.apply(plan)
    assert states(report) == ["failed"]
    assert report.outcomes[0].says == "the disk is write-protected"
    assert report.exit is Exit.ERROR


def test_what_cannot_be_read_again_is_blocked(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    bench.world.app.faults.add("down")
    report = bench.apply(plan)
    assert states(report) == ["blocked"]
    assert report.exit is Exit.BLOCKED
    assert not bench.store.pending()


def test_a_plan_is_used_once(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    bench.apply(plan)
    (bench.world.path / "a").unlink()
    with pytest.raises(StaleError, match="used"):
        bench.apply(plan)
    assert bench.world.notes() == {}
    assert len(bench.store.runs(9)) == 1, "what was refused is no run"


def test_the_same_plan_made_anew_may_be_used_anew(bench: Bench) -> None:
    """What a plan is decides its id, so drift that comes back makes the same id: it must not be stuck for ever."""
    wish = notes(bench.world, notes={"a": "1"})
    first = bench.plan(wish)
    bench.apply(first)
    (bench.world.path / "a").unlink()
    second = bench.plan(wish)
    assert second.id == first.id
    assert states(bench.apply(second)) == ["done"]


def test_a_plan_of_another_state_or_another_day_is_refused(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    with pytest.raises(StaleError, match="another state"):
        bench.apply(plan.model_copy(update={"lineage": "elsewhere"}))
    bench.world.clock.advance(timedelta(days=2).total_seconds())
    with pytest.raises(StaleError, match="valid until"):
        bench.apply(plan)
    bench.world.clock.advance(-timedelta(days=3).total_seconds())
    with pytest.raises(StaleError, match="in the future"):
        bench.apply(plan)
    assert bench.world.notes() == {}


def test_a_refusal_blocks_what_it_speaks_of_and_an_approval_lets_exactly_that_through(bench: Bench) -> None:
    mine = notes(bench.world, "mine", notes={"a": "1", "b": "1"}, prune=True)
    bench.apply(bench.plan(mine))
    less = notes(bench.world, "mine", notes={"a": "1"}, prune=True)
    other = notes(bench.world, "other", notes={"z": "1"})
    refused = bench.apply(bench.plan(less, other))
    assert sorted(states(refused)) == ["done", "refused"]
    assert refused.exit is Exit.PARTLY
    assert "b" in bench.world.notes()
    done = bench.apply(bench.plan(less, other), approved=True)
    assert states(done) == ["done"]
    assert bench.world.notes() == {"a": "1", "z": "1"}


def test_a_destruction_that_surprises_stops_the_others(bench: Bench) -> None:
    names = {f"n{i}": "1" for i in range(4)}
    bench.apply(bench.plan(notes(bench.world, notes=names, prune=True)))
    plan = bench.plan(notes(bench.world, prune=True))
    (bench.world.path / "n1").write_text("changed under us")
    report = bench.apply(plan, approved=True)
    assert states(report) == ["done", "stale", "left", "left"]
    assert sorted(bench.world.notes()) == ["n1", "n2", "n3"]


def test_more_than_the_limit_destroys_nothing(bench: Bench) -> None:
    """A21: what is counted is what is destroyed."""
    names = {f"n{i}": "1" for i in range(4)}
    bench.apply(bench.plan(notes(bench.world, notes=names, prune=True)))
    limited = notes(bench.world, prune=True, guard={"max": 3})
    assert states(bench.apply(bench.plan(limited), confirmed=True)) == ["refused"] * 4
    assert bench.world.notes() == names


def changed(plan: Plan, updates: dict[str, dict[str, Any]]) -> Plan:
    """The plan of one resource, with other fields in the actions on the notes that `updates` names."""
    (part,) = plan.resources
    actions = tuple(a.model_copy(update=updates.get(a.subject.key, {})) for a in part.proposal.actions)
    part = part.model_copy(update={"proposal": part.proposal.model_copy(update={"actions": actions})})
    return plan.model_copy(update={"resources": (part,)})


def test_what_needs_an_action_that_was_not_done_is_skipped(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1", "c": "1", "d": "1"}))
    first, second, *_ = [a.id for a in plan.actions()]
    plan = changed(plan, {"b": {"requires": (first,)}, "c": {"requires": (second,)}})
    (bench.world.path / "a").write_text("changed under us")
    report = bench.apply(plan)
    assert states(report) == ["stale", "skipped", "skipped", "done"]
    assert bench.world.notes() == {"a": "changed under us", "d": "1"}


def test_what_stops_on_a_disk_stops_the_others_on_it(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1", "c": "1"}))
    disks = {"a": {"d1": -5, "d2": 5}, "b": {"d2": 5}, "c": {"d3": 5}}
    plan = changed(plan, {name: {"effects": Effects(disks=effect)} for name, effect in disks.items()})
    verb = type(NotesKind.verbs["create"])
    original = verb.perform

    def refused(self: Any, world: Any, action: Action) -> Any:
        if action.subject.key == "a":
            raise WriteRefused("no room on d2")
        return original(self, world, action)

    monkeypatch.setattr(verb, "perform", refused)
    report = bench.apply(plan)
    assert states(report) == ["failed", "left", "done"]
    assert bench.world.notes() == {"c": "1"}


@pytest.mark.parametrize(("refusal", "state"), [(NotBegun, "failed"), (WriteRefused, "broken")])
def test_what_was_never_begun_is_not_broken(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, refusal: type[WriteRefused], state: str
) -> None:
    """However it looks: a half that lies there is somebody else's, and nothing may be mended over it."""
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    verb = type(NotesKind.verbs["create"])

    def refused(*_: Any) -> Any:
        raise refusal("not safe")

    monkeypatch.setattr(verb, "perform", refused)
    monkeypatch.setattr(verb, "verify", lambda *_: Verdict("broken", "half of it is there"))
    report = bench.apply(plan)
    assert states(report) == [state]


class StopAfter(Silent):
    def __init__(self, stop: Stop, count: int) -> None:
        self.stop, self.count = stop, count

    def finished(self, outcome: Outcome) -> None:
        self.count -= 1
        if not self.count:
            self.stop.request()


def test_a_stop_finishes_the_current_action_and_says_what_is_left(bench: Bench) -> None:
    stop = Stop()
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1", "c": "1"}))
    report = bench.apply(plan, stop=stop, listener=StopAfter(stop, 1))
    assert states(report) == ["done", "left", "left"]
    assert report.interrupted
    assert report.exit is Exit.PARTLY
    assert bench.world.notes() == {"a": "1"}


def test_two_applies_do_not_work_at_once(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    with bench.store.lock("a long story"), pytest.raises(LockedError, match="a long story"):
        bench.apply(plan)
    assert bench.world.notes() == {}


def test_an_intent_left_by_a_dead_process_is_settled_by_looking(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1"}))
    done, nothing = list(plan.actions())
    run = bench.store.begin_run("apply", plan.id)
    bench.store.intend(run, done)
    bench.store.intend(run, nothing)
    (bench.world.path / "a").write_text("1")
    seen = pending(bench.world.kinds, bench.opener, bench.store)
    assert [p.verdict.state for p in seen] == ["done", "not-done"]
    assert len(bench.store.pending()) == 2, "a look writes nothing"
    assert [o.state for o in settle(bench.store, seen)] == ["done", "failed"]
    assert not bench.store.pending()


def test_what_gives_no_answer_stays_pending(bench: Bench) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    run = bench.store.begin_run("apply", plan.id)
    bench.store.intend(run, next(iter(plan.actions())))
    bench.world.app.faults.add("down")
    seen = pending(bench.world.kinds, bench.opener, bench.store)
    assert [o.state for o in settle(bench.store, seen)] == ["unknown"]
    assert len(bench.store.pending()) == 1


def test_a_connection_that_is_read_only_is_never_written(tmp_path: Path) -> None:
    """The plan holds it; and a plan of before it was so is refused by the transport."""
    bench = Bench(tmp_path)
    before = bench.plan(notes(bench.world, notes={"a": "1"}))
    bench.world = toy_world(tmp_path / "desk", access="read")
    bench.opener = Opener(bench.world.stack, {"folder": bench.world.app}, bench.world.clock)
    with bench.store:
        plan = bench.plan(notes(bench.world, notes={"a": "1"}))
        assert [h.reason for h in plan.resources[0].proposal.held] == ["desk is declared access: read"]
        assert bench.apply(plan).outcomes == ()
        assert states(bench.apply(before)) == ["failed"]
    assert bench.world.notes() == {}


def test_undo_takes_back_what_can_be_and_leaves_what_lived_on(bench: Bench) -> None:
    wish = notes(bench.world, notes={"a": "1", "b": "1"})
    report = bench.apply(bench.plan(wish))
    (bench.world.path / "b").write_text("went on living")
    _, entries = bench.store.run(report.run)
    verbs = NotesKind.verbs
    back = undo_plan(
        report.run,
        [(e.action, e.state) for e in entries],
        lambda a: verbs[a.verb].read(ReadWorld(bench.opener), a),
        lineage=bench.store.lineage,
        serial=1,
        desired="d",
        now=bench.world.clock.now(),
        sources={},
        limits=Guards(),
        destroyed_today=(0, 0),
        protected=frozenset(),
    )
    assert [(a.verb, a.subject.key) for a in back.actions()] == [("delete", "a")]
    assert [(h.subject.key, h.reason) for h in back.resources[0].proposal.held] == [("b", "it changed since that run")]


def test_the_figures_of_the_journal(bench: Bench) -> None:
    """Three durable commits of our own per action, at most: intent, acceptance, outcome."""
    plan = bench.plan(notes(bench.world, notes={f"n{i}": "1" for i in range(10)}))
    writes: list[str] = []
    for name in ("intend", "accept", "settle"):
        original = getattr(bench.store, name)

        def counted(*args: Any, _original: Any = original, _name: str = name, **kw: Any) -> Any:
            writes.append(_name)
            return _original(*args, **kw)

        setattr(bench.store, name, counted)
    bench.apply(plan)
    assert writes == ["intend", "settle"] * 10


def test_what_a_live_process_began_is_left_to_it(bench: Bench) -> None:
    """Between its intent and its act nothing has happened yet: settled then, the journal would lie for ever."""
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    run = bench.store.begin_run("apply", plan.id)
    bench.store.intend(run, next(iter(plan.actions())))
    with bench.store.living(run):
        seen = pending(bench.world.kinds, bench.opener, bench.store)
        assert [(p.verdict.state, p.live) for p in seen] == [("not-done", True)]
        assert [o.state for o in settle(bench.store, seen)] == ["unknown"]
        assert len(bench.store.pending()) == 1
    seen = pending(bench.world.kinds, bench.opener, bench.store)
    assert [o.state for o in settle(bench.store, seen)] == ["failed"]
    assert not bench.store.pending()


def test_a_kind_that_fails_in_mid_action_costs_that_action(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1"}))
    verb = type(NotesKind.verbs["create"])
    original = verb.perform

    def clumsy(self: Any, world: Any, action: Action) -> Any:
        if action.subject.key == "a":
            raise ZeroDivisionError
        return original(self, world, action)

    monkeypatch.setattr(verb, "perform", clumsy)
    report = bench.apply(plan)
    assert states(report) == ["unknown", "done"]
    assert report.exit is not Exit.OK
    assert [p.action.subject.key for p in bench.store.pending()] == ["a"]


def owned(bench: Bench, names: dict[str, str]) -> None:
    """Make notes that the resource then owns."""
    bench.apply(bench.plan(notes(bench.world, notes=names, prune=True)))
    bench.apply(bench.plan(notes(bench.world, notes=names, prune=True)))


def test_the_day_limit_counts_what_was_destroyed_after_the_plan(bench: Bench) -> None:
    """Two plans made beforehand, each within the limit, are over it together."""
    bench.world.stack = replace(bench.world.stack, guards=Guards.model_validate({"per_day": {"max": 1}}))
    bench.opener = Opener(bench.world.stack, {"folder": bench.world.app}, bench.world.clock)
    for name in ("a", "b"):
        bench.apply(bench.plan(notes(bench.world, name, notes={name: "1"}, prune=True)))
    plans = [bench.plan(notes(bench.world, name, prune=True)) for name in ("a", "b")]
    assert states(bench.apply(plans[0], approved=True)) == ["done"]
    report = bench.apply(plans[1], approved=True)
    assert states(report) == ["refused"]
    assert "24 h" in report.outcomes[0].says
    assert bench.world.notes() == {"b": "1"}


def test_what_was_protected_since_the_plan_is_not_destroyed_by_it(bench: Bench) -> None:
    owned(bench, {"a": "1"})
    old = bench.plan(notes(bench.world, prune=True))
    bench.apply(bench.plan(notes(bench.world, notes={"a": "1"}, prune=True, protect=("a",))))
    report = bench.apply(old, approved=True)
    assert states(report) == ["refused"]
    assert bench.world.notes() == {"a": "1"}
    assert "a" in bench.store.ledger(NOW, days=1).protected, "an older plan ends no protection"


def test_an_approval_is_not_used_up_by_a_plan_that_did_nothing(bench: Bench) -> None:
    """A first change that turned out stale was none: the next plan wants an approval of its own."""
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    (bench.world.path / "a").write_text("moved")
    assert states(bench.apply(plan, approved=True)) == ["stale"]
    assert not bench.store.ledger(NOW).applied


def test_a_second_stop_never_calls_what_is_in_hand_unbegun(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1", "b": "1"}))
    verb = type(NotesKind.verbs["create"])

    def interrupted(self: Any, world: Any, action: Action, handle: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(verb, "verify", interrupted)
    report = bench.apply(plan)
    assert states(report) == ["running", "left"]
    assert [p.action.subject.key for p in bench.store.pending()] == ["a"]


def test_a_lock_that_others_keep_costs_the_action_and_not_the_report(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    original = bench.store.lock

    def taken(purpose: str) -> Any:
        if purpose.startswith("apply r"):
            raise LockedError("another process is at work", "wait")
        return original(purpose)

    monkeypatch.setattr(bench.store, "lock", taken)
    report = bench.apply(plan)
    assert states(report) == ["left"]
    assert bench.store.runs(1)[0].ended is not None
    assert bench.world.notes() == {}


def test_a_late_answer_is_waited_for_longer_than_a_lost_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that hangs may act two minutes later: until then nothing is called failed."""
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    verb, clock = type(NotesKind.verbs["create"]), bench.world.clock

    def late(self: Any, world: Any, action: Action) -> Any:
        raise ReplyLost("no answer in time", late=True)

    original = verb.verify

    def acted_after_two_minutes(self: Any, world: Any, action: Action, handle: Any) -> Any:
        if clock.monotonic() > 120:
            (bench.world.path / "a").write_text("1")
        return original(self, world, action, handle)

    monkeypatch.setattr(verb, "perform", late)
    monkeypatch.setattr(verb, "verify", acted_after_two_minutes)
    assert states(bench.apply(plan)) == ["done"]
