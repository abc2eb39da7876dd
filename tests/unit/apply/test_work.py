"""Long actions that this process carries on itself: progress is told, a stop is no failure, the world has the last word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from reconciler.action import Action, Json
from reconciler.apply.executor import Executor
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Report, Silent
from reconciler.facts import ReadFailed
from reconciler.kind import Kind, Verb, Verdict, World
from reconciler.opener import Opener
from reconciler.plan import files
from reconciler.plan.observe import observe
from reconciler.plan.planner import Ground, make_plan
from reconciler.store import Store
from tests.toy import NOW, NotesKind, _Write, notes, toy_world


class _Slowly(_Write):
    """Writes a note letter by letter, in `work`."""

    long = True
    fails: ClassVar[Exception | None] = None

    def perform(self, world: World, action: Action) -> dict[str, Json] | None:
        return {"begun": True}

    def work(
        self,
        world: World,
        action: Action,
        handle: dict[str, Json],
        told: Callable[[Verdict], None],
        stopped: Callable[[], bool],
    ) -> Verdict | None:
        text = action.after["text"]
        for n in range(len(text)):
            if stopped():
                return Verdict("not-done", f"stopped after {n} letters")
            if self.fails:
                raise self.fails
            told(Verdict("running", done_bytes=n + 1, total_bytes=len(text)))
        world.client(action.subject.connection).write(action.subject.key, text)
        return Verdict("not-done", "a word that the world overrules")


class _Slow(NotesKind):
    verbs: ClassVar[dict[str, Verb]] = {"create": _Slowly()}


class _Listener(Silent):
    def __init__(self, then: Callable[[], None] = lambda: None) -> None:
        self.seen: list[int | None] = []
        self.then = then

    def progress(self, action: Action, verdict: Verdict) -> None:
        self.seen.append(verdict.done_bytes)
        self.then()


@pytest.fixture
def apply(tmp_path: Path) -> Iterator[Callable[..., Report]]:
    world = toy_world(tmp_path / "desk")
    kinds: dict[str, Kind[Any]] = {"notes": _Slow()}
    with Store.open(tmp_path / "state", world.clock) as store:

        def run(**more: Any) -> Report:
            wish, opener = notes(world, notes={"a": "text"}), Opener(world.stack, {"folder": world.app}, world.clock)
            facts = observe([wish], kinds, opener, store.ledger(NOW), NOW)
            plan = make_plan(Ground(kinds, world.stack, [wish], "d", facts, store.ledger(NOW), NOW))
            store.save_plan(plan.id, files.document(plan), plan.created)
            report = Executor(plan=plan, kinds=kinds, opener=opener, journal=store, **more).run()
            assert not list(store.pending())
            return report

        yield run


def test_progress_is_told_and_the_world_overrules(apply: Callable[..., Report]) -> None:
    listener = _Listener()
    (outcome,) = apply(listener=listener).outcomes
    assert (outcome.state, listener.seen) == ("done", [1, 2, 3, 4])


def test_a_stop_is_no_failure_and_the_next_run_takes_it_up(apply: Callable[..., Report]) -> None:
    stop = Stop()
    (outcome,) = apply(listener=_Listener(stop.request), stop=stop).outcomes
    assert (outcome.state, outcome.says) == ("left", "stopped after 1 letters")
    assert apply().outcomes[0].state == "done"


def test_a_failure_is_said_and_settled(apply: Callable[..., Report], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Slowly, "fails", ReadFailed("down", "the line was cut", "try again"))
    (outcome,) = apply().outcomes
    assert (outcome.state, outcome.says, outcome.remedy) == ("failed", "the line was cut", "try again")
