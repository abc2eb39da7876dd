"""From the world to a programme of moves: builds the solver's problem, and knows what still has to be asked.

Pure. `reads` calls it for the queries of the second and third wave, `planning` for the result; both see the same choice.
A move is only ever proposed when its files were counted, its target listed and its two roots proven to be two. What could
not be looked at is not replaced by something else: the choice is the one that it would be, without those moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from reconciler.action import Blocked
from reconciler.facts import Absent, Facts, Known, Query, Unknown
from reconciler.kind import Ledger, Resource
from reconciler.units import size_text
from resources.clients.servarr import FileRows, Listing, Tree
from resources.disk_fill import hardlinks, solver
from resources.disk_fill.disks import Disks, Fill
from resources.disk_fill.eligibility import HIDDEN, No
from resources.disk_fill.proof import unmounted, unproven
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.words import count
from resources.disk_fill.world import Thing, View

ROUNDS = 6  # solving again without what turned out not to be movable
SLACK = 1000  # a receiving disk keeps 1/1000 of its size beyond its limit: folders, blocks, files that no app tracks
BALANCE = 0.01


@dataclass(frozen=True, slots=True)
class Step:
    """A move of the programme, in order. `needs`: keys of things whose earlier moves make the room."""

    thing: Thing
    source: str
    target: str
    root: str
    needs: tuple[str, ...]


@dataclass
class Choice:
    """The programme. `near` is within the pace, `later` beyond it; `wants` is what has to be asked before `near` counts.

    `unsure`: moves that would be in it, and rest on what was asked and not answered, or need one that does.
    """

    near: list[Step] = field(default_factory=list)
    later: list[Step] = field(default_factory=list)
    wants: list[Query[Any]] = field(default_factory=list)
    solution: solver.Solution | None = None
    held: dict[str, No] = field(default_factory=dict)
    blocked: list[Blocked] = field(default_factory=list)
    unsure: list[Step] = field(default_factory=list)


@dataclass
class Ground:
    """What a choice stands on. `nos`: things that stay, by key. `reserved`: disk → bytes that are on their way to it
    (negative: that are leaving). `torn`: (connection, root) → folders that a broken or running move has left there."""

    resource: Resource[DiskFillSpec]
    view: View
    disks: Disks
    nos: Mapping[str, No]
    facts: Facts
    ledger: Ledger
    now: datetime
    reserved: Mapping[str, int]
    torn: Mapping[tuple[str, str], frozenset[str]]


class Chooser:
    """One choice. `final`: nothing more will be asked, so what is not known excludes."""

    def __init__(self, ground: Ground, *, final: bool) -> None:
        self.ground, self.final = ground, final
        self.fills = ground.disks.fills
        self.things = {t.key: t for t in ground.view.things if ground.disks.of.get(t.disk) in self.fills}
        self.nos = dict(ground.nos)
        self.folded = {
            place: frozenset(name.casefold() for name in names) if names is not None else None
            for place, names in ground.view.names.items()
        }
        self.sizes: dict[str, int] = {}
        self.blocked: list[Blocked] = []
        self.unseen: set[str] = set()  # things that were asked about without an answer
        self.barred: dict[tuple[str, str], str] = {}  # (thing, disk) → why it may not go there
        self._targets: dict[tuple[str, str, bool], dict[str, tuple[str, str]]] = {}
        self._opens: dict[tuple[str, str], tuple[frozenset[str], tuple[str, ...]]] = {}
        self._known()

    def choose(self) -> Choice:
        """Solve, and see what the first moves rest on; without those that cannot be proven, again."""
        out = Choice()
        for _ in range(ROUNDS):
            problem = self.problem()
            solution = solver.solve(problem)
            steps = [self._step(move) for move in solution.moves]
            near = self._paced(steps)
            out = Choice(steps[:near], steps[near:], solution=solution, blocked=self.blocked)
            out.wants = [q for step in out.near for q in self.asks(step) if not self.ground.facts.has(q)]
            if not (self.final and out.wants):
                break
            for step in out.near:
                if any(not self.ground.facts.has(q) for q in self.asks(step)):
                    self.nos[step.thing.key] = No("it was not looked at in this run", "the next plan looks at it")
        else:
            out.later, out.near = [*out.near, *out.later], []
        if self.final:
            self._leave_unsure(out)
        if self.final and out.solution is not None:
            out.held = self._held(out)
        return out

    def _leave_unsure(self, out: Choice) -> None:
        """Take out the moves that rest on what is not known, and those that need them."""
        left: set[str] = set()
        for step in (*out.near, *out.later):
            if self._unsure(step) or not left.isdisjoint(step.needs):
                left.add(step.thing.key)
                out.unsure.append(step)
        out.near = [step for step in out.near if step.thing.key not in left]
        out.later = [step for step in out.later if step.thing.key not in left]

    def _unsure(self, step: Step) -> bool:
        roots = (step.thing.root, step.root)
        unseen = any(self._unlisted(step.thing.connection, root) is not None for root in roots)
        return unseen or step.thing.key in self.unseen

    def _unlisted(self, connection: str, root: str) -> Unknown | None:
        """Why a root could not be listed, when it was asked for."""
        listing = Listing(connection, root)
        seen = self.ground.facts.get(listing) if self.ground.facts.has(listing) else None
        return seen if isinstance(seen, Unknown) else None

    def asks(self, step: Step) -> list[Query[Any]]:
        """What has to be known of one move: its files as the app has them and as they are, and the target's contents."""
        connection, item = step.thing.connection, step.thing.item
        out: list[Query[Any]] = [
            FileRows(connection, item.id), Tree(connection, item.path), Listing(connection, step.root)
        ]  # fmt: skip
        if self.ground.view.names[connection, step.thing.root] is None:
            out.append(Listing(connection, step.thing.root))
        links = hardlinks.query(self.ground.resource.stack, step.thing)
        return [*out, links] if links is not None else out

    # ------------------------------------------------------------------------------------------ what is known of items

    def _known(self) -> None:
        """What earlier waves found about single items: their true size, missing files, hard links."""
        by_id = {(t.connection, t.item.id): t for t in self.things.values()}
        asked = {(q.connection, q.item_id): a for q, a in self.ground.facts.answers.items() if isinstance(q, FileRows)}
        for which, answer in sorted(asked.items(), key=itemgetter(0)):  # whatever order they came in
            thing = by_id.get(which)
            if thing is not None and thing.key not in self.nos:
                self._examine(thing, answer)

    def _examine(self, thing: Thing, rows: Any) -> None:
        tree = Tree(thing.connection, thing.item.path)
        if not self.ground.facts.has(tree):
            return
        found = self.ground.facts.get(tree)
        for answer in (rows, found):
            if isinstance(answer, Unknown):
                self._block(thing, "its files", answer)
                return
        if isinstance(rows, Absent) or not isinstance(found, Known):
            self.nos[thing.key] = No(f"{thing.connection} does not have it any more")
            return
        here = {file.relative: file.bytes for file in found.value}
        away = [row.relative for row in rows.value if row.relative not in here]
        other = [row.relative for row in rows.value if here.get(row.relative, row.bytes) != row.bytes]
        if away or other:
            many, how = len(away or other), "missing" if away else f"of another size than {thing.connection} knows"
            self.nos[thing.key] = No(
                f"{many} of its {count(len(rows.value), 'file')} {'is' if many == 1 else 'are'} {how}: {(away or other)[0]}",
                f"bring them back, or let {thing.connection} rescan it",
            )
            return
        self.sizes[thing.key] = max(thing.item.bytes or 0, sum(row.bytes for row in rows.value))
        self._linked(thing, len(rows.value))

    def _linked(self, thing: Thing, files: int) -> None:
        links = hardlinks.query(self.ground.resource.stack, thing)
        if links is None or not self.ground.facts.has(links):
            return
        answer = self.ground.facts.get(links)
        if isinstance(answer, Unknown):
            self._block(thing, "its links", answer)
        elif isinstance(answer, Known):
            no = hardlinks.no(answer.value, files)
            if no is not None:
                self.nos[thing.key] = no

    def _block(self, thing: Thing, what: str, answer: Unknown) -> None:
        title = thing.item.title
        self.blocked.append(
            Blocked(
                what=f"moving {title}", reason=f"{what} ({answer.reason})", remedy=answer.remedy, subjects=1,
                bytes=thing.item.bytes or 0, code=answer.code,
            )
        )  # fmt: skip
        self.unseen.add(thing.key)

    def _unmounted(self, connection: str, root: str, seen: Known[Any]) -> str:
        """A bare mount point lists nothing of what the app has there, and its free space is that of another disk."""
        torn = self.torn(connection, root)
        mine = (t for t in self.ground.view.things if (t.connection, t.root) == (connection, root) and t.item.files)
        expected = [t.folder for t in mine if t.folder not in torn and t.folded not in HIDDEN]
        says = unmounted(expected, (entry.name for entry in seen.value), connection)
        if says:
            told = Blocked(
                what=f"moves to {root}", reason=f"whether {root} is mounted: it {says}",
                remedy=f"is it mounted? arr doctor {connection}", code="unmounted",
            )  # fmt: skip
            if told not in self.blocked:
                self.blocked.append(told)
        return says

    def _block_root(self, what: str, connection: str, answer: Unknown) -> None:
        told = Blocked(
            what=what, reason=f"what lies there, as {connection} sees it ({answer.reason})",
            remedy=answer.remedy, code=answer.code,
        )  # fmt: skip
        if told not in self.blocked:
            self.blocked.append(told)

    # ------------------------------------------------------------------------------------------------------- targets

    def targets(self, thing: Thing, *, proven: bool = True) -> dict[str, tuple[str, str]]:
        """Disk → (root that the thing would get there, why it may not go there or "")."""
        key = (thing.connection, thing.root, proven)
        if key not in self._targets:
            self._targets[key] = {
                name: (root, self._barred(thing, root, fill) if proven else "")
                for name, fill in self.fills.items()
                if name != self.home(thing) and not fill.drain
                if (root := self._root_on(thing, fill)) is not None
            }
        return self._targets[key]

    def _root_on(self, thing: Thing, fill: Fill) -> str | None:
        """Where an app has several roots on a disk, an item keeps its place in the list."""
        stack, connection = self.ground.resource.stack, thing.connection
        mine = stack.disks[thing.disk].roots_of(connection)
        theirs = [root for member in fill.members for root in stack.disks[member].roots_of(connection)]
        usable = [root for root in theirs if (connection, root) in self.ground.view.disk_of]
        place = mine.index(thing.root) if thing.root in mine else 0
        if place < len(theirs) and theirs[place] in usable:
            return theirs[place]
        return usable[0] if usable else None

    def _barred(self, thing: Thing, root: str, fill: Fill) -> str:
        """Why nothing may move between these two roots; "" when they are proven to be two, or might still be."""
        unlisted = {f"moves to {root}": self._unlisted(thing.connection, root)}
        unlisted[f"moves from {thing.root}"] = self._unlisted(thing.connection, thing.root)
        for what, answer in unlisted.items():
            if answer is not None:
                self._block_root(what, thing.connection, answer)
                return ""  # it is chosen as it would be, and then left (see `_leave_unsure`)
        listing = Listing(thing.connection, root)
        seen = self.ground.facts.get(listing) if self.ground.facts.has(listing) else None
        if isinstance(seen, Known) and (says := self._unmounted(thing.connection, root, seen)):
            return f"{root} {says}"
        if fill.vouched or self.fills[self.home(thing)].vouched:
            return ""
        names = self.ground.view.names
        one, other = names[thing.connection, thing.root], names[thing.connection, root]
        if one is None or other is None:
            return f"what lies in {thing.root if one is None else root} was not told" if self.final else ""
        torn = self.torn(thing.connection, thing.root, root)
        return unproven(one - torn, other - torn, (thing.root, root))

    def torn(self, connection: str, *roots: str) -> frozenset[str]:
        """Folders that moves have left in these roots: they prove nothing."""
        return frozenset[str]().union(*(self.ground.torn.get((connection, root), ()) for root in roots))

    def eligible(self, thing: Thing) -> tuple[str, ...]:
        """The disks that it may go to: proven, and without a folder of its name."""
        taken, open_disks = self._opens.get((thing.connection, thing.root)) or self._open(thing)
        if thing.folded not in taken:
            return open_disks
        out = []
        for disk, (root, barred) in self.targets(thing).items():
            names = self.folded[thing.connection, root]
            if names is not None and thing.folded in names and not self._empty(thing, root):
                self.barred[thing.key, disk] = (
                    f"there is a folder {root}/{thing.folder} already{self._sides(thing, root)}"
                )
            elif not barred:
                out.append(disk)
        return tuple(out)

    def _open(self, thing: Thing) -> tuple[frozenset[str], tuple[str, ...]]:
        """For all things of one root: the names at their targets, and the disks that are open to any other name."""
        targets = self.targets(thing)
        names = (self.folded[thing.connection, root] or () for root, _ in targets.values())
        found = (frozenset[str]().union(*names), tuple(disk for disk, (_, barred) in targets.items() if not barred))
        self._opens[thing.connection, thing.root] = found
        return found

    def _there(self, thing: Thing, root: str) -> dict[str, int] | None:
        """The files at a target of this name, where they were looked at."""
        tree = Tree(thing.connection, f"{root}/{thing.folder}")
        answer = self.ground.facts.get(tree) if self.ground.facts.has(tree) else None
        return {file.relative: file.bytes for file in answer.value} if isinstance(answer, Known) else None

    def _empty(self, thing: Thing, root: str) -> bool:
        """A folder without a file in it is in nobody's way: a move that failed at its first file leaves one."""
        return self._there(thing, root) == {}

    def _sides(self, thing: Thing, root: str) -> str:
        """Both sides of a collision, as far as they were looked at."""
        there = self._there(thing, root)
        if there is None:
            return ""
        here = f"{count(thing.item.files or 0, 'file')}, {size_text(thing.item.bytes or 0)} here"
        return f": {count(len(there), 'file')}, {size_text(sum(there.values()))} there, {here}"

    # ------------------------------------------------------------------------------------------------------- solving

    def home(self, thing: Thing) -> str:
        """The disk that it lies on, by the name used here."""
        return self.ground.disks.of[thing.disk]

    def bytes_of(self, key: str) -> int:
        return self.sizes.get(key, self.things[key].item.bytes or 0)

    def problem(self, *, free_will: bool = False) -> solver.Problem:
        """The solver's question. `free_will`: as if nothing were held, to see what the holding changes."""
        items, of, sizes, nos = [], self.ground.disks.of, self.sizes, self.nos
        for key, thing in self.things.items():
            if free_will:
                may: tuple[str, ...] = tuple(self.targets(thing, proven=False))
            else:
                may = self.eligible(thing) if key not in nos else ()
            size = sizes.get(key, thing.item.bytes or 0)
            items.append(solver.Item(key, size, of[thing.disk], may, None, bool(may)))
        problem = solver.Problem(tuple(self._disk(fill) for fill in self.fills.values()), tuple(items))
        if self.ground.resource.spec.balance:
            problem = solver.balanced(problem, BALANCE)
        return problem

    def _disk(self, fill: Fill) -> solver.Disk:
        free = max(0, fill.free - self.ground.reserved.get(fill.name, 0))
        least = fill.min_free
        if free >= least:
            least = min(free, least + (fill.size or least) // SLACK)
        return solver.Disk(
            fill.name, free, min_free=least, settle_free=max(least, fill.settle_free), drain=fill.drain,
            capacity=fill.size,
        )  # fmt: skip

    def _step(self, move: solver.Move) -> Step:
        thing = self.things[move.item]
        return Step(thing, move.source, move.target, self.targets(thing)[move.target][0], move.needs)

    def _paced(self, steps: list[Step]) -> int:
        """How many of the first steps this run may begin, after what the last 24 hours have seen."""
        moves = self.ground.resource.spec.moves
        since = self.ground.now - timedelta(days=1)
        today = [
            p.action for p in self.ground.ledger.history if p.at > since and p.outcome not in ("failed", "not-done")
        ]
        today = [a for a in (*today, *(p.action for p in self.ground.ledger.pending)) if a.verb == "move"]
        today = [a for a in today if a.address == str(self.ground.resource.address)]
        count = moves.per_day.count
        left = min(
            moves.per_run if moves.per_run is not None else len(steps),
            max(0, count - len(today)) if count is not None else len(steps),
        )
        if moves.per_day.bytes is None:
            return min(left, len(steps))
        room = moves.per_day.bytes - sum(a.effects.bytes_moved for a in today)
        for number, step in enumerate(steps[:left]):
            room -= self.bytes_of(step.thing.key)
            if room < 0:
                return number
        return min(left, len(steps))

    def _held(self, out: Choice) -> dict[str, No]:
        """What would move if nothing were held, and everything held on a disk that misses its target."""
        if not self.nos and not self.barred and not any(b for t in self._targets.values() for _, b in t.values()):
            return {}
        short = {s.disk for s in out.solution.short} if out.solution else set()
        wished = solver.solve(self.problem(free_will=True))
        going = {move.item: move.target for move in wished.moves}
        chosen = {step.thing.key for step in (*out.near, *out.later, *out.unsure)}
        held: dict[str, No] = {}
        for key, thing in self.things.items():
            if key in chosen or (key not in going and self.home(thing) not in short):
                continue
            no = self.nos.get(key)
            if no is None and key in going:
                no = self._why_not_there(thing, going[key])
            if no is not None and not no.quiet:
                held[key] = no
        return held

    def _why_not_there(self, thing: Thing, disk: str) -> No | None:
        told = self.barred.get((thing.key, disk)) or self.targets(thing)[disk][1]
        return No(told) if told else None
