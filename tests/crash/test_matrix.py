"""The crash matrix: `arr apply` is killed at every point there is, one after the other, and plain `arr` puts it right.

Points are enumerated, not chosen: k = 1, 2, … until a run needs no further one (see `pilot.py`). After each kill: the world
is as desired, nothing is doubled, nothing else was touched, the next plan is empty, nobody holds the lock, and the journal
has no open entry. The proof kills the server as well, at each point, and goes through the reads too.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from reconciler import registry
from reconciler.clock import SystemClock
from reconciler.store import Store
from tests import figures
from tests.effort import PROOF
from tests.laws.bench import SECRET_VARIABLE, changed
from tests.laws.servarr import Servarr, library
from tests.laws.worlds import CANARY, SERVER, Case, cases

PARTS = 2  # of one matrix: they run beside each other
ROUNDS = 4
WRITES, READS, SERVER_TOO = "at the journal and writes", "at reads too", "with the server killed as well"
WHAT = "an apply is killed at a point of its journal, of its writes or of its reads, and plain arr puts it right"
TELLING = [Case("tag", "prune", "radarr"), Case("disk_fill", "fill", "sonarr")]  # the worlds of a kind that say most


def chosen() -> list[Case]:
    """One world of each registered kind; in the proof all of them, each under one app more."""
    kinds = sorted({case.kind for case in cases("items")})
    mine = {kind: [case for case in cases("items") if case.kind == kind] for kind in kinds}
    found = [next((case for case in TELLING if case in mine[kind]), mine[kind][-1]) for kind in kinds]
    more = [case for case in cases("items") if case.app == ("radarr" if case.kind == "disk_fill" else "sonarr")]
    return [*found, *(case for case in more if PROOF and case not in found)]


CASES = chosen()


@dataclass
class Done:
    """How a command ended; `marks`: the points that it passed."""

    code: int
    out: str
    err: str
    marks: list[str]


class Pilot:
    """A process that runs commands; see `pilot.py`."""

    def __init__(self) -> None:
        here = Path(__file__).resolve()
        env = {**os.environ, "PYTHONPATH": str(here.parents[2])}
        self._process = subprocess.Popen(
            [sys.executable, str(here.with_name("pilot.py"))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
        )  # fmt: skip

    def arr(self, folder: Path, *args: str, die_at: int = 0, reads: bool = False) -> Done:
        files = {name: str(folder / f"{name}.txt") for name in ("out", "err", "marks")}
        Path(files["marks"]).unlink(missing_ok=True)
        env = {"PATH": os.environ["PATH"], "HOME": str(folder), "NO_COLOR": "1", SECRET_VARIABLE: CANARY}
        order = {"args": args, "cwd": str(folder), "env": env, "die_at": die_at, "reads": reads, **files}
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        code = json.loads(self._process.stdout.readline())["code"]
        marks = Path(files["marks"])
        passed = marks.read_text().splitlines() if marks.exists() else []
        return Done(code, Path(files["out"]).read_text(), Path(files["err"]).read_text(), passed)

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def pilot() -> Iterator[Pilot]:
    found = Pilot()
    yield found
    found.close()


@contextmanager
def fresh(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Servarr]:
    monkeypatch.setenv(SECRET_VARIABLE, CANARY)
    folder.mkdir()
    with library(case, folder) as found:
        yield found


def expected(case: Case) -> set[str]:
    """Words that stand in the names of the points of every whole run of such a kind."""
    verbs = registry.kinds()[case.kind].verbs.values()
    return {"before consume", "before intend", "before settle", "answer not read"} | (
        {"before accept"} if all(verb.long for verb in verbs) else set()
    )


def planned(pilot: Pilot, laws: Servarr) -> Any:
    """The plan that `arr plan` makes, as its JSON."""
    done = pilot.arr(laws.folder, "plan", "--format", "json")
    assert done.out.startswith("{"), done.out + done.err
    return json.loads(done.out)


def recovered(pilot: Pilot, laws: Servarr) -> None:
    """Plain `arr plan` and `arr apply` until nothing is left to do."""
    for _ in range(ROUNDS):
        laws.quiet()
        plan = planned(pilot, laws)
        if not any(part["proposal"]["actions"] for part in plan["plan"]["resources"]):
            done = pilot.arr(laws.folder, "apply", "--yes")
            assert done.code == 0, done.out + done.err
            return
        pilot.arr(laws.folder, "apply", plan["short"], "--approve", plan["short"])
    raise AssertionError(f"nothing of {ROUNDS} rounds was the last: {planned(pilot, laws)}")


def well(pilot: Pilot, laws: Servarr, before: dict[str, Any], subjects: set[str]) -> None:
    """What has to be so after every crash."""
    laws.assert_reached()
    assert changed(before, laws.snapshot()) <= subjects
    done = pilot.arr(laws.folder, "plan", "--detailed-exitcode")
    assert done.code == 0, done.out + done.err
    with Store.open(laws.state, SystemClock()) as store, store.lock("looking whether it is free"):
        assert store.pending() == []


def owned(laws: Servarr) -> dict[str, frozenset[str]]:
    """What the state holds as made by its resources."""
    with Store.open(laws.state, SystemClock()) as store:
        return dict(store.ledger(SystemClock().now()).owned)


def intended_first(laws: Servarr, marks: list[str]) -> None:
    """The plan is used up before its first intent, no write is without one before it, and every intent that was journalled
    is there after the kill."""
    writes = [n for n, m in enumerate(marks) if m.startswith(("before POST", "before PUT", "before DELETE"))]
    intents = [n for n, m in enumerate(marks) if m == "after intend"]
    assert not intents or "after consume" in marks[: intents[0]], marks
    assert not writes or (intents and intents[0] < writes[0]), marks
    with Store.open(laws.state, SystemClock()) as store:
        entries = [entry for row in store.runs(1) if "after begin_run" in marks for entry in store.run(row.run)[1]]
    assert len(entries) in (len(intents), marks.count("before intend")), marks  # killed in it: either way


def crash(pilot: Pilot, laws: Servarr, k: int, healthy: list[str], sort: str) -> Done:
    """One run that dies at point `k`, and all that follows. Its own end when it needs no such point."""
    plan, before = laws.plan(), laws.snapshot()
    subjects = {laws.key_of(a.subject) for a in plan.actions()}
    laws.control.clear()
    died = pilot.arr(laws.folder, "apply", plan.id, "--approve", plan.id, die_at=k, reads=sort == READS)
    if died.code != -9:
        assert died.code == 0, died.out + died.err
        return died
    intended_first(laws, died.marks)
    if sort == SERVER_TOO:
        laws.stack.kill(SERVER)
        laws.stack.start(SERVER)
    recovered(pilot, laws)
    well(pilot, laws, before, subjects)
    if sort != SERVER_TOO:  # a server that was killed as well may have to be told again
        assert set(laws.done_writes()) <= set(healthy)
        doubled = [w for w in set(laws.done_writes()) if laws.done_writes().count(w) > healthy.count(w)]
        assert not doubled, f"{died.marks[-1]}: {doubled}"
    return died


def sorts(case: Case) -> list[str]:
    """What is tried with a case. There are many reads: one world of each kind has to do for them."""
    more = [SERVER_TOO, *([READS] if case in CASES[: len({c.kind for c in CASES})] else [])]
    return [WRITES, *(more if PROOF else [])]


@pytest.mark.parametrize(
    ("case", "sort", "part"), [(c, sort, part) for c in CASES for sort in sorts(c) for part in range(PARTS)], ids=str
)
def test_every_point(
    pilot: Pilot, case: Case, sort: str, part: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with fresh(case, tmp_path / "whole", monkeypatch) as laws:
        whole = crash(pilot, laws, 0, [], WRITES)
        healthy, ours = laws.done_writes(), owned(laws)
    names = "; ".join(whole.marks)
    assert not {n for n in expected(case) if n not in names}, names
    for k in count(part + 1, PARTS):
        with fresh(case, tmp_path / str(k), monkeypatch) as laws:
            died = crash(pilot, laws, k, healthy, sort)
            told = died.marks[-1] if died.marks else ""
            assert owned(laws) == ours, f"{told}: what we made is not ours, or what is gone still is"
        if died.code != -9:
            assert k > len(whole.marks), "it ended well without coming to its point"
            return
        figures.add("crash", WHAT, killed=1, converged=1, **{sort: 1, f"in {case}": 1})
