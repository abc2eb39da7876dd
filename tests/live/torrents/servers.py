"""Real torrent programs from Debian's packages, each in a folder of its own, for the length of a test.

with Rtorrent(folder) as server:
    hash = server.add(make_torrent(folder / "downloads" / "Film.mkv", ["http://tracker.example/announce"]))
    server.call("d.name", hash.upper())

Nothing of them leaves the machine: DHT, peer exchange and UDP trackers are off, ports are bound to the loopback.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.seedbox import programs
from sandbox.seedbox.metainfo import Metainfo, metainfo
from sandbox.seedbox.programs import Program, free_port

PIECE = 16384


def needs(*programs: str) -> None:
    """Skip when a program is not installed; in CI that is a failure."""
    gone = [p for p in programs if shutil.which(p, path=f"{os.environ.get('PATH', '')}:/usr/sbin") is None]
    if gone:
        assert os.environ.get("CI") != "true", f"not installed: {', '.join(gone)}"
        pytest.skip(f"not installed: {', '.join(gone)}")


def until(what: Callable[[], Any], why: str, limit: float = 20.0) -> Any:
    """The first true answer of `what`, within `limit` seconds."""
    end = time.monotonic() + limit
    while True:
        with contextlib.suppress(OSError, xmlrpc.client.Fault, xmlrpc.client.ProtocolError):
            if found := what():
                return found
        assert time.monotonic() < end, f"not within {limit:g} s: {why}"
        time.sleep(0.03)


def listens(port: int) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True


def _request(url: str, data: bytes | None = None, headers: dict[str, str] | None = None) -> urllib.request.Request:
    assert url.startswith("http://127.0.0.1:")
    return urllib.request.Request(url, data, headers or {})  # noqa: S310  # asserted


def fetched(request: urllib.request.Request) -> tuple[bytes, Any]:
    """The body and headers that a server on the loopback answers."""
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  # as above
        return answer.read(), answer.headers


def make_torrent(payload: Path, trackers: list[str], *, private: bool = False, salt: str = "") -> Metainfo:
    """A torrent over `payload`, a file or a folder. `salt` makes another torrent of the same data (a cross-seed)."""
    return metainfo(payload, *trackers, private=private, source=salt, piece=PIECE)


class Server(Program):
    """A program of the name `program`, with a folder for what it downloads."""

    program = ""

    def __init__(self, folder: Path) -> None:
        needs(self.program)
        super().__init__(folder)
        self.downloads = folder / "downloads"
        self.downloads.mkdir(exist_ok=True)


class Rtorrent(programs.Rtorrent):
    """rtorrent 0.9.8, listening on a Unix socket, or on TCP with `tcp=True`."""

    def __init__(self, folder: Path, *, tcp: bool = False) -> None:
        needs("rtorrent")
        super().__init__(folder, tcp=tcp)

    def add(self, torrent: Metainfo, *, folder: Path | None = None, label: str = "", start: bool = True) -> str:
        """Load a torrent whose data lies in the downloads already, and wait until its check is over."""
        super().add(torrent, folder=folder, label=label, start=start)
        target = torrent.hash.upper()
        if start:
            until(lambda: self.call("d.complete", target) == 1, f"{torrent.name} is checked")
            until(lambda: self.call("d.is_active", target) == 1, f"{torrent.name} is active")
        else:
            until(lambda: self.call("d.hash", target) == target, f"{torrent.name} is loaded")
        return torrent.hash


@contextlib.contextmanager
def apache(folder: Path, rtorrent: Rtorrent, *, scheme: str) -> Iterator[str]:
    """The URL of /RPC2 behind apache with `scheme` (Digest or Basic) authentication; user me, password `open sesame`."""
    needs("apache2")
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    if scheme == "Digest":
        secret = hashlib.md5(b"me:rt:open sesame").hexdigest()  # noqa: S324  # what the scheme is made of
        (folder / "users").write_text(f"me:rt:{secret}\n")
        how = "AuthDigestProvider file"
    else:
        digest = base64.b64encode(hashlib.sha1(b"open sesame").digest()).decode()  # noqa: S324
        (folder / "users").write_text(f"me:{{SHA}}{digest}\n")
        how = "AuthBasicProvider file"
    modules = ("mpm_event", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest")
    loads = "".join(
        f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in (*modules, "proxy", "proxy_scgi")
    )
    (folder / "conf").write_text(
        f"ServerRoot {folder}\nServerName localhost\nListen 127.0.0.1:{port}\nPidFile {folder}/pid\n{loads}"
        f"ErrorLog {folder}/errors\nMutex file:{folder} default\nProxyPass /RPC2 scgi://127.0.0.1:{rtorrent.port}\n"
        f"<Location /RPC2>\nAuthType {scheme}\nAuthName rt\n{how}\nAuthUserFile {folder}/users\nRequire valid-user\n"
        "</Location>\n"
    )
    if os.geteuid() == 0:
        for path in (folder, *folder.parents):
            path.chmod(path.stat().st_mode | 0o055) if path.stat().st_uid == 0 and path != Path("/") else None
        with (folder / "conf").open("a") as conf:
            conf.write("User www-data\nGroup www-data\n")
        shutil.chown(folder, "www-data")
    process = subprocess.Popen(
        ["/usr/sbin/apache2", "-f", str(folder / "conf"), "-DFOREGROUND"], start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: listens(port), "apache listens")
        yield f"http://127.0.0.1:{port}/RPC2"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=10)


class Qbittorrent(Server):
    """qbittorrent-nox with a user `admin`, password `adminadmin`."""

    program = "qbittorrent-nox"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._cookie = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        config = self.folder / "qBittorrent" / "config"
        config.mkdir(parents=True, exist_ok=True)
        (config / "qBittorrent.conf").write_text(
            "[LegalNotice]\nAccepted=true\n[Preferences]\n"
            f"WebUI\\Port={self.port}\nWebUI\\Address=127.0.0.1\nWebUI\\LocalHostAuth=true\n"
            f"[BitTorrent]\nSession\\DefaultSavePath={self.downloads}\nSession\\DHTEnabled=false\n"
            "Session\\PeXEnabled=false\nSession\\LSDEnabled=false\nSession\\Interface=lo\n"
            f"Session\\Port={free_port()}\n"
        )
        return ["qbittorrent-nox", f"--profile={self.folder}"]

    def answers(self) -> bool:
        try:
            self._login()
        except urllib.error.HTTPError:
            return False
        return True

    def _login(self) -> None:
        form = urllib.parse.urlencode({"username": "admin", "password": "adminadmin"}).encode()
        _, headers = fetched(_request(f"{self.url}/api/v2/auth/login", form))
        self._cookie = headers["set-cookie"].partition(";")[0]

    def ask(self, path: str, fields: dict[str, str] | None = None) -> Any:
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        request = _request(f"{self.url}/api/v2/{path}", data, {"cookie": self._cookie})
        body, _ = fetched(request)
        return json.loads(body) if body[:1] in b"[{" and body else body.decode()

    def add(self, made: Metainfo, *, category: str = "", tags: str = "") -> str:
        """Add a torrent whose data lies in the downloads already, and wait until its check is over."""
        edge = "arr-test-edge"
        fields = {"savepath": str(self.downloads), "category": category, "tags": tags}
        parts = [
            f'--{edge}\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
        ]
        head = f'--{edge}\r\ncontent-disposition: form-data; name="torrents"; filename="t.torrent"\r\n'
        parts.append(f"{head}content-type: application/x-bittorrent\r\n\r\n".encode() + made.content + b"\r\n")
        request = _request(
            f"{self.url}/api/v2/torrents/add", b"".join(parts) + f"--{edge}--\r\n".encode(),
            {"cookie": self._cookie, "content-type": f"multipart/form-data; boundary={edge}"},
        )  # fmt: skip
        assert fetched(request)[0] == b"Ok."
        done = ("uploading", "stalledUP", "queuedUP", "forcedUP")
        until(lambda: any(t["hash"] == made.hash and t["state"] in done for t in self.ask("torrents/info")), made.name)
        return made.hash

    def hashes(self) -> set[str]:
        return {t["hash"] for t in self.ask("torrents/info")}


class Transmission(Server):
    """transmission-daemon with a user `me`, password `open sesame`."""

    program = "transmission-daemon"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self._session = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/transmission/rpc"

    def command(self) -> list[str]:
        return [
            "transmission-daemon", "-f", "-g", str(self.folder / "config"), "-w", str(self.downloads), "-p",
            str(self.port), "-r", "127.0.0.1", "-a", "127.0.0.1", "-t", "-u", "me", "-v", "open sesame", "-O", "-P",
            str(free_port()), "-i", "127.0.0.1", "-M",
        ]  # fmt: skip

    def answers(self) -> bool:
        return bool(self.ask("session-get"))

    def ask(self, method: str, **arguments: Any) -> Any:
        body = json.dumps({"method": method, "arguments": arguments}).encode()
        user = base64.b64encode(b"me:open sesame").decode()
        while True:
            headers = {"x-transmission-session-id": self._session, "authorization": f"Basic {user}"}
            request = _request(self.url, body, headers)
            try:
                return json.loads(fetched(request)[0])["arguments"]
            except urllib.error.HTTPError as e:
                if e.code != 409:
                    raise
                self._session = e.headers["x-transmission-session-id"]

    def add(self, made: Metainfo, *, labels: tuple[str, ...] = ()) -> str:
        """Add a torrent whose data lies in the downloads already, and wait until its check is over."""
        self.ask("torrent-add", metainfo=base64.b64encode(made.content).decode(), paused=False)
        if labels:
            self.ask("torrent-set", ids=[made.hash], labels=list(labels))

        def seeds() -> bool:
            found = self.ask("torrent-get", ids=[made.hash], fields=["status"])["torrents"]
            return bool(found) and found[0]["status"] == 6

        until(seeds, f"{made.name} is checked")
        return made.hash

    def hashes(self) -> set[str]:
        return {t["hashString"] for t in self.ask("torrent-get", fields=["hashString"])["torrents"]}
