"""Laws of planning: pure, read-only, unknown is never absent."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import yaml

from reconciler import registry
from reconciler.apply.settle import pending
from reconciler.cli.apply import ended
from reconciler.facts import Facts
from reconciler.opener import Opener
from reconciler.plan.model import Plan
from reconciler.plan.observe import observe
from reconciler.plan.planner import Ground, make_plan
from reconciler.store import Store
from tests.effort import PROOF
from tests.laws.bench import Bench, decisions
from tests.laws.worlds import Case

MOMENTS = {"created", "valid_until", "serial"}


def bare(plan: Plan, *, places: bool = True) -> Any:
    """A plan without the moment it was made at; `places` False: and without where its resources are written."""
    found = {k: v for k, v in json.loads(plan.model_dump_json()).items() if k not in MOMENTS}
    for part in found["resources"] if not places else ():
        part["source"] = ""
        for change in part["changes"]:
            change["where"] = ""
    return found


def shuffled(value: Any, chance: random.Random) -> Any:
    """The same YAML value, keys in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return value


def rewritten(folder: Path, chance: random.Random) -> None:
    """The same desired state, each section and each named thing in a file of its own, in any order."""
    pieces: list[dict[str, Any]] = []
    for file in sorted(folder.iterdir()):
        for section, told in yaml.safe_load(file.read_text()).items():
            if isinstance(told, list):
                pieces.append({section: told})
            else:
                pieces += [{section: {name: shuffled(one, chance)}} for name, one in told.items()]
        file.unlink()
    chance.shuffle(pieces)
    for number, piece in enumerate(pieces):
        (folder / f"{number:02d}.yaml").write_text(yaml.safe_dump(piece, sort_keys=False))


def ground(laws: Bench) -> Ground:
    """What a plan of this world is made on, as the session gathers it."""
    desired = laws.session.validate()
    with (
        Store.open(laws.state, laws.clock) as store,
        Opener(desired.stack, registry.openable(), laws.clock) as opener,
    ):
        assert pending(registry.kinds(), opener, store) == ()
        now = laws.clock.now()
        ledger = store.ledger(now)
        facts = observe(desired.resources, registry.kinds(), opener, ledger, now)
    return Ground(
        kinds=registry.kinds(), stack=desired.stack, resources=list(desired.resources), desired=desired.digest,
        facts=facts, ledger=ledger, now=now,
    )  # fmt: skip


def test_pure(laws: Bench) -> None:
    """Law 2: the same facts give the same bytes, whatever the order in which they came and are kept."""
    first = ground(laws)
    bytes_of = make_plan(first).model_dump_json()
    chance = random.Random(7)
    for _ in range(5):
        answers = list(first.facts.answers.items())
        chance.shuffle(answers)
        resources = sorted(first.resources, key=lambda _: chance.random())
        again = Ground(**{**vars(first), "facts": Facts(dict(answers)), "resources": resources})
        assert make_plan(again).model_dump_json() == bytes_of


def test_the_order_of_the_yaml_does_not_matter(laws: Bench) -> None:
    """Law 2: keys, sections and files may stand as they like."""
    first = laws.plan()
    for seed in range(3):
        rewritten(laws.desired, random.Random(seed))
        again = laws.plan()
        assert bare(again, places=False) == bare(first, places=False)
        assert again.id == first.id


def test_read_only(laws: Bench) -> None:
    """Law 3: whatever only looks sends reads of the client's list, and the world stays as it is."""
    before = laws.snapshot()
    laws.forget()
    session = laws.session
    plan = session.plan()
    session.drift()
    session.status()
    session.doctor()
    session.why(next(a.subject.title for a in plan.actions()))
    assert laws.calls()
    assert [call for call in laws.calls() if call.write or not laws.only_reads(call)] == []
    assert laws.snapshot() == before


def test_a_connection_for_reading_is_never_written_to(laws: Bench) -> None:
    """Law 3, by the user's word, on apply as well. What is done on a disk beside it is another connection's."""
    laws.declare(access="read")
    plan, before = laws.plan(), laws.snapshot()
    laws.forget()
    report = laws.session.apply(plan, approve=plan.id)
    assert laws.writes() == []
    if laws.case.on_disk:
        return
    assert laws.snapshot() == before
    assert "done" not in {o.state for o in report.outcomes}
    assert int(ended(plan, report)) != 0 or any(p.proposal.held for p in plan.resources)


def told(plan: Plan) -> bool:
    """Whether the plan says that something is not known, or not right."""
    return any(p.proposal.blocked or p.proposal.errors for p in plan.resources)


def asked_by(laws: Bench) -> list[str]:
    """What a healthy plan asks, each call once."""
    laws.forget()
    laws.plan()
    return sorted({call.name for call in laws.calls()})


def test_unknown_is_not_absent(case: Case, laws: Bench, fault: str) -> None:
    """Law 4: whichever read fails in whatever way, the plan says so, and decides nothing that it would not have."""
    healthy = laws.plan()
    laws.declare(timeout="1s")
    names = asked_by(laws) if fault != "wrong-app" else []  # that one is told by the status alone
    spare = case.told.get("spare", {}).get(case.app, ())
    assert {*spare} <= {*names} or not names, "a spare read that is not even asked for"
    if not PROOF and fault == laws.SLOW:
        names = [names[len(case.app) % len(names)]]  # each waits for a deadline
    for name in [*names, ""]:
        laws.break_(fault, name)
        plan = laws.plan()
        struck = any(call.fault for call in laws.calls()) or (fault, name) == ("down", "")
        laws.heal()
        laws.forget()
        assert decisions(plan) <= decisions(healthy), f"{fault} on {name}: {laws.steps(plan)}"
        if struck and name not in spare:
            assert told(plan), f"{fault} on {name} is not told"
            assert decisions(plan) < decisions(healthy), f"{fault} on {name} blocks nothing"


def test_a_lie_does_no_harm(laws: Bench, lie: str) -> None:
    """Law 4, where no answer can be seen to be wrong: what is decided on it is not done once the truth is told, unless
    the truth says the same."""
    healthy = laws.plan()
    if lie == "stale-list":
        laws.break_(lie)
        laws.plan()  # what it is told now it is told again
        laws.do("moved")
        plan = laws.plan()
        assert any(call.fault for call in laws.calls()), "the fault does not strike"
        if not laws.steps(plan) and laws.case.on_disk:
            return  # what moved is seen past the server
        assert laws.steps(plan), "what it is told is not what it was told before"
        assert decisions(plan) <= decisions(healthy)
        laws.heal()
        before = laws.snapshot()
        laws.forget()
        report = laws.session.apply(plan, approve=plan.id)
        assert "stale" in {o.state for o in report.outcomes} <= {"stale", "left"}
        assert laws.writes() == []
        assert laws.snapshot() == before
        return
    for name in asked_by(laws):
        laws.break_(lie, name)
        plan = laws.plan()
        laws.heal()
        wrong = decisions(plan) - decisions(healthy)
        if not wrong:
            continue
        before = laws.snapshot()
        laws.forget()
        report = laws.session.apply(plan, approve=plan.id)
        bad = {o.action.id for o in report.outcomes if o.state not in ("stale", "blocked", "refused", "failed")}
        assert not bad & {
            a.id for a in plan.actions() if f"{a.verb} {a.subject.ident}" in {w[: w.rindex(" {")] for w in wrong}
        }, f"short {name}: {wrong}"
        assert laws.snapshot() == before, name
