"""Wishes that can be read and make no sense, alone or against the world: said with file, line, field and remedy."""

from __future__ import annotations

import pytest

from tests.badinput.ends import ends
from tests.stacks import TINY, Lab

D1 = "{roots: {sonarr: /data/d1/tv, radarr: /data/d1/movies}, max: 80%}"

WISHES = {
    "unknown section": (
        TINY + "disk_fil: {}\n",
        ("desired/wish.yaml:8:1", "disk_fil", "did you mean disk_fill"),
    ),
    "unknown field": (
        TINY.replace("{disks: [d1, d2, d3]}", "{disks: [d1, d2, d3], setle: 3%}"),
        ("desired/wish.yaml:7:", "in disk_fill.media.setle", "did you mean settle"),
    ),
    "unknown field of a disk": (
        TINY.replace("max: 80%", "maxx: 80%"),
        ("desired/wish.yaml:3:", "in disks.d1.maxx", "did you mean max"),
    ),
    "over 100 %": (
        TINY.replace("max: 80%", "max: 180%"),
        ("desired/wish.yaml:3:", "in disks.d1.max", "100%"),
    ),
    "settle over 100 %": (
        TINY.replace("{disks: [d1, d2, d3]}", "{disks: [d1, d2, d3], settle: 101%}"),
        ("desired/wish.yaml:7:", "in disk_fill.media.settle", "100%"),
    ),
    "two resources on one root": (
        TINY + "  other: {disks: [d1, d2]}\n",
        ("desired/wish.yaml:8:", "disk_fill.media", "disk_fill.other", "d1"),
    ),
    "two disks on one root": (
        TINY.replace("disk_fill:", "  d4: {roots: {sonarr: /data/d1/tv/}, max: 90%}\ndisk_fill:"),
        ("desired/wish.yaml:6:", "/data/d1/tv", "claimed twice", "disk d1", "remove one of them"),
    ),
    "a root inside another": (
        TINY.replace("disk_fill:", "  d4: {roots: {sonarr: /data/d1/tv/anime}, max: 90%}\ndisk_fill:"),
        ("desired/wish.yaml:6:", "lies in sonarr: /data/d1/tv of disk d1", "may not be nested"),
    ),
    "a missing connection": (
        TINY.replace("sonarr: /data/d2/tv", "sonar: /data/d2/tv"),
        ("desired/wish.yaml:4:", "no connection is called sonar", "did you mean sonarr"),
    ),
    "a missing connection of a tag": (
        TINY + "tag:\n  kids: {connections: [radar]}\n",
        ("desired/wish.yaml:9:", "radar", "did you mean radarr"),
    ),
    "a missing disk": (
        TINY.replace("[d1, d2, d3]", "[d1, d2, d33]"),
        ("desired/wish.yaml:7:", "d33", "d3"),
    ),
    "the same key twice": (
        TINY + "disk_fill:\n  media: {disks: [d3]}\n",
        ("desired/wish.yaml:8:1", "disk_fill", "desired/wish.yaml:6"),
    ),
    "a key in plain text": (
        TINY
        + "connections:\n  tv: {app: sonarr, url: 'http://127.0.0.1:1', api_key: 0123456789abcdef0123456789abcdef}\n",
        ("desired/wish.yaml:9:", "connections.tv.api_key", "{env: NAME_OF_A_VARIABLE}"),
    ),
}


@pytest.mark.parametrize("name", WISHES)
def test_a_wish_that_makes_no_sense(tiny: Lab, name: str) -> None:
    text, says = WISHES[name]
    tiny.declare(text)
    secret = "0123456789abcdef0123456789abcdef"
    ends(tiny, "plan", code=64, says=(*says, "problem"), reads=False, secrets=[secret])
    assert not tiny.state.exists()


def test_a_root_that_does_not_exist(tiny: Lab) -> None:
    """Only the server can tell: the plan names the field and the roots that there are."""
    tiny.declare(TINY.replace("sonarr: /data/d2/tv", "sonarr: /data/d2/series"))
    says = ("disks.d2.roots.sonarr", "/data/d2/series", "/data/d2/tv")
    ends(tiny, "plan", code=1, says=says)
    ends(tiny, "apply", "--yes", code=1, says=says)


def test_an_excluded_item_that_is_nowhere(tiny: Lab) -> None:
    """A slip of the pen would exclude nothing. What else the plan holds waits for its approval; the exit code is the worse."""
    tiny.declare(TINY.replace("[d1, d2, d3]", "[d1, d2, d3], exclude: {ids: ['tvdb:7002']}"))
    says = ("exclude.ids: no item has the id tvdb:7002", "correct it or remove it")
    ends(tiny, "plan", code=1, says=says)
    ends(tiny, "apply", "--yes", code=1, says=says)


def test_a_protected_item_that_is_nowhere(tiny: Lab) -> None:
    tiny.declare(TINY + "protect: ['tvdb:7002']\n")
    ends(
        tiny, "plan", code=1, says=("protect: tvdb:7002 is nothing that any of the servers has", "correct or remove it")
    )
