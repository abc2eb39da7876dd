"""The rules, as data: what a person writes, what it says of a torrent, and that what is not known never lets one go."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from resources.clients.torrents import Torrent, Tracker, public_url
from resources.torrent_retention.judge import GO, STAY, UNKNOWN, Known, judge
from resources.torrent_retention.spec import RetentionSpec

NOW = datetime(2026, 11, 1, tzinfo=UTC)
DAY = 86400
FILM = Torrent(
    hash="a" * 40, name="Film.2020", save_path="/d", content="/d/Film", size=5 * 10**9, done=5 * 10**9, complete=True,
    state="seeding", ratio=2.0, uploaded=1, seeded_s=14 * DAY, added=NOW - timedelta(days=20),
    finished=NOW - timedelta(days=19), label="tv", tags=("one", "two"), private=True, seeders=5, message="",
    trackers=(Tracker("https://t.blu.example", 0, True, "", "working"),), files=(),
)  # fmt: skip
EXAMPLE: dict[str, Any] = {
    "connection": "rt",
    "imported_by": ["sonarr"],
    "may_go": {"imported": True, "any": [{"ratio": ">= 2.0"}, {"seeded": ">= 14d"}]},
    "trackers": {
        "blu": {"match": ["*.blu.example"], "keep_until": {"any": [{"ratio": ">= 1.05"}, {"seeded": ">= 8d"}]}},
        "unlisted": "hold",
    },
    "keep": [{"label": "keep"}, {"seeders": "< 3"}],
}


def rules(**more: Any) -> RetentionSpec:
    return RetentionSpec.model_validate_json(json.dumps({**EXAMPLE, **more}))


def verdict(torrent: Torrent, spec: RetentionSpec | None = None, imported: bool | None = True) -> str:
    return judge(spec or rules(), Known(torrent, NOW, imported, "says")).verdict


def test_it_goes_exactly_at_its_limit() -> None:
    assert verdict(FILM) == GO
    assert verdict(replace(FILM, ratio=1.999999, seeded_s=14 * DAY - 1)) == STAY
    assert verdict(replace(FILM, ratio=1.0, seeded_s=14 * DAY)) == GO
    assert verdict(FILM, imported=False) == STAY and verdict(FILM, imported=None) == UNKNOWN


def test_data_that_its_client_cannot_read_is_not_deleted() -> None:
    """A disk that is offline: qBittorrent and Transmission call the data missing, and would take the torrent out all the same."""
    missing = replace(FILM, state="error", message="No data found! Ensure your drives are connected")
    assert verdict(missing) == UNKNOWN
    assert verdict(missing, rules(delete="torrent")) == GO


def test_a_tracker_that_is_a_number_is_a_tracker() -> None:
    """Of IPv6, beside one whose obligation is met: it is not listed, so it holds; listed, it lets go."""
    url = public_url("http://[2001:DB8::1]:6969/0123456789abcdef0123456789abcdef/announce")
    numbered = Tracker(url, 1, True, "", "working")
    torrent = replace(FILM, trackers=(*(FILM.trackers or ()), numbered))
    assert numbered.host == "2001:db8::1" and "0123456789abcdef" not in url
    assert verdict(torrent) == STAY
    listed = {"six": {"match": ["2001:db8::*"], "keep_until": {"ratio": ">= 1"}}}
    assert verdict(torrent, rules(trackers={**EXAMPLE["trackers"], **listed})) == GO


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"ratio": None, "seeded_s": None}, UNKNOWN), ({"ratio": None}, GO), ({"seeders": None}, UNKNOWN),
        ({"seeders": 2}, STAY), ({"label": "keep"}, STAY), ({"state": "checking"}, UNKNOWN), ({"state": "moving"}, UNKNOWN),
        ({"complete": False}, STAY), ({"trackers": None}, UNKNOWN), ({"trackers": ()}, STAY), ({"state": "paused"}, GO),
        ({"trackers": (Tracker("https://else.example", 0, True, "", "working"),)}, STAY),
    ],
)  # fmt: skip
def test_what_is_not_known_keeps(change: dict[str, Any], expected: str) -> None:
    assert verdict(replace(FILM, **change)) == expected


def test_age_counts_from_the_later_of_added_and_finished() -> None:
    spec = rules(may_go={"age": ">= 19d"})
    assert verdict(FILM, spec) == GO
    assert verdict(replace(FILM, added=NOW - timedelta(days=1)), spec) == STAY
    assert verdict(replace(FILM, finished=None), spec) == UNKNOWN


def test_the_first_group_that_matches_is_the_one() -> None:
    spec = rules(
        groups=[
            {"match": {"label": "tv*", "size": "> 1 GB"}, "may_go": {"ratio": ">= 9"}, "delete": "torrent"},
            {"match": {"private": True}, "may_go": {"ratio": ">= 0"}, "keep": [{"name": "Film*"}]},
        ]
    )
    assert (verdict(FILM, spec), judge(spec, Known(FILM, NOW, True, "")).delete) == (STAY, "torrent")
    other = replace(FILM, label="movies")
    assert verdict(other, spec) == STAY and verdict(replace(other, name="Other"), spec) == GO
    assert verdict(replace(FILM, label="x", private=None), spec) == UNKNOWN


@given(
    st.sampled_from([None, 0.0, 1.0, 1.05, 1.9, 2.0, 7.0]),
    st.sampled_from([None, 0, 8 * DAY - 1, 8 * DAY, 14 * DAY, 99 * DAY]),
    st.sampled_from([None, 0, 2, 3, 50]),
    st.sampled_from([None, True, False]),
)
def test_nothing_goes_unless_all_is_known_that_it_needs(
    ratio: float | None, seeded: int | None, seeders: int | None, imported: bool | None
) -> None:
    """May go and obligation met and not kept, each by itself; replacing a fact by "not known" never lets one go."""
    told = replace(FILM, ratio=ratio, seeded_s=seeded, seeders=seeders)
    goes = verdict(told, imported=imported) == GO
    may = imported is True and ((ratio or 0) >= 2 or (seeded or 0) >= 14 * DAY)
    met = (ratio or 0) >= 1.05 or (seeded or 0) >= 8 * DAY
    assert goes == (may and met and seeders is not None and seeders >= 3)
    blinded: tuple[dict[str, Any], ...] = ({"ratio": None}, {"seeded_s": None}, {"seeders": None}, {"trackers": None})
    for blind in blinded:
        assert goes or verdict(replace(told, **blind), imported=imported) != GO


@pytest.mark.parametrize(
    "wrong",
    [
        {"may_go": {}}, {"may_go": {"ratio": "2.0"}}, {"may_go": {"seeded": ">= 14"}}, {"may_go": {"any": []}},
        {"may_go": {"ratio": ">= nan"}}, {"trackers": {"unlisted": "maybe"}}, {"trackers": {"blu": "hold"}},
        {"pressure": {"disk": "/d", "above": "80%", "to": "90%"}}, {"unregistered": {"seen": 1}}, {"delete": "all"},
    ],
)  # fmt: skip
def test_what_says_nothing_or_contradicts_itself_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        rules(**wrong)
