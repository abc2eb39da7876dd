"""The executor: the only code with side effects. It consumes one plan and does that and nothing else.

For each action: re-read the subject, compare the precondition, journal the intent (durable), perform, verify in the
world, journal the outcome (durable). Dependents of what was not done are skipped, the rest goes on. The lock is held
while something is written, not while a server works for hours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from reconciler.action import Action, Json
from reconciler.apply.follow import Patience, follow, settled_look
from reconciler.apply.interrupt import Stop
from reconciler.apply.journal import Journal, writing
from reconciler.apply.report import Listener, Outcome, Report, Silent, State
from reconciler.apply.settle import FINAL, close, pending, settle
from reconciler.connection import redact
from reconciler.errors import ArrError, StaleError
from reconciler.facts import Absent, NotThere, ReadFailed, Unknown
from reconciler.kind import Kind, ReplyLost, Verb, Verdict, WriteRefused
from reconciler.opener import Opener, ReadWorld, WriteWorld
from reconciler.plan.guards import destructive
from reconciler.plan.model import Plan

log = logging.getLogger(__name__)


@dataclass
class Executor:
    """One apply of one plan. A resource's wish is remembered once something of it is begun."""

    plan: Plan
    kinds: Mapping[str, Kind[Any]]
    opener: Opener
    journal: Journal
    approved: bool = False
    confirmed: bool = False
    listener: Listener = field(default_factory=Silent)
    stop: Stop = field(default_factory=Stop)
    patience: Patience = field(default_factory=Patience)

    def run(self) -> Report:
        """Do it. Raises LockedError or StaleError before anything was done; afterwards everything is in the report."""
        with self.journal.lock("apply"):
            self._still_valid()
            self._unused()
            run = self.journal.begin_run("apply", self.plan.id)
            self.journal.consume(self.plan.id, run)
            if self.plan.protects is not None:
                self.journal.protect("", self.plan.protects)
            settled = settle(self.journal, pending(self.kinds, self.opener, self.journal))
        outcomes: list[Outcome] = []
        interrupted = False
        with self.journal.living(run):
            try:
                self._all(run, outcomes)
            except KeyboardInterrupt:
                interrupted = True
        missing = [a for a in self.plan.actions() if a.id not in {o.action.id for o in outcomes}]
        outcomes += [Outcome(action=a, state="left", says="not begun: you stopped the run") for a in missing]
        report = Report(
            run=run,
            plan=self.plan.id,
            outcomes=tuple(outcomes),
            settled=settled,
            interrupted=interrupted or self.stop.requested,
        )
        done = sum(o.state == "done" for o in outcomes)
        self.journal.end_run(run, int(report.exit), f"{done} of {len(outcomes)} done")
        return report

    def _unused(self) -> None:
        before = self.journal.consumed(self.plan.id)
        if before is not None:
            raise StaleError(f"this plan was used up by run {before}", "make a new one: arr plan")

    def _still_valid(self) -> None:
        now = self.opener.clock.now()
        if self.plan.lineage != self.journal.lineage:
            raise StaleError("this plan was made with another state", "make a new one: arr plan")
        if now > self.plan.valid_until:
            until = f"{self.plan.valid_until:%Y-%m-%d %H:%M} UTC"
            raise StaleError(f"this plan was valid until {until}", "make a new one: arr plan")
        if now < self.plan.created:
            made = f"{self.plan.created:%Y-%m-%d %H:%M} UTC"
            raise StaleError(f"this plan was made at {made}, which is in the future of this clock", "set the clock")

    def _all(self, run: str, outcomes: list[Outcome]) -> None:
        refused = self.plan.refused(approved=self.approved, confirmed=self.confirmed)
        actions = list(self.plan.actions())
        self.listener.planned([a for a in actions if a.id not in refused])
        wishes = {r.address: r.wish for r in self.plan.resources if r.wish}
        states: dict[str, State] = {}
        surprise = ""  # every destruction is verified before the next; the first surprise ends them all
        for action in actions:
            needs = next((r for r in action.requires if r in states and states[r] != "done"), None)
            if action.id in refused:
                outcome = Outcome(action=action, state="refused", says=refused[action.id].says)
            elif needs is not None:
                outcome = Outcome(action=action, state="skipped", says=f"it needs action {needs}, which was not done")
            elif self.stop.requested:
                outcome = Outcome(action=action, state="left", says="not begun: you stopped the run")
            elif surprise and destructive(action):
                outcome = Outcome(action=action, state="left", says=surprise)
            else:
                if action.address in wishes:
                    self.journal.apply_wish(action.address, wishes.pop(action.address))
                self.listener.started(action)
                outcome = self._one(run, action)
            if destructive(action) and outcome.state not in ("done", "refused", "skipped", "left"):
                surprise = f"stopped after the first surprise: {action.subject.title or action.subject.key}"
            states[action.id] = outcome.state
            outcomes.append(outcome)
            self.listener.finished(outcome)

    def _one(self, run: str, action: Action) -> Outcome:
        """One action, from its precondition to its outcome."""
        verb = self.kinds[action.address.split(".", 1)[0]].verbs[action.verb]
        start = self.opener.clock.monotonic()
        try:
            outcome = self._attempt(run, action, verb)
        except ArrError:
            raise
        except Exception as e:  # a defect of one kind costs its own action, never the others
            log.exception("%s failed unexpectedly", action.id)
            says = f"it failed unexpectedly ({type(e).__name__}): the log has the details (-vv)"
            outcome = Outcome(action=action, state="unknown", says=says, remedy="look again: arr plan")
        if outcome.state == "broken" and action.compensation and action.compensation.verb:
            outcome = self._mend(run, action, outcome)
        log.info("%s, %s of %s: %s", run, action.id, action.subject.ident, outcome.state)
        return outcome.model_copy(update={"seconds": self.opener.clock.monotonic() - start})

    def _attempt(self, run: str, action: Action, verb: Verb) -> Outcome:
        with writing(self.journal, self.opener.clock, f"apply {run}"):
            refused = self._precondition(action, verb)
            if refused is not None:
                return refused
            self.journal.intend(run, action)
            verdict, handle = self._perform(run, action, verb)
        if verdict is None:
            verdict = self._watch(action, verb, handle)
        if verdict.state == "done":
            verdict = self._conclude(run, action, verb, handle, verdict)
        return self._journal_outcome(run, action, verdict)

    def _precondition(self, action: Action, verb: Verb) -> Outcome | None:
        """None when the subject is as the plan saw it."""
        try:
            fact = verb.read(ReadWorld(self.opener), action)
        except ReadFailed as e:
            fact = e.unknown()
        except NotThere:
            fact = Absent(self.opener.clock.now())
        if isinstance(fact, Unknown):
            says = f"not known: {redact(fact.reason)}"
            return Outcome(action=action, state="blocked", says=says, remedy=redact(fact.remedy))
        now: dict[str, Json] = {} if isinstance(fact, Absent) else fact.value
        moved = [
            f"{key} was {action.rests_on.get(key)!r} and is {now.get(key)!r}"
            for key in sorted(action.rests_on.keys() | now.keys())
            if action.rests_on.get(key) != now.get(key)
        ]
        if not moved:
            return None
        says = "it changed since the plan: " + "; ".join(moved)
        return Outcome(action=action, state="stale", says=says, remedy="make a new plan: arr plan")

    def _perform(self, run: str, action: Action, verb: Verb) -> tuple[Verdict | None, dict[str, Json] | None]:
        """Send it. The verdict is set when it is already known that nothing happened; else the world has to tell."""
        try:
            handle = verb.perform(WriteWorld(self.opener), action)
        except WriteRefused as e:
            return Verdict("not-done", redact(e.message), remedy=redact(e.remedy)), None
        except (ReadFailed, NotThere) as e:  # read before the first write: nothing was sent
            return Verdict("not-done", redact(str(e))), None
        except ReplyLost as e:
            log.warning("the answer to %s was lost (%s): looking at the world", action.id, redact(str(e)))
            return None, None
        if verb.long and handle is not None:
            self.journal.accept(run, action.id, handle)
        return None, handle

    def _watch(self, action: Action, verb: Verb, handle: dict[str, Json] | None) -> Verdict:
        if verb.long:
            told = self.listener.progress
            return follow(self.opener, verb, action, handle, patience=self.patience, stop=self.stop, told=told)
        return settled_look(self.opener, verb, action, handle, patience=self.patience)

    def _conclude(
        self, run: str, action: Action, verb: Verb, handle: dict[str, Json] | None, verdict: Verdict
    ) -> Verdict:
        if type(verb).conclude is Verb.conclude:
            return verdict
        with writing(self.journal, self.opener.clock, f"apply {run}"):
            try:
                verb.conclude(WriteWorld(self.opener), action, handle)
            except (WriteRefused, ReplyLost, ReadFailed) as e:
                log.warning("concluding %s: %s", action.id, redact(str(e)))
        return settled_look(self.opener, verb, action, handle, patience=self.patience)

    def _journal_outcome(self, run: str, action: Action, verdict: Verdict) -> Outcome:
        state = FINAL.get(verdict.state)
        if state is None:  # still running, or unknown: it stays pending, and the next run looks again
            going: State = "running" if verdict.state == "running" else "unknown"
            return Outcome(action=action, state=going, says=verdict.says, remedy=verdict.remedy, data=verdict.data)
        close(self.journal, run, action, state, verdict)
        return Outcome(action=action, state=state, says=verdict.says, remedy=verdict.remedy, data=verdict.data)

    def _mend(self, run: str, action: Action, broken: Outcome) -> Outcome:
        """The approved compensation of an action that stopped half-way, as an action of its own in the journal."""
        mend = action.compensation
        assert mend is not None  # noqa: S101  # the caller looked
        data = {**mend.data, **broken.data}
        if self.stop.requested or data.get("mendable") is False:
            return broken
        repair = action.model_copy(
            update={
                "id": f"{action.id}/mend",
                "verb": mend.verb,
                "reason": mend.says,
                "data": data,
                "rests_on": data.get("rests_on", {}),
                "cause": "repair",
                "compensation": None,
                "undo": None,
                "requires": (),
            }
        )
        self.listener.started(repair)
        mended = self._attempt(run, repair, self.kinds[action.address.split(".", 1)[0]].verbs[mend.verb])
        self.listener.finished(mended)
        if mended.state == "done":
            verb = self.kinds[action.address.split(".", 1)[0]].verbs[action.verb]
            there = settled_look(self.opener, verb, action, None, patience=Patience(settle=0)).state == "done"
            state: State = "done" if there else "failed"  # carried on to where it was to go, or brought back
            return broken.model_copy(update={"state": state, "says": f"{broken.says}; {mended.says}"})
        return broken.model_copy(update={"says": f"{broken.says}; mending it: {mended.says}"})
