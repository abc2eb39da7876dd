"""Torrents are planned and removed while their client fails at its n-th request, in every way and for every n.

No plan decides more than a healthy one; no outcome claims what is not so; what nobody wants removed stays, and of what this
machine deletes no byte is lost; once the fault is over, plain plans and applies come to the end. Over each client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.apply.report import Report
from reconciler.clock import SystemClock
from reconciler.errors import Exit
from reconciler.plan.outcome import exit_code
from reconciler.store import Store
from tests.effort import PROOF
from tests.faults.matrix import count
from tests.kinds.torrent_retention.line import STRIKES, Strike
from tests.kinds.torrent_retention.rig import APPS, FAR, GOES, STAYS, Rig, rig
from tests.kinds.torrent_retention.sim import goes

ROUNDS = 3
EVERY = 19  # outside of the proof, another one for each fault


@dataclass(frozen=True)
class Fault:
    """`name` of a strike, or of a lie: whole answers that are untrue."""

    name: str
    after: bool = False
    lies: bool = False

    def __str__(self) -> str:
        return self.name + ("-after" if self.after else "")

    def strike(self, it: Rig, n: int) -> Strike:
        if not self.lies:
            return Strike(self.name, n, self.after)
        return Strike("true", n, lie=lambda: LIES[self.name](it))


def _shown(it: Rig, torrents: dict[str, object]) -> Callable[[], None]:
    """The client has these while it answers; what it does meanwhile is done."""
    kept, shown = it.server.torrents, dict(torrents)
    it.server.torrents = dict(shown)

    def right() -> None:
        gone = shown.keys() - it.server.torrents.keys()
        it.server.torrents = {key: told for key, told in kept.items() if key not in gone}

    return right


def _nothing(it: Rig) -> Callable[[], None]:
    return _shown(it, {})


def _without_the_last(it: Rig) -> Callable[[], None]:
    return _shown(it, dict(list(it.server.torrents.items())[:-1]))


def _without_the_first(it: Rig) -> Callable[[], None]:
    return _shown(it, dict(list(it.server.torrents.items())[1:]))


LIES: dict[str, Callable[[Rig], Callable[[], None]]] = {
    "empty-list": _nothing,
    "without-the-last": _without_the_last,
    "without-the-first": _without_the_first,
}
AFTER = ("reset", "rate-limited", "server-error", "bad-gateway", "page", "empty", "garbage", "slow")
FAULTS = (
    *(Fault(name) for name in STRIKES if name != "true"),
    *(Fault(name, after=True) for name in AFTER),
    *(Fault(name, lies=True) for name in LIES),
)


def points(fault: Fault, app: str) -> Iterator[int]:
    """Which requests: all of them in the proof, where the caller ends it; else a few."""
    if PROOF:  # what goes over SFTP meets no fault here, so all else is as without it
        return iter(range(1 + FAULTS.index(fault) % 5, 200, 5) if app == FAR else range(1, 200))
    first = 1 + 7 * (FAULTS.index(fault) + APPS.index(app.partition(" ")[0])) % EVERY
    return iter(range(first, 60, EVERY))


def everywhere(it: Rig) -> dict[str, bytes]:
    """Every payload by its name, in its place or in quarantine."""
    return {Path(name).name: told for name, told in it.files().items()} | it.waiting()


def unharmed(it: Rig, before: dict[str, bytes]) -> None:
    """What was not to go is there; of the rest no byte is lost where this machine deletes."""
    assert set(STAYS) <= set(it.names), it.names
    mine = ("e1.mkv", "e2.mkv", "Film.mkv")
    now = everywhere(it)
    assert {k: v for k, v in now.items() if k not in mine} == {k: v for k, v in before.items() if k not in mine}
    if it.ours:
        assert now == before


def honest(it: Rig, report: Report) -> None:
    """Each outcome that claims something claims what is so, and the exit code is that of all of them."""
    for outcome in report.outcomes:
        if outcome.state == "done" and outcome.action.verb == "remove":
            assert outcome.action.subject.title not in it.names, f"{outcome.action.subject.title} is still there"
    assert (report.exit == 0) == all(o.state == "done" for o in report.outcomes), report.outcomes


def recovered(it: Rig, before: dict[str, bytes]) -> int:
    """Plain plans and applies until nothing is left; in how many rounds."""
    for done in range(ROUNDS + 1):
        proposal = it.sim.proposal()
        if not proposal.actions and not proposal.blocked and not proposal.under_way:
            break
        assert done < ROUNDS, f"not reached: {proposal.actions} {proposal.blocked} {proposal.under_way}"
        it.sim.apply()
    assert it.names == STAYS
    unharmed(it, before)
    with Store.open(it.sim.folder / "state", SystemClock()) as store:
        assert store.pending() == []
    return done


def one_apply(it: Rig, fault: Fault, n: int) -> bool:
    """Whether it struck at all."""
    before = everywhere(it)
    plan = it.sim.plan()
    assert sorted(goes(plan.resources[0].proposal)) == GOES
    it.line.strike = fault.strike(it, n)
    report = it.sim.apply(plan)
    struck, it.line.strike = it.line.strike.struck, None
    honest(it, report)
    unharmed(it, before)
    rounds = recovered(it, before)
    if struck:
        told = all(o.state == "done" for o in report.outcomes)
        count(applies=1, done_in_spite=told, honest=not told, converged=1, most_rounds=rounds)
    return struck


def one_plan(it: Rig, fault: Fault, n: int) -> bool:
    before, names = everywhere(it), it.names
    it.line.strike = fault.strike(it, n)
    plan = it.sim.plan()
    struck, it.line.strike = it.line.strike.struck, None
    proposal = plan.resources[0].proposal
    assert it.line.changes == [] and everywhere(it) == before and it.names == names
    found = sorted(goes(proposal))
    if fault.lies:
        assert set(found) <= {*GOES, "Pair"}, "a pair of which one is hidden"
        if "Pair" in found:  # what was decided on a lie is looked at again before it is done
            it.sim.apply(plan)
            assert it.names.count("Pair") == 2 and everywhere(it).keys() >= {"p1.mkv"}
    else:
        assert set(found) <= set(GOES)
        if found != GOES:
            assert proposal.blocked, "it decides less, and does not say why"
            assert exit_code(plan, detailed=False) == Exit.BLOCKED
    if struck:
        count(plans=1, plans_as_healthy=found == GOES, plans_blocked=found != GOES)
    return struck


CASES = [  # outside of the proof each fault at one client or another
    (app, fault)
    for number, app in enumerate((*APPS, FAR))
    for place, fault in enumerate(FAULTS)
    if PROOF or (number + place) % 3 == 0
]


@pytest.mark.parametrize(("app", "fault"), CASES, ids=str)
def test_under_every_fault(tmp_path: Path, app: str, fault: Fault) -> None:
    for what in (one_plan, one_apply):
        for n in points(fault, app):
            (folder := tmp_path / f"{what.__name__}-{n}").mkdir()
            with rig(app, folder, timeout="1s" if fault.name == "slow" else "10s") as it:
                try:
                    struck = what(it, fault, n)
                except AssertionError as error:
                    raise AssertionError(f"{app}, {fault} at request {n} of {what.__name__}: {error}") from error
            if not struck:
                break
