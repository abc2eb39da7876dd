"""rtorrent and sshd, installed on this machine, each started in a folder of its own and ended with what it started.

    with Rtorrent(folder) as box:
        box.add(torrent)
        box.until("d.complete", torrent.hash)

`lacking()` names what is not installed, and how to install it. Everything listens on the loopback or a socket only.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import xmlrpc.client
from pathlib import Path
from typing import Any, Self

from sandbox.seedbox.metainfo import Metainfo

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
LIMIT_S = 30.0
_NOT_YET = (OSError, xmlrpc.client.Error)


def lacking() -> str:
    """ "" when everything is installed; else what is not, with the command that installs it on Debian."""
    needed = {
        "rtorrent": shutil.which("rtorrent"),
        "openssh-server": shutil.which("sshd", path=PATH),
        "openssh-client": shutil.which("ssh-keygen"),
    }
    gone = [name for name, found in needed.items() if found is None]
    return f"not installed: {', '.join(gone)} (Debian: apt-get install {' '.join(gone)})" if gone else ""


class Program:
    """A process of a session of its own, in `folder`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> Self:
        """Returns when it answers. RuntimeError with what it said when it does not."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env={**os.environ, "HOME": str(self.folder), "TERM": "dumb"},
            )
        end = time.monotonic() + LIMIT_S
        while True:
            with contextlib.suppress(*_NOT_YET):
                if self.answers():
                    return self
            if self._process.poll() is not None or time.monotonic() > end:
                self.stop()
                said = (self.folder / "output.txt").read_text(errors="replace")[-1000:]
                raise RuntimeError(f"{type(self).__name__} does not answer: {said}")
            time.sleep(0.03)

    def stop(self) -> None:
        """SIGTERM to all of it, and SIGKILL to what is still there after a while."""
        process, self._process = self._process, None
        if process is None:
            return
        for how in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
                return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class Rtorrent(Program):
    """rtorrent 0.9.8 or newer, answering on a Unix socket. `downloads` is where it puts what it is told to load."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.downloads = folder / "downloads"
        for path in (self.downloads, folder / "session"):
            path.mkdir(exist_ok=True)
        # The path of a socket may have 107 characters, and those of folders are longer at times.
        self._short = tempfile.TemporaryDirectory(prefix="arr-box-")
        self.socket = f"{self._short.name}/rpc.socket"

    @property
    def url(self) -> str:
        return f"scgi://{self.socket}"

    def command(self) -> list[str]:
        Path(self.socket).unlink(missing_ok=True)
        (self.folder / "rc").write_text(
            f"session.path.set = {self.folder}/session\n"
            f"directory.default.set = {self.downloads}\n"
            f"network.scgi.open_local = {self.socket}\n"
            "system.daemon.set = true\nnetwork.bind_address.set = 127.0.0.1\nnetwork.port_range.set = 40000-60999\n"
            "network.port_random.set = yes\ndht.mode.set = disable\nprotocol.pex.set = no\ntrackers.use_udp.set = no\n"
        )
        return ["rtorrent", "-n", "-o", f"import={self.folder}/rc"]

    def answers(self) -> bool:
        return bool(self.call("system.client_version", ""))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._short.cleanup()

    def call(self, method: str, *params: Any) -> Any:
        """One XML-RPC call over its socket. xmlrpc.client.Fault when rtorrent refuses it."""
        body = xmlrpc.client.dumps(params, method).encode()
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.settimeout(10)
            line.connect(self.socket)
            line.sendall(b"%d:%s,%s" % (len(head), head, body))
            answer = b"".join(iter(lambda: line.recv(65536), b"")).partition(b"\r\n\r\n")[2]
        if not answer:
            raise ConnectionError("rtorrent closed the line without an answer")
        return xmlrpc.client.loads(answer)[0][0]

    def add(self, torrent: Metainfo, *, folder: Path | None = None, label: str = "") -> None:
        """Load and start a torrent; what of its data lies in the folder (the downloads) already is checked and taken."""
        more = [f"d.directory.set={folder or self.downloads}", *([f"d.custom1.set={label}"] if label else [])]
        self.call("load.raw_start", "", xmlrpc.client.Binary(torrent.content), *more)

    def until(self, method: str, torrent: Metainfo, least: int = 1) -> None:
        """Wait until `method` of this torrent tells at least so much. TimeoutError when it does not."""
        end = time.monotonic() + LIMIT_S
        told: Any = "nothing"
        while time.monotonic() < end:
            with contextlib.suppress(*_NOT_YET):
                if (told := self.call(method, torrent.hash.upper())) >= least:
                    return
            time.sleep(0.05)
        raise TimeoutError(f"{method} of {torrent.name} is {told} after {LIMIT_S:g} s, not {least}")

    def hashes(self) -> set[str]:
        """Of every torrent that it has, in lower case."""
        return {h.lower() for h in self.call("download_list", "")}


class Sshd(Program):
    """OpenSSH's server for this machine's user, with a host key and a user's key of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.user, self.key = getpass.getuser(), folder / "user_key"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        for path in (self.key, folder / "host_key"):
            keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "sandbox", "-f", str(path)]
            subprocess.run(keygen, check=True, timeout=60)

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it, and as a connection's `host_key` wants it."""
        asked = ["ssh-keygen", "-lf", str(self.folder / "host_key")]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.split()[1]

    def command(self) -> list[str]:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        config = self.folder / "sshd_config"
        config.write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {self.folder}/host_key\n"
            f"AuthorizedKeysFile {self.key}.pub\nPidFile {self.folder}/sshd.pid\nUsePAM no\nStrictModes no\n"
            f"PermitRootLogin yes\nPasswordAuthentication no\nMaxStartups 200\nSubsystem sftp internal-sftp\n"
        )
        return [str(shutil.which("sshd", path=PATH)), "-D", "-e", "-f", str(config)]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            return line.recv(4) == b"SSH-"
