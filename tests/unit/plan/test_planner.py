"""The planner's laws: pure, guarded on the final list, honest about what is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reconciler.address import Address
from reconciler.errors import Exit, StaleError, UsageError
from reconciler.facts import Fact, Facts, Known, Query
from reconciler.kind import Ledger, Past, Resource
from reconciler.limits import GuardSpec
from reconciler.opener import Opener
from reconciler.plan import files
from reconciler.plan.guards import tightest
from reconciler.plan.model import Plan
from reconciler.plan.observe import observe
from reconciler.plan.outcome import exit_code
from reconciler.plan.planner import Ground, make_plan
from reconciler.plan.wish import wish_of
from reconciler.stack import Guards, Stack
from tests.toy import NOW, Notes, NotesKind, ToyWorld, notes, toy_world


@pytest.fixture
def world(tmp_path: Path) -> ToyWorld:
    return toy_world(tmp_path / "desk")


def ground(world: ToyWorld, *resources: Resource[Any], ledger: Ledger | None = None, **more: Any) -> Ground:
    ledger = ledger or Ledger(lineage="l1")
    with Opener(world.stack, {"folder": world.app}, world.clock) as opener:
        facts = observe(resources, world.kinds, opener, ledger, NOW)
    return Ground(world.kinds, world.stack, resources, "digest", facts, ledger, NOW, **more)


def many(world: ToyWorld, count: int) -> dict[str, str]:
    found = {f"n{i:03}": "x" * 10 for i in range(count)}
    for name, text in found.items():
        (world.path / name).write_text(text)
    return found


def owning(world: ToyWorld, before: Resource[Any], names: Any, **more: Any) -> Ledger:
    idents = frozenset(f"desk:note/{n}" for n in names)
    wish = wish_of(world.kinds["notes"], before)
    return Ledger(lineage="l1", applied={str(before.address): wish}, owned={str(before.address): idents}, **more)


def test_same_facts_give_the_same_bytes_whatever_the_order(world: ToyWorld) -> None:
    """Law 2."""
    one, two = notes(world, "a", notes={"x": "1"}), notes(world, "b", notes={"y": "2"})
    there, back = make_plan(ground(world, one, two)), make_plan(ground(world, two, one))
    assert there == back
    assert files.document(there) == files.document(back)


def test_a_query_is_asked_once_whoever_wants_it(world: ToyWorld) -> None:
    ground(world, notes(world, "a"), notes(world, "b"), notes(world, "c"))
    assert world.app.reads == [Notes("desk")]


def test_what_is_not_answered_is_blocked_never_absent(world: ToyWorld) -> None:
    """Law 4: a folder that does not answer is not an empty folder."""
    world.app.faults.add("down")
    plan = make_plan(ground(world, notes(world, notes={"x": "1"})))
    assert not list(plan.actions())
    assert plan.resources[0].proposal.blocked[0].code == "down"
    assert exit_code(plan, detailed=True) is Exit.BLOCKED


def test_a_client_that_fails_unexpectedly_is_unknown_too(world: ToyWorld) -> None:
    world.app.faults.add("bug")
    plan = make_plan(ground(world, notes(world, notes={"x": "1"})))
    assert plan.resources[0].proposal.blocked[0].code == "malformed"


def test_a_kind_that_fails_costs_its_own_resource_only(world: ToyWorld) -> None:
    """A31."""
    good, bad = notes(world, "good", notes={"x": "1"}), notes(world, "bad", notes={"y": "1"})
    base = ground(world, good)
    answers: dict[Query[Any], Fact[Any]] = {Notes("desk"): Known({}, NOW)}
    facts = Facts(answers)
    odd = replace(bad, spec=bad.spec.model_copy(update={"connection": "elsewhere"}))
    plan = make_plan(replace(base, resources=[good, odd], facts=facts))
    assert [a.subject.key for a in plan.actions()] == ["x"]
    assert plan.resources[0].proposal.errors
    assert exit_code(plan, detailed=False) is Exit.ERROR


def test_two_resources_that_want_different_things_are_named(world: ToyWorld) -> None:
    plan = make_plan(ground(world, notes(world, "a", notes={"x": "1"}), notes(world, "b", notes={"x": "2"})))
    assert not list(plan.actions())
    assert plan.conflicts[0].addresses == ("notes.a", "notes.b")
    assert exit_code(plan, detailed=False) is Exit.ERROR


def test_two_resources_that_want_the_same_are_no_conflict(world: ToyWorld) -> None:
    plan = make_plan(ground(world, notes(world, "a", notes={"x": "1"}), notes(world, "b", notes={"x": "1"})))
    assert not plan.conflicts


def test_the_cause_tells_an_edit_from_drift(world: ToyWorld) -> None:
    before, after = notes(world, notes={"x": "1"}), notes(world, notes={"x": "2"})
    (world.path / "x").write_text("1")
    ledger = owning(world, before, [])
    edited = make_plan(ground(world, after, ledger=ledger)).resources[0]
    assert edited.cause == "wish"
    assert [(c.where, c.field, c.before, c.after) for c in edited.changes] == [("notes.yaml:4", "notes.x", "1", "2")]
    (world.path / "x").write_text("scribbled over")
    drifted = make_plan(ground(world, before, ledger=ledger)).resources[0]
    assert (drifted.cause, drifted.changes) == ("drift", ())
    assert drifted.proposal.actions[0].cause == "drift"


def test_guards_count_the_final_list(world: ToyWorld) -> None:
    """A21, law 11: what a protection took away is not counted, what is left is."""
    names = many(world, 30)
    wish = notes(world, prune=True, guard={"max": 28}, protect=("n000", "n001"))
    plan = make_plan(ground(world, wish, ledger=owning(world, wish, names)))
    assert len(list(plan.actions())) == 28
    assert {h.guard for h in plan.hits()} == set()
    assert [h.reason for h in plan.resources[0].proposal.held] == ["protected: nothing may destroy it"] * 2


@pytest.mark.parametrize(
    ("limit", "guard"),
    [
        ({"max": 5}, "destroy-count"),
        ({"max_bytes": "50 B"}, "destroy-bytes"),
        ({"max_percent": "10%"}, "destroy-percent"),
    ],
)
def test_a_breached_guard_blocks_and_says_the_numbers(world: ToyWorld, limit: dict[str, Any], guard: str) -> None:
    names = many(world, 20)
    wish = notes(world, prune=True, guard=limit)
    plan = make_plan(ground(world, wish, ledger=owning(world, wish, names)))
    hit = next(h for h in plan.hits() if h.guard == guard)
    assert "20" in hit.says
    assert set(plan.refused(approved=False)) == {a.id for a in plan.actions()}
    assert not plan.refused(approved=True)
    assert exit_code(plan, detailed=True) is Exit.REFUSED


def test_the_day_is_counted_over_all_resources(world: ToyWorld) -> None:
    names = many(world, 4)
    stack = replace(world.stack, guards=Guards.model_validate({"per_day": {"max": 10}}))
    world.stack = stack
    wish = notes(world, prune=True)
    enough = make_plan(ground(world, wish, ledger=owning(world, wish, names), destroyed_today=(6, 0)))
    assert not list(enough.hits())
    over = make_plan(ground(world, wish, ledger=owning(world, wish, names), destroyed_today=(7, 0)))
    assert [h.guard for h in over.hits()] == ["day-count"]


def test_a_population_that_shrank_blocks_destruction_and_cannot_be_approved(world: ToyWorld) -> None:
    """A01: a list that is much shorter than the last good one is not believed at once."""
    names = many(world, 4)
    wish = notes(world, prune=True)
    ledger = owning(world, wish, names, populations={"notes.mine desk": 40})
    plan = make_plan(ground(world, wish, ledger=ledger))
    assert {h.guard for h in plan.hits()} == {"shrink"}
    assert set(plan.refused(approved=True)) == {a.id for a in plan.actions()}


def test_the_first_destruction_wants_an_approval(world: ToyWorld) -> None:
    names = many(world, 2)
    wish = notes(world, prune=True)
    first = replace(owning(world, wish, names), applied={})
    assert [h.guard for h in make_plan(ground(world, wish, ledger=first)).hits()] == ["first-time"]
    assert not list(make_plan(ground(world, wish, ledger=owning(world, wish, names))).hits())


def test_a_typed_yes_approves_first_changes_and_nothing_beyond_a_limit(world: ToyWorld) -> None:
    names = many(world, 4)
    wish = notes(world, prune=True, guard={"max": 2})
    plan = make_plan(ground(world, wish, ledger=replace(owning(world, wish, names), applied={})))
    assert {h.guard for h in plan.hits()} == {"first-time", "destroy-count"}
    assert {h.guard for h in plan.refused(approved=False, confirmed=True).values()} == {"destroy-count"}
    assert not plan.refused(approved=True)


def test_an_edit_that_destroys_more_wants_an_approval_and_one_that_does_not_wants_none(world: ToyWorld) -> None:
    names = many(world, 4)
    keeps = notes(world, prune=True, notes=dict(list(names.items())[:3]))
    fewer = notes(world, prune=True, notes=dict(list(names.items())[:1]))
    more = make_plan(ground(world, fewer, ledger=owning(world, keeps, names)))
    assert [h.guard for h in more.hits()] == ["first-time"]
    less = make_plan(ground(world, keeps, ledger=owning(world, fewer, names)))
    assert not list(less.hits())


def test_a_protection_outlives_its_declaration_until_that_is_applied(world: ToyWorld) -> None:
    """Taking the line out does not free the subject: the plan that ends the protection does not destroy it yet."""
    names = many(world, 2)
    wish = notes(world, prune=True)
    ledger = owning(world, wish, names, protected=frozenset({"n000"}))
    plan = make_plan(ground(world, wish, ledger=ledger))
    assert [a.subject.key for a in plan.actions()] == ["n001"]
    assert plan.notes == ("n000 is no longer declared as protected: it ends here",)


def test_paused_plans_nothing_and_reads_nothing(world: ToyWorld) -> None:
    plan = make_plan(ground(world, notes(world, paused=True, notes={"x": "1"})))
    assert not list(plan.actions())
    assert not world.app.reads


def test_limits_combine_to_the_tighter_one() -> None:
    both = tightest(GuardSpec(max=5), GuardSpec.model_validate({"max": 9, "max_bytes": "1 GB"}))
    assert (both.max, both.max_bytes) == (5, 10**9)


def test_a_subject_that_would_go_back_is_flapping(world: ToyWorld) -> None:
    base = ground(world, notes(world, notes={"x": "1"}))
    action = next(iter(make_plan(base).actions()))
    moved = action.model_copy(
        update={
            "before": {"text": "1"},
            "after": {"text": "0"},
            "effects": action.effects.model_copy(update={"moves": 1}),
        }
    )
    ledger = replace(base.ledger, history=(Past("r1", NOW - timedelta(days=1), moved, "done"),))
    assert [h.guard for h in make_plan(replace(base, ledger=ledger)).hits()] == ["flapping"]
    old = replace(base.ledger, history=(Past("r1", NOW - timedelta(days=30), moved, "done"),))
    assert not list(make_plan(replace(base, ledger=old)).hits())


# ----------------------------------------------------------------------------------------------------------- identity


def a_plan(world: ToyWorld, **spec: Any) -> Plan:
    return make_plan(ground(world, notes(world, notes={"x": "1"}, **spec)))


def test_the_id_is_what_the_plan_is_not_when_it_was_made(world: ToyWorld) -> None:
    base = ground(world, notes(world, notes={"x": "1"}))
    assert make_plan(base).id == make_plan(replace(base, now=NOW + timedelta(hours=3), serial=9)).id
    assert make_plan(base).id != make_plan(replace(base, desired="other")).id
    assert make_plan(base).id != make_plan(replace(base, ledger=replace(base.ledger, lineage="l2"))).id


def test_a_plan_file_reads_back_as_it_was(world: ToyWorld, tmp_path: Path) -> None:
    plan = a_plan(world)
    files.write(plan, tmp_path / "p.json")
    assert files.read(tmp_path / "p.json") == plan
    assert (tmp_path / "p.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda t: t.replace('"text": "1"', '"text": "2"'), StaleError),
        (lambda t: t.replace("arr.plan/1", "arr.plan/0"), StaleError),
        (lambda t: t[:-40], UsageError),
        (lambda t: "[]", UsageError),
        (lambda t: '{"schema_version": "arr.plan/1"}', UsageError),
        (lambda t: "\x00\x01", UsageError),
    ],
)
def test_a_plan_file_that_was_touched_is_told_apart(world: ToyWorld, tmp_path: Path, edit: Any, error: Any) -> None:
    path = tmp_path / "p.json"
    files.write(a_plan(world), path)
    path.write_text(edit(path.read_text()))
    with pytest.raises(error) as raised:
        files.read(path)
    assert "p.json" in raised.value.message
    assert raised.value.remedy


def test_the_wish_holds_what_was_written_as_it_was_written() -> None:
    kind = NotesKind()
    spec = kind.Spec.model_validate({"connection": "desk", "guard": {"max_bytes": "1.5 TiB", "max_percent": "2.5%"}})
    resource: Resource[Any] = Resource(Address("notes", "a"), spec, Stack())
    assert wish_of(kind, resource)["spec"]["guard"] == {"max_bytes": "1536 GiB", "max_percent": "2.5%"}
