"""The laws of the simulation can be broken: with a piece of the program switched off, a few operations are enough."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.apply.executor import Executor
from reconciler.facts import Known, Unknown
from reconciler.kind import Verdict
from reconciler.plan import guards, observe
from reconciler.store.journal import Journal
from resources.declared import Declared
from resources.disk_fill import eligibility
from resources.disk_fill.verbs import judge, move
from sandbox.values import Json
from tests.simulation.simulation import Simulation
from tests.simulation.witness import Broke

BEGIN = {
    "op": "begin", "cast": "sonarr", "disks": 3, "most": "80%", "cooldown": "6h",
    "items": [[0, 0, 90, 3, 0], [0, 0, 80, 2, 0], [0, 0, 70, 2, 0], [0, 1, 60, 1, 0], [0, 2, 50, 1, 0]],
}  # fmt: skip
GO = {"op": "go"}
FULL = {"op": "drift", "what": "fill", "a": 0, "b": 1, "c": 0}  # of the first disk


def edit(what: str, a: int = 0, b: int = 0) -> Json:
    return {"op": "edit", "what": what, "a": a, "b": b}


def drift(what: str, a: int = 0, b: int = 0, c: int = 0) -> Json:
    return {"op": "drift", "what": what, "a": a, "b": b, "c": c}


def broken_by(*operations: Json) -> str:
    """How these break a law."""
    with Simulation() as simulation, pytest.raises(Broke) as caught:
        for op in (BEGIN, *operations):
            simulation.do(op)
    return str(caught.value)


def test_whole_it_cannot() -> None:
    """What the other tests do breaks nothing as long as nothing is switched off."""
    with Simulation() as simulation:
        for op in (
            BEGIN,
            GO,
            FULL,
            GO,
            edit("tag", 1),
            GO,
            edit("tag_label", 1, 4),
            edit("tag_prune", 1),
            GO,
            {"op": "settle"},
        ):
            simulation.do(op)
        assert simulation.counts["convergences"] == 1
        assert simulation.witness.counts["writes"] > 6


def test_unknown_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = observe.ask

    def ask(opener: Any, query: Any) -> Any:
        found = asked(opener, query)
        return Known((), opener.clock.now()) if isinstance(found, Unknown) else found

    monkeypatch.setattr(observe, "ask", ask)
    fault = {"op": "fault", "server": 0, "query": "Tags", "code": "down"}
    assert "was not known" in broken_by(GO, fault, {"op": "plan"})


def test_no_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "intend", lambda *_: None)
    assert "not in the journal" in broken_by(GO)


def test_room_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "_room", lambda *_: "enough")
    filled = [drift("fill", disk, 0) for disk in (1, 2)]
    assert "overfills" in broken_by(FULL, {"op": "plan"}, *filled, {"op": "apply"})


def test_limits_of_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "whole_plan", lambda *_: iter(()))
    monkeypatch.setattr(Executor, "_forbidden", lambda *_: "")
    gone = (edit("tag_prune"), edit("tag_label", 0, 2), edit("guard_day", 0, 1))
    apply = {"op": "apply", "approve": False, "confirmed": True}
    assert "of this day" in broken_by(GO, *gone, {"op": "plan"}, apply)


def test_ownership(monkeypatch: pytest.MonkeyPatch) -> None:
    everything = {"shows": {"kids", "uhd", "old", "4k"}}
    monkeypatch.setattr(Declared, "_owned", lambda *_: everything)
    assert "never made" in broken_by(drift("tag", 0, 1), edit("tag_prune"), GO)


def test_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "protected", lambda *_: False)
    gone = (edit("tag_prune"), edit("tag_label", 0, 2), edit("protect"))
    assert "protected" in broken_by(GO, *gone, GO)


def test_what_is_said_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, "_broken", lambda *_: Verdict("done"))
    breaks = {"op": "server", "which": 0, "what": "move-disk-full", "files": 1}
    assert "said to be done" in broken_by(FULL, breaks, GO)


def test_what_lies_at_the_target(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(move, "_destination", lambda *_: "absent")
    monkeypatch.setattr(move, "_roots", lambda *_, **__: "two folders")
    strays = [drift("stray", item, disk, 1) for item in range(3) for disk in (1, 2)]
    assert "deleted or overwritten" in broken_by(FULL, {"op": "plan"}, *strays, {"op": "apply"})


def test_exclusion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eligibility, "_wished", lambda *_: None)
    every = [edit("exclude_id", 0, number) for number in range(3)]
    assert "excluded" in broken_by(FULL, *every, {"op": "plan"})
