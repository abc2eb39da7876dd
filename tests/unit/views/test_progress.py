"""Progress tells the action in hand, how far it is, how fast and how long still; a pipe gets lines, a terminal bars."""

from __future__ import annotations

import io

from reconciler.clock import FakeClock
from reconciler.connection import remember_secret
from reconciler.kind import Verdict
from reconciler.views.progress import STOPPING, BarListener, Looking, PlainListener
from tests.unit.views import examples as e

GB = e.GB


def running(done: int) -> Verdict:
    return Verdict("running", done_bytes=done * GB, total_bytes=488 * GB)


def test_plain_lines_at_intervals() -> None:
    """A line at the start, one each interval with rate and time left, one at the end."""
    out, clock = io.StringIO(), FakeClock()
    listener = PlainListener(out, clock, every=30)
    listener.planned([e.EXPANSE, e.FARGO])
    listener.started(e.EXPANSE)
    for second in range(1, 61):
        clock.advance(1)
        listener.progress(e.EXPANSE, running(second))
    listener.finished(e.outcome(e.EXPANSE, "done"))
    assert out.getvalue().splitlines() == [
        "[1/2] move The Expanse · 488 GB in 62 files · about 1 h 21 min",
        "      move The Expanse: 30.0 GB of 488 GB (6%) · 1.0 GB/s · 8 min left",
        "      move The Expanse: 60.0 GB of 488 GB (12%) · 1.0 GB/s · 7 min left",
        "      move The Expanse: done after 1 min",
    ]


def test_plain_lines_tell_that_it_stops() -> None:
    """After Ctrl-C the next look says so, once."""
    out, stop = io.StringIO(), [False]
    listener = PlainListener(out, FakeClock(), stopping=lambda: stop[0])
    listener.planned([e.EXPANSE])
    listener.started(e.EXPANSE)
    stop[0] = True
    listener.progress(e.EXPANSE, running(1))
    listener.progress(e.EXPANSE, running(2))
    assert out.getvalue().splitlines()[1:] == [STOPPING]


def test_no_secret_and_no_control_character_in_progress() -> None:
    """Names and words of servers are data on their way to a terminal, and hold no secret."""
    secret = remember_secret("hunter2-is-no-key")
    out = io.StringIO()
    listener = PlainListener(out, FakeClock())
    listener.started(e.HOSTILE)
    listener.finished(e.outcome(e.HOSTILE, "failed", says=f"401 for {secret}\x1b[2J"))
    assert secret not in out.getvalue()
    assert "\x1b" not in out.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_on_a_terminal() -> None:
    """A bar with bytes, rate and time left; a name is never markup."""
    out, clock = Terminal(), FakeClock()
    with BarListener(out, clock) as listener:
        action = e.EXPANSE.model_copy(update={"subject": e.show("[group] x", 5)})
        listener.planned([action, e.FARGO])
        listener.started(action)
        listener.progress(action, running(61))
        clock.advance(61)
        listener.progress(action, running(122))
        listener._progress.refresh()
        shown = out.getvalue()
        listener.finished(e.outcome(action, "done"))
    assert "[1/2] move [group] x" in shown
    assert "122 GB of 488 GB · 2.0 GB/s · 3 min left" in shown


def test_mending_takes_no_number() -> None:
    """What mends a broken action is not counted as one of the plan."""
    out = io.StringIO()
    listener = PlainListener(out, FakeClock())
    listener.planned([e.EXPANSE, e.FARGO])
    mend = e.HEAL.model_copy(update={"id": f"{e.EXPANSE.id}/mend"})
    for action in (e.EXPANSE, mend, e.FARGO):
        listener.started(action)
        listener.finished(e.outcome(action, "done"))
    begun = [line.split(" · ")[0] for line in out.getvalue().splitlines() if line.startswith("[")]
    assert begun == ["[1/2] move The Expanse", "[mending] heal Alpha Station", "[2/2] move Fargo"]


def test_looking_is_gone_when_it_ends() -> None:
    """The word of progress is overwritten with spaces; a pipe gets nothing."""
    out = io.StringIO()
    with Looking(out, shown=True) as looking:
        looking.told(3, 8)
    assert out.getvalue().endswith("\rLooking: 3 of 8 answered\r" + " " * len("Looking: 3 of 8 answered") + "\r")
    silent = io.StringIO()
    with Looking(silent, shown=False) as looking:
        looking.told(3, 8)
    assert silent.getvalue() == ""
