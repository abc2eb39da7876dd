"""The setting of worlds about `torrents`: one torrent client over real files, which this machine sees as well.

The client is simulated, in this process; the line to it can break (`tests/kinds/torrent_retention/line.py`). Under
`rtorrent-sftp` the files are seen through a real SFTP server only, whose packets can fail too. Time stands still, so that the
same world gives the same plan; where something has to have been seen for a while (`settles`), it is that much later than it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from reconciler.address import Subject
from resources.clients.localfs.quarantine import FOLDER
from resources.clients.qbittorrent.api import READS as OF_QBITTORRENT
from resources.clients.rtorrent.rpc import MULTI
from resources.clients.rtorrent.rpc import READS as OF_RTORRENT
from resources.clients.transmission.client import READS as OF_TRANSMISSION
from sandbox.torrents.model import Torrent
from sandbox.values import Json
from tests.kinds.torrent_retention.line import YES, Line, Strike, call_of
from tests.kinds.torrent_retention.rig import serving
from tests.laws.bench import SECRET_VARIABLE, Call
from tests.laws.proxy import Proxy, proxy
from tests.laws.still import Still, StillBench, write
from tests.laws.worlds import CANARY, SERVER, Case
from tests.live.sftp.relay import Relay

LOGIN = "auth/login"  # sent by POST, and changes nothing
READS = {
    "rtorrent": OF_RTORRENT | MULTI | {"system.multicall"},
    "qbittorrent": OF_QBITTORRENT | {LOGIN},
    "transmission": OF_TRANSMISSION,
}
"""The clients' own lists of what only looks."""
USERS = {"rtorrent": "me", "qbittorrent": "admin", "transmission": "me"}
HERE = {"login-page": "page", "truncated": "cut"}  # faults that the line has another name for
REACHED = {"torrents", "stopped", "gone"}


