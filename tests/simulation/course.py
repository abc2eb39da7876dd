"""A course of events: operations on a world, a wish and a state, and the laws looked at after each of them.

An operation is a JSON object `{"op": name, …}` of names and numbers that always means something, so any list of them can
be replayed, cut short or shrunk. What the world is, and which laws hold in it, a simulation of its own says.
"""

from __future__ import annotations

import json
import logging
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, Self
from unittest.mock import patch

from reconciler.apply.follow import Patience
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Report, Silent
from reconciler.clock import FakeClock
from reconciler.desired import Desired
from reconciler.errors import ArrError, LockedError, StaleError, StoreError, UsageError
from reconciler.facts import Facts
from reconciler.plan.model import Plan
from reconciler.plan.planner import Ground, make_plan
from reconciler.session import Session
from reconciler.store import Store
from sandbox.values import Json
from tests.simulation.wish import nth
from tests.simulation.witness import Broke, Died, Witness

PATIENCE = Patience(first=1.0, most=30.0, still=900.0)
HOUR, DAY = 3600.0, 86400.0
TIMES = {
    "minute": 60.0,
    "hour": HOUR,
    "morning": 7 * HOUR,
    "day": DAY,
    "week": 7 * DAY,
    "back": -240.0,
    "far back": -1800.0,
}
ROUNDS = 4  # in which the desired state is reached once faults have stopped; rounds that wait for the pace don't count
QUIET = "all is well"
LOG = logging.getLogger("reconciler")
MEMORY = Path("/dev/shm")  # a state on a disk that syncs costs ten times as much, and a memory disk loses as little


class Stopping(Silent):
    """Somebody presses Ctrl-C once so many actions have begun."""

    def __init__(self, stop: Stop, after: int) -> None:
        self._stop, self._left = stop, after

    def started(self, action: Any) -> None:
        if self._left <= 0:
            self._stop.request()
        self._left -= 1


