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


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Program:
    """A process of a session of its own, in `folder`. `before`: a command that ends by running the one behind it, as `nice`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.before: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        raise NotImplementedError

    def start(self) -> Self:
        """Returns when it answers. RuntimeError with what it said when it does not."""
        with (self.folder / "output.txt").open("ab") as output:
            self._process = subprocess.Popen(
                [*self.before, *self.command()],
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

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """The signal to all of it, and SIGKILL to what is still there after a while."""
        process, self._process = self._process, None
        if process is None:
            return
        for sent in (how, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, sent)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=10)
                return

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_error: object) -> None:
        self.stop()


class Rtorrent(Program):
    """rtorrent 0.9.8 or newer, answering on a Unix socket, or on TCP. `downloads` is where it puts what it is told to load."""

    def __init__(self, folder: Path, *, tcp: bool = False) -> None:
        super().__init__(folder)
        self.port = free_port() if tcp else 0
        self.downloads = folder / "downloads"
        for path in (self.downloads, folder / "session"):
            path.mkdir(exist_ok=True)
        # The path of a socket may have 107 characters, and those of folders are longer at times.
        self._short = tempfile.TemporaryDirectory(prefix="arr-box-")
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

    def answers(self) -> bool:
        return bool(self.call("system.client_version", ""))

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._short.cleanup()

    def call(self, method: str, *params: Any) -> Any:
        """One XML-RPC call over its socket. xmlrpc.client.Fault when rtorrent refuses it."""
        body = xmlrpc.client.dumps(params, method).encode()
        head = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
        with socket.socket(socket.AF_INET if self.port else socket.AF_UNIX) as line:
            line.settimeout(10)
            line.connect(("127.0.0.1", self.port) if self.port else self.socket)
            line.sendall(b"%d:%s,%s" % (len(head), head, body))
            answer = b"".join(iter(lambda: line.recv(65536), b"")).partition(b"\r\n\r\n")[2]
        if not answer:
            raise ConnectionError("rtorrent closed the line without an answer")
        return xmlrpc.client.loads(answer)[0][0]

    def add(self, torrent: Metainfo, *, folder: Path | None = None, label: str = "", start: bool = True) -> str:
        """Load and start a torrent; what of its data lies in the folder (the downloads) already is checked and taken.

        Its info-hash, in lower case.
        """
        more = [f"d.directory.set={folder or self.downloads}", *([f"d.custom1.set={label}"] if label else [])]
        self.call("load.raw_start" if start else "load.raw", "", xmlrpc.client.Binary(torrent.content), *more)
        return torrent.hash

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
    """OpenSSH's server for this machine's user, with host keys and a user's key of its own. `options`: lines of sshd_config,
    which count before ours."""

    def __init__(
        self,
        folder: Path,
        *,
        host_keys: tuple[str, ...] = ("ed25519",),
        options: tuple[str, ...] = (),
        sftp: str = "internal-sftp",
    ) -> None:
        super().__init__(folder)
        self.user, self.port = getpass.getuser(), free_port()
        self._options, self._sftp = options, sftp
        self.key = keygen(folder / "user_key")
        self.host_keys = [keygen(folder / f"host_{sort}", sort) for sort in host_keys]
        self.authorised = folder / "authorized"
        self.authorised.touch()
        self.authorise(self.key)

    def authorise(self, key: Path) -> None:
        """Let in whoever has this key."""
        with self.authorised.open("a") as file:
            file.write(key.with_name(f"{key.name}.pub").read_text())

    def fingerprint(self, number: int = 0) -> str:
        """As `ssh-keygen -l` prints it, and as a connection's `host_key` wants it."""
        asked = ["ssh-keygen", "-lf", str(self.host_keys[number])]
        return subprocess.run(asked, check=True, capture_output=True, text=True, timeout=60).stdout.split()[1]

    def command(self) -> list[str]:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        keys = (f"HostKey {path}" for path in self.host_keys)
        config = self.folder / "sshd_config"
        lines = [
            f"Port {self.port}", "ListenAddress 127.0.0.1", *keys, f"AuthorizedKeysFile {self.authorised}",
            f"PidFile {self.folder}/sshd.pid", *self._options, "UsePAM no", "StrictModes no", "PermitRootLogin yes",
            "PasswordAuthentication no", "MaxStartups 200:30:400", f"Subsystem sftp {self._sftp}",
        ]  # fmt: skip
        config.write_text("\n".join(lines) + "\n")
        return [str(shutil.which("sshd", path=PATH)), "-D", "-e", "-f", str(config)]

    def answers(self) -> bool:
        with socket.create_connection(("127.0.0.1", self.port), timeout=1) as line:
            return line.recv(4) == b"SSH-"

    @property
    def pid(self) -> int | None:
        """Of the process that listens; None when there is none."""
        return self._process.pid if self._process is not None else None

    def cut(self) -> None:
        """End every session at once, and go on listening."""
        for pid in _started_by(self._process.pid) if self._process else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """As if its machine had lost its power: sessions have process groups of their own."""
        if self._process is not None:
            sessions = _started_by(self._process.pid)
            self._process.kill()
            for pid in (*sessions, *_started_by(self._process.pid)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        super().stop(how)


def keygen(path: Path, sort: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    """A new private key at `path`, with its public part beside it."""
    made = ["ssh-keygen", "-q", "-t", sort, "-N", passphrase, "-C", "sandbox", "-f", str(path), *more]
    subprocess.run(made, check=True, timeout=60)
    return path


def _started_by(pid: int) -> list[int]:
    """Everything that a process has started and what that has started, as far as it is there."""
    try:
        direct = [int(p) for p in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it has ended, perhaps since it was listed
        return []
    return [d for child in direct for d in (child, *_started_by(child))]
