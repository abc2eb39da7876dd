"""The ready-made worlds: the same every time, believable in their figures, and known to the servers from the start."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import mounts, scenarios
from sandbox.process import Stack
from tests.sandbox.play import Client

GB = 1_000_000_000


def fills(world: dict[str, Any]) -> dict[str, float]:
    used: Counter[str] = Counter()
    for file in world["files"]:
        used[next(d["path"] for d in world["disks"] if file["path"].startswith(d["path"] + "/"))] += file["size"]
    return {d["path"]: used[d["path"]] / d["size"] for d in world["disks"]}


def sizes(world: dict[str, Any], root: str) -> list[int]:
    """Bytes of each item below roots of this name."""
    total: Counter[str] = Counter()
    for file in world["files"]:
        parts = file["path"].split("/")
        if parts[3] == root:
            total["/".join(parts[:5])] += file["size"]
    return sorted(total.values())


@pytest.mark.parametrize("name", scenarios.names())
def test_a_scenario_is_the_same_every_time(name: str) -> None:
    assert scenarios.load(name) == scenarios.load(name)


@pytest.mark.parametrize("name", scenarios.names())
def test_no_path_and_no_id_stands_twice(name: str) -> None:
    world = scenarios.load(name)
    paths = [f["path"] for f in world["files"]]
    assert len(set(paths)) == len(paths)
    for server in world["servers"]:
        ids = [m.get("tvdbId", m.get("tmdbId")) for m in server["metadata"]]
        assert len(set(ids)) == len(ids)


def test_the_library_is_believable() -> None:
    world = scenarios.load("library")
    shows, movies = sizes(world, "tv"), sizes(world, "movies")
    assert (len(shows), len(movies)) == (120, 300)
    assert 5 * GB <= shows[0] <= shows[-1] <= 500 * GB
    assert shows[60] < sum(shows) / 120, "most shows are smaller than the mean"
    assert 2 * GB <= movies[0] <= movies[-1] <= 60 * GB
    full = sorted(fills(world).values())
    assert full[0] < 0.05
    assert full[-1] > 0.9
    tagged = [s for s in world["servers"][0]["seed"]["series"] if "pinned" in s["tags"]]
    assert 3 <= len(tagged) <= 20


def test_the_library_starts_and_knows_what_it_holds(play: Callable[..., Stack]) -> None:
    world = scenarios.load("library")
    stack = play(world)
    sonarr, radarr = Client(stack["sonarr"]), Client(stack["radarr"])
    series, movies = sonarr.get("/series"), radarr.get("/movie")
    assert sum(s["statistics"]["sizeOnDisk"] for s in series) == sum(sizes(world, "tv"))
    assert all(m["hasFile"] for m in movies)
    queue = sonarr.get("/queue")["records"]
    assert [s["title"] for s in series if s["id"] == queue[0]["seriesId"]] == [
        world["servers"][0]["metadata"][7]["title"]
    ]
    told = {d["path"]: 1 - d["freeSpace"] / d["totalSpace"] for d in radarr.get("/diskspace")}
    for path, share in fills(world).items():
        assert told[path] == pytest.approx(share, abs=0.001)


def test_two_sonarrs_hold_one_title_each_in_its_own_folder(play: Callable[..., Stack]) -> None:
    stack = play(scenarios.load("two-sonarrs"))
    held = {
        name: {s["tvdbId"]: s["path"] for s in Client(stack[name]).get("/series")} for name in ("sonarr", "sonarr-4k")
    }
    shared = held["sonarr"].keys() & held["sonarr-4k"].keys()
    assert len(shared) == 1
    ident = shared.pop()
    assert held["sonarr"][ident] != held["sonarr-4k"][ident]
    free = {name: {r["freeSpace"] for r in Client(stack[name]).get("/rootfolder")} for name in stack.servers}
    assert free["sonarr"] == free["sonarr-4k"] == free["radarr"], "they share the disks"


@pytest.mark.root
def test_the_tiny_world_fits_real_memory_disks(play: Callable[..., Stack]) -> None:
    if not mounts.available():
        pytest.skip("only root can mount")
    world = scenarios.load("tiny")
    stack = play(world, backing="tmpfs")
    series = Client(stack["sonarr"]).get("/series")
    assert len(series) == 3
    free = {r["path"]: r["freeSpace"] for r in Client(stack["sonarr"]).get("/rootfolder")}
    for disk in world["disks"]:
        used = fills(world)[disk["path"]] * disk["size"]
        assert free[f"{disk['path']}/tv"] == pytest.approx(disk["size"] - used, abs=1 << 20)
