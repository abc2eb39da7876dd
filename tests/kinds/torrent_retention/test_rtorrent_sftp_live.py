"""A real rtorrent whose files are seen through a real OpenSSH server alone: moved aside there, and brought back."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.kinds.torrent_retention.house import House
from tests.kinds.torrent_retention.test_rtorrent_live import TRACKER, WISH, film
from tests.live.sftp.server import Sshd
from tests.live.torrents.servers import Rtorrent, make_torrent


def house(tmp_path: Path, server: Rtorrent, ssh: Sshd, seen: Path) -> House:
    """`seen`: what the SFTP connection calls the downloads."""
    home = House(tmp_path / "house", {"rt": f"{{app: rtorrent, url: '{server.url}'}}"}, server.downloads)
    home.stack = (
        f"connections:\n  rt: {{app: rtorrent, url: '{server.url}'}}\n"
        f"  seedbox: {{app: sftp, host: 127.0.0.1, port: {ssh.port}, user: {ssh.user}, key: {ssh.key}, "
        f"host_key: '{ssh.fingerprint()}'}}\npaths:\n  - {{rt: {server.downloads}, seedbox: {seen}}}\n"
    )
    return home


def test_plan_apply_and_undo(tmp_path: Path) -> None:
    """The downloads are a link on the server, as they often are."""
    with Rtorrent(tmp_path / "rt") as server, Sshd(tmp_path / "ssh") as ssh:
        link = tmp_path / "home-downloads"
        link.symlink_to(server.downloads)
        one = server.add(make_torrent(film(server), [TRACKER]), label="done")
        e1 = film(server, "e1.mkv", folder=server.downloads / "Show" / "S01")
        film(server, "e2.mkv", folder=server.downloads / "Show" / "S01")
        two = server.add(make_torrent(server.downloads / "Show", [TRACKER]), label="done")
        (server.downloads / "Show" / "mine.txt").write_text("mine")
        three = server.add(make_torrent(film(server, "Stays.mkv"), [TRACKER]), label="other")
        home, before = house(tmp_path, server, ssh, link), e1.read_bytes()
        home.declare(WISH)
        shown = " ".join(home.arr("plan").stdout.split())
        assert "remove Film.mkv" in shown and "remove Show" in shown and "Stays.mkv" not in shown
        assert "frees nothing now, at most" in shown and "SFTP tells of none" in shown
        assert "waits in quarantine, and nothing is freed yet" in " ".join(home.apply().split())
        assert server.hashes() == {three} and not e1.parent.exists()
        assert (server.downloads / "Show" / "mine.txt").read_text() == "mine"
        manifests = (server.downloads / ".arr-quarantine").glob("*/manifest.json")
        assert {json.loads(m.read_text())["about"]["hash"] for m in manifests} == {one, two}
        assert home.proposal()["actions"] == []
        undo = json.loads(home.arr("undo", "r000001", "--format", "json").stdout)["plan"]["id"]
        done = home.arr("apply", undo, "--approve", undo)
        assert done.returncode == 0, done.stdout + done.stderr
        assert e1.read_bytes() == before and not any((server.downloads / ".arr-quarantine").iterdir())


def test_a_copy_that_paths_takes_for_the_files(tmp_path: Path) -> None:
    """The mapping is wrong, and the same files lie in both: rtorrent still finds its own, so all of the copy is put back."""
    with Rtorrent(tmp_path / "rt") as server, Sshd(tmp_path / "ssh") as ssh:
        path = film(server, "e1.mkv", folder=server.downloads / "Show")
        one = server.add(make_torrent(path.parent, [TRACKER]), label="done")
        shutil.copytree(server.downloads, tmp_path / "backup")
        home = house(tmp_path, server, ssh, tmp_path / "backup")
        home.declare(WISH + "quarantine: {keep: 0s}")
        made = home.plan()["id"]
        done = home.arr("apply", made, "--approve", made)
        assert done.returncode != 0 and "these are not its files" in " ".join(done.stdout.split())
        assert server.hashes() == {one} and server.call("d.is_active", one.upper()) == 1
        assert path.exists() and (tmp_path / "backup" / "Show" / "e1.mkv").read_bytes() == path.read_bytes()
