"""Settings in which time stands still: the same world gives the same plan, and what has to have been so for a while is so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from reconciler.apply.report import Report
from reconciler.session import Session
from tests.laws.bench import QUICK, Bench, Hurried
from tests.laws.worlds import Case, steps


class Still(Hurried):
    """The moment at which it was made, but for what is added to it."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def now(self) -> datetime:
        return self.moment


class Ticking(Session):
    """One whose applies begin a second after whatever was before: what was is past by then."""

    def apply(self, *args: Any, **options: Any) -> Report:
        assert isinstance(self.clock, Still)
        self.clock.moment += timedelta(seconds=1)
        return super().apply(*args, **options)


class StillBench(Bench):
    """A bench whose clock moves by what the world's file says only. Further steps are `{wait: seconds}`."""

    def __init__(self, case: Case, folder: Path, url: str, clock: Still) -> None:
        super().__init__(case, folder, url, clock)
        self.still = clock

    @property
    def session(self) -> Session:
        return Ticking([self.desired], self.state, clock=self.still, patience=QUICK)

    def settle(self) -> None:
        """Everything was seen as it is, as long ago as the world says. No file can be older than it is: time moves on."""
        if (span := self.case.told.get("settles")) is not None:
            self.declare()
            self._wait(span)

    def _wait(self, seconds: float) -> None:
        self.plan()
        self.ahead += timedelta(seconds=seconds)
        self.still.moment += timedelta(seconds=seconds)

    def do(self, section: str) -> None:
        for step in steps(self.case, section):
            if "wait" in step:
                self._wait(step["wait"])
            else:
                self.step(step)

    def step(self, step: Any) -> None:
        """One step of the setting's own."""
        raise NotImplementedError


def write(file: Path, size: int) -> None:
    """Bytes that tell whose they are."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = file.name.encode()
    file.write_bytes((text * (size // len(text) + 1))[:size])
