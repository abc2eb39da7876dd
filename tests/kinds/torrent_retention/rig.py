"""One stack for each torrent client, the same for all: six torrents with real files, of which two may go.

with rig("qbittorrent", tmp_path) as it:
    it.sim.apply()
    assert it.names == STAYS

Between the client and us lies a line that can break (`line.py`). Passwords and passkeys are searched for by law 10.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.torrents.model import Torrent
from sandbox.torrents.qbittorrent import Qbittorrent
from sandbox.torrents.rtorrent import Rtorrent
from sandbox.torrents.transmission import PASSWORD, Transmission
from tests.kinds.torrent_retention.line import Line
from tests.kinds.torrent_retention.sim import Sim, payload
from tests.live.sftp.server import Sshd

APPS = ("rtorrent", "qbittorrent", "transmission")
FAR = "rtorrent over sftp"  # this machine sees its files through a real SFTP server only
PASSKEY = "c0ffeec0ffeec0ffeec0ffeec0ffee00"
SECRETS = (PASSKEY, "adminadmin", PASSWORD, "simulated-session-", base64.b64encode(f"me:{PASSWORD}".encode()).decode())
GOES = ["Film.mkv", "Show"]
STAYS = ["Else.mkv", "Pair", "Pair", "Young.mkv"]
WISH = """
connection: box
may_go: {ratio: ">= 2"}
trackers: {blu: {match: ["*.example"], keep_until: {ratio: ">= 1"}}}
keep: [{label: keep}]
"""
MINE = {"Show/notes.txt": b"mine", "other.bin": b"other"}


@dataclass
class Rig:
    """`downloads`: the client's folder. `server` is the simulated client itself."""

    app: str
    sim: Sim
    server: Any
    line: Line
    downloads: Path
    ssh: Sshd | None = None
    timeout: str = "10s"

    @property
    def names(self) -> list[str]:
        """Titles of the torrents that the client has."""
        return sorted(t.name for t in self.server.torrents.values())

    def torrent(self, name: str) -> Torrent:
        given: dict[str, Torrent] = self.server.torrents
        return next(t for t in given.values() if t.name == name)

    def files(self) -> dict[str, bytes]:
        """What lies in the folder, without what waits in quarantine."""
        return {
            str(p.relative_to(self.downloads)): p.read_bytes()
            for p in self.downloads.rglob("*")
            if p.is_file() and ".arr-quarantine" not in p.parts
        }

    def waiting(self) -> dict[str, bytes]:
        """Payloads in quarantine, by name."""
        found = (self.downloads / ".arr-quarantine").rglob("*")
        return {p.name: p.read_bytes() for p in found if p.is_file() and p.suffix == ".mkv"}

    @property
    def ours(self) -> bool:
        """Whether the client deletes no data, so that this machine does."""
        return self.app == "rtorrent"

    def stack(self) -> Sim:
        """Its stack over the folder of this rig."""
        if self.ssh is None:
            return Sim(self.sim.folder, {"box": self.connection()}, self.downloads)
        seedbox = f"{{app: sftp, host: 127.0.0.1, port: {self.ssh.port}, user: {self.ssh.user}, timeout: 10s, "
        seedbox += f"key: {self.ssh.key}, host_key: '{self.ssh.fingerprint()}'}}"
        paths = f"  - {{box: {self.downloads}, seedbox: {self.downloads}}}\n"
        return Sim(self.sim.folder, {"box": self.connection(), "seedbox": seedbox}, None, paths)

    def connection(self, which: str = "password") -> str:
        path = self.sim.folder / which
        user = {"rtorrent": "", "qbittorrent": ", user: admin", "transmission": ", user: me"}[self.app]
        told = f", password: {{file: {path}}}" if user else ""
        return f"{{app: {self.app}, url: '{self.line.url}'{user}{told}, timeout: {self.timeout}}}"


def torrents(downloads: Path) -> list[Torrent]:
    """Two that may go; one that is young, one of a tracker that nobody has listed, and a pair over the same data."""
    keyed: dict[str, Any] = {"trackers": [f"http://tracker.example/{PASSKEY}/announce"]}
    two = {"e1.mkv": 60_000, "e2.mkv": 30_000}
    pair = {"p1.mkv": 20_000}
    return [
        payload(downloads, "Show", 1, files=two, message=f"bad passkey {PASSKEY}", **keyed),
        payload(downloads, "Film.mkv", 2, **keyed),
        payload(downloads, "Young.mkv", 3, ratio=100, **keyed),
        payload(downloads, "Else.mkv", 4, trackers=[f"http://unlisted.test/{PASSKEY}/announce"]),
        payload(downloads, "Pair", 5, files=pair, **keyed),
        payload(downloads, "Pair", 6, files=pair, ratio=1500, **keyed),
    ]


def serving(app: str, given: list[Torrent], **login: str) -> Any:
    """The simulated client, over HTTP. `login`: its `password`, where it is not the usual one."""
    if app == "rtorrent":
        return Rtorrent(given, http=True, **login)
    return (Qbittorrent if app == "qbittorrent" else Transmission)(given, **login)


@contextmanager
def rig(app: str, folder: Path, wish: str = WISH, timeout: str = "10s") -> Iterator[Rig]:
    downloads = folder / "dl"
    given = torrents(downloads)
    for name, told in MINE.items():
        (downloads / name).write_bytes(told)
    (folder / "password").write_text(PASSWORD if app == "transmission" else "adminadmin")
    if app == FAR:
        with Sshd(folder / "sshd") as ssh, rig_of("rtorrent", folder, given, wish, ssh, timeout) as made:
            yield made
    else:
        with rig_of(app, folder, given, wish, None, timeout) as made:
            yield made


@contextmanager
def rig_of(
    app: str, folder: Path, given: list[Torrent], wish: str, ssh: Sshd | None = None, timeout: str = "10s"
) -> Iterator[Rig]:
    downloads = folder / "dl"
    with serving(app, given) as server, Line(server.url) as line:
        made = Rig(app, Sim(folder, {}, None), server, line, downloads, ssh, timeout)
        made.sim = made.stack()
        made.sim.declare(wish)
        yield made
