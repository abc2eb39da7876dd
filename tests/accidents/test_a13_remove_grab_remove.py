"""A13: remove → search → grab → remove, up to 136 times."""

from __future__ import annotations

from pathlib import Path

from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, held, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}quarantine: {{keep: 0s}}"


def test_a13_what_comes_back_is_left_alone(tmp_path: Path) -> None:
    """Somebody adds what was removed again: it is held and said so, not removed once more."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Film.mkv", 1)
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        back = payload(downloads, "Film.mkv", 1)
        rt.torrents[back.hash.upper()] = back
        proposal = sim.proposal()
        assert goes(proposal) == [] and "is back: somebody adds it again" in held(proposal)["Film.mkv"]


def test_a13_what_fails_three_times_rests(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads, "Film.mkv", 1)]) as rt:
        rt.refuses["d.erase"] = (-500, "no")
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        for _ in range(3):
            assert [o[2] for o in sim.states(sim.apply())] == ["failed"]
        proposal = sim.proposal()
        assert goes(proposal) == [] and "failed 3 times" in held(proposal)["Film.mkv"]
