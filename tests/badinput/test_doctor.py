"""Declared disks, as `arr doctor` finds them: every root with its server's word on it, and the line to correct."""

from __future__ import annotations

import re

from tests.badinput.ends import flat
from tests.stacks import Lab

DISKS = """
disks:
  d1:
    roots:
      sonarr: /data/d1/tv
      radarr: /data/d9/movies
    here: {here}
    max: 80%
  d2: {{roots: {{sonarr: [/data/d2/tv, /data/d3/tv]}}, max: 90%}}
"""


def test_every_declared_root_is_looked_at(tiny: Lab) -> None:
    tiny.declare(DISKS.format(here=tiny.folder))
    done = tiny.arr("doctor")
    assert done.returncode == 1
    said = flat(done.stdout)
    assert re.search(r"ok sonarr /data/d1/tv \S+ \wB free of \S+ \wB", said)
    assert "BAD radarr /data/d9/movies radarr has no such root folder" in said
    assert re.search(
        r"correct disks.d1.roots.radarr \(\S*wish.yaml:6\), or add it in radarr; it has /data/d1/movies", said
    )
    assert re.search(rf"ok here {tiny.folder} \S+ \wB free", said)
    disks = {d["disk"]: d["findings"] for d in tiny.json("doctor")["disks"]}
    assert [f["ok"] for f in disks["d2"]] == [True, True]
    one = tiny.json("doctor", "sonarr")
    assert [c["connection"] for c in one["connections"]] == ["sonarr"]
    assert not [f for d in one["disks"] for f in d["findings"] if f["what"].startswith("radarr")]


def test_a_server_that_does_not_answer_says_nothing_of_its_roots(tiny: Lab) -> None:
    tiny.declare(DISKS.format(here="/no/such/folder"))
    found = tiny.json("doctor", env={"SONARR_API_KEY": "0" * 32})
    (d1, d2) = found["disks"]
    assert [(f["what"].split()[0], f["ok"]) for f in d1["findings"]] == [
        ("radarr", False), ("sonarr", None), ("here", False),
    ]  # fmt: skip
    assert [f["ok"] for f in d2["findings"]] == [None, None]
    assert found["exit"] == 1
