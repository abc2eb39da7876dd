"""Which faults strike, at which calls, and how a run is judged. See `test_plans.py` and `test_applies.py`.

A fault strikes the n-th call of a run that it can change, for n = 1, 2, … until a run ends without being struck: points are
enumerated, not chosen. `times` 3 outlasts the tries of one read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count as upwards
from typing import Any

from sandbox import faults
from tests import figures
from tests.effort import PROOF
from tests.faults.stage import QUICK, Stage
from tests.laws.worlds import SERVER, Case, cases

WHAT = (
    "a server fails at its n-th call, in every way and for every n, while a plan is made or applied: "
    "no plan decides more than a healthy one, every outcome that is claimed is so in the world, and all is reached after"
)
PACE = 0.02  # seconds that a byte of a slow answer takes
HASTY = 100.0  # how fast time goes where a deadline or a server's silence is waited for


@dataclass(frozen=True)
class Fault:
    """A way to fail. `lies`: no reader can tell by the answer alone that it is untrue. `quick`: how fast time goes then,
    for what waits. `jump`: hours that the clock of `arr` itself is set by, at its n-th reading; no server fails then.
    """

    name: str
    when: str = "before"
    times: int | None = 1
    lies: bool = False
    quick: float = QUICK
    jump: int = 0

    def __str__(self) -> str:
        return self.name + ("-after" if self.when == "after" else "") + (f"-{self.times}" if self.times != 1 else "")

    def switch_on(self, stage: Stage, n: int) -> None:
        """From now on: at the n-th call that it can change."""
        stage.control.clear(SERVER)
        stage.time.quick = self.quick
        if self.jump:
            stage.time.read, stage.time.at, stage.time.jump = 0, n, timedelta(hours=self.jump)
            return
        pace = {"pace": PACE} if self.name == "slow" else {}
        told: dict[str, Any] = {"skip": n - 1, "times": self.times, "when": self.when, **pace}
        stage.control.break_(self.name, server=SERVER, **told)

    def switch_off(self, stage: Stage) -> bool:
        """All is well again. Whether it has struck."""
        stage.time.quick = QUICK
        if self.jump:
            struck = stage.time.read >= stage.time.at
            stage.time.at, stage.time.off = 0, timedelta()
            return struck
        left = stage.control.faults(SERVER)  # what is used up has gone
        stage.control.heal(server=SERVER)
        return not left or left[0]["struck"] > 0 or (self.name == "gone" and left[0]["seen"] >= left[0]["skip"])


def _faults() -> Iterator[Fault]:
    """Before the work is done; then after it, the reply lost or garbled."""
    for name in ("reset", "rate-limited", "rate-limited-silently", "bad-gateway", "starting"):
        yield Fault(name)
        yield Fault(name, times=3)
    for name in ("reset-midway", "half-closed", "truncated"):
        yield Fault(name)
        yield Fault(name, times=3)
    for name in ("unauthorised", "login-page", "server-error", "locked", "redirect"):
        yield Fault(name)
    for name in ("reset", "rate-limited", "bad-gateway", "server-error", "login-page", "redirect"):
        yield Fault(name, when="after")
    for name in ("cut-json", "cut-gzip", "gzip-garbage", "crossed"):
        yield Fault(name)
    yield Fault("gone", times=None, quick=HASTY)
    yield Fault("slow", quick=HASTY)
    for name in ("empty-list", "short-list", "doubled-list", "outdated-list", "sibling", "fast-clock", "slow-clock"):
        yield Fault(name, lies=True)
    yield Fault("here-ahead", lies=True, jump=7)
    yield Fault("here-behind", lies=True, jump=-7)


FAULTS = tuple(_faults())
ALIKE = ("locked", "cut-gzip")  # to an apply they are what `server-error` and `cut-json` are
OF_APPLIES = tuple(fault for fault in FAULTS if fault.name not in ALIKE)


def parts(number: int) -> list[tuple[Case, int]]:
    """Each case and a part of the faults, so that they can run beside each other. Outside of the proof each world has one
    app, another one each."""
    found = cases("items")
    if not PROOF:
        worlds = sorted({(case.kind, case.name) for case in found})
        mine = [[case for case in found if (case.kind, case.name) == world] for world in worlds]
        found = [same[place % len(same)] for place, same in enumerate(mine)]
    return [(case, part) for case in found for part in range(number)]


def points(fault: Fault, calls: int, every: int) -> Iterator[int]:
    """The calls at which a fault is tried, to be ended when it does not strike any more: all of them in the proof, one of
    `every` outside of it, others for each fault."""
    yield from upwards(1) if PROOF else range(1 + 7 * FAULTS.index(fault) % every, calls + 1, every)


def count(**numbers: float) -> None:
    figures.add("faults", WHAT, **numbers)


assert {f.name for f in FAULTS if not f.jump} <= faults.NAMES.keys()
