"""A28: the dry run recorded moves as done, so the real run skipped them; three runs moved the same terabytes three times.

Planning changes nothing that planning reads, however often it runs; what was moved is moved once; and what has just
moved stays for its cool-down.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import TINY, Lab, lab


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, "tiny") as found:
        found.declare(TINY)
        yield found


def writes(tiny: Lab) -> list[str]:
    """Everything the servers were asked to change."""
    return [f"{r['method']} {r['path']}" for r in tiny.stack.control.requests() if r["method"] != "GET"]


def test_a28_planning_again_and_again_changes_nothing(tiny: Lab) -> None:
    before = tiny.files()
    plans = [tiny.json("plan")["plan"] for _ in range(3)]
    assert len({plan["id"] for plan in plans}) == 1
    assert len(plans[0]["resources"][0]["proposal"]["actions"]) > 0
    assert tiny.files() == before
    assert writes(tiny) == []


def test_a28_what_was_moved_is_moved_once(tiny: Lab) -> None:
    plan = tiny.json("plan")["plan"]
    actions = plan["resources"][0]["proposal"]["actions"]
    done = tiny.arr("apply", plan["id"], "--approve", plan["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    puts = [w for w in writes(tiny) if w.startswith("PUT")]
    assert len(puts) == len(actions)
    after = tiny.files()
    for action in actions:
        assert any(path.startswith(action["after"]["path"] + "/") for path in after)
    for _ in range(2):
        assert tiny.arr("apply", "--yes").returncode == 0
    assert [w for w in writes(tiny) if w.startswith("PUT")] == puts
    assert tiny.files() == after


def test_a28_what_has_just_moved_rests(tiny: Lab) -> None:
    """The wish is turned round: without a cool-down the same item would go straight back."""
    plan = tiny.json("plan")["plan"]
    assert tiny.arr("apply", plan["id"], "--approve", plan["id"]).returncode == 0
    after = tiny.files()
    turned = TINY.replace("max: 80%", "max: 99%").replace(
        "{roots: {sonarr: /data/d2/tv, radarr: /data/d2/movies}, max: 90%}",
        "{roots: {sonarr: /data/d2/tv, radarr: /data/d2/movies}, max: 5%}",
    )
    tiny.declare(turned)
    again = tiny.json("plan")["plan"]["resources"][0]["proposal"]
    moved = {a["subject"]["key"] for a in plan["resources"][0]["proposal"]["actions"]}
    assert moved.isdisjoint(a["subject"]["key"] for a in (*again["actions"], *again["later"]))
    assert any("the cool-down is 90 days" in h["reason"] for h in again["held"])
    assert tiny.files() == after
