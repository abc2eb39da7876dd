"""What the tests of the state's disk share: a server with tags, `arr` over it in a process whose disk can be made to fail.

    with rig(tmp_path) as found:
        found.situation("apply")
        done = found.arr(*found.order, arm=Arm(FAIL_ONCE, at=7, errno=errno.EIO))
        found.honest(done)
        found.recovered()

A `situation` is a state in its folder and a world beside it, made once and put back before each run, so that one server
serves hundreds of runs. Needs gcc, and a libc that can be preloaded.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from reconciler.plan.model import Plan
from reconciler.store import Store
from tests.laws.bench import SECRET_VARIABLE
from tests.laws.servarr import Servarr, library
from tests.laws.worlds import CANARY, Case

HERE = Path(__file__).resolve().parent
COUNT, FAIL_ONCE, FAIL_FROM, HALF, KILL, FAIL_READ = range(6)
OURS = ("kids", "4k-uhd")
SITUATIONS = ("first plan", "plan", "apply", "settle", "undo", "apply undo")
ROUNDS = 3


@cache
def shim() -> Path:
    """The compiled shim; one build a process."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        if os.environ.get("CI") == "true":
            pytest.fail("the tests of disk faults need gcc and Linux")
        pytest.skip("needs gcc and Linux: faults of the disk are injected by a library that is compiled here")
    target = Path(tempfile.mkdtemp(prefix="shim")) / "shim.so"
    options = ["-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    subprocess.run([compiler, *options, "-o", target, HERE / "shim.c", "-ldl", "-lpthread"], check=True)
    return target


@dataclass(frozen=True)
class Arm:
    """What is to happen at which call; `trace`: where every change is written down. `at` 0: nothing but counting."""

    mode: int = COUNT
    at: int = 0
    errno: int = 0
    trace: str = ""


@dataclass
class Done:
    """How a command ended. `marks`: the commits that were told to be durable; `passed`: calls that were counted."""

    code: int
    out: str
    err: str
    marks: list[str]
    passed: int = 0
    hit: str = ""

    @property
    def said(self) -> str:
        return self.out + self.err


class Worker:
    """A process that runs commands; see `worker.py`."""

    def __init__(self) -> None:
        env = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "LD_PRELOAD": str(shim())}
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env
        )

    def run(self, folder: Path, args: tuple[str | int, ...], arm: Arm | None, *, careless: bool = False) -> Done:
        names = ("out", "err", "marks", "passed")
        files = {name: folder / f"{name}.txt" for name in names}
        for file in files.values():
            file.unlink(missing_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1", SECRET_VARIABLE: CANARY}
        told = {**asdict(arm), "folder": str(folder / "state")} if arm else None
        order = {
            "args": args,
            "cwd": str(folder),
            "env": env,
            "arm": told,
            "careless": careless,
            **{k: str(v) for k, v in files.items()},
        }
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())["code"]
        texts = {name: file.read_text() if file.exists() else "" for name, file in files.items()}
        counted = json.loads(texts["passed"] or "{}")
        return Done(code, texts["out"], texts["err"], texts["marks"].splitlines(), **counted)

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@dataclass
class Kept:
    """A situation as it is put back: the state's folder (None: there is none), the tags that are there, what to run."""

    state: Path | None
    labels: tuple[str, ...]
    order: tuple[str | int, ...]


