"""One server of a world with a session over it, and what the laws ask of it, past the code under test.

    with bench(case, tmp_path) as found:
        report = found.apply(found.plan())
        found.assert_reached()

Nothing here knows a kind: what a world wishes, and how the server answers once that is reached, stands in its file.
"""

from __future__ import annotations

import http.client
import json
import re
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from reconciler.apply.follow import Patience
from reconciler.apply.report import Report
from reconciler.clock import SystemClock
from reconciler.plan.model import Plan
from reconciler.session import Session
from reconciler.store import Store
from sandbox.process import Stack
from sandbox.servarr.app import Timing
from sandbox.values import Json
from tests.laws.worlds import CANARY, SERVER, Case, steps

QUICK = Patience(first=0.02, most=0.1, settle=1.5, silence=2.0)
VOLATILE = {"freeSpace", "unmappedFolders"}  # a move changes these of a root
SECRET_VARIABLE = "LAWS_SERVER_KEY"


class Hurried(SystemClock):
    """The machine's time, but waits are a tenth: what waits is tried, not how long."""

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds / 10)


class Bench:
    """See the module. `url` is where the desired state says that the server is."""

    def __init__(self, case: Case, folder: Path, stack: Stack) -> None:
        self.case, self.folder, self.stack = case, folder, stack
        self.control, self.server = stack.control, stack[SERVER]
        self.url = self.server.url
        self.desired, self.state = folder / "desired", folder / "state"

    # -- what is declared

    def connections(self, **more: str) -> str:
        said = {"app": self.case.app.partition("-")[0], "url": f"'{self.url}'", **more}
        key = f"api_key: {{env: {SECRET_VARIABLE}}}"
        return f"connections:\n  {SERVER}: {{{', '.join(f'{k}: {v}' for k, v in said.items())}, {key}}}\n"

    def declare(self, wish: str | None = None, **connection: str) -> None:
        """Write the desired state: the world's wish, or another; `connection` adds settings of the connection."""
        self.desired.mkdir(exist_ok=True)
        (self.desired / "stack.yaml").write_text(self.connections(**connection))
        (self.desired / "wish.yaml").write_text(self.case.told["wish"] if wish is None else wish)

    @property
    def session(self) -> Session:
        return Session([self.desired], self.state, clock=Hurried(), patience=QUICK)

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

    def quiet(self, limit: float = 20) -> None:
        """Wait until the server has nothing under way."""
        end = time.monotonic() + limit
        while any(c["status"] in ("queued", "started") for c in self.ask("GET", "command")):
            assert time.monotonic() < end, "the server does not come to rest"
            time.sleep(0.02)

    # -- the world, asked of the server itself

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """One call past everything that is tested."""
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": CANARY, "Content-Type": "application/json", "User-Agent": "laws"}
        try:
            line.request(method, urllib.parse.quote(f"/api/v3/{path}", safe="/?&=%"), data, headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        assert answer.status < 300, f"{method} {path}: {answer.status} {text!r}"
        return json.loads(text) if text else None

    def filled(self, path: str) -> str:
        """A path of a world's file, with the words and ids of this server."""

        def ident(found: re.Match[str]) -> str:
            what, _, name = found.group(1).partition(":")
            if not name:
                return self.case.words[what]
            rows, field = (self.ask("GET", "tag"), "label") if what == "tag" else (self.items(), "title")
            return str(next(row["id"] for row in rows if row[field] == name))

        return re.sub(r"\{([^}]+)\}", ident, path)

    def items(self) -> list[Json]:
        found: list[Json] = self.ask("GET", self.case.words["items"])
        return found

    def do(self, section: str) -> None:
        """The steps of a section of the world's file; the server is at rest afterwards."""
        for step in steps(self.case, section):
            if "ask" in step:
                method, path, *body = step["ask"]
                self.ask(method, self.filled(path), *body)
            elif "edit" in step:
                self._edit(step["edit"], move=step.get("move", False))
            else:
                self.stack.event(step["event"])
        self.quiet()

    def _edit(self, told: Json, *, move: bool = False) -> None:
        fields = {k: v for k, v in told.items() if k != "item"}
        row = next(i for i in self.items() if i["title"] == told["item"])
        path = f"{self.case.words['items']}/{row['id']}?moveFiles={str(move).lower()}"
        self.ask("PUT", path, {**row, **fields})

    def unlike_the_defaults(self) -> None:
        """Give every item settings that nobody would get by chance: they have to survive."""
        radarr = self.case.app == "radarr"
        odd = {"minimumAvailability": "announced"} if radarr else {"seriesType": "daily", "seasonFolder": False}
        for item in self.items():
            self._edit({"item": item["title"], **odd, "qualityProfileId": 3})

    def assert_reached(self, section: str = "reached") -> None:
        """The server answers as the world's file says, and every file of the world is there once, whole."""
        told = self.case.told
        for want in told.get(section) or told["reached"]:
            found = [row[want["each"]] for row in self.ask("GET", self.filled(want["get"]))]
            assert sorted(found) == want["are"], f"{want['get']}: {sorted(found)}"
        assert self.payload() == self._payload, "files are lost, doubled or cut"

    def payload(self) -> dict[str, int]:
        """Files by title and name with their sizes; where they lie is the kinds' business, that they are there ours."""
        found: dict[str, int] = {}
        for file in self.stack.tree(list(self.case.told["roots"])):
            name = next(file["path"].removeprefix(r) for r in self.case.told["roots"] if file["path"].startswith(r))
            if not name.endswith("/"):
                assert name not in found, f"twice: {name}"
                found[name] = file["size"]
        return found

    def remember(self) -> None:
        """What `assert_reached` compares the files with."""
        self._payload = self.payload()

    def snapshot(self) -> dict[str, Any]:
        """Everything that a kind could touch, by natural key: tags, roots, items and the rows of their files."""
        words, found = self.case.words, {}
        for tag in self.ask("GET", "tag"):
            found[f"tag/{tag['label']}"] = tag
        for root in self.ask("GET", "rootfolder"):
            found[f"root/{root['path']}"] = {k: v for k, v in root.items() if k not in VOLATILE}
        for item in self.items():
            name = f"{words['outside']}:{item[words['outside'] + 'Id']}"
            rows = self.ask("GET", f"{words['file']}?{words['item_id']}={item['id']}")
            found[name] = {**item, "rows": sorted(({**r, "path": ""} for r in rows), key=lambda r: r["relativePath"])}
        return found

    # -- what was sent

    def writes(self) -> list[Json]:
        """Everything but reads that the session has sent, as the server's log has it."""
        return [r for r in self.control.requests(SERVER) if r["method"] != "GET"]

    def done_writes(self, *, lost_are_done: bool = False) -> list[str]:
        """Writes that the server has carried out, without their query; `lost_are_done`: a cut one was, too."""
        return sorted(
            f"{w['method']} {w['path']}"
            for w in self.writes()
            if (w["fault"] and lost_are_done) or (not w["fault"] and w["status"] and w["status"] < 300)
        )


def key_of(subject: Any) -> str:
    """The key of `Bench.snapshot` that a subject of a plan has."""
    return str(subject.key) if ":" in subject.key else f"{subject.type}/{subject.key}"


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}


@contextmanager
def bench(case: Case, folder: Path) -> Iterator[Bench]:
    """A fresh server, the wish declared, an earlier one applied, and the log of requests empty."""
    folder.chmod(0o755)
    with Stack(folder / "home", case.world(), timing=Timing(retry_s=0.1, metadata_s=0.0)) as stack:
        found = Bench(case, folder, stack)
        found.remember()
        if "earlier" in case.told:
            found.declare(case.told["earlier"])
            found.converge()
        found.declare()
        found.control.clear()
        yield found
