"""A session: desired state, state store and servers tied together for one command. The command line is thin over it.

It holds no policy of its own: loading is `desired`'s, observing and planning `plan`'s, doing `apply`'s, remembering
`store`'s.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from reconciler import examine, registry
from reconciler.action import Action, Bar, Json
from reconciler.address import Address
from reconciler.apply import by_hand
from reconciler.apply.executor import Executor
from reconciler.apply.follow import Patience
from reconciler.apply.interrupt import Stop, stoppable
from reconciler.apply.report import Listener, Outcome, Report, Silent
from reconciler.apply.settle import FINAL, pending, settle_if_free
from reconciler.apply.stale import stale
from reconciler.clock import Clock, SystemClock
from reconciler.connection import App
from reconciler.desired import Desired, load
from reconciler.errors import StaleError, UsageError
from reconciler.facts import Absent, Fact, Facts, NotThere, ReadFailed
from reconciler.kind import Ledger, Resource
from reconciler.opener import HERE, Opener, ReadWorld
from reconciler.plan import files
from reconciler.plan.model import Plan
from reconciler.plan.observe import observe
from reconciler.plan.planner import VALIDITY, Ground, make_plan
from reconciler.plan.retry import tried_in_vain
from reconciler.plan.undo import undo_plan
from reconciler.store import EntryRow, RunRow, Store

log = logging.getLogger(__name__)

Told = Callable[[int, int], None]


@dataclass(frozen=True)
class Status:
    """`arr status`: `pending` is what is under way with the world's word on it; `runs` the latest, newest first."""

    resources: tuple[Resource[Any], ...]
    applied: frozenset[str]
    pending: tuple[Outcome, ...]
    runs: tuple[RunRow, ...]
    lineage: str


