"""Orphans in folders that only an SFTP server sees, and in folders that `paths` maps into each other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.rig import FAR, GOES, STAYS, Rig, rig
from tests.kinds.torrent_retention.sim import Sim, held, payload, searched

OLD = 1_600_000_000
LEFT = {"Left/e1.mkv": b"left over" * 5000, "Left/subs/e1.srt": b"words"}


def put(folder: Path, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (OLD, OLD))


@pytest.fixture
def it(tmp_path: Path) -> Iterator[Rig]:
    """Nothing goes but orphans; one lies there, seen for two days. The files that are nobody's in the rig are ignored."""
    with rig(FAR, tmp_path) as made:
        put(made.downloads, LEFT)
        wish = "connection: box\nmay_go: {ratio: '>= 100'}\ntrackers: {unlisted: allow}\n"
        made.sim.declare(wish + f"orphans: {{under: [{made.downloads}], older: 1d, ignore: [other.bin]}}")
        made.sim.wait(timedelta(days=2))
        yield made


def orphans(it: Rig) -> list[tuple[str, str]]:
    return [(a.verb, a.subject.title) for a in it.sim.proposal().actions]


def test_an_orphan_is_moved_aside_on_the_server_and_comes_back(it: Rig) -> None:
    before = it.files()
    assert orphans(it) == [("quarantine", "Left")]
    report = it.sim.apply()
    assert [o.state for o in report.outcomes] == ["done"], report.outcomes
    assert {name: data for name, data in before.items() if name not in LEFT} == it.files()
    assert it.waiting()["e1.mkv"] == LEFT["Left/e1.mkv"] and not (it.downloads / "Left").exists()
    assert orphans(it) == []
    undo = it.sim.session().undo(report.run)
    assert {o.state for o in it.sim.apply(undo).outcomes} == {"done"}
    assert it.files() == before
    assert it.names == sorted([*GOES, *STAYS])


def test_what_is_not_old_enough_or_was_not_seen_before_waits(tmp_path: Path) -> None:
    with rig(FAR, tmp_path) as it:
        put(it.downloads, LEFT)
        it.sim.declare(searched(it.downloads).replace("connection: rt", "connection: box"))
        assert orphans(it) == []
        it.sim.clock.ahead += timedelta(hours=23)
        assert orphans(it) == []
        it.sim.clock.ahead += timedelta(hours=2)
        assert ("quarantine", "Left") in orphans(it)
        (it.downloads / "Left" / "more.nfo").write_bytes(b"new")
        assert ("quarantine", "Left") not in orphans(it)


def test_a_torrent_that_claims_it_since_the_plan(it: Rig) -> None:
    plan, before = it.sim.plan(), it.files()
    late = payload(it.downloads, "Left", 9, files={"e1.mkv": 5})
    it.server.torrents[late.hash.upper()] = late
    assert {o.state for o in it.sim.apply(plan).outcomes} == {"stale"}
    assert it.files() == before and orphans(it) == []


def test_what_changed_since_the_plan(it: Rig) -> None:
    plan = it.sim.plan()
    (it.downloads / "Left" / "e1.mkv").write_bytes(b"written anew")
    assert {o.state for o in it.sim.apply(plan).outcomes} == {"stale"}
    assert (it.downloads / "Left" / "e1.mkv").read_bytes() == b"written anew"


def test_links_and_odd_names_are_held(it: Rig, tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "film.mkv").write_bytes(b"precious")
    (it.downloads / "Linked").symlink_to(tmp_path / "library")
    put(it.downloads, {"Odd\n/x.mkv": b"x"})
    it.sim.wait(timedelta(days=2))
    proposal = it.sim.proposal()
    assert "is no plain file" in held(proposal)["Linked"]
    assert [a.subject.title for a in proposal.actions if "Linked" in a.subject.title] == []
    it.sim.apply()
    assert (tmp_path / "library" / "film.mkv").read_bytes() == b"precious"


def test_a_server_that_is_down_blocks_it(it: Rig) -> None:
    assert it.ssh is not None
    it.ssh.stop()
    proposal = it.sim.proposal()
    assert proposal.actions == () and proposal.blocked


def test_a_folder_that_is_mapped_within_another_is_claimed_in_both(tmp_path: Path) -> None:
    """`paths` names a part of the downloads once more, as it is mounted elsewhere: what lies there is in both folders."""
    downloads, part = tmp_path / "dl", tmp_path / "part"
    part.mkdir()
    downloads.mkdir()
    (downloads / "part").symlink_to(part)  # stands for a mount
    torrent = payload(part, "Show", 1, files={"e1.mkv": 5000})
    torrent.folder = "/remote/dl/part"
    paths = f"  - {{here: {downloads}, rt: /remote/dl}}\n  - {{here: {part}, rt: /remote/dl/part}}\n"
    put(downloads, {"plain/e1.mkv": b"nobody's"})
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, None, paths)
        sim.declare(searched(Path("/remote/dl")))
        sim.wait(timedelta(days=2))
        proposal = sim.proposal()
        assert [a.subject.title for a in proposal.actions] == ["plain"]
        assert "part" not in held(proposal), "it is claimed, and not only odd"