@dataclass
class Rig:
    """See the module."""

    laws: Servarr
    worker: Worker
    name: str = ""
    _kept: dict[str, Kept] = field(default_factory=dict)
    _seen: set[str] = field(default_factory=set)

    @property
    def folder(self) -> Path:
        return self.laws.folder

    @property
    def state(self) -> Path:
        return self.laws.state

    @property
    def order(self) -> tuple[str | int, ...]:
        return self._kept[self.name].order

    def arr(self, *args: str | int, arm: Arm | None = None, careless: bool = False) -> Done:
        """One command. `careless`: the store does not sync."""
        return self.worker.run(self.folder, args, arm, careless=careless)

    # -- situations

    def situation(self, name: str) -> None:
        """Put the state and the world as they are at its beginning, and forget the requests."""
        if name not in self._kept:
            self._clean()
            order = self._made(name)
            state = self.folder / "kept" / name if self.state.exists() else None
            if state:
                shutil.copytree(self.state, state)
            self._kept[name] = Kept(state, tuple(sorted(set(OURS) & set(self.labels()))), order)
        kept, self.name = self._kept[name], name
        shutil.rmtree(self.state, ignore_errors=True)
        if kept.state:
            shutil.copytree(kept.state, self.state)
        self.world(kept.labels)
        self.laws.control.clear()

    def _clean(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)
        self.world(())

    def _made(self, name: str) -> tuple[str | int, ...]:
        if name == "first plan":
            return ("plan",)
        plan = self.laws.plan()
        if name == "plan":
            return ("plan",)
        if name == "apply":
            return ("apply", plan.id, "--approve", plan.id)
        if name == "settle":
            self._died(plan)
            return ("apply", "--yes")
        self.laws.apply(plan)
        if name == "undo":
            return ("undo", "r000001")
        undo = self.laws.session.undo("r000001")
        return ("apply", undo.id, "--approve", undo.id)

    def _died(self, plan: Plan) -> None:
        """What a process leaves that was killed when the server had done its first request."""
        first = next(plan.actions())
        with Store.open(self.state, SystemClock()) as store:
            run = store.begin_run("apply", plan.id)
            store.consume(plan.id, run)
            store.apply_wish(first.address, next(p.wish for p in plan.resources if p.address == first.address))
            store.intend(run, first)
        self.laws.ask("POST", "tag", {"label": first.subject.key.removeprefix("tag:")})

    # -- the world

    def labels(self) -> list[str]:
        return [str(tag["label"]) for tag in self.laws.ask("GET", "tag")]

    def world(self, labels: tuple[str, ...]) -> None:
        """Of our tags exactly `labels` are there."""
        there = {tag["label"]: tag["id"] for tag in self.laws.ask("GET", "tag")}
        for label in OURS:
            if label in there and label not in labels:
                self.laws.ask("DELETE", f"tag/{there[label]}")
            elif label in labels and label not in there:
                self.laws.ask("POST", "tag", {"label": label})

    def sent(self, method: str) -> int:
        """How many requests of that method the server got from us since the situation began."""
        return sum(call.name.startswith(f"{method} ") for call in self.laws.writes())

    # -- what has to hold

    def intents(self, folder: Path) -> list[tuple[str, str]]:
        """(verb, state) of every entry that the journal in `folder` holds; nothing when there is no state."""
        with Store.open(folder, SystemClock(), read_only=True) as store:
            return [(e.action.verb, e.state) for run in store.runs(100) for e in store.run(run.run)[1]]

    def covered(self, folder: Path) -> None:
        """No durable intent, no side effect: every request that the server got has its intent in that journal."""
        verbs = [verb for verb, _ in self.intents(folder)]
        for method, verb in (("POST", "create"), ("DELETE", "delete")):
            assert self.sent(method) <= verbs.count(verb), f"{method} was sent without an intent: {verbs}"

    def durable(self, folder: Path, marks: list[str]) -> None:
        """What was told to be durable is there, and the file is whole."""
        with Store.open(folder, SystemClock(), read_only=True) as store:
            assert store.check() == []
            runs = {row.run: (row, {e.action.id: e for e in store.run(row.run)[1]}) for row in store.runs(100)}
            newest = runs[max(runs)][1] if runs else {}
            pending = {row.action.id for row in store.pending()}
            everything = {a: e for _, entries in runs.values() for a, e in entries.items()}
            for mark in marks:
                what, key = mark.split(" ", 1)
                if what == "begin_run":
                    assert key in runs, f"lost: {mark}"
                elif what == "end_run":
                    assert runs[key][0].ended, f"lost: {mark}"
                elif what == "consume":
                    assert store.consumed(key), f"lost: {mark}"
                elif what == "intend":
                    assert key in newest, f"lost: {mark}"
                elif what == "settle":
                    assert key in everything and key not in pending, f"lost: {mark}"
                elif what == "save_plan":
                    assert store.find_plan(key)[0] == key, f"lost: {mark}"
                elif what == "apply_wish":
                    assert key in store.ledger(SystemClock().now()).applied, f"lost: {mark}"

    def honest(self, done: Done) -> None:
        """It ended as documented: in a code, with words and a remedy, and never by a fault of the program."""
        assert done.code in (0, 1, 3, 5, 6), f"{done.code}: {done.said}"
        assert "a fault of this program" not in done.said and "Traceback" not in done.said, done.said
        assert "unexpectedly" not in done.said, done.said
        if done.code == 1:
            assert len([line for line in done.err.splitlines() if line.strip()]) >= 2, f"no remedy: {done.err!r}"

    def recovered_once(self) -> int:
        """`recovered`, unless the same remains were recovered from before: times and ids aside, `arr` would do the same.

        How many recoveries that took: 0 or 1.
        """
        remains = self.remains()
        if remains in self._seen:
            return 0
        self._seen.add(remains)
        self.recovered()
        return 1

    def remains(self) -> str:
        """Everything that the next command finds, without what differs from run to run: times, lineage, ids of plans."""
        found: list[Any] = [self.name, sorted(self.labels()), self.sent("POST"), self.sent("DELETE")]
        for file in sorted(self.state.rglob("*")):
            found.append(re.sub(r"r\d{6}", "r", file.name))
        if not (self.state / "arr.db").exists():
            return json.dumps(found)
        with Store.open(self.state, SystemClock(), read_only=True) as store:
            db = store._connection.db
            for table in ("runs", "entries", "plans", "consumed", "applied", "owned", "populations"):
                columns = [c for c in db.table(table).columns_dict if not re.search("at$|plan$|document|bytes$", c)]
                if table in ("plans", "consumed"):
                    columns = [c for c in columns if c != "id"]
                found.append([table, db.execute(f"SELECT count(*) FROM {table}").fetchone()])  # noqa: S608  # ours
                if columns:
                    sql = f"SELECT {', '.join(columns)} FROM {table} ORDER BY rowid"  # noqa: S608  # ours
                    found.append(db.execute(sql).fetchall())
        return re.sub(r"[a-z2-7]{52,}|\d{4}-\d\d-\d\dT[\d:.]+Z", "…", json.dumps(found))

    def recovered(self) -> None:
        """Plain `arr plan` and `arr apply` lead to the wish; nothing is done twice."""
        for _ in range(ROUNDS):
            done = self.arr("plan", "--format", "json")
            assert done.out.startswith("{"), done.said
            plan: Any = json.loads(done.out)
            if not any(part["proposal"]["actions"] for part in plan["plan"]["resources"]):
                break
            self.arr("apply", plan["short"], "--approve", plan["short"])
        done = self.arr("apply", "--yes")
        assert done.code == 0, done.said
        self.laws.assert_reached()
        with Store.open(self.state, SystemClock()) as store, store.lock("looking whether it is free"):
            assert store.pending() == []
            assert store.check() == []
        kept = self._kept[self.name]
        missing = len(OURS) - len(kept.labels)
        assert self.sent("POST") - self.sent("DELETE") == missing, self.laws.writes()
        # Whoever takes the lock clears all remains away; an `apply` with nothing to do takes none, so it was taken above.
        left = {p.name for p in self.state.iterdir()} - {"arr.db", "arr.lock"}
        assert not left, f"left behind: {left}"


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """A server with tags and a worker over it."""
    os.environ[SECRET_VARIABLE] = CANARY
    worker = Worker()
    try:
        with library(Case("tag", "label", "radarr"), folder) as laws:
            yield Rig(laws, worker)
    finally:
        worker.close()
        del os.environ[SECRET_VARIABLE]
