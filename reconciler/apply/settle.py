"""Settling: what a dead or departed process left under way is looked up in the world, and the journal says what it found.

It writes the journal only. What has to be mended is the next plan's business. A look that gets no answer leaves the entry
pending: unknown is not an outcome to be remembered, it is a question to be asked again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from reconciler.action import Action
from reconciler.apply.follow import sure
from reconciler.apply.journal import Journal, PendingRow
from reconciler.apply.report import Outcome, State
from reconciler.connection import redact
from reconciler.errors import LockedError
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import Kind, Pending, Verdict
from reconciler.opener import Opener, ReadWorld

log = logging.getLogger(__name__)

# What a verdict means for the journal. "not-done" is final: nothing happened, so the next plan may plan it again.
FINAL: dict[str, State] = {"done": "done", "broken": "broken", "not-done": "failed"}


# What is left where looking can never tell. The braces take the run and the action's id.
BY_HAND = "or look yourself and close it by hand: arr settle {}/{}"


def stuck(kinds: Mapping[str, Kind[Any]], opener: Opener, action: Action) -> str:
    """Why no look can ever tell what became of it, while things are declared as they are; "" while one may."""
    kind = kinds.get(action.address.split(".", 1)[0])
    if kind is None or action.verb not in kind.verbs:
        return f"no installed kind knows {action.address} {action.verb}"
    try:
        opener.app(action.subject.connection)
    except ReadFailed as e:
        return redact(e.reason)
    return ""


def look(kinds: Mapping[str, Kind[Any]], opener: Opener, row: PendingRow) -> Verdict:
    """The world's word on one pending action."""
    kind = kinds.get(row.action.address.split(".", 1)[0])
    verb = kind.verbs.get(row.action.verb) if kind else None
    why = stuck(kinds, opener, row.action)
    if verb is None:
        remedy = f"install it again; {BY_HAND.format(row.run, row.action.id)}"
        return Verdict("unknown", f"no installed kind knows {row.action.address} {row.action.verb}", remedy=remedy)
    try:
        return sure(lambda: verb.verify(ReadWorld(opener), row.action, row.handle), opener.clock)
    except ReadFailed as e:
        remedy = f"{redact(e.remedy)}; {BY_HAND.format(row.run, row.action.id)}" if why else redact(e.remedy)
        return Verdict("unknown", redact(e.reason), {"code": e.code}, remedy=remedy)
    except NotThere:
        return Verdict("unknown", f"{row.action.subject.title or row.action.subject.key} is not there any more")
    except Exception as e:
        log.exception("could not look at %s", row.action.id)
        return Verdict("unknown", f"looking at it failed ({type(e).__name__}); the log has the details (-vv)")


def pending(kinds: Mapping[str, Kind[Any]], opener: Opener, journal: Journal) -> tuple[Pending, ...]:
    """Everything under way, with what the world says of it. Reads only: planning uses this."""
    found: list[Pending] = []
    for row in journal.pending():
        live = journal.alive(row.run)  # asked first: who is dead now has done nothing since
        found.append(Pending(row.run, row.at, row.action, row.handle, look(kinds, opener, row), live))
    return tuple(found)


def close(journal: Journal, run: str, action: Action, state: State, verdict: Verdict) -> bool:
    """Journal an outcome, and in the same commit whose the subject is: what was created is its resource's own, what was
    deleted nobody's.

    False when another process journalled an outcome before: that one counts.
    """
    owned = {"create": True, "delete": False}.get(action.verb) if state == "done" else None
    return journal.settle(run, action.id, state, verdict.says, verdict.data, owned=owned)


def settle(journal: Journal, seen: Iterable[Pending]) -> tuple[Outcome, ...]:
    """Journal what has come to an end. What a live process began is its own to journal: it may be about to act."""
    outcomes: list[Outcome] = []
    for item in seen:
        verdict = item.verdict
        state = FINAL.get(verdict.state)
        if state is None or item.live:
            going: State = "running" if verdict.state == "running" else "unknown"
            outcomes.append(Outcome(action=item.action, state=going, says=verdict.says, remedy=verdict.remedy))
        elif close(journal, item.run, item.action, state, verdict):
            outcomes.append(Outcome(action=item.action, state=state, says=verdict.says, data=verdict.data))
    return tuple(outcomes)


def settle_if_free(journal: Journal, seen: tuple[Pending, ...]) -> tuple[Pending, ...]:
    """Settle unless another process is at work just now; what is still open afterwards."""
    ended = {item.action.id for item in seen if item.verdict.state in FINAL and not item.live}
    if not ended:
        return seen
    try:
        with journal.lock("settling what was under way"):
            settle(journal, seen)
    except LockedError:
        return seen
    return tuple(item for item in seen if item.action.id not in ended)
