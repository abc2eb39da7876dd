"""`arr sandbox`: servers that outlive the command, files that fit them, and errors that say what to do."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

Arr = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def arr(tmp_path: Path) -> Iterator[Arr]:
    """`arr sandbox …` over a home of its own; what still runs in it is stopped."""
    environment = {**os.environ, "ARR_SANDBOX": str(tmp_path / "home")}

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(Path(sys.executable).with_name("arr")), "sandbox", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=tmp_path, timeout=60, check=False
        )

    yield call
    call("down")


def told(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def answers(url: str, key: str) -> int:
    """The status of a request with this key."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/api/v3/system/status", headers={"X-Api-Key": key})
        return connection.getresponse().status
    finally:
        connection.close()


def test_up_starts_servers_that_outlive_it_and_down_ends_them(arr: Arr, tmp_path: Path) -> None:
    made = told(arr("up", "--scenario", "tiny", "--port-base", "0", "--format", "json"))
    lines = Path(made["env"]).read_text().splitlines()
    keys = dict(line.removeprefix("export ").split("=") for line in lines)
    assert Path(made["env"]).stat().st_mode & 0o077 == 0
    urls = {s["name"]: s["url"] for s in made["servers"]}
    assert {name: answers(url, keys[f"{name.upper()}_API_KEY"]) for name, url in urls.items()} == {
        "sonarr": 200,
        "radarr": 200,
    }
    desired = yaml.safe_load(Path(made["desired"]).read_text())
    assert {n: c["url"] for n, c in desired["connections"].items()} == urls
    assert desired["disks"]["d1"]["roots"] == {"sonarr": "/data/d1/tv", "radarr": "/data/d1/movies"}
    again = told(arr("up", "--format", "json"))
    assert {s["name"]: s["url"] for s in again["servers"]} == urls, "what runs is left alone"
    assert told(arr("down", "--format", "json"))["stopped"] == ["sonarr", "radarr"]
    assert [s["running"] for s in told(arr("status", "--format", "json"))["servers"]] == [False, False]
    back = told(arr("up", "--format", "json"))
    assert {s["name"]: s["url"] for s in back["servers"]} == urls, "ports are kept"


def test_break_and_heal_reach_the_servers(arr: Arr) -> None:
    made = told(arr("up", "--scenario", "tiny", "--port-base", "0", "--format", "json"))
    sonarr, radarr = (s["url"] for s in made["servers"])
    assert arr("break", "starting", "--server", "sonarr").returncode == 0
    assert (answers(sonarr, "x"), answers(radarr, "x")) == (503, 401)
    shown = told(arr("status", "--format", "json"))["servers"][0]["faults"]
    assert [f["name"] for f in shown] == ["starting"]
    assert told(arr("heal", "--format", "json")) == {"healed": 1}
    assert answers(sonarr, "x") == 401


def test_reset_makes_the_world_anew(arr: Arr, tmp_path: Path) -> None:
    told(arr("up", "--scenario", "tiny", "--port-base", "0", "--format", "json"))
    film = tmp_path / "home" / "world" / "data" / "d3" / "movies" / "Quiet Signal (2015)" / "movie.nfo"
    film.unlink()
    told(arr("reset", "--format", "json"))
    assert film.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("up", "--scenario", "libary"), 64, "Did you mean 'library'?"),
        (("break", "move-kiled"), 64, "Did you mean 'move-killed'?"),
        (("break", "nonsense"), 64, "There are: move-disk-full"),
        (("break", "move-denied", "--path", "*"), 64, "it takes no method and no path"),
        (("status",), 1, "Make one: arr sandbox up"),
        (("heal",), 1, "Make one: arr sandbox up"),
    ],
)
def test_mistakes_are_answered_with_a_remedy(arr: Arr, arguments: tuple[str, ...], code: int, words: str) -> None:
    done = arr(*arguments)
    assert done.returncode == code
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_named(arr: Arr) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        base = other.getsockname()[1] - 8989
        if base < 1:
            pytest.skip("the free port is too low to stand for Sonarr's")
        done = arr("up", "--scenario", "tiny", "--port-base", str(base))
    assert done.returncode == 1
    assert f"port {base + 8989}, for sonarr, is taken" in done.stderr


def test_help_shows_examples_and_every_fault(arr: Arr) -> None:
    shown = arr("break", "--help").stdout
    assert "Examples:" in shown
    assert "move-disk-full" in shown
    assert "Scenarios:" in arr("up", "--help").stdout


def test_output_has_no_colour_in_a_pipe(arr: Arr) -> None:
    assert "\033" not in arr("up", "--scenario", "tiny", "--port-base", "0").stdout
