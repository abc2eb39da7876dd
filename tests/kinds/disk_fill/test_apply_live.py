"""disk_fill through the whole command: plan, apply, and what the next run finds, on real servers over real files."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kinds.disk_fill.lab import MB, movies_on, shows_on, world_of
from tests.stacks import TINY, Lab, lab


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, "tiny") as found:
        found.declare(TINY)
        yield found


def plan(tiny: Lab) -> dict[str, Any]:
    found: dict[str, Any] = tiny.json("plan")["plan"]
    return found


def actions(told: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = told["resources"][0]["proposal"]["actions"]
    return found


def until(condition: Callable[[], bool], limit: float = 30) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


def test_planning_asks_little(tiny: Lab) -> None:
    """At most 8 requests a connection, the pages of its queue, and 3 for each item that is to move."""
    tiny.stack.control.clear()
    moves = actions(plan(tiny))
    for server in ("sonarr", "radarr"):
        asked = tiny.stack.control.requests(server)
        mine = sum(a["subject"]["connection"] == server for a in moves)
        assert len([r for r in asked if not r["path"].endswith("/queue")]) <= 8 + 3 * mine
        assert all(r["method"] == "GET" for r in asked)


def test_a_move_that_stops_half_way_is_mended_in_the_same_run(tiny: Lab) -> None:
    """The approved compensation: there is room after all, so it goes on. It is told as what it was."""
    before = tiny.files()
    told = plan(tiny)
    tiny.stack.control.break_("move-disk-full", files=1, times=1)
    done = tiny.arr("apply", told["id"], "--approve", told["id"])
    assert "half-way" in done.stdout
    told_by_the_app = "(sonarr: No space left on device"
    for shown in (done.stdout, tiny.arr("show", "r000001").stdout):
        assert told_by_the_app in " ".join(shown.split())
    (action,) = actions(told)
    old, new = action["before"]["path"], action["after"]["path"]
    assert tiny.files() == {path.replace(old, new): size for path, size in before.items()}
    assert actions(plan(tiny)) == []


def test_a_mending_that_fails_is_planned_again(tiny: Lab) -> None:
    before = tiny.files()
    told = plan(tiny)
    tiny.stack.control.break_("move-disk-full", files=1)
    done = tiny.arr("apply", told["id"], "--approve", told["id"])
    assert done.returncode == 1, done.stdout + done.stderr
    tiny.stack.control.heal()
    (heal,) = actions(plan(tiny))
    assert (heal["verb"], heal["cause"]) == ("heal", "repair")
    again = tiny.arr("apply", "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert sorted(tiny.files().values()) == sorted(before.values())
    assert tiny.arr("apply", "--yes").returncode == 0
    new = actions(told)[0]["after"]["path"]
    assert any(path.startswith(f"{new}/") for path in tiny.files())
    assert actions(plan(tiny)) == []


def test_a_lost_reply_is_looked_up_and_not_sent_twice(tiny: Lab) -> None:
    told = plan(tiny)
    tiny.stack.control.clear()
    tiny.stack.control.break_("reset", method="PUT", times=1, when="after")
    done = tiny.arr("apply", told["id"], "--approve", told["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    puts = [r for r in tiny.stack.control.requests() if r["method"] == "PUT"]
    assert len(puts) == len(actions(told))
    for action in actions(told):
        assert any(path.startswith(f"{action['after']['path']}/") for path in tiny.files())


def test_a_write_that_never_arrived_is_not_done(tiny: Lab) -> None:
    before = tiny.files()
    told = plan(tiny)
    tiny.stack.control.break_("reset", method="PUT", when="before")
    done = tiny.arr("apply", told["id"], "--approve", told["id"])
    assert done.returncode == 1, done.stdout + done.stderr
    tiny.stack.control.heal()
    assert tiny.files() == before
    assert tiny.arr("apply", "--yes").returncode == 0
    assert tiny.files() != before


def test_a_killed_run_is_followed_by_the_next_one(tiny: Lab) -> None:
    """SIGKILL in mid-move: the move goes on in the server, and the next plan knows it as its own."""
    told = plan(tiny)
    tiny.stack.control.break_("slow-moves")
    with tiny.popen("apply", told["id"], "--approve", told["id"]) as process:
        until(lambda: any(p.startswith(actions(told)[0]["after"]["path"]) for p in tiny.files()))
        until(lambda: len(tiny.json("status")["pending"]) == 1)
        process.send_signal(signal.SIGKILL)
    proposal = plan(tiny)["resources"][0]["proposal"]
    assert [u["action"]["subject"] for u in proposal["under_way"]] == [actions(told)[0]["subject"]]
    assert actions(told)[0]["subject"] not in [a["subject"] for a in proposal["actions"]]
    tiny.stack.control.heal()
    last = actions(told)[0]
    until(lambda: not any(p.startswith(last["before"]["path"] + "/") for p in tiny.files()))
    done = tiny.arr("apply", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert plan(tiny)["resources"][0]["proposal"]["under_way"] == []
    target = last["after"]["path"]
    assert sum(p.startswith(f"{target}/") for p in tiny.files()) == last["effects"]["files"]


def test_undo_moves_back(tiny: Lab) -> None:
    before = tiny.files()
    told = plan(tiny)
    assert tiny.arr("apply", told["id"], "--approve", told["id"]).returncode == 0
    assert tiny.files() != before
    undo = tiny.json("undo", "r000001")["plan"]
    done = tiny.arr("apply", undo["id"], "--approve", undo["id"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert tiny.files() == before


def test_a_move_reads_no_list_of_all_items(tmp_path: Path) -> None:
    """The target is known by a few folders that stood there: a library may hold thousands of others."""
    roots = ["/data/d1/tv", "/data/d2/tv", "/data/d3/tv"]
    shows = [(70001 + n, f"Show {n}", 2, 20 * MB, roots[0]) for n in range(4)]
    shows.append((70100, "Borrowed Time", 2, 20 * MB, roots[1]))
    world = world_of({"/data/d1": 100 * MB, "/data/d2": 80 * MB, "/data/d3": 80 * MB}, shows_on(roots, shows))
    wish = """
