"""A10: balancing split hard links, and the disks were fuller than before.

An item whose files have other names elsewhere stays where it is, in words that name the files; what moves instead keeps
the disks within their targets, and no link is broken. Where this machine does not see the files, the plan says that it
did not check.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks import TINY, Lab, lab

PATHS = "paths:\n  - {{here: '{data}', sonarr: /data, radarr: /data}}\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Lab]:
    with lab(tmp_path, "tiny") as found:
        yield found


def link_elsewhere(tiny: Lab, folder: str) -> dict[Path, int]:
    """Give every file of an item a second name, as a torrent client does; returns the files with their inodes."""
    data = tiny.stack.home / "data"
    seeds = data / "d1" / "seeds"
    seeds.mkdir(exist_ok=True)
    out = {}
    for number, file in enumerate(sorted((data / folder).rglob("*.mkv"))):
        os.link(file, seeds / f"{Path(folder).name}-{number}.mkv")
        out[file] = file.stat().st_ino
    assert out
    return out


def moved(plan: dict[str, object]) -> list[str]:
    parts = plan["resources"]
    return [a["before"]["path"] for a in parts[0]["proposal"]["actions"]]  # type: ignore[index]


def test_a10_an_item_with_hard_links_elsewhere_stays_and_is_named(tiny: Lab) -> None:
    tiny.declare(TINY + PATHS.format(data=tiny.stack.home / "data"))
    first = moved(tiny.json("plan")["plan"])
    assert first
    linked = link_elsewhere(tiny, first[0].removeprefix("/data/"))
    plan = tiny.json("plan")["plan"]
    assert first[0] not in moved(plan)
    held = plan["resources"][0]["proposal"]["held"]
    assert any("have other names too (hard links)" in h["reason"] for h in held)
    done = tiny.arr("apply", "--approve", plan["id"], plan["id"])
    assert done.returncode in (0, 1), done.stdout + done.stderr
    for file, inode in linked.items():
        assert (file.stat().st_ino, file.stat().st_nlink) == (inode, 2)


def test_a10_what_cannot_be_seen_is_said_to_be_not_checked(tiny: Lab) -> None:
    tiny.declare(TINY)
    assert "not checked: hard links and linked folders" in " ".join(tiny.arr("plan").stdout.split())


def test_a10_links_within_the_item_do_not_hold_it(tiny: Lab) -> None:
    """Two names of one file inside the same folder move together."""
    tiny.declare(TINY + PATHS.format(data=tiny.stack.home / "data"))
    first = moved(tiny.json("plan")["plan"])
    file = next(iter(sorted((tiny.stack.home / first[0].lstrip("/")).rglob("*.mkv"))))
    os.link(file, file.with_name("again.mkv"))
    assert first[0] in moved(tiny.json("plan")["plan"])
