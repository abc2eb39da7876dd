"""`arr why ITEM`: what this resource says of one torrent, with its reasons."""

from __future__ import annotations

from datetime import datetime

from reconciler.facts import Facts
from reconciler.kind import Ledger, Resource
from resources.torrent_retention.decide import Decider
from resources.torrent_retention.spec import RetentionSpec

WORDS = {"go": "the rules let it go", "stay": "it stays", "unknown": "it stays: not all is known"}


def why(resource: Resource[RetentionSpec], facts: Facts, ledger: Ledger, now: datetime, item: str) -> list[str]:
    """Lines for the torrents whose hash, name or folder is `item`; empty when there is none."""
    found = Decider(resource, facts, ledger, now).decide()
    wanted = item.lower().removeprefix("torrent:")
    lines: list[str] = []
    for torrent in found.world.own:
        if wanted not in (torrent.hash, torrent.name.lower()) and item != torrent.content:
            continue
        judged = found.verdicts.get(torrent.hash)
        if judged is not None:
            lines.append(f"{torrent.name} ({torrent.hash[:8]}): {WORDS[judged.verdict]}")
            lines += [f"  {reason}" for reason in judged.reasons]
        lines += [f"  held: {h.reason}" for h in found.held if h.subject.key == torrent.hash]
        lines += [f"  not known: {b.reason}" for b in found.blocked if b.what == torrent.name]
    return lines
