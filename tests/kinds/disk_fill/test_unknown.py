"""What could not be looked at takes its own moves out of the plan, and puts no others into it (law 4)."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.facts import Query, Unknown
from resources.clients.servarr import FileRows, Listing, Tree
from tests.kinds.disk_fill.made import GB, show, three_disks


@pytest.mark.parametrize(
    "query", [FileRows("sonarr", 1), Tree("sonarr", "/tv1/The Expanse"), Listing("sonarr", "/tv3")]
)
def test_nothing_takes_the_place_of_what_could_not_be_looked_at(query: Query[Any]) -> None:
    """Another move instead of it would be a decision made on what is not known."""
    made = three_disks()
    made.servers["sonarr"].items.append(show(6, "Second Best", 520 * GB, "/tv1"))
    healthy = {(a.subject.title, a.after["path"]) for a in made.plan().actions}
    made.broken[query] = Unknown("slow", "no answer in 60 s")
    proposal = made.plan()
    assert {(a.subject.title, a.after["path"]) for a in proposal.actions} < healthy
    assert proposal.blocked
    assert not all(bar.ok for bar in proposal.bars)
    assert "any plan needs at least" not in " ".join(proposal.summary)


def test_a_disk_is_not_called_empty_because_a_move_off_it_could_not_be_decided() -> None:
    made = three_disks()
    made.disks = """
        d1: {roots: {sonarr: /tv1}}
        d2: {roots: {sonarr: /tv2}}
        d3: {roots: {sonarr: /tv3}, drain: true}
    """
    made.servers["sonarr"].items = [show(6, "Small", 90 * GB, "/tv3")]
    assert {bar.name: bar.ok for bar in made.plan().bars}["d3"]
    made.broken[FileRows("sonarr", 6)] = Unknown("slow", "no answer in 60 s")
    assert not {bar.name: bar.ok for bar in made.plan().bars}["d3"]
