"""A08: payload deleted under a live cross-seed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.torrents.model import Torrent
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, held, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}"
FILES = {"e1.mkv": 120_000, "e2.mkv": 90_000}


def twin(of: Torrent, number: int, **more: object) -> Torrent:
    """Another torrent of the same data."""
    told = {**of.__dict__, "hash": f"{number:040x}", **more}
    return Torrent(**told)


def test_a08_a_cross_seed_that_stays_keeps_the_data(tmp_path: Path) -> None:
    """In the same client: nothing goes until both may, then one after the other, the data with the last."""
    downloads = tmp_path / "dl"
    one = payload(downloads, "Show", 1, files=FILES)
    two = twin(one, 2, ratio=1000)
    with Rtorrent([one, two]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        proposal = sim.proposal()
        assert goes(proposal) == [] and "uses the same data and stays: ratio 1" in held(proposal)["Show"]
        two.ratio = 2100
        plan = sim.plan()
        first, last = plan.actions()
        assert (first.effects.bytes_destroyed, last.effects.bytes_destroyed) == (0, 210_000)
        assert last.requires == (first.id,) and first.data["files"] == []
        assert [o[2] for o in sim.states(sim.apply(plan))] == ["done", "done"]
        assert not (downloads / "Show").exists() and rt.torrents == {}


def test_a08_in_another_client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    one = payload(downloads, "Show", 1, files=FILES)
    with Rtorrent([one]) as rt, Qbittorrent([twin(one, 2)]) as qb:
        told = f"{{app: qbittorrent, url: '{qb.url}', user: admin, password: {{env: QB_PASSWORD}}}}"
        sim = Sim(tmp_path, {"rt": rt.url, "qb": told}, downloads)
        sim.declare(WISH)
        proposal = sim.proposal()
        assert goes(proposal) == [] and "Show in qb uses the same data" in held(proposal)["Show"]


def test_a08_by_hard_links(tmp_path: Path) -> None:
    """The other torrent lies elsewhere and names the same bytes; a third, of the same size, does not."""
    downloads = tmp_path / "dl"
    one = payload(downloads, "Show", 1, files=FILES)
    for name in FILES:
        (downloads / "links" / "Show.X").mkdir(parents=True, exist_ok=True)
        os.link(downloads / "Show" / name, downloads / "links" / "Show.X" / name)
    two = payload(downloads / "links", "Show.X", 2, files=FILES, ratio=1500)
    three = payload(downloads, "Other", 3, files=FILES, ratio=1500)
    with Rtorrent([one, two, three]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        proposal = sim.proposal()
        assert goes(proposal) == [] and held(proposal).keys() == {"Show"}
        two.ratio = 3000
        assert sorted(goes(sim.proposal())) == ["Show", "Show.X"]


def test_a08_a_cross_seed_added_since_the_plan(tmp_path: Path) -> None:
    downloads = tmp_path / "dl"
    one = payload(downloads, "Show", 1, files=FILES)
    with Rtorrent([one]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        plan = sim.plan()
        two = twin(one, 2)
        rt.torrents[two.hash.upper()] = two
        assert sim.states(sim.apply(plan)) == [("remove", "Show", "stale")]
        assert (downloads / "Show" / "e1.mkv").exists() and len(rt.torrents) == 2
