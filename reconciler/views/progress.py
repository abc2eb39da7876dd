"""Progress of an apply: bars on a terminal, plain lines at intervals in a pipe. Both are `Listener`s of the executor.

They show the action in hand, bytes done of all, the rate and the time left, and nothing that the report says better.
A listener must not raise and may be called from several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from reconciler.action import Action
from reconciler.apply.report import Outcome
from reconciler.clock import Clock
from reconciler.connection import redact
from reconciler.kind import Verdict
from reconciler.units import age_text, size_text
from reconciler.views.actions import amount, duration, name_of
from reconciler.views.look import count
from reconciler.views.text import STYLES, safe

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

EVERY = 30.0  # seconds between two plain lines of one action
SMOOTHING = 0.3  # weight of the newest rate
STOPPING = "stopping when safe; Ctrl-C again: at once"


@dataclass
class Track:
    """How far one action is, and how fast. Bytes and seconds; `rate` in bytes a second, 0 until two looks differ."""

    since: float
    seen: float
    done: int = 0
    total: int | None = None
    rate: float = 0.0
    told: float = field(default=float("-inf"))

    def look(self, now: float, verdict: Verdict, planned: int) -> None:
        """Take in one look at the action."""
        done = verdict.done_bytes or 0
        self.total = verdict.total_bytes or planned or None
        if now > self.seen and done > self.done:
            newest = (done - self.done) / (now - self.seen)
            self.rate = newest if not self.rate else SMOOTHING * newest + (1 - SMOOTHING) * self.rate
            self.seen, self.done = now, done

    def text(self, *, share: bool = True) -> str:
        """`122 GB of 488 GB (25%) · 100 MB/s · 1 h 1 min left`, as far as it is known. A bar needs no `share`."""
        if not self.total:
            return size_text(self.done) if self.done else ""
        parts = [f"{size_text(self.done)} of {size_text(self.total)}"]
        if share:
            parts[0] += f" ({self.done / self.total:.0%})"
        if self.rate:
            parts.append(f"{size_text(round(self.rate))}/s")
            parts.append(f"{age_text(max(0, self.total - self.done) / self.rate)} left")
        return " · ".join(parts)


def title_of(action: Action) -> str:
    """`move The Expanse`."""
    return safe(f"{action.verb} {name_of(action.subject)}")


class _Told:
    """What both listeners keep: the numbers of the actions and their tracks."""

    def __init__(self, clock: Clock, stopping: Callable[[], bool]) -> None:
        self._clock = clock
        self._stopping = stopping
        self._lock = threading.Lock()
        self._planned: set[str] = set()
        self._begun = 0
        self._tracks: dict[str, Track] = {}

    def planned(self, actions: list[Action]) -> None:
        self._planned = {action.id for action in actions}

    def _start(self, action: Action) -> str:
        """The number before an action's name. What mends a broken one is no action of the plan, and takes no number."""
        now = self._clock.monotonic()
        self._tracks[action.id] = Track(since=now, seen=now)
        if action.id not in self._planned:
            return "[mending]"
        self._begun += 1
        return f"[{self._begun}/{len(self._planned)}]"

    def _track(self, action: Action, verdict: Verdict) -> Track:
        now = self._clock.monotonic()
        track = self._tracks.setdefault(action.id, Track(since=now, seen=now))
        track.look(now, verdict, action.effects.bytes_moved)
        return track


