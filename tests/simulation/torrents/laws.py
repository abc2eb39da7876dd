"""The laws over torrents and their files, as far as they show from outside; `simulation.py` asks at the right moments.

What arr may do is reckoned from the wish and the yard (`wish.py`); what it has done is seen in the clients and on the disk:

- a torrent leaves its client only while a plan is applied that lists it, intended durably, and the rules let it go;
- a file leaves its place only with its torrent, or as an orphan that nobody claims; never one that a torrent names which
  stays, never one of the library, never another program's;
- a file leaves the disk only once its time in quarantine is over, or where the wish keeps nothing, or room is needed;
- nothing is overwritten, and nothing is changed by looking.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.action import Action
from reconciler.apply.report import Report
from reconciler.clock import Clock
from reconciler.plan.model import Plan
from resources.clients.localfs.quarantine import DOOMED, FOLDER
from sandbox.torrents.model import Torrent
from sandbox.values import Json
from tests.simulation.torrents import wish as rules
from tests.simulation.torrents.yard import DAY, Client, Yard
from tests.simulation.witness import Broke, Witness

UNTOUCHED = ("stale", "blocked", "refused", "skipped")
LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
Tree = dict[str, tuple[int, int]]


class TorrentLaws:
    """See the module. `wish` gives what is declared now."""

    def __init__(self, yard: Yard, clock: Clock, witness: Witness, wish: Callable[[], Json]) -> None:
        self.yard, self.clock, self.witness, self.wish = yard, clock, witness, wish
        yard.gone = self._gone
        self.at = clock.now()
        self.approved = self.confirmed = False
        self.known: set[str] = set()
        self.taken: dict[str, Torrent] = {}  # hash → torrents that arr took out in this apply
        self.paused: set[str] = set()  # hashes of those that arr has stopped
        self.active: dict[str, bool] = {}
        self.tree: Tree = {}
        self.claims: dict[str, list[tuple[Client, Torrent]]] = {}
        self.aside: dict[int, tuple[datetime, float]] = {}  # size → since when it is in quarantine, and for how long
        self.doomed: set[int] = set()  # sizes of what a purge had begun with
        self.since: dict[str, tuple[datetime, str]] = {}  # name in the downloads → since when it is as it is
        self.plan: Plan | None = None

    # -- one plan or apply

    def before(self) -> None:
        """A plan or an apply is about to begin."""
        self.tree, self.claims, self.at = self.yard.tree(), self.yard.claims(), self.clock.now()
        self.active = {t.hash: t.active for _, t in self.yard.torrents()}
        self.taken = {}
        self.witness.open = {}
        self.plan = None

    def after(self) -> list[str]:
        """It is over: what it broke."""
        wrong = [*self._files(self.yard.tree()), *self._torrents()]
        self.paused |= {a.data["hash"] for a in self._intended("pause")}
        self.remember(self.at)
        return wrong

    def remember(self, at: datetime | None = None) -> None:
        """The files are as they are, by the doing of arr from `at` on, or of a person now; what changes from now on shows."""
        now, by_hand, at = self.yard.tree(), at is None, at or self.clock.now()
        waiting = {size for path, (size, _) in now.items() if self.yard.home(path)}
        self.doomed = {size for size in self.doomed if size in waiting}
        for path, (size, _) in now.items():
            if self.yard.home(path):
                batch = Path(path.partition("/files/")[0])
                self.aside.setdefault(size, (at, self._keep(batch.name)))
                if (batch / DOOMED).exists():
                    self.doomed.add(size)
        self.aside = {size: told for size, told in self.aside.items() if size in waiting}
        names: dict[str, list[str]] = {}
        for path, told in sorted(now.items()):
            top = str(self.yard.downloads)
            if path.startswith(f"{top}/") and f"/{FOLDER}/" not in path:
                names.setdefault(path[len(top) + 1 :].split("/")[0], []).append(f"{path} {told}")
        for name, lines in names.items():
            state = "\n".join(lines)
            if name not in self.since or self.since[name][1] != state:
                # What arr has brought back was there before: the wish that took it is the same.
                self.since[name] = (at if by_hand else LONG_AGO, state)
        self.since = {name: told for name, told in self.since.items() if name in names}

    def _keep(self, batch: str) -> float:
        """How long a batch has to be kept, by the action that makes it."""
        made = next((a for a in self._intended("remove", "quarantine") if a.data.get("batch") == batch), None)
        if made is None:
            return 0.0
        told = self.wish()["torrent_retention"].get(made.address.partition(".")[2])
        return rules.days(told["quarantine"]["keep"]) * DAY if told else 0.0

    # -- files

    def _files(self, now: Tree) -> list[str]:
        wrong = []
        still = {size for size, _ in now.values()}
        for path, (size, inode) in self.tree.items():
            home = self.yard.home(path)
            if f"/{FOLDER}/" in path and not home:
                continue  # a manifest, or the mark of a purge
            if path in now:
                if now[path] != (size, inode):
                    wrong.append(f"{path} was overwritten")
            elif home:
                if size not in still and (says := self._purged(path, size)):
                    wrong.append(says)
            elif says := self._left(path, size, size in still):
                wrong.append(says)
        for path in now.keys() - self.tree.keys():
            if f"/{FOLDER}/" not in path and all(self.yard.home(p) != path for p in self.tree):
                wrong.append(f"{path} was made by nobody")
        return wrong

    def _intended(self, *verbs: str) -> list[Action]:
        return [a for a in self.witness.open.values() if a.verb in verbs]

    def _left(self, path: str, size: int, still: bool) -> str:
        """Why a file should not have left its place; "" when it may."""
        if path.startswith(f"{self.yard.library}/"):
            return f"{path} was in the library"
        removing = {a.data["hash"]: a for a in self._intended("remove")}
        for client, torrent in self.yard.claims().get(path, ()):
            action = removing.get(torrent.hash)
            if action is None or action.subject.connection != client.name:
                return f"{path} is a file of {torrent.name} of {client.name}, which stays"
        owners = [t for _, t in self.claims.get(path, ())]
        mine = [t for t in owners if t.hash in removing]
        orphan = next(
            (a for a in self._intended("quarantine") if f"{path}/".startswith(f"{a.data['path']}/")),
            None,
        )
        if not mine and orphan is None:
            return f"{path} left its place, and nothing of the kind was intended"
        if orphan is not None and (says := self._no_orphan(path, orphan)):
            return says
        if not still and orphan is not None:
            return f"{path} was an orphan, and was deleted at once"
        if not still and not self._at_once(mine):
            return f"{path} was deleted at once, and should wait in quarantine"
        return ""

    def _no_orphan(self, path: str, action: Action) -> str:
        """Why it is none."""
        told = self.wish()["torrent_retention"][action.address.partition(".")[2]]
        if "orphans" not in told:
            return f"{path} was taken for an orphan, and nobody asks for them"
        inode = self.tree[path][1]
        if any(self.tree.get(p, (0, 0))[1] == inode for p in self.claims):
            return f"{path} was taken for an orphan, and is claimed"
        if any(item.startswith("/") and _overlap(item, path) for item in self.wish()["protect"]):
            return f"{path} was taken for an orphan, and is protected"
        name = path[len(str(self.yard.downloads)) + 1 :].split("/", maxsplit=1)[0]
        age = (self.clock.now() - self.since[name][0]).total_seconds()
        if age < rules.days(told["orphans"]["older"]) * DAY:
            return f"{path} was taken for an orphan, and was changed {age:.0f} s ago"
        return ""

    def _at_once(self, owners: list[Torrent]) -> bool:
        """Whether the data of a torrent may go without a time in quarantine: its client deletes it, or nothing is kept."""
        for action in self._intended("remove"):
            if action.data["hash"] in {t.hash for t in owners}:
                told = self.wish()["torrent_retention"][action.address.partition(".")[2]]
                client = self.yard.clients[action.subject.connection]
                if client.app != "rtorrent" or rules.days(told["quarantine"]["keep"]) == 0 or "pressure" in told:
                    return True
        return False

    def _purged(self, path: str, size: int) -> str:
        """Why a file should not have been deleted from quarantine; "" when it may."""
        batch = Path(path.partition("/files/")[0]).name
        action = next((a for a in self._intended("remove", "purge") if a.data.get("batch") == batch), None)
        if action is None:
            return f"{path} was deleted from quarantine, and nothing of the kind was intended"
        home = self.yard.home(path)
        if any(item.startswith("/") and _overlap(item, home) for item in self.wish()["protect"]):
            return f"{path} was deleted from quarantine, and {home} is protected"
        since, keep = self.aside.get(size, (self.at, 0.0))
        pressed = "pressure" in self.wish()["torrent_retention"].get(action.address.partition(".")[2], {})
        if size not in self.doomed and not pressed and self.clock.now() < since + timedelta(seconds=keep):
            return f"{path} was deleted from quarantine before its time"
        return ""

    # -- torrents

    def _gone(self, client: Client, torrent: Torrent) -> None:
        """A client has just taken one out, as it was asked to."""
        says = self._may_not_go(client, torrent)
        if says:
            self.witness.broken.append(f"{torrent.name} of {client.name} was taken out{says}")
        self.taken[torrent.hash] = torrent

    def _may_not_go(self, client: Client, torrent: Torrent) -> str:
        wish, now = self.wish(), self.clock.now()
        action = next(
            (
                a
                for a in self._intended("remove")
                if (a.subject.connection, a.subject.key) == (client.name, torrent.hash)
            ),
            None,
        )
        if self.witness.plan is None:
            return " while nothing was applied"
        if action is None:
            return " without a durable intent"
        if wish["connections"][client.name].get("access") == "read":
            return ", which is declared for reading"
        told = wish["torrent_retention"].get(action.address.partition(".")[2])
        if told is None or told.get("paused") or told["connection"] != client.name:
            return " by a resource that does not ask for it"
        if rules.protected(wish, torrent):
            return ", which is protected"
        if rules.deletes(told, torrent, now) == "pause":
            return ", which should only be stopped"
        if not self.approved and not self.confirmed and action.address not in self.known:
            return " as the first change, and nobody has approved it"
        if rules.may_go(told, torrent, now):
            return ""
        since, rule = self.yard.disowned.get(torrent.hash), told.get("unregistered")
        if rule is None or since is None or (now - since).total_seconds() < rules.days(rule["over"]) * DAY:
            return ", which the rules do not let go"
        if not rules.whole(torrent) or rules.kept(told, torrent, now):
            return ", which is disowned, and kept"
        return ""

    def _torrents(self) -> list[str]:
        wrong = []
        stopping = {a.data["hash"]: a for a in self._intended("pause")}
        busy = {a.data.get("hash") for a in self._intended("remove", "restore")}
        for client, torrent in self.yard.torrents():
            if torrent.active and torrent.hash in self.yard.stopped:
                wrong.append(f"{torrent.name} of {client.name} was started, which a person has stopped")
            if not self.active.get(torrent.hash) or torrent.active:
                continue
            action = stopping.get(torrent.hash)
            if action is None and torrent.hash not in busy:
                wrong.append(f"{torrent.name} of {client.name} was stopped, and nothing of the kind was intended")
            if action is not None:
                told = self.wish()["torrent_retention"][action.address.partition(".")[2]]
                if not rules.may_go(told, torrent, self.clock.now()) and torrent.hash not in self.yard.disowned:
                    wrong.append(f"{torrent.name} of {client.name} was stopped, which the rules do not let go")
        return wrong

    # -- plans and reports

    def begin(self, plan: Plan, *, approved: bool, confirmed: bool) -> None:
        self.plan, self.approved, self.confirmed = plan, approved, confirmed
        self.known = set(self.witness.begun)

    def planned(self, plan: Plan) -> None:
        for part in plan.resources:
            told = self.wish()["torrent_retention"][part.address.partition(".")[2]]
            if told.get("paused") and part.proposal.actions:
                raise Broke(f"{part.address} is paused, and yet there are actions")

    def blind(self, ill: Plan, healthy: Plan) -> None:
        wrong = _decisions(ill) - _decisions(healthy)
        if wrong:
            raise Broke(f"decided because something was not known: {sorted(wrong)}")

    def applied(self, report: Report) -> None:
        now = self.yard.tree()
        self.witness.counts["removals"] += sum(o.action.verb == "remove" and o.state == "done" for o in report.outcomes)
        self.witness.counts["purges"] += sum(o.action.verb == "purge" and o.state == "done" for o in report.outcomes)
        for outcome in report.outcomes:
            action, state = outcome.action, outcome.state
            if state in UNTOUCHED and self._touched(action, now):
                raise Broke(f"{action.subject.ident} is said to be {state}, and was touched")
            if state == "done" and (says := self._not_done(action, now)):
                raise Broke(f"{action.verb} of {action.subject.ident} is said to be done, and {says}")
        listed = {a.subject.ident for a in self.plan.actions()} if self.plan else set()
        beyond = {a.subject.ident for a in self.witness.open.values()} - listed
        if beyond:
            raise Broke(f"done, and not listed: {sorted(beyond)}")
        self._within(report)
        if int(report.exit) == 0 and any(o.state not in ("done", "running") for o in report.outcomes):
            raise Broke(f"exit code 0 of {[o.state for o in report.outcomes]}")

    def _within(self, report: Report) -> None:
        """A guard that nobody has overruled holds."""
        if self.approved:
            return
        for name, told in self.wish()["torrent_retention"].items():
            most = told.get("guard", {}).get("max")
            done = [
                o.action for o in report.outcomes
                if o.state == "done" and o.action.address.endswith(f".{name}") and o.action.effects.destroys
            ]  # fmt: skip
            if most is not None and len(done) > most:
                raise Broke(f"{len(done)} were destroyed in this run, and the limit is {most}")

    def _touched(self, action: Action, now: Tree) -> bool:
        begun = self.witness.open.get(action.subject.ident)
        if begun is None or begun.address != action.address:  # two resources may be about one orphan
            return False
        if action.verb in ("remove", "pause"):
            return action.data["hash"] in self.taken
        return any(path in self.tree and path not in now for path in action.data.get("files", ()))

    def _not_done(self, action: Action, now: Tree) -> str:
        there = {(c.name, t.hash): t for c, t in self.yard.torrents()}
        if action.verb == "remove":
            if (action.subject.connection, action.subject.key) in there:
                return "it is still there"
            left = [p for p in action.data["files"] if action.data["data"] and p in now]
            return f"{left[0]} is still there" if left else ""
        if action.verb in ("pause", "resume"):
            active = there[action.subject.connection, action.subject.key].active
            return "" if active == (action.verb == "resume") else "it is not so"
        if action.verb == "quarantine":
            left = [p for p in action.data["files"] if p in now]
            return f"{left[0]} is still there" if left else ""
        if any(a.data.get("batch") == action.data["batch"] for a in self._intended("remove", "quarantine")):
            return ""  # brought back, and then moved aside anew
        batch = f"/{FOLDER}/{action.data['batch']}/"
        return "it is still in quarantine" if any(batch in path for path in now) else ""

    def settled(self, plan: Plan) -> bool:
        return not any(True for _ in plan.actions())

    def reached(self, plan: Plan) -> None:
        """Whoever may go is gone, or the plan says why not; whoever stays is whole, and seeds."""
        wish, now = self.wish(), self.clock.now()
        homes = {path for p in self.yard.tree() if (path := self.yard.home(p))}
        for path, owners in self.yard.claims().items():
            if path in homes and Path(path).is_file() and all(self._heeded(client) for client, _ in owners):
                raise Broke(f"{path} is in its place, and in quarantine")
        parts = {p.address.partition(".")[2]: p.proposal for p in plan.resources}
        for client, torrent in self.yard.torrents():
            name = f"{torrent.name} of {client.name}"
            if torrent.complete and torrent.hash not in self.yard.messed:
                missing = [p for p, _ in torrent.files if not Path(torrent.directory, p).is_file()]
                if missing:
                    raise Broke(f"{name} has lost {missing[0]}")
            if not rules.whole(torrent):
                continue
            if not torrent.active and self._heeded(client) and torrent.hash not in {*self.yard.stopped, *self.paused}:
                raise Broke(f"{name} was left stopped")
            for address, told in wish["torrent_retention"].items():
                if told["connection"] != client.name or told.get("paused") or "pressure" in told:
                    continue
                self._is_told(parts[address], told, torrent, name, now)

    def _heeded(self, client: Client) -> bool:
        """Whether anything is done in a client at all."""
        wish = self.wish()
        mine = [r for r in wish["torrent_retention"].values() if r["connection"] == client.name]
        return any(not r.get("paused") for r in mine) and wish["connections"][client.name].get("access") != "read"

    def _is_told(self, proposal: Any, told: Json, torrent: Torrent, name: str, now: datetime) -> None:
        if proposal.blocked or not rules.may_go(told, torrent, now) or torrent.hash in self.yard.disowned:
            return
        if rules.deletes(told, torrent, now) == "pause" and not torrent.active:
            return
        if torrent.hash not in {h.subject.key for h in proposal.held}:
            raise Broke(f"{name} may go, and nothing is said of it")


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def _decisions(plan: Plan) -> set[str]:
    return {f"{a.verb} {a.subject.ident} {sorted(a.after.items())}" for a in plan.actions()}
