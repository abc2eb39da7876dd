"""Looking at the world until it tells: shortly for a short action, for hours for a long one.

A server that does not answer is asked again for a while (it may be restarting); then the verdict is unknown and the
action stays pending, so that the next run asks again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from reconciler.action import Action, Json
from reconciler.apply.interrupt import Stop
from reconciler.clock import Clock
from reconciler.connection import redact
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import Verb, Verdict
from reconciler.opener import Opener, ReadWorld

AGAIN = 1.0  # seconds until the second look at what seems broken


@dataclass(frozen=True)
class Patience:
    """How long to look. Seconds.

    `first`, `most`  between two looks at a long action, growing by half each time.
    `settle`         how long an effect may take to show after a short action, or after a lost reply.
    `late`           the same where the answer did not come in time: servers have been seen to act two minutes later.
    `silence`        how long a server may give no answer while a long action is followed.
    `still`          how long a long action may show no progress before it is left to the next run.
    """

    first: float = 0.5
    most: float = 5.0
    settle: float = 15.0
    late: float = 180.0
    silence: float = 120.0
    still: float = 6 * 3600.0


def sure(look: Callable[[], Verdict], clock: Clock) -> Verdict:
    """A look, and another one where it shows something broken: one answer may be wrong, and a repair moves files."""
    verdict = look()
    if verdict.state != "broken":
        return verdict
    clock.sleep(AGAIN)
    return look()


def _look(opener: Opener, verb: Verb, action: Action, handle: dict[str, Json] | None) -> Verdict:
    def look() -> Verdict:
        try:
            return verb.verify(ReadWorld(opener), action, handle)
        except ReadFailed as e:
            return Verdict("unknown", redact(e.reason), remedy=redact(e.remedy))
        except NotThere as e:
            return Verdict("unknown", redact(str(e)) or "it is not there any more")

    return sure(look, opener.clock)


def settled_look(
    opener: Opener, verb: Verb, action: Action, handle: dict[str, Json] | None, *, patience: Patience
) -> Verdict:
    """Look until the effect shows or `patience.settle` has passed; the last verdict then."""
    clock = opener.clock
    end, wait = clock.monotonic() + patience.settle, patience.first
    verdict = _look(opener, verb, action, handle)
    while verdict.state not in ("done", "broken") and clock.monotonic() < end:
        clock.sleep(wait)
        wait = min(wait * 1.5, patience.most)
        verdict = _look(opener, verb, action, handle)
    return verdict


def follow(
    opener: Opener,
    verb: Verb,
    action: Action,
    handle: dict[str, Json] | None,
    *,
    patience: Patience,
    stop: Stop,
    told: Callable[[Action, Verdict], None],
) -> Verdict:
    """Follow a long action to its end, a stop, or a server's silence. Without a handle (its reply was lost) the world
    has `patience.settle` to show that it was begun."""
    clock = opener.clock
    wait = patience.first
    heard = begun_by = moved = clock.monotonic()
    arrived: int | None = None
    while True:
        verdict = _look(opener, verb, action, handle)
        now = clock.monotonic()
        if verdict.state != "unknown":
            heard = now
        if verdict.state in ("done", "broken"):
            return verdict
        if verdict.state == "not-done" and (handle is not None or now - begun_by > patience.settle):
            return verdict
        if verdict.state == "unknown" and now - heard > patience.silence:
            return verdict
        if stop.requested:
            return verdict if verdict.state == "running" else Verdict("running", "not followed to its end")
        if verdict.state == "running":
            told(action, verdict)
            if verdict.done_bytes != arrived:
                arrived, moved = verdict.done_bytes, now
            if now - moved > patience.still:
                return verdict
        clock.sleep(wait)
        wait = min(wait * 1.5, patience.most)
