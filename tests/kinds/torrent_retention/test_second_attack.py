"""Attacks that once went through: shared data, counters that count twice, protections by path, rules that were passed over,
clients that `paths` does not know, room that is not needed any more."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from resources.clients.localfs import FsSize, Space
from resources.clients.localfs.client import LocalFs
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from sandbox.torrents.transmission import PASSWORD, Transmission
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, held, payload, searched
from tests.kinds.torrent_retention.world import sonarr

OLD = 1_600_000_000
RULES = 'connection: rt\nmay_go: {ratio: ">= 2"}\n'


def aged(folder: Path) -> None:
    for path in folder.rglob("*"):
        os.utime(path, (OLD, OLD))


def client(folder: Path, server: Qbittorrent | Transmission) -> str:
    """The connection's YAML."""
    app, user, password = (
        ("qbittorrent", "admin", "adminadmin") if isinstance(server, Qbittorrent) else ("transmission", "me", PASSWORD)
    )
    (folder / "password").write_text(password)
    return f"{{app: {app}, url: '{server.url}', user: {user}, password: {{file: {folder / 'password'}}}}}"


@pytest.mark.parametrize("stopped", [False, True])
@pytest.mark.parametrize("swapped", [False, True])
@pytest.mark.parametrize("mode", ["pause", "torrent"])
def test_data_stays_while_a_torrent_that_shares_it_keeps_its_data(
    tmp_path: Path, mode: str, swapped: bool, stopped: bool
) -> None:
    """Of two with the same data one may go with it, and the rules of the other only pause it, or leave its data."""
    downloads, files = tmp_path / "dl", {"p1.mkv": 20_000}
    one, other = (payload(downloads, "Pair", n, files=files) for n in (1, 2))
    if swapped:
        one, other = other, one
    one.label, other.label = "tv", "stays"
    other.active = other.started = not stopped
    with Rtorrent([one, other]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(RULES + f"quarantine: {{keep: 0s}}\ngroups: [{{match: {{label: stays}}, delete: {mode}}}]\n" + FREE)
        proposal = sim.proposal()
        assert proposal.errors == ()
        assert {a.subject.key for a in proposal.actions} <= {other.hash}
        assert "uses the same data, and your rules" in held(proposal)["Pair"]
        sim.apply()
        assert (downloads / "Pair" / "p1.mkv").exists() and one.hash.upper() in rt.torrents


@pytest.mark.parametrize("app", [Qbittorrent, Transmission])
def test_a_counter_that_stands_still_is_not_counted_again(
    tmp_path: Path, app: type[Qbittorrent] | type[Transmission]
) -> None:
    """20 hours of seeding stay 20 hours, however many plans look at them."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Show", 1, files={"e.mkv": 1000}, seeding_s=20 * 3600, ratio=100)
    torrent.started = torrent.active = False
    with app([torrent]) as server:
        sim = Sim(tmp_path, {"rt": client(tmp_path, server)}, downloads)
        sim.declare(
            'connection: rt\nmay_go: {seeded: ">= 10h"}\n'
            'trackers: {blu: {match: ["*.example"], keep_until: {seeded: ">= 2d"}}}'
        )
        for _ in range(5):
            assert goes(sim.proposal()) == []
            sim.clock.ahead += timedelta(days=1)
        torrent.seeding_s = 49 * 3600
        assert goes(sim.proposal()) == ["Show"]


def test_what_a_client_without_a_row_in_paths_seeds_is_no_orphan(tmp_path: Path) -> None:
    """It calls the folder by a name of its own: where its data lies nobody can tell, so nothing is moved aside."""
    downloads = tmp_path / "dl"
    seeding = payload(downloads / "qbit", "Seeding", 5, files={"e1.mkv": 5000})
    aged(downloads)
    for inside in ("/data/qbit", "/data"):
        seeding.folder = inside
        folder = tmp_path / inside.replace("/", "_")
        folder.mkdir()
        with Rtorrent([payload(downloads, "Mine.mkv", 1)]) as rt, Qbittorrent([seeding]) as qb:
            sim = Sim(folder, {"rt": rt.url}, downloads)
            sim.stack = sim.stack.replace("paths:", f"  qb: {client(folder, qb)}\npaths:")
            sim.declare(searched(downloads))
            sim.wait(timedelta(days=2))
            proposal = sim.proposal()
            assert proposal.actions == ()
            assert "where the data of Seeding in qb lies is not known" in proposal.blocked[0].reason
            assert "in a row of paths" in proposal.blocked[0].remedy
            sim.stack += f"  - {{qb: {inside}}}\n"  # a row that says: elsewhere
            if inside == "/data/qbit":
                sim.stack = sim.stack.replace(f"{{qb: {inside}}}", f"{{qb: {inside}, here: {downloads}/qbit}}")
                sim.declare(searched(downloads))
                assert sim.proposal().actions == () and sim.proposal().blocked == ()


@pytest.mark.parametrize("path", ["Old/keep.mkv", "Old", ""])
def test_an_orphan_that_holds_what_a_path_protects(tmp_path: Path, path: str) -> None:
    downloads = tmp_path / "dl"
    (downloads / "Old").mkdir(parents=True)
    (downloads / "Old" / "keep.mkv").write_bytes(b"precious")
    aged(downloads)
    with Rtorrent([payload(downloads, "Mine.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(searched(downloads), f"protect: ['{downloads}/{path}']\n".replace("/'", "'"))
        sim.wait(timedelta(days=2))
        proposal = sim.proposal()
        assert proposal.actions == () and "protected by" in held(proposal)["Old"]


DISOWNED: dict[str, Any] = {"message": "torrent not registered with this tracker", "ratio": 100}
UNREGISTERED = "unregistered: {seen: 2, over: 1h}\n"


@pytest.mark.parametrize(("keep", "stays"), [("{label: dear}", True), ("{label: other}", False)])
def test_a_tracker_that_disowns_a_torrent_overrules_no_keep(tmp_path: Path, keep: str, stays: bool) -> None:
    downloads = tmp_path / "dl"
    with Rtorrent([payload(downloads, "Gone.mkv", 1, label="dear", **DISOWNED)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(RULES + UNREGISTERED + f"keep: [{keep}]\n" + FREE)
        sim.wait(timedelta(days=2))
        assert goes(sim.proposal()) == ([] if stays else ["Gone.mkv"])


def test_a_tracker_that_disowns_a_torrent_overrules_no_keep_that_asks_for_an_import(tmp_path: Path) -> None:
    """It is in nobody's history."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Gone.mkv", 1, **DISOWNED)
    with sonarr(tmp_path, {"sonarr": []}) as tv, Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url, **tv.connections}, downloads, tv.paths)
        sim.declare(RULES + UNREGISTERED + "imported_by: [sonarr]\nkeep: [{imported: false}]\n" + FREE)
        sim.wait(timedelta(days=2))
        assert goes(sim.proposal()) == []


