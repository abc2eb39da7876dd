"""Torrents that a removal of ours has stopped, and that are still there: they seed again. Pure.

rtorrent has to let go of files before they are moved, and does not seed meanwhile. Whatever ended the removal at that point
(a kill, a line that broke) leaves the torrent halted until rtorrent is restarted, which may be a hit and run.
"""

from __future__ import annotations

from collections.abc import Iterator

from reconciler.action import Action
from reconciler.kind import Ledger, Past
from resources.clients.torrents import Torrent
from resources.torrent_retention.world import World, subject

HALTED = "is halted"
_BEGUN = ("failed", "not-done", "broken", "unknown")


def halted(world: World, ledger: Ledger, stays: set[str]) -> Iterator[Action]:
    """The actions, without ids. `stays`: hashes of which it is known that they stay; nothing is resumed for want of an answer."""
    for torrent in world.own:
        if torrent.state == "halted" and torrent.hash in stays:
            past = _last(ledger, subject(world.connection, torrent).ident)
            if past is not None:
                yield _resume(world, torrent, past)


def _last(ledger: Ledger, ident: str) -> Past | None:
    """The removal that stopped it; None when what we did last with it was something else."""
    past = next((p for p in reversed(ledger.history) if p.action.subject.ident == ident), None)
    ours = past is not None and past.action.verb == "remove" and bool(past.action.data.get("ours"))
    return past if ours and past is not None and past.outcome in _BEGUN else None


def _resume(world: World, torrent: Torrent, past: Past) -> Action:
    address = str(world.resource.address)
    return Action(
        id=f"{address}/0",
        address=address,
        verb="resume",
        subject=subject(world.connection, torrent),
        reason=f"its removal on {past.at:%Y-%m-%d %H:%M} stopped half-way and has left it halted, and it stays",
        before={"torrent": HALTED},
        after={"torrent": "seeds"},
        details=("nothing is deleted or moved",),
        rests_on={"torrent": HALTED},
        data={"connection": world.connection, "hash": torrent.hash},
        cause="repair",
    )
