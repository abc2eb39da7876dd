"""The world in memory is the sandbox's: the same operations in both give the same plans, outcomes, files and items.

So what the simulation shows in memory holds for the sandbox, which is itself held against recordings of real servers.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from sandbox.values import Json
from tests.effort import PROOF, seed
from tests.simulation.drift import DRIFTS
from tests.simulation.sandboxed import PATHS, Twin
from tests.simulation.wish import EDITS

OPERATIONS = 60 if PROOF else 14
CASTS = ("sonarr", "radarr", "both")
BREAKS = ("move-disk-full", "move-denied", "move-killed")


def drawn(chance: random.Random) -> Json:
    """An operation that both worlds can do."""
    a, b, c = (chance.randrange(12) for _ in range(3))
    sort = chance.choices(("drift", "edit", "go", "broken", "lost", "time", "unread"), (5, 2, 4, 3, 1, 1, 1))[0]
    if sort == "drift":
        return {"op": "drift", "what": chance.choice(sorted(DRIFTS)), "a": a, "b": b, "c": c}
    if sort == "edit":
        return {"op": "edit", "what": chance.choice(sorted(EDITS)), "a": a, "b": b}
    if sort == "broken":
        return {"op": "broken", "what": chance.choice(BREAKS), "files": a % 3}
    if sort == "lost":
        return {"op": "lost", "when": chance.choice(("before", "after")), "skip": a % 2}
    if sort == "time":
        return {"op": "time", "how": chance.choice(("hour", "day", "week"))}
    if sort == "unread":
        return {"op": "unread", "query": chance.choice(sorted(PATHS))}
    return {"op": "go"}


@pytest.mark.parametrize("cast", CASTS)
def test_both_worlds_agree(cast: str, tmp_path: Path) -> None:
    number = seed("sandbox", cast)
    chance = random.Random(number)
    items = [[n, chance.choice((0, 0, 1, 2)), chance.randint(20, 90), chance.randint(1, 4), n % 3] for n in range(7)]
    begin = {"op": "begin", "cast": cast, "disks": 3, "items": items, "most": "60%", "cooldown": "6h"}
    done: list[Json] = [begin]
    with Twin(tmp_path, begin) as twin:
        for _ in range(OPERATIONS):
            done.append(drawn(chance))
            try:
                twin.do(done[-1])
            except BaseException as e:
                e.add_note(f"seed {number}: {done}")
                raise