class PlainListener(_Told):
    """One line when an action begins and ends, and one now and then in between. For pipes and logs."""

    def __init__(
        self, stream: TextIO, clock: Clock, *, every: float = EVERY, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        super().__init__(clock, stopping)
        self._stream = stream
        self._every = every
        self._stop_told = False

    def started(self, action: Action) -> None:
        with self._lock:
            number = self._start(action)
            self._tracks[action.id].told = self._clock.monotonic()
            told = [title_of(action), amount(action.effects), duration(action.effects)]
            self._line(f"{number} {' · '.join(t for t in told if t)}")

    def progress(self, action: Action, verdict: Verdict) -> None:
        with self._lock:
            track = self._track(action, verdict)
            now = self._clock.monotonic()
            if self._stopping() and not self._stop_told:
                self._stop_told = True
                self._line(STOPPING)
            if now - track.told >= self._every:
                track.told = now
                self._line(f"      {title_of(action)}: {track.text() or safe(verdict.says)}")

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            track = self._tracks.pop(outcome.action.id, None)
            if track is None:  # never begun: the report says why
                return
            seconds = self._clock.monotonic() - track.since
            took = f" after {age_text(seconds)}" if seconds >= 1 else ""
            says = f": {safe(outcome.says)}" if outcome.says and outcome.state != "done" else ""
            self._line(f"      {title_of(outcome.action)}: {outcome.state}{took}{says}")

    def _line(self, text: str) -> None:
        self._stream.write(redact(text) + "\n")
        self._stream.flush()


class BarListener(_Told):
    """A bar for each action in hand and one for all of them. For terminals; gone when the report is shown."""

    def __init__(self, stream: TextIO, clock: Clock, *, stopping: Callable[[], bool] = lambda: False) -> None:
        super().__init__(clock, stopping)
        self._progress = _bars(stream, clock)
        self._exit = ExitStack()
        self._tasks: dict[str, TaskID] = {}
        self._all: TaskID | None = None
        self._ended = 0

    def __enter__(self) -> BarListener:
        self._exit.enter_context(self._progress)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._exit.close()

    def planned(self, actions: list[Action]) -> None:
        super().planned(actions)
        if len(actions) > 1:
            self._all = self._progress.add_task(
                count(len(actions), "action"), total=_weight_of(actions), told="", style="dim"
            )

    def started(self, action: Action) -> None:
        with self._lock:
            number = self._start(action)
            self._tasks[action.id] = self._progress.add_task(
                f"{number} {title_of(action)}", total=action.effects.bytes_moved or None, told="", style=""
            )

    def progress(self, action: Action, verdict: Verdict) -> None:
        with self._lock:
            track = self._track(action, verdict)
            told = STOPPING if self._stopping() else track.text(share=False) or safe(verdict.says)
            if action.id in self._tasks:
                self._progress.update(
                    self._tasks[action.id], completed=track.done, total=track.total, told=redact(told)
                )

    def finished(self, outcome: Outcome) -> None:
        with self._lock:
            self._tracks.pop(outcome.action.id, None)
            if outcome.action.id in self._tasks:
                self._progress.remove_task(self._tasks.pop(outcome.action.id))
            if self._all is not None and outcome.action.id in self._planned:
                self._ended += 1
                told = f"{self._ended} of {len(self._planned)}"
                self._progress.update(self._all, advance=_weight_of([outcome.action]), told=told)


class Looking:
    """A word while the servers are asked, on one line of a terminal; gone when they have answered."""

    def __init__(self, stream: TextIO, *, shown: bool) -> None:
        self._stream = stream
        self._shown = shown
        self._width = 0

    def told(self, answered: int, asked: int) -> None:
        """`answered` of `asked` questions are answered."""
        self._write(f"Looking: {answered} of {asked} answered")

    def __enter__(self) -> Looking:
        self._write("Looking")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._write("")

    def _write(self, text: str) -> None:
        if self._shown:
            self._stream.write(f"\r{text:<{self._width}}\r{text}")
            self._stream.flush()
            self._width = len(text)


def _weight_of(actions: list[Action]) -> int:
    """What the bar of all actions counts: bytes, and a little for each action that moves none."""
    return sum(max(1_000_000, a.effects.bytes_moved) for a in actions)


def _bars(stream: TextIO, clock: Clock) -> Progress:
    from rich.console import Console  # noqa: PLC0415  # costs start-up time, and a pipe never needs it
    from rich.progress import BarColumn, Progress, ProgressColumn, Task  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    class Words(ProgressColumn):
        """A field of the task as data, never as markup, cut to its width."""

        def __init__(self, name: str, width: int) -> None:
            super().__init__()
            self._name, self._width = name, width

        def render(self, task: Task) -> Text:
            told = task.description if self._name == "description" else str(task.fields[self._name])
            text = Text(told, style=STYLES[str(task.fields["style"])], no_wrap=True)
            text.truncate(self._width, overflow="ellipsis", pad=self._name == "description")
            return text

    return Progress(
        Words("description", 24),
        BarColumn(bar_width=8),
        Words("told", 46),
        console=Console(file=stream, markup=False, highlight=False, emoji=False, width=80),
        get_time=clock.monotonic,
        transient=True,
        refresh_per_second=4,
    )
