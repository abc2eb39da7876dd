"""A plan under every fault at every call: it decides nothing that a healthy plan would not, and says what it does not know.

Two worlds of each case: one in which all is still to do, one in which the wish is reached and every action would be wrong.
A lie that no reader can see through (an empty list where there is none) may mislead a plan: then that plan is applied once
the truth is told again, and must do no harm.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.effort import PROOF
from tests.faults.judge import decisions, key_of, told, unfinished
from tests.faults.matrix import FAULTS, Fault, count, parts, points
from tests.faults.stage import Ended, Stage
from tests.laws.bench import changed
from tests.laws.worlds import SERVER, Case

PARTS = 2 if PROOF else 1
WORLDS = ("start", "reached")
ROUNDS = 2
EVERY = 10
NEVER = 1_000_000  # calls


def two_worlds(stage: Stage) -> tuple[dict[str, set[str]], int]:
    """Both kept under their names: what a healthy plan decides in each, and how many calls it makes."""
    plan = stage.made()
    calls = len(stage.control.requests(SERVER))
    assert decisions(plan), "a world in which there is nothing to do proves nothing"
    stage.keep("start")
    done = stage.arr("apply", plan["short"], "--approve", plan["short"])
    assert done.code == 0, done.out + done.err
    stage.quiet()
    stage.assert_reached()
    after = stage.made()
    assert unfinished(after) == []
    stage.keep("reached")
    return {"start": decisions(plan), "reached": set()}, calls


def harmless(stage: Stage, plan: Any) -> None:
    """A plan that rests on a lie is applied when the truth is told: all files stay, and so does what it does not name."""
    before = stage.snapshot()
    stage.arr("apply", plan["short"], "--approve", plan["short"])
    stage.quiet()
    named = {key_of(a) for part in plan["plan"]["resources"] for a in part["proposal"]["actions"]}
    assert changed(before, stage.snapshot()) <= named
    stage.assert_nothing_lost()
    for _ in range(ROUNDS):
        again = stage.made()
        stage.arr("apply", again["short"], "--approve", again["short"])
        stage.quiet()
    assert unfinished(stage.made()) == []


def judged(stage: Stage, world: str, fault: Fault, healthy: set[str], ended: Ended) -> bool:
    """Whether the plan decides as much as a healthy one. What it did to the world is taken back."""
    assert all(c["method"] == "GET" for c in stage.control.requests(SERVER)), "a plan has written"
    assert ended.told and "plan" in ended.told, ended.out + ended.err
    found = decisions(ended.told)
    if fault.lies and not found <= healthy:
        harmless(stage, ended.told)
        stage.back_to(world)
        return False
    assert found <= healthy, f"decided on what is not known: {found - healthy}"
    if found < healthy and not fault.lies:
        assert told(ended.told), "it decides less, and does not say why"
        assert ended.code != 0, "it decides less, and says that all is well"
    return found == healthy


@pytest.mark.parametrize(("case", "part"), parts(PARTS), ids=str)
def test_a_plan_under_every_fault(on_stage: Stage, case: Case, part: int) -> None:
    healthy, calls = two_worlds(on_stage)
    for world in WORLDS:
        on_stage.back_to(world)
        for fault in FAULTS[part::PARTS]:
            for n in points(fault, calls, EVERY):
                on_stage.state_back_to(world)
                fault.switch_on(on_stage, n)
                ended = on_stage.arr("plan", "--format", "json")
                if not fault.switch_off(on_stage):
                    break
                try:
                    whole = judged(on_stage, world, fault, healthy[world], ended)
                except AssertionError as error:
                    raise AssertionError(f"{case}, {world}, {fault} at call {n}: {error}") from error
                count(plans=1, plans_as_healthy=whole, plans_blocked=not whole)
        on_stage.no_secret_kept()
    count(most_seconds=round(on_stage.longest, 2))


@pytest.mark.parametrize(("case", "part"), parts(1), ids=str)
def test_a_plan_on_one_list_of_an_earlier_moment(on_stage: Stage, case: Case, part: int) -> None:
    """Every subject has moved since; one list, whichever, is told as it was before."""
    plan, fault = on_stage.made(), Fault("outdated-list", lies=True)
    calls = len(on_stage.control.requests(SERVER))
    on_stage.keep("start")
    for n in points(fault, calls, 3):
        on_stage.back_to("start")
        fault.switch_on(on_stage, NEVER)  # from here on the server remembers how its lists were
        assert decisions(on_stage.made()) == decisions(plan)
        on_stage.do("moved")
        now = decisions(on_stage.made())
        fault.switch_off(on_stage)
        fault.switch_on(on_stage, n)
        ended = on_stage.arr("plan", "--format", "json")
        if not fault.switch_off(on_stage):
            break
        whole = judged(on_stage, "start", fault, now, ended)
        count(plans=1, plans_as_healthy=whole, plans_blocked=not whole)
