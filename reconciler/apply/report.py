"""What an apply tells: events while it goes on (for progress bars) and a report at its end (for people, JSON, exit code)."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import Field

from reconciler.action import Action, Json, Value
from reconciler.errors import Exit, worst
from reconciler.kind import Verdict

State = Literal["done", "failed", "broken", "unknown", "running", "stale", "blocked", "refused", "skipped", "left"]

EXIT: dict[State, Exit] = {
    "done": Exit.OK,
    "failed": Exit.ERROR,
    "broken": Exit.ERROR,
    "unknown": Exit.BLOCKED,
    "running": Exit.OK,
    "stale": Exit.STALE,
    "blocked": Exit.BLOCKED,
    "refused": Exit.REFUSED,
    "skipped": Exit.PARTLY,
    "left": Exit.PARTLY,
}


class Outcome(Value):
    """How one action ended.

    done      the world shows it
    failed    the server said no; nothing happened
    broken    it stopped half-way; the next plan heals it
    unknown   it may have happened; the next run looks
    running   accepted, and still going on when we stopped following
    stale     the subject moved since the plan; not touched
    blocked   what it rests on could not be read; not touched
    refused   a guard forbids it
    skipped   an action that it needs was not done
    left      not begun: interrupted
    """

    action: Action
    state: State
    says: str = ""
    remedy: str = ""
    seconds: float | None = None
    data: dict[str, Json] = Field(default_factory=dict)


class Report(Value):
    """One run of apply. `settled`: what was under way from earlier runs, and what became of it."""

    run: str
    plan: str
    outcomes: tuple[Outcome, ...] = ()
    settled: tuple[Outcome, ...] = ()
    interrupted: bool = False

    @property
    def exit(self) -> Exit:
        """0 only when all is done. What was done turns a refusal or a block of the rest into `partly applied`."""
        code = worst(EXIT[o.state] for o in self.outcomes)
        if code in (Exit.REFUSED, Exit.BLOCKED) and any(o.state == "done" for o in self.outcomes):
            return Exit.PARTLY
        return code


class Listener(Protocol):
    """Told what happens, as it happens. Must not raise; runs in the executor's thread."""

    def planned(self, actions: list[Action]) -> None: ...

    def started(self, action: Action) -> None: ...

    def progress(self, action: Action, verdict: Verdict) -> None:
        """A look at a long action: `verdict.done_bytes` of `verdict.total_bytes`, either None when it can't be told."""
        ...

    def finished(self, outcome: Outcome) -> None: ...


class Silent:
    """A listener that tells nobody."""

    def planned(self, actions: list[Action]) -> None: ...

    def started(self, action: Action) -> None: ...

    def progress(self, action: Action, verdict: Verdict) -> None: ...

    def finished(self, outcome: Outcome) -> None: ...