class TorrentClient(StillBench):
    """See the module. `server` is the simulated client, `line` what leads to it."""

    OUTAGES = (
        "reset", "starting", "unauthorised", "forbidden", "login-page", "server-error", "bad-gateway", "redirect", "rate-limited",
        "truncated", "empty", "garbage",
    )  # fmt: skip

    def __init__(self, case: Case, folder: Path, server: Any, line: Line, clock: Still, relay: Relay | None) -> None:
        super().__init__(case, folder, line.url, clock)
        self.server, self.line, self.relay = server, line, relay
        self.downloads = folder / "dl"

    @property
    def torrents(self) -> list[Torrent]:
        return list(self.server.torrents.values())

    def filled(self, text: str) -> str:
        return text.replace("{downloads}", str(self.downloads))

    def connections(self, **more: str) -> str:
        said = {"app": self.case.program, "url": f"'{self.url}'", "user": USERS[self.case.program], **more}
        key = f"password: {{env: {SECRET_VARIABLE}}}"
        lines = ["connections:", f"  {SERVER}: {{{', '.join(f'{k}: {v}' for k, v in said.items())}, {key}}}"]
        if self.relay is None:
            return "\n".join([*lines, "paths:", f"  - {{here: {self.downloads}, {SERVER}: {self.downloads}}}", ""])
        ssh, timeout = self.relay.ssh, more.get("timeout", "10s")
        seen = f"host: 127.0.0.1, port: {ssh.port}, user: {ssh.user}, timeout: {timeout}, key: {ssh.key}"
        lines.append(f"  files: {{app: sftp, {seen}, host_key: '{ssh.fingerprint()}'}}")
        return "\n".join([*lines, "paths:", f"  - {{files: {self.downloads}, {SERVER}: {self.downloads}}}", ""])

    # -- the world

    def step(self, step: Any) -> None:
        if "file" in step:
            write(self.downloads / step["file"]["path"], step["file"]["bytes"])
            return
        told = {**step["set"]}
        name = told.pop("torrent")
        for torrent in self.torrents:
            if torrent.name == name:
                vars(torrent).update(told)

    def unlike_the_defaults(self) -> None:
        for torrent in self.torrents:
            torrent.private, torrent.seeders = False, 3

    def files(self) -> dict[str, bytes]:
        """What lies in the folder, without what waits in quarantine."""
        return {
            str(p.relative_to(self.downloads)): p.read_bytes()
            for p in self.downloads.rglob("*")
            if p.is_file() and FOLDER not in p.parts
        }

    def waiting(self) -> list[bytes]:
        """What waits in quarantine, without what is written about it."""
        found = (self.downloads / FOLDER).rglob("files/**/*")
        return sorted(p.read_bytes() for p in found if p.is_file())

    def remember(self) -> None:
        self._files = self.files()
        self._claimed = {str(p.relative_to(self.downloads)) for t in self.torrents for p in _paths(t)}

    def assert_reached(self, section: str = "reached") -> None:
        """The client has these torrents; of the files these are gone, and wait in quarantine unless the client deletes."""
        want = self.case.told.get(section) or self.case.told["reached"]
        assert want.keys() <= REACHED, f"{want.keys() - REACHED} means nothing; see worlds/README.md"
        assert sorted(t.name for t in self.torrents) == want["torrents"]
        assert sorted(t.name for t in self.torrents if not t.active) == want.get("stopped", [])
        gone = set(want["gone"])
        assert gone <= self._files.keys()
        assert self.files() == {path: told for path, told in self._files.items() if path not in gone}
        ours = gone if self.case.program == "rtorrent" else gone - self._claimed
        assert self.waiting() == sorted(self._files[path] for path in ours)

    def snapshot(self) -> dict[str, Any]:
        """Torrents by their hash, with their files; any other file by its path, or by that of the topmost folder in which
        no torrent ever had any. What a torrent that went has left as it was is nobody's."""
        found: dict[str, Any] = {}
        left = self.files()
        claimed = {p for t in self.torrents for p in _paths(t)} | {self.downloads / path for path in self._claimed}
        for torrent in self.torrents:
            mine = {str(p): left.get(str(p.relative_to(self.downloads))) for p in _paths(torrent)}
            found[torrent.hash.lower()] = {**asdict(torrent), "on disk": mine}
        for path, told in left.items():
            listed = any(str(self.downloads / path) in one["on disk"] for one in found.values() if "on disk" in one)
            if not listed and (path not in self._claimed or told != self._files[path]):
                found.setdefault(self._top(path, claimed), {})[path] = told
        return found

    def _top(self, path: str, claimed: set[Path]) -> str:
        """The topmost folder of it that no torrent has a file in; itself when there is none."""
        for parent in reversed((self.downloads / path).relative_to(self.downloads).parents[:-1]):
            if not any(p.is_relative_to(self.downloads / parent) for p in claimed):
                return str(self.downloads / parent)
        return str(self.downloads / path)

    def key_of(self, subject: Subject) -> str:
        return str(subject.key).lower() if subject.type == "torrent" else str(subject.key)

    # -- what was sent, and what fails

    def calls(self) -> list[Call]:
        return [
            Call(one.name, self._is_write(one.name), one.struck, one.done, risky=one.name in YES)
            for one in self.line.log
        ]

    def forget(self) -> None:
        self.line.log.clear()

    def _is_write(self, name: str) -> bool:
        return name not in READS[self.case.program]

    def only_reads(self, call: Call) -> bool:
        return call.name in READS[self.case.program]

    def break_(self, fault: str, call: str = "", *, skip: int = 0, times: int | None = None, when: str = "") -> None:
        after = when == "after"
        self.line.strike = Strike(HERE.get(fault, fault), skip + 1, after=after, call=call, times=times)

    def heal(self) -> None:
        self.line.strike = None

    @contextmanager
    def proxied(self) -> Iterator[Proxy]:
        def is_write(_method: str, path: str, body: bytes) -> bool:
            return self._is_write(call_of(path, body))

        with proxy(self.line.server_address[1], is_write) as between:
            self.url = between.at(self.line.url)
            yield between


def _paths(torrent: Torrent) -> list[Path]:
    return [Path(torrent.directory, path) for path, _ in torrent.files]


def _torrent(downloads: Path, number: int, told: Json) -> Torrent:
    """One of the world's file, its data written."""
    more = {k: v for k, v in told.items() if k not in ("name", "bytes", "files", "tracker")}
    more["trackers"] = [f"http://{told.get('tracker', 'tracker.example')}/{CANARY}/announce"]
    files = told.get("files") or {told["name"]: told["bytes"]}
    ident = hashlib.sha1(f"{told['name']}{number}".encode()).hexdigest()  # noqa: S324  # a name
    found = Torrent(ident, told["name"], str(downloads), list(files.items()), multi="files" in told, **more)
    for path, size in found.files:
        write(Path(found.directory, path), size)
    return found


@contextmanager
def built(case: Case, folder: Path) -> Iterator[TorrentClient]:
    """A fresh client of the case, over its files."""
    downloads = folder / "dl"
    downloads.mkdir()
    given = [_torrent(downloads, number, told) for number, told in enumerate(case.told["torrents"], 1)]
    clock = Still()
    time = SimpleNamespace(time=lambda: clock.now().timestamp())
    with ExitStack() as stack:
        stack.enter_context(patch("sandbox.torrents.rtorrent.time", time))
        server = stack.enter_context(serving(case.program, given, password=CANARY))
        line = stack.enter_context(Line(server.url))
        relay = stack.enter_context(Relay(folder / "relay")) if case.app == "rtorrent-sftp" else None
        found = TorrentClient(case, folder, server, line, clock, relay)
        for path, size in case.told.get("files", {}).items():
            write(downloads / path, size)
        found.settle()
        yield found
