"""A linked folder inside of an item, on a real server that follows it: what lies behind stays where it is."""

from __future__ import annotations

from pathlib import Path

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
