"""Versions that no package shows: rtorrent 0.16 behind a proxy that is not trusted, qBittorrent 5.2 and its keys, login pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import Exit
from sandbox.torrents.qbittorrent import KEY, Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2', seeded: '>= 1d'}}\n{FREE}"
FILES = {"e1.mkv": 120_000}


@pytest.mark.parametrize("version", ["0.16.12", "0.16.20"])
def test_an_untrusted_proxy_refuses_fields_and_the_rest_is_asked_again(tmp_path: Path, version: str) -> None:
    """Up to 0.16.15 completeness and the time of finishing are refused: the first is told otherwise, the second unknown."""
    downloads = tmp_path / "dl"
    torrents = [payload(downloads, "Show", 1, files=FILES), payload(downloads, "Young", 2, files=FILES, ratio=100)]
    with Rtorrent(torrents, version=version, http=True) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        old = version == "0.16.12"
        assert goes(sim.proposal()) == ([] if old else ["Show"])  # seeding time counts from the time of finishing
        sim.declare(f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}")
        assert goes(sim.proposal()) == ["Show"]
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert [t.name for t in rt.torrents.values()] == ["Young"] and not (downloads / "Show").exists()


def test_a_stop_goes_through_the_proxy_itself(tmp_path: Path) -> None:
    torrent = payload(tmp_path / "dl", "Show", 1, files=FILES)
    with Rtorrent([torrent], version="0.16.20", http=True) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, tmp_path / "dl")
        sim.declare(WISH + "delete: pause")
        assert sim.states(sim.apply()) == [("pause", "Show", "done")]
        assert not torrent.started and rt.modes == [f"mode=stop&hash={torrent.hash.upper()}"]
        assert sim.proposal().actions == ()


def test_a_refused_list_is_not_known(tmp_path: Path) -> None:
    with Rtorrent([payload(tmp_path / "dl", "Show", 1, files=FILES)]) as rt:
        rt.refuses["d.name"] = (-507, "not allowed")
        sim = Sim(tmp_path, {"rt": rt.url}, tmp_path / "dl")
        sim.declare(WISH)
        (blocked,) = sim.proposal().blocked
        assert blocked.what == "every torrent of rt" and "-507" in blocked.reason and "conf.php" in blocked.remedy
        assert sim.code() == Exit.BLOCKED


def test_an_empty_list_after_a_restart_destroys_nothing(tmp_path: Path) -> None:
    """A client that has not loaded its session yet shows few torrents: that blocks once, and what is there stays."""
    downloads = tmp_path / "dl"
    many = [payload(downloads, f"Film{n}.mkv", n, ratio=100) for n in range(20)]
    with Rtorrent(many) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        assert sim.proposal().actions == ()
        kept = list(rt.torrents.items())
        rt.torrents = dict(kept[:3])
        for torrent in rt.torrents.values():
            torrent.ratio = 3000
        plan = sim.plan()
        assert [h.guard for h in plan.hits() if h.guard == "shrink"] == ["shrink"]
        assert {o[2] for o in sim.states(sim.apply(plan))} == {"refused"} and len(rt.torrents) == 3


@pytest.mark.parametrize("version", ["4.5", "5.2"])
def test_qbittorrent_logs_in_its_own_way_and_deletes_its_own_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    """Old ones tell files and trackers one by one, and only of what is decided by them."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    torrents = [payload(downloads, "Show", 1, files=FILES)]
    torrents += [payload(downloads, f"Young{n}.mkv", n, ratio=100) for n in range(2, 9)]
    with Qbittorrent(torrents, version=version) as qb:
        told = f"{{app: qbittorrent, url: '{qb.url}', user: admin, password: {{env: QB_PASSWORD}}}}"
        sim = Sim(tmp_path, {"rt": told}, downloads)
        sim.declare(WISH)
        assert goes(sim.proposal()) == ["Show"]
        assert qb.asked.count("torrents/info") <= 2 and qb.asked.count("torrents/files") <= 1
        assert [o[2] for o in sim.states(sim.apply())] == ["done"]
        assert len(qb.torrents) == 7 and not (downloads / "Show" / "e1.mkv").exists()
        qb.sessions.clear()  # the session has run out: one login, and on
        assert sim.proposal().actions == ()


def test_an_api_key_and_a_server_too_old_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_KEY", KEY)
    for version, known in (("5.2", True), ("4.5", False)):
        with Qbittorrent([payload(tmp_path / "dl", "Show", 1, files=FILES)], version=version) as qb:
            home = tmp_path / version
            home.mkdir()
            sim = Sim(home, {"rt": f"{{app: qbittorrent, url: '{qb.url}', api_key: {{env: QB_KEY}}}}"}, tmp_path / "dl")
            sim.declare(WISH)
            assert goes(sim.proposal()) == (["Show"] if known else [])
            assert (sim.code() == Exit.BLOCKED) is not known
            assert KEY not in str(sim.plan())


def test_a_login_page_is_no_empty_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    with Qbittorrent([payload(tmp_path / "dl", "Show", 1, files=FILES)]) as qb:
        qb.login_page = True
        told = f"{{app: qbittorrent, url: '{qb.url}', user: admin, password: {{env: QB_PASSWORD}}}}"
        sim = Sim(tmp_path, {"rt": told}, tmp_path / "dl")
        sim.declare(WISH)
        proposal = sim.proposal()
        assert "web page" in proposal.blocked[0].reason and proposal.population == {} and sim.code() == Exit.BLOCKED