class Defects(logging.Handler):
    """What arr takes for a defect of its own, and goes on after: the log has it, with its traceback."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.found.append(f"{record.getMessage()}: {error!r}")


class Laws(Protocol):
    """What a world asks of arr."""

    def begin(self, plan: Plan, *, approved: bool, confirmed: bool) -> None:
        """An apply is about to begin."""

    def planned(self, plan: Plan) -> None:
        """This was planned."""

    def blind(self, ill: Plan, healthy: Plan) -> None:
        """Both were planned at the same moment: `ill` while something failed, `healthy` while nothing did."""

    def applied(self, report: Report) -> None:
        """An apply told this."""

    def settled(self, plan: Plan) -> bool:
        """Whether nothing is left to do."""

    def reached(self, plan: Plan) -> None:
        """Nothing is left to do: the world is as declared."""


class Course:
    """See the module. A context manager: its folder goes with it.

    A simulation brings `_begin` and operations of its own, and the hooks `apps`, `wrong`, `well`, `heal` and `edit`.
    """

    clock: FakeClock
    laws: Laws
    witness: Witness
    store: type[Store]
    rounds = ROUNDS

    newest: datetime

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="arr-simulation-", dir=MEMORY if MEMORY.is_dir() else None))
        self.done: list[Json] = []
        self.counts: Counter[str] = Counter()
        self.most_rounds = 0
        self.plans: list[Plan] = []
        self.last = ""  # what the last operation came to, for people
        self.desired: Desired | None = None
        self.defects = Defects()
        self.wish: Json = {}
        LOG.addHandler(self.defects)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        LOG.removeHandler(self.defects)
        shutil.rmtree(self.folder)

    def do(self, op: Json) -> str:
        """Carry out one operation and look at the laws; what it came to, in a line. `Broke` when one is broken."""
        self.done.append(op)
        self.counts["operations"] += 1
        self.last = ""
        told = {k: v for k, v in op.items() if k != "op"}
        getattr(self, f"_{op['op']}")(**told)
        wrong = [*self.witness.broken, *self.defects.found, *self.wrong()]
        if wrong:
            raise Broke("; ".join(wrong))
        return self.last

    # -- what a simulation brings

    apps: Any = None  # of the connections; None: the real ones

    def wrong(self) -> list[str]:
        """What must never be, seen from the world."""
        raise NotImplementedError

    @contextmanager
    def well(self) -> Iterator[bool]:
        """For as long as it lasts nothing fails; True when that makes a difference that can be judged."""
        raise NotImplementedError

    def heal(self) -> None:
        """Whatever was broken is whole from now on."""
        raise NotImplementedError

    def edit(self, what: str, a: int, b: int) -> None:
        """Change the wish."""
        raise NotImplementedError

    # -- processes

    @property
    def state(self) -> Path:
        return self.folder / "state"

    def declare(self) -> None:
        """The wish is what is declared now. UsageError."""
        (self.folder / "wish.yaml").write_text(json.dumps(self.wish))
        self.desired = None
        self.desired = self.session.validate()

    @property
    def session(self) -> Session:
        """Each command is a process of its own; what it would load again, and find the same, it is given."""
        files, apps = [self.folder / "wish.yaml"], {} if self.apps is None else {"apps": self.apps}
        return Session(files, self.state, clock=self.clock, patience=PATIENCE, _loaded=self.desired, **apps)

    @contextmanager
    def _process(self) -> Iterator[Session]:
        """What runs here sees the seams of the simulation."""
        try:
            with patch.multiple("reconciler.session", Store=self.store, make_plan=self._planned):
                yield self.session
        finally:
            self.newest = max(self.newest, self.clock.now())

    def _planned(self, ground: Ground) -> Plan:
        """Law 2, at every fourth plan: the same facts in another order are the same bytes."""
        plan = make_plan(ground)
        self.counts["plans"] += 1
        if self.counts["plans"] % 4 == 1:
            chance = random.Random(self.counts["plans"])
            answers, resources = list(ground.facts.answers.items()), list(ground.resources)
            chance.shuffle(answers)
            chance.shuffle(resources)
            again = make_plan(replace(ground, facts=Facts(dict(answers)), resources=resources))
            if again.model_dump_json() != plan.model_dump_json():
                raise Broke("the same facts gave another plan")
        return plan

    # -- the operations

    def _edit(self, what: str, a: int, b: int) -> None:
        """A person edits the wish; what the loader does not accept is not so."""
        before = json.loads(json.dumps(self.wish))
        self.edit(what, a, b)
        try:
            self.declare()
        except UsageError as e:
            self.last = f"not accepted: {e.diagnostics[0].message if e.diagnostics else e.message}"
            self.counts["edits refused"] += 1
            self.wish = before
            self.declare()

    def _plan(self, only: int | None = None, die_in: int | None = None) -> None:
        self._make_plan(only, die_in)

    def _make_plan(self, only: int | None = None, die_in: int | None = None) -> Plan | None:
        """`only`: of one resource."""
        names = [str(r.address) for r in self.session.validate().resources]
        targets = (nth(names, only),) if names and only is not None else ()
        self.witness.die_in = die_in
        try:
            with self._process() as session:
                plan = session.plan(targets)
        except Died:
            self.counts["crashes"] += 1
            self.last = "died"
            return None
        finally:
            self.witness.end()
        self.laws.planned(plan)
        self._not_decided_blindly(plan)
        self.plans = [*self.plans[-4:], plan]
        self.last = told(plan)
        return plan

    def _not_decided_blindly(self, plan: Plan) -> None:
        """Law 4: with faults on, nothing is decided that would not be without them."""
        before = self.clock.now()
        with self.well() as telling:
            if not telling:
                return
            with self._process() as session:
                healthy = session.plan(plan.targets)
        if self.clock.now() == before:
            self.laws.blind(plan, healthy)

    def _apply(
        self,
        which: int = 0,
        approve: bool = True,
        confirmed: bool = False,
        die_in: int | None = None,
        stop: int | None = None,
    ) -> None:
        """Apply one of the last plans."""
        if self.plans:
            self._do_plan(self.plans[-1 - which % len(self.plans)], approve, confirmed, die_in, stop)

    def _go(self, approve: bool = True, die_in: int | None = None, stop: int | None = None) -> None:
        """What people do most: plan, look, apply."""
        plan = self._make_plan()
        if plan is not None:
            self._do_plan(plan, approve, False, die_in, stop)

    def _do_plan(
        self, plan: Plan, approve: bool, confirmed: bool = False, die_in: int | None = None, after: int | None = None
    ) -> Report | None:
        self.laws.begin(plan, approved=approve, confirmed=confirmed)
        self.witness.begin(plan, approved=approve, die_in=die_in)
        stop = Stop()
        listener = Silent() if after is None else Stopping(stop, after)
        report = None
        self.counts["applies"] += 1
        try:
            with self._process() as session:
                report = session.apply(
                    plan, approve=plan.id if approve else None, confirmed=confirmed, stop=stop, listener=listener
                )
        except Died:
            self.counts["crashes"] += 1
            self.last = "died"
        except LockedError as e:
            raise Broke(f"nobody else is there, and yet: {e.message}") from e
        except (StaleError, StoreError, UsageError) as e:
            self._refused(e)
        finally:
            self.witness.end()
        if report is not None:
            self.laws.applied(report)
            self.last = (
                "; ".join(f"{o.action.verb} {o.action.subject.ident}: {o.state}" for o in report.outcomes) or QUIET
            )
        if report is None or self.counts["applies"] % 4 == 0:
            self._free()
        return report

    def _refused(self, error: ArrError) -> None:
        """The whole plan was turned down: then nothing of it may have been begun."""
        if self.witness.wrote:
            raise Broke(f"{error.message}, and yet something was sent: {sorted(self.witness.wrote)}")
        late = isinstance(error, StoreError) and "clock has gone backwards" in error.message
        if isinstance(error, StoreError) and not late:
            raise Broke(error.message) from error
        self.last = f"refused: {error.message}"

    def _free(self) -> None:
        """The lock is free and the state is whole, whatever has happened."""
        with Store.open(self.state, self.clock) as store:
            with store.lock("look"):
                wrong = store.check()
            if wrong:
                raise Broke(f"the state is damaged: {wrong}")
            for row in store.runs(1):
                if store.alive(row.run):
                    raise Broke(f"{row.run} is said to be at work")

    def _undo(self, which: int = 0) -> None:
        """Take a run back."""
        with self._process() as session:
            runs = [r.run for r in session.history(4)]
            if not runs:
                return
            plan = session.undo(nth(runs, which))
        self._do_plan(plan, approve=True)

    def _time(self, how: str) -> None:
        self.clock.advance(TIMES[how])
        self.newest = max(self.newest, self.clock.now())

    def _settle(self) -> None:
        """Law 12: when faults stop, the desired state is reached within the stated rounds, and stays."""
        self.heal()
        self.clock.advance(max(0.0, (self.newest - self.clock.now()).total_seconds()) + 10 * 60)
        rounds, waits = 0, 0
        while True:
            plan = self._make_plan()
            assert plan is not None
            self.last = told(plan)
            if self.laws.settled(plan):
                break
            waiting = any(p.proposal.later or p.proposal.under_way for p in plan.resources)
            waits += waiting
            rounds += not waiting
            if rounds > self.rounds or waits > 60:
                raise Broke(f"not reached in {rounds} rounds: {told(plan)}")
            self._do_plan(plan, approve=True)
            self.clock.advance(DAY if waiting else 10 * 60)
        self.most_rounds = max(self.most_rounds, rounds)
        self.counts["convergences"] += 1
        self.laws.reached(plan)
        again = self._make_plan()
        if again is None or not self.laws.settled(again):
            raise Broke(f"it was reached, and does not stay: {self.last}")


def told(plan: Plan) -> str:
    """A plan in a line."""
    out = [f"{a.verb} {a.subject.ident}{_to(a.after)}" for a in plan.actions()]
    for part in plan.resources:
        proposal = part.proposal
        out += [f"later {a.verb} {a.subject.ident}" for a in proposal.later]
        out += [f"under way {u.action.verb} {u.action.subject.ident}" for u in proposal.under_way]
        out += [f"held {h.subject.ident}: {h.reason}" for h in proposal.held]
        out += [f"blocked {b.what}: {b.reason}" for b in proposal.blocked]
        out += [f"error {e}" for e in proposal.errors]
    out += [f"guard {hit.guard}: {hit.says}" for hit in plan.hits()]
    out += [f"conflict {c.says}" for c in plan.conflicts]
    return "; ".join(out) or QUIET


def _to(after: Json) -> str:
    return f" to {after['path']}" if "path" in after else ""
