"""An apply under every fault at every call: it ends in the desired state or in an honest report, and plain `arr` mends it.

After each run: what is claimed is so, nothing is doubled, nothing unowned was touched, no file is lost, no secret has left;
then the fault is over, and a plain plan and apply reach the wish within two rounds.
"""

from __future__ import annotations

import pytest

from tests.effort import PROOF
from tests.faults.judge import Healthy, decisions, honest, unfinished, writes
from tests.faults.matrix import OF_APPLIES, Fault, count, parts, points
from tests.faults.stage import QUICK, Stage
from tests.laws.bench import changed
from tests.laws.worlds import SERVER, Case

PARTS = 4 if PROOF else 1
ROUNDS = 2
EVERY = 20
REPEATABLE = ("POST /api/v3/command",)  # looking at a folder again does no harm


def healthy_run(stage: Stage) -> Healthy:
    """Everything planned and kept under the name `start`, then a run without a fault."""
    before, plan = stage.snapshot(), stage.made()
    assert decisions(plan), "a world in which there is nothing to do proves nothing"
    stage.keep("start")
    stage.back_to("start")
    stage.control.clear(SERVER)
    ended = stage.arr("apply", plan["short"], "--approve", plan["short"], "--format", "json")
    assert ended.code == 0, ended.out + ended.err
    sent, calls = writes(stage), len(stage.control.requests(SERVER))
    stage.quiet()
    stage.assert_reached()
    return Healthy(plan, before, stage.snapshot(), sent, calls)


def recovered(stage: Stage, healthy: Healthy) -> int:
    """Plain plan and apply until nothing is left; in how many rounds."""
    for done in range(ROUNDS + 1):
        stage.quiet()
        ended = stage.arr("plan", "--format", "json", "--detailed-exitcode")
        assert ended.told, ended.err
        left = unfinished(ended.told)
        if not left:
            assert ended.code == 0, ended.out
            return done
        assert done < ROUNDS, f"not reached in {ROUNDS} rounds: {left}"
        stage.arr("apply", ended.told["short"], "--approve", ended.told["short"], "--format", "json")
    raise AssertionError("unreachable")


def settled(stage: Stage, healthy: Healthy, sent: list[str]) -> None:
    """After all: as desired, nothing doubled, nothing else touched, nothing under way."""
    stage.quiet()
    stage.assert_reached()
    assert changed(healthy.before, stage.snapshot()) <= healthy.subjects
    doubled = {w for w in sent if w not in REPEATABLE and sent.count(w) > healthy.writes.count(w)}
    assert not doubled, f"more than once: {doubled}"
    assert set(sent) <= set(healthy.writes), sent
    assert stage.pending() == []
    stage.no_secret_kept()


def one_run(stage: Stage, healthy: Healthy, fault: Fault, n: int) -> bool:
    """An apply with this fault at the n-th call, and all that follows. Whether it struck at all."""
    stage.back_to("start")
    fault.switch_on(stage, n)
    short = healthy.plan["short"]
    ended = stage.arr("apply", short, "--approve", short, "--format", "json")
    struck = fault.switch_off(stage)
    stage.quiet()
    if not struck:
        assert ended.code == 0 or fault.quick != QUICK, ended.out + ended.err  # time may run out by itself then
        return False
    all_done = honest(stage, healthy, ended)
    rounds = recovered(stage, healthy)
    settled(stage, healthy, writes(stage))
    count(applies=1, done_in_spite=all_done, honest=not all_done, converged=1, most_rounds=rounds)
    return True


@pytest.mark.parametrize(("case", "part"), parts(PARTS), ids=str)
def test_an_apply_under_every_fault(on_stage: Stage, case: Case, part: int) -> None:
    healthy = healthy_run(on_stage)
    for fault in OF_APPLIES[part::PARTS]:
        for n in points(fault, healthy.calls, EVERY):
            try:
                if not one_run(on_stage, healthy, fault, n):
                    break
            except AssertionError as error:
                raise AssertionError(f"{case}, {fault} at call {n}: {error}") from error
    count(most_seconds=round(on_stage.longest, 2))
