"""The laws of `apply` and `plan` as far as they show from outside; `simulation.py` asks at the right moments.

What arr may do is reckoned here anew, from the wish and the world, by the shortest rule that says it; nothing of the
engine's own arithmetic is used.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from reconciler.action import Action
from reconciler.apply.report import Report
from reconciler.clock import Clock
from reconciler.plan.model import Plan
from sandbox.values import Json
from tests.simulation.server import Server
from tests.simulation.witness import Broke, Witness
from tests.simulation.world import World

DAY = timedelta(days=1)
UNTOUCHED = ("stale", "blocked", "refused", "skipped")
UNITS = {"GB": 10**9, "TB": 10**12}


def amount(text: str) -> int:
    """Bytes of `80 GB`."""
    number, unit = text.split()
    return int(float(number) * UNITS[unit])


def share(text: str) -> float:
    return float(text.rstrip("%")) / 100


class Laws:
    """See the module. `wish` gives what is declared now."""

    def __init__(self, world: World, clock: Clock, witness: Witness, wish: Callable[[], Json]) -> None:
        self.world, self.clock, self.witness, self.wish = world, clock, witness, wish
        witness.judge = self.judge
        self.made: set[tuple[str, str]] = set()  # (address, subject) that arr has sent a creation of
        self.deleted: list[datetime] = []
        self.moved: list[tuple[datetime, str, str, int]] = []  # when, address, subject, bytes
        self.begun = witness.begun
        self.plan: Plan | None = None
        self.approved = self.confirmed = False
        self.run: list[tuple[str, str]] = []  # (verb, address) sent in this apply

    # -- while it is done

    def begin(self, plan: Plan, *, approved: bool, confirmed: bool) -> None:
        self.plan, self.approved, self.confirmed, self.run = plan, approved, confirmed, []
        self.known = set(self.begun)

    def judge(self, action: Action, server: Server, verb: str, what: dict[str, Any]) -> None:
        """A write of `action` is about to be sent."""
        if self.wish()["connections"][server.name].get("access") == "read":
            raise self.witness.caught(f"{verb} was sent to {server.name}, which is declared for reading")
        if verb == "create":
            self.made.add((action.address, action.subject.ident))
        elif verb == "delete":
            self._deletion(action)
        elif verb == "move" and what["files"] and action.verb == "move":
            self._move(action, server, what["to"])
        # A heal moves files too, and is bound by no pace.
        self.run.append((action.verb if verb == "move" else verb, action.address))

    def _deletion(self, action: Action) -> None:
        ident, label = action.subject.ident, action.subject.key
        if (action.address, ident) not in self.made:
            raise self.witness.caught(f"{ident} was deleted, which {action.address} never made")
        wish, now = self.wish(), self.clock.now()
        own = wish.get("tag", {}).get(action.address.partition(".")[2], {})
        every = [*wish.get("protect", []), *(p for t in wish.get("tag", {}).values() for p in t.get("protect", []))]
        if f"tag:{label}" in every:
            raise self.witness.caught(f"{ident} was deleted, which is protected")
        if not self.approved:
            guards = wish.get("guards", {})
            limits = (guards.get("destroy", {}).get("max"), own.get("guard", {}).get("max"))
            mine = [a for v, a in self.run if v == "delete"]
            for limit, count in ((limits[0], len(mine)), (limits[1], mine.count(action.address))):
                if limit is not None and count + 1 > limit:
                    raise self.witness.caught(
                        f"{ident} was deleted as number {count + 1} of this run; the limit is {limit}"
                    )
            day, today = guards.get("per_day", {}).get("max"), sum(at > now - DAY for at in self.deleted)
            # Who is told a list of before the deletion takes it for failed, and does not count it.
            if day is not None and today + 1 > day and not self.world.lied:
                raise self.witness.caught(f"{ident} was deleted as number {today + 1} of this day; the limit is {day}")
        self.deleted.append(now)

    def _move(self, action: Action, server: Server, to: str) -> None:
        wish, now = self.wish(), self.clock.now()
        size = sum(size for _, size in action.data["files"])
        self.moved.append((now, action.address, action.subject.ident, size))
        if action.undo is None:  # a person has asked for this very one
            return
        if not (self.approved or self.confirmed) and action.address not in self.known:
            raise self.witness.caught(
                f"{action.subject.ident} was moved as the first change, and nobody has approved it"
            )
        disk = next(d for d in wish["disks"].values() if to.rpartition("/")[0] == d["roots"].get(server.name))
        total, free = self.world.files.disks[self.world.files.disk_of(to)], self.world.files.free(to)
        keeps = [amount(disk["keep_free"])] if "keep_free" in disk else []
        keeps += [round(total * (1 - share(disk["max"])))] if "max" in disk else []
        # The room is told as it was at an earlier moment: nobody can see through that.
        if free - size < max(keeps, default=0) - 10 and not self.world.lied:
            raise self.witness.caught(
                f"{action.subject.ident} overfills {to}: {free} free, {size} to come, {keeps} to stay free"
            )
        self._pace(wish["disk_fill"].get(action.address.partition(".")[2], {}).get("moves", {}), action, now)

    def _pace(self, moves: Json, action: Action, now: datetime) -> None:
        count = sum(a == action.address for v, a in self.run if v == "move")
        if moves.get("per_run") is not None and count + 1 > moves["per_run"]:
            raise self.witness.caught(
                f"{action.subject.ident} is move {count + 1} of this run; {moves['per_run']} are the pace"
            )
        today = [size for at, address, _, size in self.moved if at > now - DAY and address == action.address]
        day = moves.get("per_day", {})
        if day.get("count") is not None and len(today) > day["count"]:
            raise self.witness.caught(
                f"{action.subject.ident} is move {len(today)} of this day; {day['count']} are the pace"
            )
        if day.get("bytes") is not None and sum(today) > amount(day["bytes"]):
            raise self.witness.caught(
                f"{action.subject.ident} makes {sum(today)} bytes of this day; {day['bytes']} are the pace"
            )

    # -- afterwards

    def applied(self, report: Report) -> None:
        """What the report says is so, and what it says was not touched was not."""
        honest = not any(f.code == "stale" for f in self.world.faults)
        for outcome in report.outcomes:
            ident, state = outcome.action.subject.ident, outcome.state
            if state in UNTOUCHED and ident in self.witness.wrote:
                raise Broke(f"{ident} is said to be {state}, and something was sent")
            if state == "done" and honest:
                self._is_done(outcome.action)
            if state in ("failed", "refused"):  # it did not happen, so it does not count as one of the day
                self.moved = [m for m in self.moved if m[2] != ident or m[0] < self.clock.now() - DAY]
        if int(report.exit) == 0 and any(o.state not in ("done", "running") for o in report.outcomes):
            raise Broke(f"exit code 0 of {[o.state for o in report.outcomes]}")

    def _is_done(self, action: Action) -> None:
        server = self.world.servers[action.subject.connection]
        label, labels = action.subject.key, set(server.tags.values())
        if action.subject.type == "tag":
            if (label in labels) != (action.verb != "delete"):
                raise Broke(f"{action.verb} of {action.subject.ident} is said to be done, and is not")
            return
        row = next((r for r in server.items.values() if r.ident == action.subject.key), None)
        expected = {s for _, s in action.data.get("expected") or action.data["files"]}
        found = {s for _, s in self.world.files.below(row.path)} if row else set()
        if row is None or row.path != action.after["path"] or not expected <= found:
            raise Broke(f"{action.verb} of {action.subject.ident} is said to be done, and is not")

    # -- plans

    def planned(self, plan: Plan) -> None:
        """What a plan may list at all."""
        if self.witness.wrote:
            self.witness.wrote = set()
        wish = self.wish()
        stale = any(f.code == "stale" for f in self.world.faults)
        for part in plan.resources:
            kind, _, name = part.address.partition(".")
            told = wish[kind][name]
            if told.get("paused") and (part.proposal.actions or part.proposal.later):
                raise Broke(f"{part.address} is paused, and yet there are actions")
            if kind == "disk_fill" and not stale:
                for action in part.proposal.actions:
                    self._may_move(action, told.get("exclude", {}))

    def _may_move(self, action: Action, exclude: Json) -> None:
        server = self.world.servers[action.subject.connection]
        row = next(r for r in server.items.values() if r.ident == action.subject.key)
        labels = {server.tags[t] for t in row.tags}
        if self.wish()["connections"][server.name].get("access") == "read":
            raise Broke(f"{action.subject.ident} would be moved by {server.name}, which is declared for reading")
        if action.verb == "move" and (row.ident in exclude.get("ids", ()) or labels & {*exclude.get("tags", ())}):
            raise Broke(f"{action.subject.ident} would be moved, which is excluded")
        if action.verb == "move" and row.id in server.queue:
            raise Broke(f"{action.subject.ident} would be moved, which is being downloaded")

    def blind(self, ill: Plan, healthy: Plan) -> None:
        """Law 4: `ill` was made while faults were on, `healthy` at the same moment without them."""
        wrong = decisions(ill) - decisions(healthy)
        if wrong:
            raise Broke(f"decided because something was not known: {sorted(wrong)}")

    def settled(self, plan: Plan) -> bool:
        """Whether nothing is left to do."""
        waits = any(p.proposal.later or p.proposal.under_way for p in plan.resources)
        return not any(True for _ in plan.actions()) and not waits and not self.world.busy

    def reached(self, plan: Plan) -> None:
        """The world is as declared, or the plan says what is not and why."""
        wish = self.wish()
        held = {h.subject.ident for p in plan.resources for h in p.proposal.held}
        for name, told in wish.get("tag", {}).items():
            for connection in () if told.get("paused") else told["connections"]:
                label, server = told.get("label") or name, self.world.servers[connection]
                writable = wish["connections"][connection].get("access") != "read"
                if writable and label not in server.tags.values() and f"{connection}:tag/{label}" not in held:
                    raise Broke(f"{connection} has no tag {label}, and nothing is to be done about it")
        for part in plan.resources:
            proposal = part.proposal
            words = proposal.held or proposal.blocked or proposal.errors or proposal.summary
            if any(not bar.ok for bar in proposal.bars) and not words:
                raise Broke(f"{part.address} misses its target, and does not say why")


def decisions(plan: Plan) -> set[str]:
    """What is decided: verb, subject and goal."""
    return {f"{a.verb} {a.subject.ident} {sorted(a.after.items())}" for a in plan.actions()}
