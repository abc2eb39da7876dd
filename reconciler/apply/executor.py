"""The executor: the only code with side effects. It consumes one plan and does that and nothing else.

For each action: re-read the subject, compare the precondition, journal the intent (durable), perform, verify in the
world, journal the outcome (durable). Dependents of what was not done are skipped, the rest goes on. The lock is held
while something is written, not while a server works for hours.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from reconciler.action import Action, Json
from reconciler.apply.follow import Patience, follow, settled_look
from reconciler.apply.interrupt import Stop
from reconciler.apply.journal import Journal, writing
from reconciler.apply.report import Listener, Outcome, Report, Silent, State
from reconciler.apply.settle import FINAL, close, pending, settle
from reconciler.apply.stale import stale
from reconciler.connection import redact
from reconciler.errors import ArrError, LockedError, StaleError
from reconciler.facts import Absent, NotThere, ReadFailed, Unknown
from reconciler.kind import Kind, NotBegun, ReplyLost, Verb, Verdict, WriteRefused
from reconciler.opener import Opener, ReadWorld, WriteWorld
from reconciler.plan import guards
from reconciler.plan.guards import destructive
from reconciler.plan.model import Plan
from reconciler.units import size_text

log = logging.getLogger(__name__)

DAY = timedelta(days=1)
MENDING = "/mend"  # how the id of a compensation ends


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
    _wishes: dict[str, dict[str, Json]] = field(default_factory=dict)
    _hand: Action | None = None  # journalled as intended, and not settled yet

    def run(self) -> Report:
        """Do it. Raises LockedError or StaleError before anything was done; afterwards everything is in the report."""
        with self.journal.lock("apply"):
            self._still_valid()
            self._unused()
            run = self.journal.begin_run("apply", self.plan.id)
            self.journal.consume(self.plan.id, run)
            self._protect()
            settled = settle(self.journal, pending(self.kinds, self.opener, self.journal))
        outcomes: list[Outcome] = []
        interrupted = False
        with self.journal.living(run):
            try:
                self._all(run, outcomes)
            except KeyboardInterrupt:
                interrupted = True
        told = {o.action.id for o in outcomes}
        outcomes += [self._left(a) for a in self.plan.actions() if a.id not in told]
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

    def _left(self, action: Action) -> Outcome:
        """What to say of an action that a stop cut off: before it was begun, or while it was in hand."""
        if self._hand is not None and self._hand.id.removesuffix(MENDING) == action.id:
            says = "stopped at once while it was under way: the next run looks what became of it"
            return Outcome(action=action, state="running", says=says, remedy="look: arr status")
        return Outcome(action=action, state="left", says="not begun: you stopped the run")

    def _protect(self) -> None:
        """Remember what is protected. An older plan ends no protection that it does not speak of."""
        if self.plan.protects is None:
            return
        now = self.journal.ledger(self.opener.clock.now(), days=1).protected
        since = {item for item in now if not any(note.startswith(f"{item} is no longer") for note in self.plan.notes)}
        self.journal.protect("", sorted({*self.plan.protects, *since}))

    def _forbidden(self, action: Action) -> str:
        """Why a destruction that the plan allows may not be done now: what was protected or destroyed since."""
        if not destructive(action):
            return ""
        now = self.opener.clock.now()
        if guards.protected(action, self.journal.ledger(now, days=1).protected):
            return "protected since the plan was made: nothing may destroy it"
        day, (count, size) = self.opener.stack.guards.per_day, self.journal.destroyed_since(now - DAY)
        if self.approved and any(hit.guard in ("day-count", "day-bytes") for hit in self.plan.hits()):
            return ""
        if day.max is not None and count + action.effects.destroys > day.max:
            return f"{count} were destroyed within 24 h, your limit is {day.max}"
        if day.max_bytes is not None and size + action.effects.bytes_destroyed > day.max_bytes:
            return f"{size_text(size)} was destroyed within 24 h, your limit is {size_text(day.max_bytes)}"
        return ""

    def _outpaced(self, run: str, action: Action) -> str:
        """Why a move may not be begun any more: later runs than the plan knew of have begun others of its resource, and
        the limits of a day were reckoned without them."""
        if not action.effects.moves or action.verb in self.kinds[action.address.split(".", 1)[0]].mending:
            return ""
        past = self.journal.ledger(self.opener.clock.now(), days=1).history
        begun = [(p.run, p.action) for p in past if p.outcome not in ("failed", "not-done")]
        begun += [(row.run, row.action) for row in self.journal.pending()]
        moves = {r for r, a in begun if a.address == action.address and a.effects.moves and r != run}
        later = sorted(r for r in moves if int(r.removeprefix("r")) > self.plan.serial)
        return f"run {later[0]} has begun other moves of {action.address} since the plan was made" if later else ""

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
        self._wishes = {r.address: r.wish for r in self.plan.resources if r.wish}
        states: dict[str, State] = {}
        torn: dict[str, str] = {}  # disks on which something stopped in this run, and what
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
            elif stopped := next((torn[disk] for disk in action.effects.disks if disk in torn), ""):
                outcome = Outcome(action=action, state="left", says=f"{stopped} stopped on the same disk in this run")
            elif forbidden := self._forbidden(action):
                outcome = Outcome(action=action, state="refused", says=forbidden)
            elif outpaced := self._outpaced(run, action):
                outcome = Outcome(action=action, state="stale", says=outpaced, remedy="make a new plan: arr plan")
            else:
                self.listener.started(action)
                outcome = self._one(run, action)
            if destructive(action) and outcome.state not in ("done", "refused", "skipped", "left"):
                surprise = f"stopped after the first surprise: {action.subject.title or action.subject.key}"
            if outcome.state in ("broken", "failed", "unknown"):
                torn |= dict.fromkeys(action.effects.disks, action.subject.title or action.subject.key)
            states[action.id] = outcome.state
            outcomes.append(outcome)
            self.listener.finished(outcome)

    def _one(self, run: str, action: Action) -> Outcome:
        """One action, from its precondition to its outcome."""
        verb = self.kinds[action.address.split(".", 1)[0]].verbs[action.verb]
        start = self.opener.clock.monotonic()
        try:
            outcome = self._attempt(run, action, verb)
        except LockedError as e:
            going: State = "left" if self._hand is None else "unknown"
            outcome = Outcome(action=action, state=going, says=e.message, remedy=e.remedy)
        except ArrError:
            raise
        except Exception as e:  # a defect of one kind costs its own action, never the others
            log.exception("%s failed unexpectedly", action.id)
            says = f"it failed unexpectedly ({type(e).__name__}): the log has the details (-vv)"
            outcome = Outcome(action=action, state="unknown", says=says, remedy="look again: arr plan")
        log.info("%s, %s of %s: %s", run, action.id, action.subject.ident, outcome.state)
        return outcome.model_copy(update={"seconds": self.opener.clock.monotonic() - start})

    def _attempt(self, run: str, action: Action, verb: Verb) -> Outcome:
        with writing(self.journal, self.opener.clock, f"apply {run}"):
            refused = self._precondition(action, verb)
            if refused is not None:
                return refused
            self.journal.intend(run, action)
            self._hand = action
            if action.address in self._wishes:  # what was approved is not used up before something has begun
                self.journal.apply_wish(action.address, self._wishes.pop(action.address))
            verdict, handle, patience = self._perform(run, action, verb)
        if verdict is None:
            verdict = self._watch(action, verb, handle, patience)
        if verdict.state == "done":
            verdict = self._conclude(run, action, verb, handle, verdict)
        if verdict.state == "broken" and action.compensation and action.compensation.verb:
            outcome = self._mend(run, action, verb, verdict)
        else:
            outcome = self._journal_outcome(run, action, verdict)
        if self.stop.requested and verdict.state == "not-done" and type(verb).work is not Verb.work:
            outcome = outcome.model_copy(update={"state": "left"})  # its own process stopped it: no failure
        self._hand = None
        return outcome

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
        says = stale(verb.words, action.rests_on, None if isinstance(fact, Absent) else fact.value)
        if not says:
            return None
        return Outcome(action=action, state="stale", says=says, remedy="make a new plan: arr plan")

    def _perform(self, run: str, action: Action, verb: Verb) -> tuple[Verdict | None, dict[str, Json] | None, Patience]:
        """Send it. The verdict is set when it is already known that nothing happened; else the world has to tell."""
        try:
            handle = verb.perform(WriteWorld(self.opener), action)
        except NotBegun as e:
            return Verdict("not-done", redact(e.message), remedy=redact(e.remedy)), None, self.patience
        except WriteRefused as e:
            return self._refused(action, verb, Verdict("not-done", redact(e.message), remedy=redact(e.remedy)))
        except (ReadFailed, NotThere) as e:
            return self._refused(action, verb, Verdict("not-done", redact(str(e))))
        except ReplyLost as e:
            log.warning("the answer to %s was lost (%s): looking at the world", action.id, redact(str(e)))
            return None, None, replace(self.patience, settle=self.patience.late) if e.late else self.patience
        if verb.long and handle is not None:
            self.journal.accept(run, action.id, handle)
        return None, handle, self.patience

    def _refused(
        self, action: Action, verb: Verb, refusal: Verdict
    ) -> tuple[Verdict | None, dict[str, Json] | None, Patience]:
        """A refusal ends an action that had not begun; of several steps an earlier one may have been taken."""
        seen = settled_look(self.opener, verb, action, None, patience=Patience(settle=0))
        if seen.state == "running":
            return None, None, self.patience
        return (seen if seen.state in ("done", "broken") else refusal), None, self.patience

    def _watch(self, action: Action, verb: Verb, handle: dict[str, Json] | None, patience: Patience) -> Verdict:
        if handle is not None and type(verb).work is not Verb.work:
            return self._work(action, verb, handle)
        if verb.long:
            told = self.listener.progress
            return follow(self.opener, verb, action, handle, patience=patience, stop=self.stop, told=told)
        return settled_look(self.opener, verb, action, handle, patience=patience)

    def _work(self, action: Action, verb: Verb, handle: dict[str, Json]) -> Verdict:
        """Carry a long action on in this process. The world has the last word on whether it is done."""

        def told(verdict: Verdict) -> None:
            self.listener.progress(action, verdict)

        said: Verdict | None
        try:
            said = verb.work(WriteWorld(self.opener), action, handle, told, lambda: self.stop.requested)
        except WriteRefused as e:
            said = Verdict("not-done", redact(e.message), remedy=redact(e.remedy))
        except ReadFailed as e:
            said = Verdict("not-done", redact(e.reason), remedy=redact(e.remedy))
        except NotThere as e:
            said = Verdict("not-done", redact(str(e)))
        seen = settled_look(self.opener, verb, action, handle, patience=Patience(settle=0))
        return said if said is not None and seen.state == "not-done" else seen

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

    def _mend(self, run: str, action: Action, verb: Verb, verdict: Verdict) -> Outcome:
        """The approved compensation of an action that stopped half-way, as an action of its own in the journal.

        The action itself is journalled after it: carried on to where it was to go it is done like any other.
        """
        mend = action.compensation
        assert mend is not None  # noqa: S101  # the caller looked
        data = {**mend.data, **verdict.data}
        if self.stop.requested or data.get("mendable") is False:
            return self._journal_outcome(run, action, verdict)
        repair = action.model_copy(
            update={
                "id": f"{action.id}{MENDING}",
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
        if mended.state != "done":
            says = f"{verdict.says}; mending it: {mended.says}"
            return self._journal_outcome(run, action, replace(verdict, says=says))
        says = f"{verdict.says}. It was mended: {mended.says}"
        there = settled_look(self.opener, verb, action, None, patience=Patience(settle=0)).state == "done"
        if there:
            return self._journal_outcome(run, action, replace(verdict, state="done", says=says))
        return self._journal_outcome(run, action, replace(verdict, says=says)).model_copy(update={"state": "failed"})
