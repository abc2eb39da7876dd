"""Plan, apply and plan again over a real rtorrent: data goes to quarantine, the torrent goes, and all of it is seen."""

from __future__ import annotations

import json
from pathlib import Path

from tests.kinds.torrent_retention.house import House, verbs
from tests.live.torrents.servers import Rtorrent, make_torrent, until

PASSKEY = "abadcafeabadcafeabadcafeabadcafe"
TRACKER = f"http://127.0.0.1:9/{PASSKEY}/announce"
WISH = """
connection: rt
may_go: {ratio: ">= 0", label: done}
trackers:
  blu: {match: ["127.0.0.1"], keep_until: {seeded: ">= 0s"}}
"""


def film(server: Rtorrent, name: str = "Film.mkv", size: int = 300_000, folder: Path | None = None) -> Path:
    path = (folder or server.downloads) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((name * size)[:size].encode())
    return path


def house(tmp_path: Path, server: Rtorrent) -> House:
    return House(tmp_path / "house", {"rt": f"{{app: rtorrent, url: '{server.url}'}}"}, server.downloads)


def test_plan_apply_and_nothing_left(tmp_path: Path) -> None:
    """A single file in a shared folder and a whole folder go; their neighbour stays; the second plan is empty."""
    with Rtorrent(tmp_path / "rt") as server:
        one = server.add(make_torrent(film(server), [TRACKER]), label="done")
        e1 = film(server, "e1.mkv", folder=server.downloads / "Show" / "S01")
        film(server, "e2.mkv", folder=server.downloads / "Show" / "S01")
        two = server.add(make_torrent(server.downloads / "Show", [TRACKER]), label="done")
        three = server.add(make_torrent(film(server, "Stays.mkv"), [TRACKER]), label="other")
        home = house(tmp_path, server)
        home.declare(WISH)
        proposal = home.proposal()
        assert sorted(verbs(proposal)) == [("remove", "Film.mkv"), ("remove", "Show")]
        assert proposal["population"] == {"rt": 3}
        shown = home.arr("plan").stdout
        assert "waits in quarantine" in shown and "frees nothing now" in shown and PASSKEY not in shown
        assert home.arr("apply", home.plan()["id"]).returncode == 4  # a first change wants an approval
        assert server.hashes() == {one, two, three} and e1.exists()
        told = home.apply()
        assert "waits in quarantine, and nothing is freed yet" in " ".join(told.split())
        assert server.hashes() == {three}
        left = sorted(p.name for p in server.downloads.iterdir())
        assert left == [".arr-quarantine", "Stays.mkv"]
        manifests = sorted((server.downloads / ".arr-quarantine").glob("*/manifest.json"))
        assert {json.loads(m.read_text())["about"]["hash"] for m in manifests} == {one, two}
        assert home.proposal()["actions"] == []
        assert PASSKEY not in home.state_text() + "".join(m.read_text() for m in manifests)


def test_undo_brings_the_data_back(tmp_path: Path) -> None:
    with Rtorrent(tmp_path / "rt") as server:
        path = film(server, "e1.mkv", folder=server.downloads / "Show")
        server.add(make_torrent(path.parent, [TRACKER]), label="done")
        before = path.read_bytes()
        home = house(tmp_path, server)
        home.declare(WISH)
        home.apply()
        assert not path.parent.exists()
        undo = json.loads(home.arr("undo", "r000001", "--format", "json").stdout)["plan"]["id"]
        done = home.arr("apply", undo, "--approve", undo)
        assert done.returncode == 0, done.stdout + done.stderr
        assert path.read_bytes() == before
        assert not any((server.downloads / ".arr-quarantine").iterdir())


def test_one_that_was_not_opened_since_a_restart(tmp_path: Path) -> None:
    """rtorrent does not know where its files are until it has opened it: it is made to look, and then it goes."""
    with Rtorrent(tmp_path / "rt") as server:
        path = film(server, "e1.mkv", folder=server.downloads / "Show")
        one = server.add(make_torrent(path.parent, [TRACKER]), label="done")
        server.call("d.stop", one.upper())
        server.call("session.save", "")
        server.stop()
        server.start()
        until(lambda: one in server.hashes(), "the session is loaded")
        assert server.call("f.multicall", one.upper(), "", "f.is_created=") == [[0]]
        home = house(tmp_path, server)
        home.declare(WISH.replace('{seeded: ">= 0s"}', '{ratio: ">= 0"}'))
        home.apply()
        assert server.hashes() == set() and not path.exists()
        assert len(list((server.downloads / ".arr-quarantine").rglob("e1.mkv"))) == 1
