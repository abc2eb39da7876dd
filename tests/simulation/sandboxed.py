"""The same world in the sandbox, and arr over both: what `test_against_sandbox.py` holds against each other.

`Twin` carries out operations of `simulation.py` on the world in memory and on real servers at once. After each, both are
let come to rest and have to show the same: the plan, the outcomes, every file, every item, every tag.
"""

from __future__ import annotations

import http.client
import json
import re
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.apply.follow import Patience
from reconciler.apply.report import Report
from reconciler.clock import SystemClock
from reconciler.plan.model import Plan
from reconciler.session import Session
from sandbox.process import Stack
from sandbox.servarr.app import Timing
from sandbox.values import Json
from tests.simulation import stage
from tests.simulation.course import TIMES
from tests.simulation.drift import DRIFTS, Held
from tests.simulation.simulation import Simulation

QUICK = Patience(first=0.02, most=0.1, settle=1.0, silence=2.0)
WORDS = {"sonarr": ("series", "episodefile", "seriesId", "tvdb"), "radarr": ("movie", "moviefile", "movieId", "tmdb")}
PATHS = {"Items": "", "Roots": "rootfolder", "Queue": "queue", "FileRows": "file", "Commands": "command"}
REST_S = 20.0


class Shifted(SystemClock):
    """The machine's time, moved by hours where a simulation says so; its waits are a tenth."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


class SandboxHands:
    """`drift.Hands` of the sandbox's servers. `memory` gives the sizes of new files: they have to be the same."""

    def __init__(self, stack: Stack, memory: Any) -> None:
        self.stack, self._memory = stack, memory
        self.disks, self.roots = dict(memory.disks), dict(memory.roots)

    def ask(self, server: str, method: str, path: str, body: Any = None) -> Any:
        """One call past arr; a refusal is no answer."""
        handle = self.stack[server]
        line = http.client.HTTPConnection("127.0.0.1", handle.port, timeout=REST_S)
        headers = {"X-Api-Key": handle.api_key, "Content-Type": "application/json"}
        try:
            line.request(method, f"/api/v3/{path}", None if body is None else json.dumps(body), headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        return json.loads(text) if text and answer.status < 300 else None

    def words(self, server: str) -> tuple[str, str, str, str]:
        return WORDS[self.stack[server].app]

    def items(self) -> list[Held]:
        found = []
        for name in self.stack.handles:
            word, _, _, side = self.words(name)
            labels = {t["id"]: t["label"] for t in self.ask(name, "GET", "tag")}
            for row in sorted(self.ask(name, "GET", word), key=lambda r: int(r["id"])):
                tags = frozenset(labels[t] for t in row["tags"])
                found.append(Held(name, row["id"], f"{side}:{row[side + 'Id']}", row["title"], row["path"], tags))
        return found

    def files(self) -> dict[str, int]:
        return {f["path"]: f["size"] for f in self.stack.tree(list(self.disks)) if not f["path"].endswith("/")}

    def busy(self) -> bool:
        going = ("queued", "started")
        return any(c["status"] in going for name in self.stack.handles for c in self.ask(name, "GET", "command"))

    def rest(self) -> None:
        end = time.monotonic() + REST_S
        while self.busy():
            assert time.monotonic() < end, "the servers do not come to rest"
            time.sleep(0.02)

    def free(self, disk: str) -> int:
        return self.stack.world.disks.free(disk)

    def put(self, item: Held, path: str, *, move: bool) -> None:
        word = self.words(item.server)[0]
        row = self.ask(item.server, "GET", f"{word}/{item.id}")
        self.ask(item.server, "PUT", f"{word}/{item.id}?moveFiles={str(move).lower()}", {**row, "path": path})

    def rescan(self, item: Held) -> None:
        name = {"series": "RescanSeries", "movie": "RescanMovie"}[self.words(item.server)[0]]
        self.ask(item.server, "POST", "command", {"name": name, self.words(item.server)[2]: item.id})

    def label(self, item: Held, label: str) -> None:
        number = self.ask(item.server, "POST", "tag", {"label": label})["id"]
        word = self.words(item.server)[0]
        row = self.ask(item.server, "GET", f"{word}/{item.id}")
        tags = [t for t in row["tags"] if t != number]
        row["tags"] = tags if len(tags) < len(row["tags"]) else [*tags, number]
        self.ask(item.server, "PUT", f"{word}/{item.id}", row)

    def tag(self, server: str, label: str) -> None:
        found = next((t["id"] for t in self.ask(server, "GET", "tag") if t["label"] == label), None)
        if found is None:
            self.ask(server, "POST", "tag", {"label": label})
        else:
            self.ask(server, "DELETE", f"tag/{found}")

    def make_file(self, path: str, size: int) -> None:
        if path not in self.files():
            self.stack.event({"make_file": {"path": path, "size": size}})

    def remove(self, path: str) -> None:
        self.stack.event({"remove": {"path": path}})

    def rename(self, source: str, target: str) -> None:
        if target not in self.files():
            self.stack.event({"rename": {"from": source, "to": target}})

    def new_size(self, about: int) -> int:
        return int(self._memory.new_size(about))


class Twin:
    """See the module."""

    def __init__(self, folder: Path, begin: Json) -> None:
        self.folder = folder
        self.memory = Simulation()
        self.memory.do(begin)
        for server in self.memory.world.servers.values():
            server.retained = float("inf")  # the other servers remember as well: for them no hours pass
        told = {k: v for k, v in begin.items() if k != "op"}
        folder.chmod(0o755)
        self.stack = Stack(folder / "home", stage.stage(told), timing=Timing(retry_s=0.05, metadata_s=0.0))
        self.clock = Shifted()
        self.plans: tuple[Plan, Plan] | None = None

    def __enter__(self) -> Twin:
        self.stack.start()
        self.hands = SandboxHands(self.stack, self.memory.hands)
        self._same()
        return self

    def __exit__(self, *_error: object) -> None:
        self.stack.close()
        self.memory.__exit__()

    @property
    def session(self) -> Session:
        connections = {
            name: {**told, "url": self.stack[name].url, "api_key": {"file": str(self.folder / "key")}}
            for name, told in self.memory.wish["connections"].items()
        }
        (self.folder / "key").write_text(stage.KEY)
        (self.folder / "wish.yaml").write_text(json.dumps({**self.memory.wish, "connections": connections}))
        return Session([self.folder / "wish.yaml"], self.folder / "state", clock=self.clock, patience=QUICK)

    # -- operations

    def do(self, op: Json) -> None:
        """The operation in both worlds; then both at rest, and both the same."""
        name, told = op["op"], {k: v for k, v in op.items() if k != "op"}
        if name == "drift":
            new = self.memory.hands._serial
            self.memory.do(op)
            self.memory.hands._serial, after = new, self.memory.hands._serial
            DRIFTS[told["what"]](self.hands, told["a"], told["b"], told["c"])
            self.memory.hands._serial = max(after, self.memory.hands._serial)
        elif name == "go":
            self._go()
        elif name == "time":
            self.memory.clock.advance(TIMES[told["how"]])
            self.clock.ahead += timedelta(seconds=TIMES[told["how"]])
        elif name == "broken":
            self._broken(**told)
        elif name == "lost":
            self._lost(**told)
        elif name == "unread":
            self._unread(**told)
        else:
            self.memory.do(op)
        self._same()

    def _go(self) -> None:
        plan = self.memory._make_plan()
        real = self.session.plan()
        assert plan is not None
        assert bare(plan) == bare(real), f"in memory: {bare(plan)}\nin the sandbox: {bare(real)}"
        report = self.memory._do_plan(plan, approve=True)
        assert report is not None
        done = self.session.apply(real, approve=real.id)
        assert ends(report) == ends(done), f"in memory: {report}\nin the sandbox: {done}"
        self.memory.world.faults.clear()
        for server in self.memory.world.servers.values():
            server.next_fault = None
            server.start()
        self.stack.control.heal()
        self.stack.start()

    def _broken(self, what: str, files: int) -> None:
        """The next apply, with the first move of each server broken."""
        for name, server in self.memory.world.servers.items():
            server.next_fault = (what, files)
            self.stack.control.break_(what, server=name, files=files, times=1)
        self._go()

    def _lost(self, when: str, skip: int) -> None:
        """The next apply, with an answer to each sort of write lost."""
        for name in self.memory.world.servers:
            told = {"server": list(self.memory.world.servers).index(name), "query": "write", "code": f"lost-{when}"}
            self.memory.do({"op": "fault", **told, "skip": skip, "times": 1})
            word = self.hands.words(name)[0]
            for method, path in (("PUT", f"/api/v3/{word}/*"), ("POST", "/api/v3/tag"), ("POST", "/api/v3/command"),
                                 ("DELETE", "/api/v3/tag/*")):  # fmt: skip
                self.stack.control.break_("reset", server=name, method=method, path=path, skip=skip, times=1, when=when)
        self._go()

    def _unread(self, query: str) -> None:
        """A plan while one sort of question gets no whole answer."""
        for number, name in enumerate(self.memory.world.servers):
            self.memory.do({"op": "fault", "server": number, "query": query, "code": "truncated"})
            words = self.hands.words(name)
            path = {"Items": words[0], "FileRows": words[1]}.get(query) or PATHS[query]
            self.stack.control.break_("truncated", server=name, path=f"/api/v3/{path}")
        plan = self.memory._make_plan()
        real = self.session.plan()
        assert plan is not None
        assert bare(plan) == bare(real), f"in memory: {bare(plan)}\nin the sandbox: {bare(real)}"
        self.memory.world.faults.clear()
        self.stack.control.heal()

    # -- comparing

    def _same(self) -> None:
        while self.memory.world.busy:
            self.memory.clock.advance(60)
        self.hands.rest()
        files, real = self.memory.hands.files(), self.hands.files()
        odd = {p for p in files.keys() | real.keys() if files.get(p) != real.get(p)}
        assert not odd, [(p, files.get(p), real.get(p)) for p in sorted(odd)]
        assert self.memory.hands.items() == self.hands.items()
        for name, server in self.memory.world.servers.items():
            assert sorted(server.tags.values()) == sorted(t["label"] for t in self.hands.ask(name, "GET", "tag"))
            _, file, item_id, _ = self.hands.words(name)
            for row in server.items.values():
                rows = {r["relativePath"]: r["size"] for r in self.hands.ask(name, "GET", f"{file}?{item_id}={row.id}")}
                assert row.rows == rows, f"{row.title}: {row.rows} {rows}"


def bare(plan: Plan) -> Any:
    """What a plan decides and says, without ids, moments, addresses of servers and places of files."""
    return [
        {
            "address": part.address,
            "actions": [
                (a.verb, a.subject.ident, a.after, a.rests_on, a.requires, a.effects.model_dump(exclude={"seconds"}))
                for a in part.proposal.actions
            ],
            "later": [(a.verb, a.subject.ident) for a in part.proposal.later],
            "held": [(h.subject.ident, plain(h.reason)) for h in part.proposal.held],
            "blocked": [(b.what, b.code) for b in part.proposal.blocked],
            "errors": [plain(e) for e in part.proposal.errors],
            "bars": [b.model_dump() for b in part.proposal.bars],
            "guards": [hit.guard for hit in part.guards],
        }
        for part in plan.resources
    ]


def plain(text: str) -> str:
    """Without times and the places where things are written."""
    return re.sub(r"\d+ (s|min|h|days?)\b( \d+ (s|min|h))?|run r\d+|\([^)]*yaml:\d+\)", "…", text)


def ends(report: Report) -> list[tuple[str, str, str]]:
    """How each action ended."""
    return [(o.action.verb, o.action.subject.ident, o.state) for o in report.outcomes]
