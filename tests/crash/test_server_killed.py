"""The server is killed and started again at every stage of a move that it runs: plain `arr apply` mends what is left.

Stages: the move is accepted and nothing is copied, in the middle of the first file, of the second, of the last, and when every
file has moved but the folder has not been read again. Whatever the server forgot, every file is there once in the end.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import figures
from tests.crash.test_killed import commands, names, settled, short, until
from tests.effort import PROOF
from tests.stacks import TINY, Lab, lab

WHAT = "servers killed in the middle of a move that they run, at one of its stages, and started again"
STAGES: list[str | int] = ["accepted", 0, 1, 2, "all moved"]


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, "tiny") as found:
        found.declare(TINY)
        yield found


def planned(tiny: Lab) -> tuple[str, str]:
    """The plan's short id, and the folder that its move empties."""
    plan = tiny.json("plan")
    (action,) = [a for r in plan["plan"]["resources"] for a in r["proposal"]["actions"]]
    return str(plan["short"]), str(action["before"]["path"])


def reached(tiny: Lab, stage: str | int, source: str) -> bool:
    """Whether the move has come that far."""
    if stage == "accepted":
        return any(r["method"] == "PUT" for r in tiny.stack.control.requests("sonarr"))
    if stage == "all moved":
        return not any(path.startswith(f"{source}/") and size for path, size in tiny.files().items())
    return any(c["status"] == "started" and "Move" in c["name"] for c in commands(tiny))


@pytest.mark.skipif(not PROOF, reason="a minute each: in make proof; test_killed.py has one stage in make test")
@pytest.mark.parametrize("stage", STAGES)
def test_the_server_is_killed_at_a_stage_of_a_move(tiny: Lab, stage: str | int) -> None:
    before = names(tiny.files())
    plan, source = planned(tiny)
    if isinstance(stage, int):
        tiny.stack.control.break_("slow-moves", files=stage, server="sonarr")
    process = tiny.popen("apply", plan, "--approve", plan)
    end = time.monotonic() + 30
    while not reached(tiny, stage, source):
        assert time.monotonic() < end, f"not within 30 s: {stage}"
    if isinstance(stage, int):
        until(lambda: stands_still(tiny), "the move stands still in the middle of a file")
    tiny.stack.kill("sonarr")
    tiny.stack.start("sonarr")
    tiny.stack.control.heal()
    out, err = process.communicate(timeout=120)
    assert "a fault of this program" not in out + err, out + err
    settled(tiny, before)
    assert short(tiny)
    figures.add("crashes-server", WHAT, servers_killed=1, converged=1)


def stands_still(tiny: Lab) -> bool:
    """Nothing has changed for a moment, though the move is not over."""
    first = tiny.files()
    time.sleep(0.2)
    return tiny.files() == first
