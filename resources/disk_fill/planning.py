"""The proposal: what a survey and a choice amount to, as actions, bars and words. Pure.

Heals come first, then moves in the order that keeps every disk within its limit at every step, then what is beyond the
pace. Figures are exact bytes; the only estimate is time, and the plan says what it assumes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from statistics import median

from reconciler.action import Action, Bar, Blocked, Compensation, Effects, Held, Json, Proposal
from reconciler.facts import Facts, Known
from reconciler.kind import Ledger, Resource
from resources.clients.servarr import FileRows
from resources.clients.torrents import APPS
from resources.disk_fill import hardlinks, texts
from resources.disk_fill.bars import bar
from resources.disk_fill.choose import Choice, Chooser, Step
from resources.disk_fill.disks import Fill
from resources.disk_fill.eligibility import No
from resources.disk_fill.ground import Survey, survey
from resources.disk_fill.healing import heal
from resources.disk_fill.landmarks import Landmarks
from resources.disk_fill.places import unseen
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.verbs.move import SAFE, fingerprint
from resources.disk_fill.verbs.move import rests_on as move_rests_on
from resources.disk_fill.world import Thing

ASSUMED_RATE = 100_000_000  # bytes a second, until moves of our own have shown a rate
TELLING = 1_000_000_000  # bytes; smaller moves say nothing about the rate
LATEST = 20  # moves that the rate is taken from

MEND = Compensation(
    verb="heal",
    says="it goes on where there is room, else what has moved is brought back; no whole file is overwritten by a part of one",
)


def plan(resource: Resource[DiskFillSpec], facts: Facts, ledger: Ledger, now: datetime) -> Proposal:
    """See the module. Facts that were not asked for are a KeyError."""
    return _Planning(resource, survey(resource, facts, ledger, now), facts, ledger).proposal()


@dataclass
class _Planning:
    """One proposal in the making."""

    resource: Resource[DiskFillSpec]
    seen: Survey
    facts: Facts
    ledger: Ledger
    actions: list[Action] = field(default_factory=list)
    later: list[Action] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)
    blocked: list[Blocked] = field(default_factory=list)
    landmarks: Landmarks | None = None

    @cached_property
    def rate(self) -> tuple[float, int]:
        """Bytes a second, and how many moves of our own it is the median of; 0: it is assumed."""
        told = [
            past.action.effects.bytes_moved / past.seconds
            for past in self.ledger.history
            if past.action.verb == "move"
            and past.outcome == "done"
            and past.seconds
            and past.action.effects.bytes_moved >= TELLING
        ][-LATEST:]
        return (median(told), len(told)) if told else (ASSUMED_RATE, 0)

    def proposal(self) -> Proposal:
        self.blocked += [*self.seen.view.blocked, *self.seen.disks.blocked, *self.seen.blocked]
        for torn in self.seen.broken.found:
            told = heal(str(self.resource.address), len(self.actions) + 1, self.seen, torn, rate=self.rate[0])
            if isinstance(told, Held):  # files are in danger until somebody looks: never a plan of which all is well
                self.held.append(told)
                what = f"how {torn.candidate.thing.item.title} is mended"
                self.blocked.append(
                    Blocked(what=what, reason=told.reason, remedy=told.way_forward, subjects=1, bytes=told.bytes)
                )
            else:
                self.actions.append(told)
        for candidate, unknown in self.seen.broken.unknown:
            reason = f"{unknown.reason}; a move of it may have stopped half-way"
            self.blocked.append(
                Blocked(
                    what=f"where {candidate.thing.item.title} lies", reason=reason, remedy=unknown.remedy, subjects=1,
                    bytes=candidate.thing.item.bytes or 0, code=unknown.code,
                )
            )  # fmt: skip
        chooser = Chooser(self.seen.ground, final=True)
        choice = chooser.choose()
        self.blocked += choice.blocked
        ids = {
            step.thing.key: f"{self.resource.address}/{len(self.actions) + n}" for n, step in enumerate(choice.near, 1)
        }
        for step in choice.near:
            self.actions.append(self._move(chooser, step, ids, choice))
        for n, step in enumerate(choice.later, len(self.actions) + 1):
            ids[step.thing.key] = f"{self.resource.address}/{n}"
        for step in choice.later:
            self.later.append(self._move(chooser, step, ids, choice, later=True))
        self._hold(choice)
        population = {name: len(server.items) for name, server in self.seen.view.servers.items()}
        return Proposal(
            actions=tuple(self.actions),
            later=tuple(self.later),
            held=tuple(self.held),
            blocked=tuple(self.blocked),
            under_way=self.seen.under_way,
            bars=tuple(self._bar(fill, choice) for fill in self.seen.disks.fills.values()),
            not_checked=self._not_checked(),
            errors=(*self.seen.view.errors, *self.seen.disks.errors, *self._unmatched()),
            summary=texts.summary(
                self.actions,
                self.later,
                self.held,
                None if choice.unsure else choice.solution,
                self.seen,
                rate=self.rate,
            ),
            population=population,
        )

    # --------------------------------------------------------------------------------------------------------- moves

    def _move(
        self, chooser: Chooser, step: Step, ids: dict[str, str], choice: Choice, *, later: bool = False
    ) -> Action:
        thing, size = step.thing, chooser.bytes_of(step.thing.key)
        destination = f"{step.root}/{thing.folder}"
        rows = FileRows(thing.connection, thing.item.id)
        answer = self.facts.get(rows) if self.facts.has(rows) else None
        files = {row.relative: row.bytes for row in answer.value} if isinstance(answer, Known) else {}
        data = self._data(chooser, step, destination, files, choice)
        seen = thing.item.path in data.get("here", {})
        return Action(
            id=ids[thing.key],
            address=str(self.resource.address),
            verb="move",
            subject=thing.subject(self.seen.view.servers[thing.connection].app),
            reason=texts.reason(step, self.seen.disks.fills, choice, settle=self.resource.spec.settle),
            before={"path": thing.item.path},
            after={"path": destination},
            details=() if later else self._checked(thing),
            rests_on={"path": thing.item.path} if later else move_rests_on(thing.item.path, files, seen=seen),
            requires=tuple(ids[key] for key in step.needs if key in ids),
            effects=Effects(
                bytes_moved=size,
                moves=1,
                files=len(files) or thing.item.files or 0,
                seconds=size / self.rate[0],
                disks={step.source: -size, step.target: size},
            ),
            data=data,
            compensation=MEND,
            undo=Compensation(
                verb="move",
                says=f"move it back to {thing.item.path}",
                data=_back(data),
                expects={**SAFE, "list": fingerprint(files)},
            ),
        )

    def _data(
        self, chooser: Chooser, step: Step, destination: str, files: dict[str, int], choice: Choice
    ) -> dict[str, Json]:
        thing, fills = step.thing, self.seen.disks.fills
        stack = self.resource.stack
        places = (
            (path, hardlinks.local_path(stack, thing.connection, path)) for path in (thing.item.path, destination)
        )
        here: dict[str, Json] = {path: seen for path, seen in places if seen is not None}
        on_either = {*fills[step.source].members, *fills[step.target].members}
        return {
            "connection": thing.connection,
            "item_id": thing.item.id,
            "source": thing.item.path,
            "destination": destination,
            "source_root": thing.root,
            "destination_root": step.root,
            "files": [[name, size] for name, size in sorted(files.items())],
            "min_free": fills[step.target].min_free,
            "vouched": fills[step.source].vouched or fills[step.target].vouched,
            "torn": sorted(chooser.torn(thing.connection, thing.root, step.root)),
            "landmarks": self._landmarks(choice).of(step),
            "watch": sorted({c for (c, _), disk in self.seen.view.disk_of.items() if disk in on_either}),
            **({"here": here} if here else {}),
        }

    def _landmarks(self, choice: Choice) -> Landmarks:
        if self.landmarks is None:
            self.landmarks = Landmarks(self.seen, choice)
        return self.landmarks

    def _checked(self, thing: Thing) -> tuple[str, ...]:
        links = hardlinks.query(self.resource.stack, thing)
        checked = ("no hard links", "no symbolic links") if links is not None else ()
        return ("nothing at the target", "every file is there", *checked, "idle")

    # ---------------------------------------------------------------------------------------------------------- rest

    def _hold(self, choice: Choice) -> None:
        torn = {f.candidate.thing.key for f in self.seen.broken.found}
        going = {going.action.subject.ident for going in self.seen.under_way}
        for thing in self.seen.view.things:
            no = choice.held.get(thing.key)
            if no is not None and thing.key not in torn and thing.key not in going:
                self.held.append(self._held(thing, no))

    def _held(self, thing: Thing, no: No) -> Held:
        subject = thing.subject(self.seen.view.servers[thing.connection].app)
        return Held(subject=subject, reason=no.reason, way_forward=no.way, bytes=thing.item.bytes or 0)

    def _bar(self, fill: Fill, choice: Choice) -> Bar:
        short = {s.disk for s in choice.solution.short} if choice.solution else set()
        waits = any(step.source == fill.name for step in (*choice.later, *choice.unsure))
        reached = not waits and fill.name not in short if fill.drain or self.resource.spec.balance else None
        coming = self.seen.coming.get(fill.name, 0)
        return bar(fill, self.actions, coming, settle=self.resource.spec.settle, ok=reached)

    def _not_checked(self) -> tuple[str, ...]:
        moving = [a for a in self.actions if a.verb == "move"]
        if not moving:
            return ()
        things = {thing.key: thing for thing in self.seen.view.things}
        blind = any(hardlinks.query(self.resource.stack, things[a.subject.ident]) is None for a in moving)
        links = ("hard links and linked folders (this machine does not see the files)",) if blind else ()
        others = unseen(self.seen.view)
        inside = tuple(f"what {name} keeps in these folders ({why})" for name, why in sorted(others.items()))
        clients = any(spec.app in APPS for spec in self.resource.stack.connections.values())
        seeding = "seeding (no move asks a torrent client)" if clients else "seeding (no torrent client is declared)"
        return (*links, *inside, seeding, "who watches (no media server is declared)")

    def _unmatched(self) -> tuple[str, ...]:
        """Ids in `exclude` that are no item's: a typing error would let the item move."""
        if self.seen.view.blocked:
            return ()
        known = {item.ident for server in self.seen.view.servers.values() for item in server.items}
        missing = [ident for ident in self.resource.spec.exclude.ids if ident not in known]
        return tuple(f"exclude.ids: no item has the id {ident}; correct it or remove it" for ident in missing)


def _back(data: dict[str, Json]) -> dict[str, Json]:
    """The data of the move the other way round. Going back keeps no limit but what fits on the disk."""
    return {
        **data,
        "source": data["destination"],
        "destination": data["source"],
        "source_root": data["destination_root"],
        "destination_root": data["source_root"],
        "min_free": 0,
    }
