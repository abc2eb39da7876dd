"""Closing a journal entry by hand, where no look at the world can ever tell what became of it.

A connection that was renamed or removed while something was pending on it leaves such an entry. A person who has looked
for themselves says how it ended; the journal keeps who, when and why. Law 4 holds: what can be looked up is looked up,
and a server that merely does not answer now is waited for. Called by the session for `arr settle`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from reconciler.action import Action
from reconciler.apply.journal import Journal
from reconciler.apply.settle import FINAL, look, stuck
from reconciler.errors import Exit, RefusedError, UsageError
from reconciler.kind import Kind, Verdict
from reconciler.opener import Opener

Ended = Literal["done", "not-done"]


@dataclass(frozen=True)
class Entry:
    """An entry without an outcome. `name` is what `arr settle` takes: `r000012/disk_fill.media/1`.

    `live`: the process that began it is at work. `stuck`: why looking can never tell; "" while it may.
    """

    name: str
    run: str
    at: datetime
    action: Action
    accepted: bool
    verdict: Verdict
    live: bool
    stuck: str

    @property
    def refusal(self) -> tuple[str, str]:
        """Why it is not to be settled by hand, and what to do instead; ("", "") when it may be."""
        verdict, connection = self.verdict, self.action.subject.connection
        if self.live:
            return f"{self.run} is at work on it just now, and journals the outcome itself", "wait for it: arr status"
        if self.stuck:
            return "", ""
        if verdict.state in FINAL:
            return f"looking at {connection} tells what became of it: {verdict.says}", "arr plan journals it"
        if verdict.state == "running":
            return f"it is still going on: {verdict.says}", "follow it: arr status"
        if "code" in verdict.data:
            gone = f"if {connection} is gone for good, take it out of the desired state first"
            return f"{connection} is declared and may still tell: {verdict.says}", f"{verdict.remedy}; {gone}"
        return "", ""


def name_of(run: str, action: Action) -> str:
    """What `arr settle` takes for an entry."""
    return f"{run}/{action.id}"


def entries(kinds: Mapping[str, Kind[Any]], opener: Opener, journal: Journal) -> tuple[Entry, ...]:
    """Everything without an outcome, oldest first, with the world's word on it. Reads only."""
    found = []
    for row in journal.pending():
        live = journal.alive(row.run)
        verdict, why = look(kinds, opener, row), stuck(kinds, opener, row.action)
        name = name_of(row.run, row.action)
        found.append(Entry(name, row.run, row.at, row.action, row.accepted, verdict, live, why))
    return tuple(found)


def find(among: Sequence[Entry], ref: str) -> Entry:
    """The entry that `ref` names: its whole name, or its run where only one entry of that run is open."""
    named = [e for e in among if e.name == ref] or [e for e in among if e.run == ref]
    if len(named) == 1:
        return named[0]
    if named:
        raise UsageError(f"{ref} has {len(named)} open entries", f"name one: {', '.join(e.name for e in named)}")
    remedy = f"open: {', '.join(e.name for e in among)}" if among else "nothing is open: arr status"
    raise UsageError(f"no open entry is called {ref}", remedy)


def check(entry: Entry) -> None:
    """RefusedError, with the way that is left, where looking can tell or may yet."""
    why, way = entry.refusal
    if why:
        raise RefusedError(f"{entry.name} is not settled by hand: {why}", way)


def settle_by_hand(journal: Journal, entry: Entry, ended: Ended, *, who: str, because: str) -> str:
    """Journal how it ended, as a run of its own; the id of that run. The world is not touched.

    A person's word gives no ownership (what was made stays, whatever `prune` says) and may only take it away.
    RefusedError, with nothing written, when it was settled meanwhile.
    """
    with journal.lock("settling by hand"):
        if journal.alive(entry.run):
            raise RefusedError(f"{entry.run} is at work on it just now", "wait for it: arr status")
        if all((row.run, row.action.id) != (entry.run, entry.action.id) for row in journal.pending()):
            raise RefusedError(f"{entry.name} was settled meanwhile", f"look: arr show {entry.run}")
        run = journal.begin_run("settle", None)
        says = f"settled by hand as {ended} by {who}: {because}"
        data = {"by_hand": {"as": ended, "who": who, "because": because, "run": run}}
        owned = False if ended == "done" and entry.action.verb == "delete" else None
        journal.settle(entry.run, entry.action.id, FINAL[ended], says, data, owned=owned)
        journal.end_run(run, int(Exit.OK), f"{entry.name} as {ended}, by {who}: {because}")
    return run
