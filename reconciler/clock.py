"""Time, the only way in: everything that needs a date, a deadline or a wait takes a `Clock`.

Tests hand in a `FakeClock` that moves when told to, so no test sleeps and no figure is timed. Plans never read a clock:
the moment of planning is an argument.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the engine may ask of time."""

    def now(self) -> datetime:
        """The present, timezone-aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds since some fixed moment; never goes backwards."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let `seconds` pass. May be cut short by an interrupt, which is raised."""
        ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class FakeClock:
    """A clock that stands still until somebody sleeps or `advance`s it."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, 12, 0, tzinfo=UTC)
        self._monotonic = 0.0

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`; a negative number is a clock that was set back (the monotonic one never is)."""
        self._now += timedelta(seconds=seconds)
        self._monotonic += max(0.0, seconds)
