"""A25: `d.delete_tied` believed to delete data: gigabytes reported as freed, none were, and the torrent stayed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.store import Store
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}quarantine: {{keep: 0s}}"
FILES = {"e1.mkv": 3_000_000}


def test_a25_freed_is_what_the_disk_gives_back(tmp_path: Path) -> None:
    """Hard-linked data frees nothing and says so in the plan; what has no other name is gone, seen and measured."""
    downloads = tmp_path / "dl"
    linked, alone = payload(downloads, "Linked", 1, files=FILES), payload(downloads, "Alone", 2, files=FILES)
    (tmp_path / "library").mkdir()
    os.link(downloads / "Linked" / "e1.mkv", tmp_path / "library" / "e1.mkv")
    with Rtorrent([linked, alone]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        plan = sim.plan()
        told = {a.subject.title: a for a in plan.actions()}
        on_disk = (downloads / "Alone" / "e1.mkv").stat().st_blocks * 512
        assert told["Alone"].effects.bytes_freed == on_disk and told["Linked"].effects.bytes_freed == 0
        assert any("frees nothing (hard links)" in d for d in told["Linked"].details)
        report = sim.apply(plan)
        says = {o.action.subject.title: o.says for o in report.outcomes}
        assert "3.0 MB deleted" in says["Alone"] and "more free than before" in says["Alone"]
        assert "deleted" not in says["Linked"].replace("data are gone", "")
        assert (tmp_path / "library" / "e1.mkv").stat().st_nlink == 1
        assert not (downloads / "Alone").exists() and not any((downloads / ".arr-quarantine").iterdir())


def test_a25_a_client_that_says_yes_and_keeps_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers well, the torrent is gone and the files stay: never "freed", and the run does not end well."""
    monkeypatch.setenv("QB_PASSWORD", "adminadmin")
    downloads = tmp_path / "dl"
    with Qbittorrent([payload(downloads, "Film", 1, files=FILES)]) as qb:
        told = f"{{app: qbittorrent, url: '{qb.url}', user: admin, password: {{env: QB_PASSWORD}}}}"
        monkeypatch.setattr(qb, "delete", lambda fields: qb.torrents.pop(fields["hashes"]))
        sim = Sim(tmp_path, {"rt": told}, downloads)
        sim.declare(WISH)
        report = sim.apply()
        (outcome,) = report.outcomes
        assert outcome.state == "unknown" and "nothing was freed" in outcome.says and report.exit != 0
        sim.plan()
        with Store.open(sim.folder / "state", sim.clock, read_only=True) as store:
            assert [p.outcome for p in store.ledger(sim.clock.now()).history] == ["broken"]
        assert (downloads / "Film" / "e1.mkv").exists()


def test_a25_a_refused_removal_puts_the_data_back(tmp_path: Path) -> None:
    """The torrent could not be taken out: its data is back in its place, and it seeds on."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Film", 1, files=FILES)
    with Rtorrent([torrent]) as rt:
        rt.refuses["d.erase"] = (-507, "not allowed from an untrusted connection")
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        (outcome,) = sim.apply().outcomes
        assert outcome.state == "failed" and "-507" in outcome.says
        assert (downloads / "Film" / "e1.mkv").stat().st_size == 3_000_000 and torrent.active
        assert not any((downloads / ".arr-quarantine").iterdir())


@pytest.mark.parametrize("opened", [True, False])
def test_a25_this_machine_sees_another_disk(tmp_path: Path, opened: bool) -> None:
    """`paths` names a copy of the folder: the client still finds its files after ours were moved, so all goes back.

    Also where it has not opened the torrent since it started: finding no file then would prove nothing.
    """
    downloads, copy = tmp_path / "dl", tmp_path / "copy"
    torrent = payload(downloads, "Film", 1, files=FILES, opened=opened, active=opened, started=opened)
    payload(copy, "Film", 1, files=FILES)
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, None, f"  - {{here: {copy}, rt: {downloads}}}\n")
        sim.declare(WISH)
        (outcome,) = sim.apply().outcomes
        assert outcome.state == "failed" and "these are not its files" in outcome.says
        assert (copy / "Film" / "e1.mkv").exists() and (downloads / "Film" / "e1.mkv").exists()
        assert torrent.hash.upper() in rt.torrents
