"""An SFTP server fails at its n-th packet while a kind plans and applies over it: in every way, and at every packet in some.

The server is OpenSSH's, its packets pass through `tests/live/sftp/relay.py`; the worlds are those of the laws. No plan decides
more than a healthy one, nothing but what was planned changes, no outcome claims what is not so, and once the fault is over
plain plans and applies come to the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as upwards
from pathlib import Path

import pytest

from reconciler.plan.model import Plan
from resources.clients.sftp import wire
from tests.effort import PROOF
from tests.faults.matrix import count
from tests.laws.bench import SECRET_VARIABLE, Bench, bench, changed, decisions
from tests.laws.releases import Seedbox
from tests.laws.torrents import TorrentClient
from tests.laws.worlds import CANARY, Case
from tests.live.sftp.relay import LIES, LISTS, STRIKES, Relay, Strike

CASES = (Case("seedbox_transfer", "fetch", "sftp"), Case("torrent_retention", "remove", "rtorrent-sftp"))
EVERY = {"seedbox_transfer": 9, "torrent_retention": 37}
"""In an apply of the proof, other packets for each fault: a run of each takes seconds."""
MOST = {"seedbox_transfer": 80, "torrent_retention": 300}  # packets of an apply, about
SILENT_EVERY = 7  # in a plan of the proof: each waits for a deadline


STATVFS = wire.STATVFS.decode()


@dataclass(frozen=True)
class Fault:
    """`times` None: from the n-th packet on."""

    name: str
    after: bool = False
    times: int | None = 1

    def __str__(self) -> str:
        return self.name + ("-after" if self.after else "") + ("" if self.times else "-for-good")

    @property
    def lies(self) -> bool:
        return self.name in LIES


FAULTS = (
    *(Fault(name, times=None if name == "down" else 1) for name in STRIKES),
    *(Fault(name, after=True) for name in ("cut", "failure", "garbage", "silent")),
    *(Fault(name, times=None) for name in ("denied", "unsupported")),
    *(Fault(name, times=None if name == "stale-list" else 1) for name in LIES),
)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, CANARY)


def relay_of(it: Bench) -> Relay:
    assert isinstance(it, Seedbox | TorrentClient)
    assert it.relay is not None
    return it.relay


@contextmanager
def fresh(case: Case, folder: Path, fault: Fault) -> Iterator[Bench]:
    folder.mkdir()
    with bench(case, folder) as it:
        if fault.name == "silent":
            it.declare(timeout="1s")
        yield it


def of_plans(case: Case, fault: Fault) -> Iterator[int]:
    """All of them in the proof, where the caller ends it; else a few."""
    place = FAULTS.index(fault) + CASES.index(case)
    if fault.name in LISTS:  # of answers with names in them there are few
        return iter(upwards(1) if PROOF else (1,))
    if PROOF:
        return iter(upwards(1 + place % SILENT_EVERY, SILENT_EVERY) if fault.name == "silent" else upwards(1))
    return iter((1 + place, 20 + place))


def of_applies(case: Case, fault: Fault) -> Iterator[int]:
    """Every so many in the proof, where the caller ends it; else one."""
    place, every = FAULTS.index(fault), EVERY[case.kind]
    if fault.name in LISTS:
        return iter(upwards(1) if PROOF else (1,))
    if PROOF:
        return iter(upwards(1 + 2 * place % every, every))
    return iter((1 + 29 * place % MOST[case.kind],))


def chosen() -> list[tuple[Case, Fault]]:
    """Outside of the proof each fault in one case or another."""
    every = [(case, fault) for case in CASES for fault in FAULTS]
    return every if PROOF else every[::3]


class Struck:
    """`with Struck(it, fault, n) as struck:` fails then; `struck.at_all` says whether it did."""

    def __init__(self, it: Bench, fault: Fault, n: int) -> None:
        self.relay = relay_of(it)
        self.strike = Strike(fault.name, n, after=fault.after, times=fault.times)

    def __enter__(self) -> Struck:
        self.relay.strike = self.strike
        return self

    def __exit__(self, *_error: object) -> None:
        self.relay.strike = None

    @property
    def at_all(self) -> bool:
        return self.strike.struck


def one_plan(it: Bench, fault: Fault, n: int, healthy: Plan) -> bool:
    """Whether it struck at all."""
    before = it.snapshot()
    with Struck(it, fault, n) as struck:
        plan = it.plan()
    assert it.snapshot() == before
    less = decisions(healthy) - decisions(plan)
    if not fault.lies:
        assert decisions(plan) <= decisions(healthy)
        assert not less or any(p.proposal.blocked for p in plan.resources), "it decides less, and does not say why"
    elif decisions(plan) - decisions(healthy):  # what was decided on a lie is looked at again before it is done
        it.session.apply(plan, approve=plan.id)
        named = {it.key_of(a.subject) for a in healthy.actions()}
        assert changed(before, it.snapshot()) <= named, "a lie has changed what nobody wanted changed"
    if struck.at_all:
        count(plans=1, plans_as_healthy=not less, plans_blocked=bool(less))
    return struck.at_all


def one_apply(it: Bench, fault: Fault, n: int) -> bool:
    before, plan = it.snapshot(), it.plan()
    assert it.steps(plan)
    named = {it.key_of(a.subject) for a in plan.actions()}
    with Struck(it, fault, n) as struck:
        report = it.session.apply(plan, approve=plan.id)
    done = all(o.state == "done" for o in report.outcomes)
    assert (report.exit == 0) == done, report.outcomes
    assert changed(before, it.snapshot()) <= named
    if done:
        it.assert_reached()
    rounds = it.converge()
    it.assert_reached()
    assert it.pending() == []
    if struck.at_all:
        count(applies=1, done_in_spite=done, honest=not done, converged=1, most_rounds=rounds)
    return struck.at_all


@pytest.mark.parametrize(("case", "fault"), chosen(), ids=str)
def test_plans(tmp_path: Path, case: Case, fault: Fault) -> None:
    with fresh(case, tmp_path / "all", fault) as it:
        healthy, tried = it.plan(), 0
        for n in of_plans(case, fault):
            if not one_plan(it, fault, n, healthy):
                break
            tried += 1
        assert tried or fault.name in LISTS, "it never struck"


@pytest.mark.parametrize(("case", "fault"), chosen(), ids=str)
def test_applies(tmp_path: Path, case: Case, fault: Fault) -> None:
    tried = 0
    for n in of_applies(case, fault):
        with fresh(case, tmp_path / str(n), fault) as it:
            try:
                struck = one_apply(it, fault, n)
            except AssertionError as error:
                raise AssertionError(f"{case}, {fault} at packet {n}: {error}") from error
        if not struck:
            break
        tried += 1
    assert tried, "it never struck"


@pytest.mark.parametrize("pressure", [False, True])
def test_a_disk_that_is_not_told_is_no_other_disk(tmp_path: Path, pressure: bool) -> None:
    """The server tells on which file system one folder lies, and once it does not: that is unknown, not elsewhere."""
    case, fault = CASES[1], Fault("failure")
    with fresh(case, tmp_path / "all", fault) as it:
        if pressure:
            told = it.filled(case.told["wish"])
            it.declare(told + f"    pressure: {{disk: {it.folder / 'dl'}, above: 0%}}\n")
        relay = relay_of(it)
        relay.log.clear()
        assert it.steps(it.plan())
        asked = sum(call.name == STATVFS for call in relay.log)
        assert asked
        for n in range(1, asked + 1):
            relay.strike = Strike("failure", n, call=STATVFS)
            (part,) = it.plan().resources
            assert not [h for h in part.proposal.held if "another" in h.reason]
            assert len(part.proposal.actions) == 2 or part.proposal.blocked
