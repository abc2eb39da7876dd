"""Whether a run under a fault was honest: what every outcome claims is compared with the world, and the exit code with both.

The world is asked past everything that is tested. What an action would have done is known from a run without a fault.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tests.faults.stage import Ended, Stage
from tests.laws.bench import changed
from tests.laws.worlds import SERVER

World = dict[str, Any]

OF_THE_SERVER = {"id", "added"}  # a thing that is made anew has others
UNTOUCHED = ("failed", "stale", "blocked", "refused", "skipped", "left")


def decisions(plan: Any) -> set[str]:
    """What a plan (its JSON) would do."""
    return {
        f"{a['verb']} {key_of(a)} {json.dumps(a['after'], sort_keys=True)}"
        for part in plan["plan"]["resources"]
        for a in part["proposal"]["actions"]
    }


def told(plan: Any) -> list[Any]:
    """What a plan says that it does not know, or that is wrong."""
    parts = [part["proposal"] for part in plan["plan"]["resources"]]
    return [reason for p in parts for reason in (*p["blocked"], *p["errors"])]


def unfinished(plan: Any) -> list[Any]:
    """Everything of a plan that says: not reached yet."""
    parts = [part["proposal"] for part in plan["plan"]["resources"]]
    return [x for p in parts for x in (*p["actions"], *p["later"], *p["under_way"], *p["blocked"], *p["errors"])]


def key_of(action: Any) -> str:
    """The key of `Bench.snapshot` that an action's subject has."""
    subject = action["subject"]
    return str(subject["key"]) if ":" in subject["key"] else f"{subject['type']}/{subject['key']}"


@dataclass(frozen=True)
class Healthy:
    """A run without a fault: the plan's JSON, the world before and after, the writes, the number of calls."""

    plan: Any
    before: World
    after: World
    writes: list[str]
    calls: int

    @property
    def subjects(self) -> set[str]:
        return {key_of(a) for part in self.plan["plan"]["resources"] for a in part["proposal"]["actions"]}

    def shows(self, key: str, now: World) -> bool:
        """Whether the world shows of a subject what it showed after the healthy run."""
        before, after, found = self.before.get(key), self.after.get(key), now.get(key)
        if after is None or found is None:
            return after is None and found is None
        fields = {f for f in after if (before or {}).get(f) != after[f]} - OF_THE_SERVER
        return all(_bare(found.get(f)) == _bare(after[f]) for f in fields)


def _bare(value: Any) -> Any:
    """Without what is another one every time."""
    if isinstance(value, dict):
        return {k: _bare(v) for k, v in value.items() if k not in OF_THE_SERVER | {"dateAdded"}}
    return [_bare(v) for v in value] if isinstance(value, list) else value


def writes(stage: Stage) -> list[str]:
    """What the server was asked to change and has changed, since its log was cleared."""
    calls = stage.control.requests(SERVER)
    return sorted(f"{c['method']} {c['path']}" for c in calls if c["method"] != "GET" and c["done"])


def honest(stage: Stage, healthy: Healthy, ended: Ended) -> bool:
    """Assert that what is claimed is so. Whether it claims that all is done."""
    world = stage.snapshot()
    assert ended.told, f"no report: {ended.out} {ended.err}"
    if "report" not in ended.told:  # an error: it has not begun
        assert ended.code not in (0, 2), ended.out
        assert changed(healthy.before, world) == set(), ended.out
        return False
    outcomes = ended.told["report"]["outcomes"]
    states = {o["state"] for o in outcomes}
    for outcome in outcomes:
        key, state = key_of(outcome["action"]), outcome["state"]
        if state == "done":
            assert healthy.shows(key, world), f"said to be done, and it is not: {key}: {outcome['says']}"
        elif state in UNTOUCHED:
            same = world.get(key) == healthy.before.get(key)
            assert same, f"said to be untouched ({state}: {outcome['says']}), and it is not: {key}"
        else:
            assert outcome["says"], f"{key} is {state}, and no word why"
        if state == "broken":
            assert not healthy.shows(key, world), f"said to be broken, and it is whole: {key}: {outcome['says']}"
    assert ended.code == expected(states), f"exit {ended.code} for {states}"
    return states == {"done"}


def expected(states: set[str]) -> int:
    """The exit code for these outcomes: the first of 5, 1, 3, 4, 7, 0 that applies; what is done makes 4 and 7 a 3."""
    if "stale" in states:
        return 5
    if states & {"failed", "broken"}:
        return 1
    if states & {"skipped", "left"} or (states & {"refused", "blocked", "unknown"} and "done" in states):
        return 3
    if "refused" in states:
        return 4
    return 7 if states & {"blocked", "unknown"} else 0
