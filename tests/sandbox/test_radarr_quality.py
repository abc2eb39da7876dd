"""What a name says about the quality of a movie."""

from __future__ import annotations

import pytest

from sandbox.radarr import quality


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Northern Harbour (2019) Bluray-1080p.mkv", "Bluray-1080p"),
        ("Quiet.Signal.2015.720p.WEB-DL.H264-GRP", "WEBDL-720p"),
        ("Quiet.Signal.2015.2160p.WEBRip.x265-GRP", "WEBRip-2160p"),
        ("Amber Coast (2008) Remux-2160p", "Remux-2160p"),
        ("amber.coast.2008.hdtv.1080p", "HDTV-1080p"),
        ("other.cut.720p.mkv", "HDTV-720p"),
        ("Glass Orchard (2012) DVD.avi", "DVD"),
    ],
)
def test_source_and_resolution_come_from_the_name(name: str, expected: str) -> None:
    assert quality.parse(name)["quality"]["name"] == expected


def test_the_video_itself_tells_the_resolution_whatever_the_name_says() -> None:
    assert quality.parse("second part.mkv", 1080)["quality"]["name"] == "HDTV-1080p"
    assert quality.parse("A.2001.2160p.BluRay-GRP.mkv", 1080)["quality"]["name"] == "Bluray-1080p"


def test_a_repack_is_a_second_version() -> None:
    assert quality.parse("A.2001.REPACK.1080p.BluRay-GRP")["revision"] == {"version": 2, "real": 0, "isRepack": True}
    assert quality.parse("A.2001.PROPER.1080p.BluRay-GRP")["revision"]["version"] == 2


@pytest.mark.parametrize(
    ("stem", "group"),
    [("A.2001.1080p.BluRay.x264-GRP", "GRP"), ("A (2001) Bluray-1080p", None), ("A.2001.WEB-DL", None)],
)
def test_the_group_stands_at_the_end(stem: str, group: str | None) -> None:
    assert quality.release_group(stem) == group


def test_better_qualities_weigh_more() -> None:
    order = [
        "SDTV",
        "DVD",
        "HDTV-720p",
        "WEBDL-720p",
        "Bluray-720p",
        "HDTV-1080p",
        "WEBDL-1080p",
        "Bluray-1080p",
        "Remux-2160p",
    ]
    weights = {q.name: q.weight for q in quality.TABLE}
    assert [weights[n] for n in order] == sorted(weights[n] for n in order)


def test_every_quality_stands_in_every_profile_once() -> None:
    for profile in quality.default_profiles():
        flat = [q for item in profile["items"] for q in (item["items"] or [item])]
        assert sorted(q["quality"]["id"] for q in flat) == sorted(q.id for q in quality.TABLE)
        cutoff = {q["quality"]["id"] for q in flat if q["allowed"]}
        assert profile["cutoff"] in cutoff
