"""The laws of the torrents' simulation can be broken: with a piece of the program switched off, a few operations are enough."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reconciler.facts import Known, Unknown
from reconciler.kind import Verdict
from reconciler.plan import guards, observe
from reconciler.store.journal import Journal
from resources.references.graph import Graph
from resources.torrent_retention import claims, decide, halted, judge, stranded
from resources.torrent_retention.verbs import torrents as verbs
from sandbox.values import Json
from tests.simulation.torrents.simulation import TorrentSimulation
from tests.simulation.witness import Broke

FOLDER, TWIN = 0, 3
GO = {"op": "go"}
WEEK = {"op": "time", "how": "week"}


def torrent(shape: int = FOLDER, client: int = 0, ratio: int = 4, label: int = 0) -> list[int]:
    return [shape, client, 1, ratio, 0, label, 3]


def begin(*torrents: list[int], cast: str = "rtorrent", kept: int = 1, orphans: bool = False) -> Json:
    return {"op": "begin", "cast": cast, "torrents": list(torrents), "kept": kept, "orphans": orphans}


def drift(what: str, a: int = 0, b: int = 0, c: int = 0) -> Json:
    return {"op": "drift", "what": what, "a": a, "b": b, "c": c}


def edit(what: str, a: int = 0, b: int = 0) -> Json:
    return {"op": "edit", "what": what, "a": a, "b": b}


def broken_by(*operations: Json) -> str:
    """How these break a law."""
    with TorrentSimulation() as simulation, pytest.raises(Broke) as caught:
        for op in operations:
            simulation.do(op)
    return str(caught.value)


def test_whole_it_cannot() -> None:
    """What the other tests do breaks nothing as long as nothing is switched off."""
    with TorrentSimulation() as simulation:
        for op in (
            begin(torrent(), torrent(TWIN, 1, 0), torrent(label=1), torrent(label=4), cast="pair", orphans=True),
            {"op": "go", "die_in": 25},
            {"op": "fault", "client": 1, "how": "down"},
            {"op": "plan"},
            {"op": "well"},
            drift("stray"),
            edit("protect"),
            GO,
            WEEK,
            GO,
            edit("protect"),
            WEEK,
            GO,
            {"op": "settle"},
        ):
            simulation.do(op)
        counts = simulation.witness.counts
        assert simulation.counts["convergences"] == 1 and simulation.counts["crashes"] == 1
        assert counts["removals"] == 1 and counts["purges"] >= 1
        assert len(simulation.yard.torrents()) == 3


def test_rules_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def lax(*_: Any) -> judge.Judgement:
        return judge.Judgement(judge.GO, ("whatever",))

    monkeypatch.setattr(decide, "judge", lax)
    monkeypatch.setattr(judge, "judge", lax)
    assert "the rules do not let go" in broken_by(begin(torrent(ratio=0)), GO)


def test_who_shares_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Graph, "group", lambda _, who: (who,))
    monkeypatch.setattr(Graph, "around", lambda *_: ())
    assert "which stays" in broken_by(begin(torrent(), torrent(TWIN, ratio=0)), GO)


def test_protection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guards, "protected", lambda *_: False)
    monkeypatch.setattr(decide.Decider, "protection", lambda *_: "")
    assert "which is protected" in broken_by(begin(torrent()), edit("protect"), GO)


def test_time_in_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    due = stranded.due
    monkeypatch.setattr(stranded, "due", lambda world, now, may: due(world, now + timedelta(days=100), may))
    assert "before its time" in broken_by(begin(torrent(), kept=2), GO, GO)


def test_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims.Claims, "owner", lambda *_: "")
    told = broken_by(begin(torrent(ratio=0), orphans=True), {"op": "plan"}, WEEK, GO)
    assert "which stays" in told


def test_unknown_as_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = observe.ask

    def ask(opener: Any, query: Any) -> Any:
        found = asked(opener, query)
        return Known((), opener.clock.now()) if isinstance(found, Unknown) else found

    monkeypatch.setattr(observe, "ask", ask)
    down = {"op": "fault", "client": 1, "how": "down"}
    begun = begin(torrent(), torrent(TWIN, 1, 0), cast="pair")
    assert "was not known" in broken_by(begun, down, {"op": "plan"})


def test_no_intent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Journal, "intend", lambda *_: None)
    assert "not in the journal" in broken_by(begin(torrent()), GO)


def test_what_is_said_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verbs.Remove, "verify", lambda *_: Verdict("done"))
    ignored = {"op": "fault", "client": 0, "how": "ignored"}
    assert "said to be done" in broken_by(begin(torrent(), cast="transmission"), ignored, GO)


def test_what_a_death_leaves_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    half = ({"op": "go", "approve": True, "die_in": 26}, drift("label", 0, 4), {"op": "settle"})
    monkeypatch.setattr(stranded, "stranded", lambda *_: iter(()))
    assert "has lost" in broken_by(begin(torrent()), *half)


def test_what_a_death_leaves_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    half = ({"op": "go", "approve": True, "die_in": 13}, drift("label", 0, 4), {"op": "settle"})
    monkeypatch.setattr(halted, "halted", lambda *_: iter(()))
    assert "was left stopped" in broken_by(begin(torrent()), *half)
