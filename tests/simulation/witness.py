"""Who sees every write and every commit: the laws are judged where they could be broken, and processes die there.

`Witness` stands between arr and the world in memory, `Watched` between arr and its state. Between them they know, for each
write, which plan is being applied, what of it is journalled as intended, and what the guards allow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from reconciler.action import Action, Json
from reconciler.plan.model import Plan
from reconciler.store import Store
from tests.simulation.server import Row, Server

TYPES = {"sonarr": "series", "radarr": "movie"}
ASKED = 3  # times that a rescan may be sent whose answer is lost


class Died(BaseException):
    """The process is gone: nothing of it catches this."""


class Broke(AssertionError):
    """A law is broken. Inside of arr it would be taken for a defect of a kind: there the witness says `caught`."""


@dataclass
class Witness:
    """`die_in`: how many boundaries the process has left to live; None: it lives."""

    die_in: int | None = None
    passed: int = 0
    plan: Plan | None = None
    approved: bool = False
    judge: Callable[[Action, Server, str, dict[str, Any]], None] = lambda *_: None
    open: dict[str, Action] = field(default_factory=dict)  # subject → what is intended for it
    sent: Counter[str] = field(default_factory=Counter)
    wrote: set[str] = field(default_factory=set)  # subjects that something was sent about
    counts: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    begun: set[str] = field(default_factory=set)  # resources of which something was ever durably intended

    def caught(self, says: str) -> Died:
        """A law is broken: remember it, and end the process that broke it."""
        self.broken.append(says)
        return Died()

    def begin(self, plan: Plan, *, approved: bool, die_in: int | None) -> None:
        """An apply begins, in a process of its own."""
        self.plan, self.approved, self.die_in, self.passed = plan, approved, die_in, 0
        self.open, self.sent, self.wrote = {}, Counter(), set()

    def end(self) -> None:
        self.plan, self.die_in = None, None

    def boundary(self) -> None:
        """A place at which a process may die."""
        self.passed += 1
        if self.die_in is not None:
            self.die_in -= 1
            if self.die_in < 0:
                raise Died

    # -- what the client tells

    def writing(self, server: Server, verb: str, item: Row | None, what: dict[str, Any]) -> None:
        self.boundary()
        self.counts["writes"] += 1
        kind = TYPES[server.app] if item is not None else "tag"
        ident = f"{server.name}:{kind}/{item.ident if item is not None else what['label']}"
        if self.plan is None:
            raise self.caught(f"{verb} {ident} was sent while nothing was applied")
        action = self.open.get(ident)
        if action is None:
            raise self.caught(f"{verb} {ident} was sent without a durable intent")
        if all(a.subject.ident != ident for a in self.plan.actions()):
            raise self.caught(f"{verb} {ident} was sent, which is no subject of the plan")
        self.wrote.add(ident)
        key = f"{action.id} {verb} {sorted(what.items())}"
        self.sent[key] += 1
        if self.sent[key] > (ASKED if verb == "rescan" else 1):
            raise self.caught(f"{key} was sent {self.sent[key]} times")
        self.judge(action, server, verb, what)

    def written(self) -> None:
        self.boundary()

    def refused_write(self, server: str, verb: str) -> None:
        raise self.caught(f"a write to {server} was tried where only reads may be sent ({verb})")


def watched(witness: Witness) -> type[Store]:
    """The state store with a boundary on each side of every commit, and the open intents told to the witness."""

    class Watched(Store):
        def begin_run(self, command: str, plan_id: str | None) -> str:
            witness.boundary()
            run = super().begin_run(command, plan_id)
            witness.boundary()
            return run

        def consume(self, plan_id: str, run: str) -> None:
            super().consume(plan_id, run)
            witness.boundary()

        def protect(self, address: Any, items: Any) -> None:
            super().protect(address, items)
            witness.boundary()

        def apply_wish(self, address: Any, wish: dict[str, Json]) -> None:
            super().apply_wish(address, wish)
            witness.boundary()

        def intend(self, run: str, action: Action) -> None:
            super().intend(run, action)
            if witness.plan is not None:
                listed = {a.id for a in witness.plan.actions()}
                if action.id not in listed and action.id.removesuffix("/mend") not in listed:
                    raise witness.caught(f"{action.id} was intended, which the plan does not list")
            if all(row.action.id != action.id or row.run != run for row in self.pending()):
                raise witness.caught(f"{action.id} is not in the journal once it is said to be")
            witness.open[action.subject.ident] = action
            witness.begun.add(action.address)
            witness.boundary()

        def accept(self, run: str, action_id: str, handle: dict[str, Json]) -> None:
            super().accept(run, action_id, handle)
            witness.boundary()

        def settle(
            self, run: str, action_id: str, state: str, says: str, data: dict[str, Json], *, owned: bool | None = None
        ) -> bool:
            witness.boundary()
            done = super().settle(run, action_id, state, says, data, owned=owned)
            witness.boundary()
            return done

        def save_plan(self, plan_id: str, document: dict[str, Json], created: datetime) -> None:
            witness.boundary()
            super().save_plan(plan_id, document, created)
            witness.boundary()

        def end_run(self, run: str, exit: int, says: str) -> None:
            witness.boundary()
            super().end_run(run, exit, says)

        def lock(self, purpose: str) -> AbstractContextManager[None]:
            witness.counts["locks"] += 1
            return super().lock(purpose)

    return Watched
