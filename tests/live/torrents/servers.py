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
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import xmlrpc.client
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


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


def bencode(value: Any) -> bytes:
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, list):
        return b"l" + b"".join(bencode(v) for v in value) + b"e"
    pairs = sorted((k.encode(), v) for k, v in value.items())
    return b"d" + b"".join(bencode(k) + bencode(v) for k, v in pairs) + b"e"


class Made:
    """A .torrent file over data that lies on disk, and its info-hash (lower case)."""

    def __init__(self, content: bytes, info_hash: str, name: str) -> None:
        self.content, self.hash, self.name = content, info_hash, name


def make_torrent(payload: Path, trackers: list[str], *, private: bool = False, salt: str = "") -> Made:
    """A torrent over `payload`, a file or a folder. `salt` makes another torrent of the same data (a cross-seed)."""
    files = [payload] if payload.is_file() else sorted(p for p in payload.rglob("*") if p.is_file())
    data = b"".join(f.read_bytes() for f in files)
    pieces = b"".join(hashlib.sha1(data[at : at + PIECE]).digest() for at in range(0, len(data), PIECE))  # noqa: S324
    info: dict[str, Any] = {"name": payload.name, "piece length": PIECE, "pieces": pieces}
    if payload.is_file():
        info["length"] = len(data)
    else:
        info["files"] = [{"length": f.stat().st_size, "path": list(f.relative_to(payload).parts)} for f in files]
    info |= {"private": 1} if private else {}
    info |= {"source": salt} if salt else {}
    meta: dict[str, Any] = {"announce": trackers[0], "announce-list": [[t] for t in trackers], "info": info}
    return Made(bencode(meta), hashlib.sha1(bencode(info)).hexdigest(), payload.name)  # noqa: S324


class Server:
    """A process of its own session, ended with everything it started."""

    program = ""

    def __init__(self, folder: Path) -> None:
        needs(self.program)
        self.folder = folder
        self.downloads = folder / "downloads"
        self.downloads.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def ready(self) -> bool:
        raise NotImplementedError

    def start(self) -> None:
        with (self.folder / "out.txt").open("ab") as out:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                env={**os.environ, "HOME": str(self.folder), "TERM": "dumb"},
            )  # fmt: skip
        until(self.ready, f"{self.program} answers: {(self.folder / 'out.txt').read_text(errors='replace')[-500:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


class Rtorrent(Server):
    """rtorrent 0.9.8, listening on a Unix socket, or on TCP with `tcp=True`."""

    program = "rtorrent"

    def __init__(self, folder: Path, *, tcp: bool = False) -> None:
        super().__init__(folder)
        (folder / "session").mkdir(exist_ok=True)
        self.port = free_port() if tcp else 0
        # The path of a socket may have 107 characters; a test's folder has more.
        self._short = tempfile.TemporaryDirectory(prefix="rt-")
        self.socket = f"{self._short.name}/rpc.socket"

    @property
    def url(self) -> str:
        return f"scgi://127.0.0.1:{self.port}" if self.port else f"scgi://{self.socket}"

    def command(self) -> list[str]:
        Path(self.socket).unlink(missing_ok=True)
        (self.folder / "session" / "rtorrent.lock").unlink(missing_ok=True)
        how = f"open_port = 127.0.0.1:{self.port}" if self.port else f"open_local = {self.socket}"
        (self.folder / "rc").write_text(
            f"session.path.set = {self.folder}/session\n"
            f"directory.default.set = {self.downloads}\n"
            f"network.scgi.{how}\n"
            "system.daemon.set = true\nnetwork.bind_address.set = 127.0.0.1\nnetwork.port_range.set = 40000-60999\n"
            "network.port_random.set = yes\ndht.mode.set = disable\nprotocol.pex.set = no\ntrackers.use_udp.set = no\n"
        )
        return ["rtorrent", "-n", "-o", f"import={self.folder}/rc"]

    def ready(self) -> bool:
        return bool(self.call("system.client_version", ""))

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        super().stop(how)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        super().__exit__(kind, error, tb)
        self._short.cleanup()

    def call(self, method: str, *params: Any) -> Any:
        """One XML-RPC call by hand, past the client that is tested."""
        body = xmlrpc.client.dumps(params, method).encode()
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
        line = (
            socket.create_connection(("127.0.0.1", self.port), timeout=10)
            if self.port
            else socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        )
        with line:
            if not self.port:
                line.settimeout(10)
                line.connect(self.socket)
            line.sendall(b"%d:%s,%s" % (len(head), head, body))
            taken = b"".join(iter(lambda: line.recv(65536), b""))
        answer = taken.partition(b"\r\n\r\n")[2]
        if not answer:
            raise ConnectionError("no answer")
        return xmlrpc.client.loads(answer)[0][0]

    def add(self, made: Made, *, label: str = "", start: bool = True, folder: Path | None = None) -> str:
        """Load a torrent whose data lies in the downloads already, and wait until its check is over."""
        load = "load.raw_start" if start else "load.raw"
        more = [f"d.directory.set={folder}"] if folder else []
        self.call(load, "", xmlrpc.client.Binary(made.content), *more, *([f"d.custom1.set={label}"] if label else []))
        target = made.hash.upper()
        if start:
            until(lambda: self.call("d.complete", target) == 1, f"{made.name} is checked")
            until(lambda: self.call("d.is_active", target) == 1, f"{made.name} is active")
        else:
            until(lambda: self.call("d.hash", target) == target, f"{made.name} is loaded")
        return made.hash

    def hashes(self) -> set[str]:
        return {h.lower() for h in self.call("download_list", "")}


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

    def ready(self) -> bool:
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

    def add(self, made: Made, *, category: str = "", tags: str = "") -> str:
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

    def ready(self) -> bool:
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

    def add(self, made: Made, *, labels: tuple[str, ...] = ()) -> str:
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
