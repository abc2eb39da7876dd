"""A29: ratio OR age, with no tracker minimum: hit-and-run bans."""

from __future__ import annotations

from pathlib import Path

from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import Sim, goes, payload

WISH = """
connection: rt
may_go: {any: [{ratio: ">= 1"}, {seeded: ">= 5d"}]}
trackers:
  blu: {match: ["*.blu.example"], keep_until: {all: [{ratio: ">= 1.5"}, {seeded: ">= 10d"}]}}
  red: {match: ["red.example"], keep_until: {ratio: ">= 3"}}
"""
BLU, RED, ELSE = "http://t.blu.example/announce", "http://red.example/announce", "http://else.example/announce"


def test_a29_an_obligation_always_wins(tmp_path: Path) -> None:
    """Whatever may go, each tracker's minimum is met first; an unlisted tracker holds; pressure changes nothing of it."""
    downloads = tmp_path / "dl"
    torrents = [
        payload(downloads, "Met.mkv", 1, trackers=[BLU]),
        payload(downloads, "Short.mkv", 2, trackers=[BLU], ratio=1400),
        payload(downloads, "Both.mkv", 3, trackers=[BLU, RED]),
        payload(downloads, "Unlisted.mkv", 4, trackers=[ELSE]),
        payload(downloads, "None.mkv", 5, trackers=[]),
    ]
    with Rtorrent(torrents) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        for pressure in ("", f"pressure: {{disk: {downloads}, above: 0%}}\n"):
            sim.declare(WISH + pressure)
            assert goes(sim.proposal()) == ["Met.mkv"]
        why = dict(sim.session().why("Both.mkv"))["torrent_retention.seedbox"]
        assert any("red wants more: ratio 2.5, not >= 3" in line for line in why)


def test_a29_an_obligation_that_is_not_known_is_not_met(tmp_path: Path) -> None:
    """Checking, or without a time of finishing: nothing goes."""
    downloads = tmp_path / "dl"
    checking = payload(downloads, "Checking.mkv", 1, trackers=[BLU], hashing=1)
    paused = payload(downloads, "Stopped.mkv", 2, trackers=[BLU], active=False, started=False)
    with Rtorrent([checking, paused]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        assert goes(sim.proposal()) == []
