"""Laws of applying: fixed point, precondition, intent before act, lost replies, nothing unowned, budget, liveness."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from reconciler.errors import StaleError, StoreError
from reconciler.store import Store
from tests.laws.bench import Bench, bench, changed
from tests.laws.worlds import Case


def test_fixed_point(laws: Bench) -> None:
    """Law 1, from the start and from drift: one apply, and the next plan is empty."""
    plan = laws.plan()
    assert laws.steps(plan), "a world in which there is nothing to do proves nothing"
    report = laws.apply(plan)
    assert {o.state for o in report.outcomes} == {"done"}, report.outcomes
    laws.assert_reached()
    assert laws.steps(laws.plan()) == []
    laws.do("drift")
    assert laws.steps(laws.plan()), "the world's `drift` makes nothing to do"
    assert laws.converge() == 1
    laws.assert_reached("reached_again")


def test_precondition(laws: Bench) -> None:
    """Law 5: what moved between plan and apply is refused and reported, and nothing is sent."""
    plan = laws.plan()
    laws.do("moved")
    before = laws.snapshot()
    laws.forget()
    report = laws.session.apply(plan, approve=plan.id)
    found = {o.state for o in report.outcomes}
    assert "stale" in found and found <= {"stale", "left"}, report.outcomes  # a kind may stop at the first surprise
    assert laws.writes() == []
    assert laws.snapshot() == before


@pytest.mark.parametrize("how", [StoreError, OSError])
def test_no_intent_no_act(laws: Bench, monkeypatch: pytest.MonkeyPatch, how: type[Exception]) -> None:
    """Law 6, for a journal that cannot be written, in words or by a fault of the program; `tests/crash` has the rest of it."""

    def full(*_: Any) -> None:
        raise how("the disk is full")

    plan, before = laws.plan(), laws.snapshot()
    laws.forget()
    with monkeypatch.context() as patched:
        patched.setattr(Store, "intend", full)
        if how is StoreError:
            with pytest.raises(StoreError):
                laws.session.apply(plan, approve=plan.id)
        else:
            assert "done" not in {o.state for o in laws.session.apply(plan, approve=plan.id).outcomes}
    assert laws.staged() == []
    with pytest.raises(StaleError):  # it was used up before its first action
        laws.session.apply(plan, approve=plan.id)
    assert laws.writes() == []
    assert laws.snapshot() == before
    laws.converge()
    laws.assert_reached()


def test_lost_replies(case: Case, laws: Bench, tmp_path: Path) -> None:
    """Law 7: each write in turn is cut, before it was done and after; it is adopted or tried again, never doubled."""
    laws.apply(laws.plan())
    healthy = laws.done_writes()
    sent = [write.name for write in laws.writes()]
    assert bool(sent) != laws.case.on_disk
    for number, name in enumerate(sent):
        for when in ("before", "after"):
            (folder := tmp_path / f"{number}-{when}").mkdir()
            with bench(case, folder) as cut:
                cut.break_("reset", name, skip=sent[:number].count(name), times=1, when=when)
                plan = cut.plan()
                cut.session.apply(plan, approve=plan.id)
                assert any(w.fault for w in cut.writes()), "the fault struck nothing"
                cut.heal()
                cut.converge()
                cut.assert_reached()
                assert sum(w.risky for w in cut.writes()) <= len(healthy) + 1, "only what was cut may be sent again"
                assert cut.done_writes(lost_are_done=when == "after") == healthy, f"{when} {name}"


def test_nothing_unowned(laws: Bench) -> None:
    """Law 9: only subjects of the plan change, and of those only what their kind may change."""
    laws.unlike_the_defaults()
    before, plan = laws.snapshot(), laws.plan()
    laws.apply(plan)
    after = laws.snapshot()
    assert changed(before, after) <= {laws.key_of(a.subject) for a in plan.actions()}
    for key in changed(before, after):
        if key in before and key in after:
            fields = {f for f in before[key].keys() | after[key].keys() if before[key].get(f) != after[key].get(f)}
            assert fields <= laws.touches, f"{key}: {fields - laws.touches}"
    laws.assert_reached()


def test_what_nobody_knows_survives(laws: Bench, over_http: None) -> None:
    """Law 9, for fields of a later version: an update sends back what was read, to the letter, but for what it changes."""
    with laws.proxied() as between:
        between.plant = {"fieldOfALaterVersion": {"kept": [1, None, "ä"], "deep": {"er": 2.5}}}
        laws.declare()
        plan = laws.plan()
        assert laws.steps(plan)
        report = laws.session.apply(plan, approve=plan.id)
    assert {o.state for o in report.outcomes} == {"done"}, report.outcomes
    updates = laws.case.about == "items" and bool(laws.touches)
    assert updates == bool(between.sent), "`touches` says whether anything is updated"
    for path, read, sent in between.sent:
        assert read is not None, f"{path} was replaced without having been read"
        differ = {name for name in read.keys() | sent.keys() if read.get(name, ...) != sent.get(name, ...)}
        assert differ <= laws.touches, f"{path}: {differ - laws.touches}"
    laws.assert_reached()


def test_budget(laws: Bench) -> None:
    """Law 11: what is done is what the plan lists, once, whatever else has come up since; a guard's word holds."""
    plan, before = laws.plan(), laws.snapshot()
    wanted = next(a.address for a in plan.actions())
    part = laws.plan((wanted,))
    refused = part.refused(approved=False)
    laws.forget()
    report = laws.session.apply(part)
    assert {o.action.id for o in report.outcomes if o.state == "refused"} == refused.keys()
    allowed = {laws.key_of(a.subject) for a in part.actions() if a.id not in refused}
    assert changed(before, laws.snapshot()) == allowed
    assert bool(laws.writes()) == (bool(allowed) and not laws.case.on_disk)
    laws.forget()
    with pytest.raises(StaleError):
        laws.session.apply(part, approve=part.id)
    assert laws.writes() == []
    laws.converge()
    laws.assert_reached()


def test_what_ripens_later_stays(laws: Bench, ripening: None) -> None:
    """Law 11: what was not on the approved list is not done, though a plan of now would have it."""
    plan = laws.plan()
    laws.do("ripens")
    before, more = laws.snapshot(), laws.plan()
    assert {*laws.steps(plan)} < {*laws.steps(more)}
    report = laws.session.apply(plan, approve=plan.id)
    assert {o.state for o in report.outcomes} == {"done"}, report.outcomes
    assert changed(before, laws.snapshot()) == {laws.key_of(a.subject) for a in plan.actions()}


def test_an_edited_wish_ends_its_plans(laws: Bench) -> None:
    """Law 11: what was approved stood on a wish that is another one now."""
    plan, before = laws.plan(), laws.snapshot()
    laws.declare(timeout="59s")
    laws.forget()
    with pytest.raises(StaleError):
        laws.session.apply(plan, approve=plan.id)
    assert laws.writes() == []
    assert laws.snapshot() == before


def test_liveness(laws: Bench, outage: str, after: int) -> None:
    """Law 12: with the server away in whatever way, then back, the wish is reached within four rounds, and stays."""
    plan = laws.plan()
    laws.break_(outage, skip=after)
    report = laws.session.apply(plan, approve=plan.id)
    laws.heal()
    laws.quiet()
    if int(report.exit) == 0 and all(o.state == "done" for o in report.outcomes):
        laws.assert_reached()  # what says that it is done, under faults too, is done
    laws.converge()
    laws.assert_reached()
    for _ in range(2):
        assert laws.steps(laws.plan()) == []
    laws.assert_reached()
