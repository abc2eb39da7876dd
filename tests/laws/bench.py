"""A world with a session over it, and what the laws ask of it, past the code under test.

    with bench(case, tmp_path) as found:
        report = found.apply(found.plan())
        found.assert_reached()

Nothing here knows a kind: what a world wishes, and how it looks once that is reached, stands in its file. How a world is
built, looked at and disturbed is its setting's: `servarr.py`, `torrents.py`.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

from reconciler.action import Action
from reconciler.address import Subject
from reconciler.apply.follow import Patience
from reconciler.apply.report import Report
from reconciler.clock import Clock, SystemClock
from reconciler.plan.model import Plan
from reconciler.session import Session
from reconciler.store import Store
from tests.laws.proxy import Proxy
from tests.laws.worlds import Case

QUICK = Patience(first=0.02, most=0.1, settle=1.5, silence=2.0)
SECRET_VARIABLE = "LAWS_SERVER_KEY"


class Hurried(SystemClock):
    """The machine's time, but waits are a tenth: what waits is tried, not how long."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


@dataclass(frozen=True)
class Call:
    """One call, as the server's log has it. `fault`: what struck it. `done`: whether the server has done it.

    `risky`: it may not be done twice; false for what is the same when repeated, such as stopping what is stopped.
    """

    name: str
    write: bool
    fault: str = ""
    done: bool = False
    risky: bool = True


