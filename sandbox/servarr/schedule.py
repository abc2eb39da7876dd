"""The commands a server starts by itself: its tasks, each at its interval from the start on.

They take command ids in between, and one of them (the refresh of everything, twice a day) brings the scan that forgets
what a broken move has left elsewhere. `Timing.minute_s` scales the minute for tests.
"""

from __future__ import annotations

import threading
import time

from sandbox.commands import Queue
from sandbox.values import NEVER, iso, now

_HIGH = "RefreshMonitoredDownloads"


class Schedule:
    """`tasks` are (name, interval in minutes, id), as `/system/task` lists them."""

    def __init__(self, commands: Queue, tasks: list[tuple[str, int, int]], minute_s: float) -> None:
        self._commands = commands
        self._every = {name: minutes * minute_s for name, minutes, _ in tasks if name.lower() in commands.specs}

    def start(self) -> None:
        """Runs the schedule from now on, in a thread of its own."""
        if self._every:
            threading.Thread(target=self._run, name="schedule", daemon=True).start()

    def _run(self) -> None:
        due = {name: time.monotonic() + every for name, every in self._every.items()}
        while True:
            name = min(due, key=lambda n: due[n])
            time.sleep(max(0.0, due[name] - time.monotonic()))
            due[name] = time.monotonic() + self._every[name]
            ran = self._commands.executed.get(name)
            last = {"lastExecutionTime": iso(ran[0] if ran else now()), "lastStartTime": iso(ran[0]) if ran else NEVER}
            priority = "high" if name == _HIGH else "low"
            self._commands.push(name, {}, "scheduled", priority=priority, more=last)