@dataclass
class Session:
    """One command's view of everything. `desired`: files and folders; `state`: the data folder, made when it is missing.

    `apps`: by which programs connections are opened; a simulation of a world brings its own.
    """

    desired: Sequence[Path]
    state: Path
    clock: Clock = field(default_factory=SystemClock)
    patience: Patience = field(default_factory=Patience)
    apps: Mapping[str, App] = field(default_factory=lambda: registry.openable())  # noqa: PLW0108  # found when one begins
    _loaded: Desired | None = None

    # ------------------------------------------------------------------------------------------- what is declared

    def validate(self) -> Desired:
        """The desired state, loaded once. UsageError with every diagnostic."""
        if self._loaded is None:
            self._loaded = load(
                list(self.desired),
                kinds=registry.kinds(),
                apps={name: app for name, app in self.apps.items() if name != HERE},
            )
        return self._loaded

    def _targeted(self, targets: Sequence[str]) -> list[Resource[Any]]:
        resources = list(self.validate().resources)
        for target in targets:
            try:
                wanted = Address.parse(target)
            except ValueError as e:
                raise UsageError(str(e), "arr status lists what is declared") from None
            if all(r.address != wanted for r in resources):
                known = ", ".join(str(r.address) for r in resources) or "nothing"
                raise UsageError(f"nothing is declared as {target}", f"declared: {known}")
        return [r for r in resources if not targets or str(r.address) in targets]

    # -------------------------------------------------------------------------------------------------- planning

    @contextmanager
    def _store(self, *, read_only: bool = False) -> Iterator[Store]:
        with Store.open(self.state, self.clock, read_only=read_only) as store:
            yield store

    def _ledger(self, store: Store, opener: Opener, *, settling: bool = False) -> Ledger:
        """What the state remembers. `settling`: what has ended meanwhile is journalled first."""
        kinds = registry.kinds()
        seen = pending(kinds, opener, store)
        if settling:
            seen = settle_if_free(store, seen)
        memory = [kinds[r.address.kind].memory(r) for r in self.validate().resources]
        days = max((span.days + 1 for span in memory), default=1)
        return replace(store.ledger(self.clock.now(), days=days), pending=seen)

    def _observe(
        self,
        store: Store,
        opener: Opener,
        resources: list[Resource[Any]],
        told: Told | None,
        *,
        settling: bool = False,
        retry: Sequence[str] = (),
    ) -> tuple[Facts, Ledger]:
        ledger = self._ledger(store, opener, settling=settling)
        ledger = replace(ledger, retried=frozenset(ident for item in retry for ident in tried_in_vain(ledger, item)))
        return observe(resources, registry.kinds(), opener, ledger, self.clock.now(), told), ledger

    def _opener(self) -> Opener:
        return Opener(self.validate().stack, self.apps, self.clock)

    def plan(self, targets: Sequence[str] = (), told: Told | None = None, *, retry: Sequence[str] = ()) -> Plan:
        """A plan of everything, or of `targets`; kept in the state under its id. `told(answered, asked)`: progress.

        `retry`: titles or ids of items that are planned as if nothing had been tried with them in vain.
        """
        resources = self._targeted(targets)
        desired = self.validate()
        with self._store() as store, self._opener() as opener:
            facts, ledger = self._observe(store, opener, resources, told, settling=True, retry=retry)
            now = self.clock.now()
            plan = make_plan(
                Ground(
                    kinds=registry.kinds(),
                    stack=desired.stack,
                    resources=resources,
                    desired=desired.digest,
                    facts=facts,
                    ledger=ledger,
                    now=now,
                    serial=store.serial,
                    destroyed_today=store.destroyed_since(now - timedelta(days=1)),
                    targets=tuple(targets),
                    declared=desired.resources,
                )
            )
            store.save_plan(plan.id, files.document(plan), plan.created)
            log.info("plan %s: %d actions", plan.id, sum(1 for _ in plan.actions()))
            counts = {f"{r.address} {s}": n for r in plan.resources for s, n in r.proposal.population.items()}
            bars = [
                {"resource": r.address, **b.model_dump(mode="json")} for r in plan.resources for b in r.proposal.bars
            ]
            store.observe(None, counts, bars, now)
            store.sight({f"{r.address} {i}": s for r in plan.resources for i, s in r.proposal.sightings.items()}, now)
        return plan

    def short(self, plan_id: str) -> str:
        """The shortest prefix of a plan's id that names it."""
        with self._store() as store:
            return store.short(plan_id)

    def load_plan(self, ref: str) -> Plan:
        """A plan by a prefix of its id, or from a file (which must be what the state stored, to the letter)."""
        path = Path(ref)
        as_file = path.suffix == ".json" or os.sep in ref or path.is_file()
        with self._store() as store:
            if not as_file:
                plan_id, stored = store.find_plan(ref)
                return files.parse(stored, f"plan {plan_id[:8]}")
            plan = files.read(path)
            if plan.lineage != store.lineage:
                raise StaleError(f"{path} was made with another state than {self.state}", "make a new one: arr plan")
            _, document = store.find_plan(plan.id)
        kept = files.parse(document, f"plan {plan.id[:8]}")
        moment = {"created": kept.created, "valid_until": kept.valid_until, "serial": kept.serial}
        whole = plan.valid_until - plan.created == VALIDITY and plan.created <= kept.created
        if not whole or plan.model_copy(update=moment) != kept:  # the same plan made anew later is still that plan
            raise StaleError(f"{path} is not the plan that this state made under that id", "make a new one: arr plan")
        return kept

    # ----------------------------------------------------------------------------------------------------- doing

    def approves(self, plan: Plan, given: str) -> bool:
        """Whether `given` names this very plan. UsageError when it names nothing or another one."""
        with self._store() as store:
            named, _ = store.find_plan(given)
        if named != plan.id:
            raise UsageError(
                f"--approve {given} is another plan than the one to be applied", "approve the plan you apply"
            )
        return True

    def apply(
        self,
        plan: Plan,
        *,
        approve: str | None = None,
        confirmed: bool = False,
        listener: Listener | None = None,
        stop: Stop | None = None,
    ) -> Report:
        """Do `plan`. `approve`: the id given with --approve; `confirmed`: a person typed it at the terminal."""
        if plan.desired != self.validate().digest:
            raise StaleError("the desired state was edited since this plan was made", "look at a new one: arr plan")
        approved = approve is not None and self.approves(plan, approve)
        stop = stop or Stop()
        with self._store() as store, self._opener() as opener, stoppable(stop):
            return Executor(
                plan=plan,
                kinds=registry.kinds(),
                opener=opener,
                journal=store,
                approved=approved,
                confirmed=confirmed,
                listener=listener or Silent(),
                stop=stop,
                patience=self.patience,
            ).run()

    def unsettled(self, plan: Plan) -> bool:
        """Whether applying `plan` would write to the journal though it has no action: something is under way, or ends."""
        with self._store(read_only=True) as store:
            return bool(plan.notes or store.pending())

    def undo(self, run: str) -> Plan:
        """A plan that takes `run` back where that is possible; kept in the state like any other."""
        _, entries = self._run(run)
        with self._store() as store, self._opener() as opener:

            def read(action: Any) -> Fact[Any]:
                try:
                    verb = registry.kinds()[action.address.split(".", 1)[0]].verbs[action.verb]
                    return verb.read(ReadWorld(opener), action)
                except ReadFailed as e:
                    return e.unknown()
                except NotThere:
                    return Absent(self.clock.now())

            def says(back: Action, left: Mapping[str, Json], found: Mapping[str, Json]) -> str:
                verb = registry.kinds()[back.address.split(".", 1)[0]].verbs[back.verb]
                return stale(verb.words, left, found, "that run")

            desired, now = self.validate(), self.clock.now()
            there = {str(r.address): r for r in desired.resources if not r.spec.paused}
            mine = {e.action.address for e in entries if e.state == "done" and e.action.undo is not None}
            facts, ledger = self._observe(store, opener, [r for a, r in there.items() if a in mine], None)

            def bars(address: str, actions: Sequence[Action]) -> tuple[Bar, ...]:
                if address not in there:
                    return ()
                kind = registry.kinds()[there[address].address.kind]
                return kind.bars(there[address], facts, ledger, now, actions)

            own = {item for r in desired.resources for item in r.spec.protect}
            plan = undo_plan(
                run,
                [(e.action, e.state) for e in entries],
                read,
                lineage=store.lineage,
                serial=store.serial,
                desired=desired.digest,
                now=now,
                sources={},
                limits=desired.stack.guards,
                destroyed_today=store.destroyed_since(now - timedelta(days=1)),
                protected={*desired.stack.protect, *own, *ledger.protected},
                bars=bars,
                declared=there.keys(),
                says=says,
            )
            store.save_plan(plan.id, files.document(plan), plan.created)
        return plan

    def open_entries(self) -> tuple[by_hand.Entry, ...]:
        """What the journal holds without an outcome, oldest first, with the world's word on each."""
        with self._store(read_only=True) as store, self._opener() as opener:
            return by_hand.entries(registry.kinds(), opener, store)

    def settle(self, entry: by_hand.Entry, ended: by_hand.Ended, *, who: str, because: str) -> str:
        """Journal by hand how an entry ended; the run's id. RefusedError where looking can tell, or may yet."""
        by_hand.check(entry)
        with self._store() as store:
            return by_hand.settle_by_hand(store, entry, ended, who=who, because=because)

    # -------------------------------------------------------------------------------------------------- answering

    def why(self, item: str) -> list[tuple[str, list[str]]]:
        """Every resource's verdict on one title, id or path."""
        resources = list(self.validate().resources)
        with self._store(read_only=True) as store, self._opener() as opener:
            facts, ledger = self._observe(store, opener, resources, None)
        now, kinds = self.clock.now(), registry.kinds()
        said = [(str(r.address), kinds[r.address.kind].why(r, facts, ledger, now, item)) for r in resources]
        return [(address, lines) for address, lines in said if lines]

    def drift(self) -> Plan:
        """The plan of what the world changed: resources whose wish is the one last applied, and repairs."""
        plan = self.plan()
        mine = []
        for r in plan.resources:
            actions = tuple(a for a in r.proposal.actions if a.cause in ("drift", "repair"))
            mine.append(r.model_copy(update={"proposal": r.proposal.model_copy(update={"actions": actions})}))
        return plan.model_copy(update={"resources": tuple(mine)})

    def status(self) -> Status:
        desired = self.validate()
        with self._store(read_only=True) as store, self._opener() as opener:
            ledger = self._ledger(store, opener)
            runs = tuple(store.runs(5))
            lineage = store.lineage
        going = tuple(
            Outcome(
                action=p.action,
                state=FINAL.get(p.verdict.state, "running" if p.verdict.state == "running" else "unknown"),
                says=p.verdict.says,
                remedy=p.verdict.remedy,
                data=p.verdict.data,
            )
            for p in ledger.pending
        )
        return Status(desired.resources, frozenset(ledger.applied), going, runs, lineage)

    def history(self, limit: int) -> list[RunRow]:
        with self._store(read_only=True) as store:
            return list(store.runs(limit))

    def show(self, ref: str) -> Plan | tuple[RunRow, list[EntryRow]]:
        """A run (`r000012`) with its entries, or a plan."""
        if re.fullmatch(r"r\d{6,}", ref):
            return self._run(ref)
        return self.load_plan(ref)

    def _run(self, run: str) -> tuple[RunRow, list[EntryRow]]:
        with self._store(read_only=True) as store:
            try:
                return store.run(run)
            except KeyError:
                raise UsageError(f"there is no run {run}", "arr history lists them") from None

    def doctor(self, names: Sequence[str] = ()) -> tuple[examine.Found, examine.Found]:
        """Every connection (or `names`), examined; and the disks with the roots that are declared for them."""
        stack = self.validate().stack
        unknown = [n for n in names if n not in stack.connections]
        if unknown:
            raise UsageError(f"no connection is called {unknown[0]}", f"declared: {', '.join(stack.connections)}")
        wanted = [name for name in stack.connections if not names or name in names]
        with self._opener() as opener:
            return examine.connections(opener, wanted), examine.disks(opener, wanted)
