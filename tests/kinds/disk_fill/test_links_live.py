"""A linked folder inside of an item, on a real server that follows it: what lies behind stays where it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks import TINY, lab


def test_an_item_with_a_linked_folder_stays_and_so_does_what_it_points_at(tmp_path: Path) -> None:
    with lab(tmp_path, "tiny") as tiny:
        data = tiny.stack.home / "data"
        tiny.declare(f"{TINY}paths:\n  - {{here: '{data}', sonarr: /data, radarr: /data}}\n")
        (first, *_) = tiny.json("plan")["plan"]["resources"][0]["proposal"]["actions"]
        place = first["before"]["path"]
        holiday = data / "d1" / "holiday"
        holiday.mkdir(mode=0o777)
        holiday.chmod(0o777)
        (holiday / "beach.mp4").write_bytes(b"b" * 1000)
        (tiny.stack.home / place.lstrip("/") / "extras").symlink_to("../../holiday", target_is_directory=True)

        plan = tiny.json("plan")["plan"]
        proposal = plan["resources"][0]["proposal"]
        tiny.arr("apply", plan["id"], "--approve", plan["id"])
        assert (holiday / "beach.mp4").read_bytes() == b"b" * 1000
        assert place not in {a["before"]["path"] for a in proposal["actions"]}
        assert [h["reason"].partition(",")[0] for h in proposal["held"]] == ["1 symbolic link is in its folder"]
        assert "no symbolic links" in first["details"]


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_what_is_linked_after_the_plan_stays(tmp_path: Path, kind: str) -> None:
    with lab(tmp_path, "tiny") as tiny:
        data = tiny.stack.home / "data"
        tiny.declare(f"{TINY}paths:\n  - {{here: '{data}', sonarr: /data, radarr: /data}}\n")
        plan = tiny.json("plan")["plan"]
        (first, *_) = plan["resources"][0]["proposal"]["actions"]
        place = first["before"]["path"]
        mine = tiny.stack.home / place.lstrip("/")
        other = data / "d1" / "elsewhere"
        other.mkdir(mode=0o777)
        if kind == "symbolic":
            (mine / "extras").symlink_to(other, target_is_directory=True)
        else:
            (other / "seeds.mkv").hardlink_to(next(p for p in sorted(mine.rglob("*")) if p.is_file()))

        done = tiny.arr("apply", plan["id"], "--approve", plan["id"])
        assert done.returncode != 0
        words = "1 symbolic link is in its folder" if kind == "symbolic" else "have other names too (hard links)"
        assert words in " ".join(done.stdout.split())
        assert mine.is_dir() and not (tiny.stack.home / first["after"]["path"].lstrip("/")).exists()
        assert other.is_dir()
