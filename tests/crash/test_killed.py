"""Whatever dies in mid-move, and whenever: nothing is lost, and plain `arr plan` and `arr apply` lead to the wish.

The sandbox and `arr` are processes of their own; they are killed for real. What is asserted is which files lie where.
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.stacks import TINY, Lab, lab


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, "tiny") as found:
        found.declare(TINY)
        yield found


def until(true: Callable[[], object], what: str, limit: float = 30) -> None:
    """Wait for a condition, with a bound."""
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.05)


def names(files: dict[str, int]) -> dict[str, int]:
    """Files by what they are, not by the disk they lie on: nothing may be lost or doubled by a move.

    An empty folder is none: a server that is killed right after making it leaves it, and no request takes it away.
    """
    found: dict[str, int] = {}
    for path, size in files.items():
        if path.endswith("/"):
            continue
        inside = path.split("/", 3)[3]
        assert inside not in found, f"twice: {inside}"
        found[inside] = size
    return found


def short(tiny: Lab) -> str:
    return str(tiny.json("plan")["short"])


def begin(tiny: Lab, files: int = 1) -> subprocess.Popen[str]:
    """`arr apply` of an approved plan whose move stands still after `files` videos."""
    tiny.stack.control.break_("slow-moves", files=files, server="sonarr")
    plan = short(tiny)
    process = tiny.popen("apply", plan, "--approve", plan)
    until(lambda: any(e["status"] == "started" and "Move" in e["name"] for e in commands(tiny)), "the move runs")
    until(
        lambda: "accepted" in tiny.arr("show", "r000001").stdout or "under way" in tiny.arr("status").stdout, "journal"
    )
    return process


def commands(tiny: Lab) -> list[dict[str, str]]:
    handle = tiny.stack["sonarr"]
    answer = httpx.get(f"{handle.url}/api/v3/command", headers={"X-Api-Key": handle.api_key})
    found: list[dict[str, str]] = answer.json()
    return found


def settled(tiny: Lab, before: dict[str, int]) -> None:
    """The wish is reached: nothing to do, nothing under way, every file there once, no lock held."""
    for _ in range(4):
        plan = tiny.json("plan")
        if not any(r["proposal"]["actions"] for r in plan["plan"]["resources"]):
            break
        tiny.arr("apply", plan["short"], "--approve", plan["short"])
    done = tiny.arr("plan")
    assert (done.returncode, "Nothing to do" in done.stdout) == (0, True), done.stdout + done.stderr
    assert "Nothing is under way" in tiny.arr("status").stdout
    assert names(tiny.files()) == before


def test_arr_is_killed_while_a_server_moves(tiny: Lab) -> None:
    """The move is the server's: it goes on, is shown as under way, and is adopted, not repeated."""
    before = names(tiny.files())
    process = begin(tiny)
    process.kill()
    process.communicate()
    seen = tiny.arr("plan")
    assert "under way" in seen.stdout.lower(), seen.stdout
    tiny.stack.control.heal()
    until(lambda: not any(c["status"] == "started" and "Move" in c["name"] for c in commands(tiny)), "the move ends")
    applied = tiny.arr("apply", "--yes")
    assert applied.returncode == 0, applied.stdout + applied.stderr
    settled(tiny, before)
    entries = tiny.arr("show", "r000001").stdout
    assert re.search(r"^done +1 +move", entries, re.MULTILINE), entries
    moves = [r for r in tiny.stack.control.requests("sonarr") if r["method"] == "PUT"]
    assert len(moves) == 1, moves


@pytest.mark.parametrize("also_arr", [False, True])
def test_the_server_is_killed_in_mid_move(tiny: Lab, also_arr: bool) -> None:
    """One file is whole on both sides of the cut, one is partial: it is healed, never rescanned into oblivion."""
    before = names(tiny.files())
    process = begin(tiny)
    tiny.stack.kill("sonarr")
    if also_arr:
        process.kill()
    tiny.stack.start("sonarr")
    tiny.stack.control.heal()
    process.communicate(timeout=120)
    settled(tiny, before)


def test_the_first_ctrl_c_stops_following_and_says_what_is_left(tiny: Lab) -> None:
    before = names(tiny.files())
    process = begin(tiny)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert "running" in out or "under way" in out, out + err
    tiny.stack.control.heal()
    settled(tiny, before)


def test_the_second_ctrl_c_stops_at_once_and_loses_nothing(tiny: Lab) -> None:
    before = names(tiny.files())
    process = begin(tiny)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    tiny.stack.control.heal()
    settled(tiny, before)
