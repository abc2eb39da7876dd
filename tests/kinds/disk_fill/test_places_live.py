"""Folders of one app inside of another's, on real servers: nothing of another app's is ever carried along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.kinds.disk_fill.lab import MB, movies_on, shows_on, world_of
from tests.stacks import Lab, lab

TV = ["/data/d1/tv", "/data/d2/tv"]
SHOW = f"{TV[0]}/Alpha Station"
WISH = """
disks:
  d1: {{roots: {{sonarr: /data/d1/tv{d1}}}, max: 40%, size: 100 MB}}
  d2: {{roots: {{sonarr: /data/d2/tv{d2}}}, max: 95%, size: 200 MB}}
disk_fill:
  media: {{disks: [d1, d2], settle: 0%}}
"""


def world(films: str, at: str) -> dict[str, Any]:
    """Two shows of which the first would leave d1, and a Radarr whose film lies at `at`, with a root at `films`."""
    shows = [(70001, "Alpha Station", 2, 40 * MB, TV[0]), (70002, "Borrowed Time", 2, 25 * MB, TV[0])]
    told = movies_on([films, "/data/d2/movies"], [(501, "Alpha Film", 10 * MB, at)])
    return world_of({"/data/d1": 100 * MB, "/data/d2": 200 * MB}, shows_on(TV, shows), told)


def done(lab: Lab) -> dict[str, Any]:
    """What was proposed. It is applied, and every film is where its app says."""
    plan = lab.json("plan")["plan"]
    lab.arr("apply", plan["id"], "--approve", plan["id"])
    answer = httpx.get(f"{lab.stack['radarr'].url}/api/v3/movie", headers={"X-Api-Key": lab.stack["radarr"].api_key})
    folders = [movie["path"] for movie in answer.json()]
    assert all(any(file.startswith(f"{folder}/") for file in lab.files()) for folder in folders)
    proposal: dict[str, Any] = plan["resources"][0]["proposal"]
    return proposal


@pytest.mark.parametrize("declared", [True, False], ids=["on these disks", "on none of these disks"])
def test_a_show_with_another_apps_root_inside_stays(tmp_path: Path, declared: bool) -> None:
    with lab(tmp_path, world(f"{SHOW}/Films", f"{SHOW}/Films")) as found:
        more = {"d1": f', radarr: "{SHOW}/Films"', "d2": ", radarr: /data/d2/movies"}
        found.declare(WISH.format(**(more if declared else {"d1": "", "d2": ""})))
        proposal = done(found)
    (held,) = [h for h in proposal["held"] if h["subject"]["title"] == "Alpha Station"]
    assert "of radarr lies in its folder and would move with it" in held["reason"]
    assert "Alpha Station" not in {a["subject"]["title"] for a in proposal["actions"]}


def test_what_a_neighbour_did_not_tell_is_said_to_be_not_checked(tmp_path: Path) -> None:
    with lab(tmp_path, world("/data/d2/movies", "/data/d2/movies")) as found:
        found.declare(WISH.format(d1="", d2=""))
        found.stack.kill("radarr")
        (resource,) = found.json("plan")["plan"]["resources"]
    assert [a["subject"]["title"] for a in resource["proposal"]["actions"]]
    assert any(what.startswith("what radarr keeps in these folders (") for what in resource["proposal"]["not_checked"])