disks:
  d1: {roots: {sonarr: /data/d1/tv}, max: 10%, size: 100 MB}
  d2: {roots: {sonarr: /data/d2/tv}, max: 90%, size: 80 MB}
  d3: {roots: {sonarr: /data/d3/tv}, max: 90%, size: 80 MB}
disk_fill:
  media: {disks: [d1, d2, d3], settle: 0%}
"""
    with lab(tmp_path, world) as found:
        found.declare(wish)
        told = plan(found)
        targets = {a["after"]["path"].rpartition("/")[0] for a in actions(told)}
        assert (len(actions(told)), targets) == (4, {*roots[1:]})
        found.stack.control.clear()
        assert found.arr("apply", told["id"], "--approve", told["id"]).returncode == 0
        lists = [r for r in found.stack.control.requests() if r["method"] == "GET" and r["path"] == "/api/v3/series"]
        assert len(lists) == 1  # the first move to d3, where nothing stood


SHARED = """
disks:
  d1: {roots: {sonarr: /data/d1/tv, radarr: /data/d1/movies}, max: 60%, size: 200 MB}
  d2: {roots: {sonarr: /data/d2/tv, radarr: /data/d2/movies}, max: 90%, size: 400 MB}
disk_fill:
  media: {disks: [d1, d2], settle: 0%}
"""


def test_one_folder_under_two_paths_is_never_moved_onto_itself(tmp_path: Path) -> None:
    """The second root is the first one under another name: a move would destroy the first file."""
    tv = shows_on(["/data/d1/tv"], [(70001, "Alpha Station", 2, 60 * MB, "/data/d1/tv")])
    world = world_of({"/data/d1": 100 * MB}, tv)
    wish = """
disks:
  d1: {roots: {sonarr: /data/d1/tv}, max: 10%, size: 100 MB}
  d2: {roots: {sonarr: /data/d2/tv}, max: 90%, size: 100 MB}
disk_fill:
  media: {disks: [d1, d2]}
"""
    with lab(tmp_path, world) as found:
        found.stack.event({"bind_mount": {"from": "/data/d1", "to": "/data/d2"}})
        handle = found.stack["sonarr"]
        answer = httpx.post(
            f"{handle.url}/api/v3/rootfolder", headers={"X-Api-Key": handle.api_key}, json={"path": "/data/d2/tv"}
        )
        assert answer.status_code == 201, answer.text
        found.declare(wish)
        before = found.files()
        told = plan(found)
        assert actions(told) == []
        assert found.arr("apply", "--yes").returncode in (0, 1)
        assert found.files() == before


def test_two_apps_fill_one_disk(tmp_path: Path) -> None:
    tv = shows_on(["/data/d1/tv", "/data/d2/tv"], [(70001, "Alpha Station", 2, 90 * MB, "/data/d1/tv")])
    films = movies_on(["/data/d1/movies", "/data/d2/movies"], [(501, "Borrowed Time", 70 * MB, "/data/d1/movies")])
    with lab(tmp_path, world_of({"/data/d1": 200 * MB, "/data/d2": 400 * MB}, tv, films)) as found:
        found.declare(SHARED)
        told = plan(found)
        (move,) = actions(told)
        assert move["subject"]["connection"] == "radarr"
        assert found.arr("apply", told["id"], "--approve", told["id"]).returncode == 0
        assert actions(plan(found)) == []
        assert any(p.startswith("/data/d2/movies/") for p in found.files())