@pytest.mark.parametrize("change", [{"label": "keep"}, {"hashing": 1}, {"complete": False}])
def test_what_came_to_keep_a_disowned_torrent_since_the_plan(tmp_path: Path, change: dict[str, object]) -> None:
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Gone.mkv", 1, **DISOWNED)
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(RULES + UNREGISTERED + "keep: [{label: keep}]\n" + FREE)
        sim.wait(timedelta(days=2))
        plan = sim.plan()
        assert goes(plan.resources[0].proposal) == ["Gone.mkv"]
        for name, value in change.items():
            setattr(torrent, name, value)
        assert {o.state for o in sim.apply(plan).outcomes} == {"stale"}
        assert (downloads / "Gone.mkv").exists() and rt.torrents


def test_room_that_is_not_needed_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Under pressure data is deleted for good: whether there still is any is looked at again."""
    downloads = tmp_path / "dl"
    full = [95]
    read = LocalFs.read

    def told(self: LocalFs, query: object) -> object:
        return Space(100_000_000, (100 - full[0]) * 1_000_000) if isinstance(query, FsSize) else read(self, query)  # type: ignore[arg-type]

    monkeypatch.setattr(LocalFs, "read", told)
    with Rtorrent([payload(downloads, "Film.mkv", 1)]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(RULES + FREE + f"pressure: {{disk: {downloads}, above: 90%}}\n")
        plan = sim.plan()
        assert goes(plan.resources[0].proposal) == ["Film.mkv"]
        full[0] = 20
        (outcome,) = sim.apply(plan).outcomes
        assert outcome.state == "stale" and "not needed any more" in outcome.says
        assert (downloads / "Film.mkv").exists() and rt.torrents
        full[0] = 95
        assert {o.state for o in sim.apply().outcomes} == {"done"}