class Bench(ABC):
    """See the module. `url` is where the desired state says that the server is."""

    OUTAGES: ClassVar[tuple[str, ...]]
    """Faults by which a server gives no answer, or none of its own."""
    SLOW: ClassVar[str] = "slow"
    """The fault that lets an answer come too late; it is tried beside the outages."""
    LIES: ClassVar[tuple[str, ...]] = ("stale-list", "short-list")
    """Whole answers that are untrue: no reader can tell by the answer alone."""
    ODD: ClassVar[tuple[str, ...]] = ("unauthorised", "login-page", "truncated", "server-error")
    """Outages whose answers say most: they are told in words."""
    HTTP: ClassVar[bool] = True
    """Whether the server is spoken to over HTTP, so that a proxy can stand before it."""

    def __init__(self, case: Case, folder: Path, url: str, clock: Clock | None = None) -> None:
        self.case, self.folder, self.url = case, folder, url
        self.clock = clock or Hurried()
        self.ahead = timedelta()  # of this clock before the machine's
        self.desired, self.state = folder / "desired", folder / "state"

    # -- the world: each setting's own

    @abstractmethod
    def connections(self, **more: str) -> str:
        """The sections of the desired state that say where all is; `more` adds settings of the server's connection."""

    @abstractmethod
    def do(self, section: str) -> None:
        """The steps of a section of the world's file; the server is at rest afterwards."""

    @abstractmethod
    def unlike_the_defaults(self) -> None:
        """Give everything settings that nobody would get by chance: they have to survive."""

    @abstractmethod
    def remember(self) -> None:
        """What `assert_reached` compares the files with."""

    @abstractmethod
    def assert_reached(self, section: str = "reached") -> None:
        """The world is as its file says, and every file is where it has to be, once and whole."""

    @abstractmethod
    def snapshot(self) -> dict[str, Any]:
        """Everything that a kind could touch, by what identifies it: fields of it → values."""

    @abstractmethod
    def key_of(self, subject: Subject) -> str:
        """The key of `snapshot` that a subject of a plan has."""

    @abstractmethod
    def calls(self) -> list[Call]:
        """What was asked of the server since the last `forget`, oldest first."""

    @abstractmethod
    def forget(self) -> None:
        """Empties the log of `calls`."""

    @abstractmethod
    def break_(self, fault: str, call: str = "", *, skip: int = 0, times: int | None = None, when: str = "") -> None:
        """Switches a fault on: for calls of this name or for all, after `skip` of them, for so many (None: for all);
        `when`: "before" the call is done or "after" it, "" where the fault says so itself."""

    @abstractmethod
    def heal(self) -> None:
        """Switches every fault off."""

    def proxied(self) -> AbstractContextManager[Proxy]:
        """A proxy before the server (see `proxy.py`), which `url` then names; declare the wish anew for it."""
        raise NotImplementedError("no HTTP is spoken here")

    @abstractmethod
    def only_reads(self, call: Call) -> bool:
        """Whether a call stands in its client's list of those that change nothing."""

    def staged(self) -> list[str]:
        """What was begun outside of everything that `snapshot` has."""
        return []

    def quiet(self) -> None:
        """Wait until the server has nothing under way."""

    def says(self, status: int) -> str:
        """What has to be printed of an error with this status that repeats the secret. "": nothing in particular."""
        return ""

    # -- what is declared

    def declare(self, wish: str | None = None, **connection: str) -> None:
        """Write the desired state: the world's wish, or another; `connection` adds settings of the connection."""
        self.desired.mkdir(exist_ok=True)
        (self.desired / "stack.yaml").write_text(self.connections(**connection))
        (self.desired / "wish.yaml").write_text(self.filled(self.case.told["wish"]) if wish is None else wish)

    def filled(self, text: str) -> str:
        """A text of the world's file with what only the setting knows in its places."""
        return text

    @property
    def session(self) -> Session:
        return Session([self.desired], self.state, clock=self.clock, patience=QUICK)

    # -- what is done

    def plan(self, targets: tuple[str, ...] = ()) -> Plan:
        return self.session.plan(targets)

    def apply(self, plan: Plan) -> Report:
        """Apply a plan, approved. When everything is said to be done, it has to be."""
        report = self.session.apply(plan, approve=plan.id)
        if report.outcomes and plan.targets == () and all(o.state == "done" for o in report.outcomes):
            assert self.steps(self.plan()) == [], "all is said to be done, and it is not"
        return report

    def converge(self, rounds: int = 4) -> int:
        """Plan and apply until nothing is left to do; how many rounds that took."""
        for done in range(rounds + 1):
            plan = self.plan()
            going = any(p.proposal.under_way or p.proposal.later or p.proposal.blocked for p in plan.resources)
            if not self.steps(plan) and not going and not self.pending():
                return done
            self.session.apply(plan, approve=plan.id)
            self.quiet()
        told = [o for p in plan.resources for o in (p.proposal.held, p.proposal.blocked, p.proposal.errors) if o]
        raise AssertionError(f"not reached in {rounds} rounds: {self.steps(plan)} {told}")

    def steps(self, plan: Plan) -> list[str]:
        return [f"{a.verb} {a.subject.ident}" for a in plan.actions()]

    def pending(self) -> list[Any]:
        with Store.open(self.state, SystemClock()) as store:
            return list(store.pending())

    def journalled(self, run: str) -> dict[str, str]:
        """Action id → how it stands in the journal: `intended`, `accepted`, or its outcome."""
        with Store.open(self.state, SystemClock()) as store:
            return {entry.action.id: entry.state for entry in store.run(run)[1]}

    # -- what was sent

    def writes(self) -> list[Call]:
        """Everything but reads that the session has sent."""
        return [call for call in self.calls() if call.write]

    def done_writes(self, *, lost_are_done: bool = False) -> list[str]:
        """Writes that the server has carried out and that may not be repeated; `lost_are_done`: a cut one was, too."""
        return sorted(w.name for w in self.writes() if w.risky and (w.done or (w.fault and lost_are_done)))

    @property
    def touches(self) -> set[str]:
        """Fields of a subject that the kind may change."""
        return {field for fields in self.case.told.get("touches", {}).values() for field in fields}


def decision(action: Action) -> str:
    return f"{action.verb} {action.subject.ident} {json.dumps(action.after, sort_keys=True)}"


def decisions(plan: Plan) -> set[str]:
    """What a plan would do."""
    return {decision(action) for action in plan.actions()}


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


@contextmanager
def bench(case: Case, folder: Path) -> Iterator[Bench]:
    """A fresh world of the case, the wish declared, an earlier one applied, and the log of requests empty."""
    from tests.laws import releases, servarr, torrents  # noqa: PLC0415  # they derive from what stands here

    settings = {"items": servarr.built, "torrents": torrents.built, "releases": releases.built}
    with settings[case.about](case, folder) as found:
        found.remember()
        if "earlier" in case.told:
            found.declare(found.filled(case.told["earlier"]))
            found.converge()
        found.declare()
        found.forget()
        yield found
