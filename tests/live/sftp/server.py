"""A real OpenSSH server on loopback with keys of its own, run by whoever runs the tests.

with Sshd(folder) as server:
    spec = server.spec(host_key=server.fingerprint())

Skips with a reason where there is no sshd; under CI its absence is a failure.
"""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

from reconciler.clock import SystemClock
from resources.clients.sftp import APP, SftpSpec
from resources.clients.sftp.client import SftpClient

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
SFTP = next((p for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server") if Path(p).exists()), None)


def needed() -> str:
    """Where sshd is. Skips the test when there is none."""
    if SSHD is None or SFTP is None or shutil.which("ssh-keygen") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no sshd here: apt-get install openssh-server openssh-sftp-server")
        pytest.skip("no sshd here: apt-get install openssh-server openssh-sftp-server")
    return SSHD


def keygen(path: Path, sort: str = "ed25519", passphrase: str = "", *more: str) -> Path:
    subprocess.run(
        ["ssh-keygen", "-q", "-t", sort, "-N", passphrase, "-f", str(path), "-C", "test", *more], check=True, timeout=60
    )
    return path


def free_port() -> int:
    with closing(socket.socket()) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Sshd:
    """The server. `home` is what it serves (any absolute path works as well); `key` lets its user in.

    `before`: a command that ends by running the one that follows it, as `nice`.
    """

    def __init__(
        self, folder: Path, *, host_keys: tuple[str, ...] = ("ed25519",), options: tuple[str, ...] = ()
    ) -> None:
        self._sshd = needed()
        self.folder, self.home = folder, folder / "box"
        self.home.mkdir(parents=True)
        self.key = keygen(folder / "user_key")
        (folder / "authorized").write_text(self.key.with_suffix(".pub").read_text())
        self.host_keys = [keygen(folder / f"host_{sort}", sort) for sort in host_keys]
        self.options = options
        self.user = getpass.getuser()
        self.port = free_port()
        self.before: tuple[str, ...] = ()
        self._process: subprocess.Popen[bytes] | None = None

    def authorise(self, key: Path) -> None:
        with (self.folder / "authorized").open("a") as file:
            file.write(key.with_name(key.name + ".pub").read_text())

    def fingerprint(self, number: int = 0) -> str:
        told = subprocess.run(
            ["ssh-keygen", "-lf", str(self.host_keys[number])], check=True, capture_output=True, text=True, timeout=60
        )
        return told.stdout.split()[1]

    def start(self) -> None:
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {path}" for path in self.host_keys),
            f"AuthorizedKeysFile {self.folder / 'authorized'}",
            f"PidFile {self.folder / 'sshd.pid'}",
            *self.options,  # of two that contradict each other the first counts
            "UsePAM no",
            "StrictModes no",
            "PermitRootLogin yes",
            "PasswordAuthentication no",
            "MaxStartups 200:30:400",
            f"SetEnv HOME={self.home}",  # the user's own shell start-up files are no part of the test
            f"Subsystem sftp {SFTP}",
        ]
        config = self.folder / "sshd_config"
        config.write_text("\n".join(lines) + "\n")
        with (self.folder / "sshd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.before, self._sshd, "-D", "-e", "-f", str(config)],
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + 20
        while True:
            try:
                with closing(socket.create_connection(("127.0.0.1", self.port), timeout=1)):
                    return
            except OSError:
                log_text = (self.folder / "sshd.log").read_text()
                assert self._process.poll() is None, log_text
                assert time.monotonic() < end, log_text
                time.sleep(0.02)

    def stop(self) -> None:
        """End the server and every session of it."""
        if self._process is not None:
            for pid in (self._process.pid, *_children(self._process.pid)):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait(timeout=20)
            self._process = None

    def cut(self) -> None:
        """End every session, and go on listening."""
        assert self._process is not None
        for pid in _children(self._process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def spec(self, **more: Any) -> SftpSpec:
        said = {"app": "sftp", "host": "127.0.0.1", "port": self.port, "user": self.user, "timeout": "20s"}
        said |= {"key": str(self.key), "host_key": self.fingerprint()}
        return SftpSpec.model_validate({k: v for k, v in {**said, **more}.items() if v is not None})

    def client(self, **more: Any) -> SftpClient:
        found = APP.open("seedbox", self.spec(**more), access="write", clock=SystemClock())
        assert isinstance(found, SftpClient)
        return found

    def __enter__(self) -> Sshd:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()


def _children(pid: int) -> list[int]:
    """The sessions of a server, and what they started."""
    told = Path(f"/proc/{pid}/task/{pid}/children")
    direct = [int(p) for p in told.read_text().split()] if told.exists() else []
    return [d for child in direct for d in (child, *_children(child))]
