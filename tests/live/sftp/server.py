"""A real OpenSSH server on loopback with keys of its own, run by whoever runs the tests.

with Sshd(folder) as server:
    spec = server.spec(host_key=server.fingerprint())

Skips with a reason where there is no sshd; under CI its absence is a failure.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from reconciler.clock import SystemClock
from resources.clients.sftp import APP, SftpSpec
from resources.clients.sftp.client import SftpClient
from sandbox.seedbox import programs
from sandbox.seedbox.programs import PATH, keygen

__all__ = ["SFTP", "Sshd", "keygen", "needed"]

SSHD = shutil.which("sshd", path=PATH)
SFTP = next((p for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server") if Path(p).exists()), None)


def needed() -> str:
    """Where sshd is. Skips the test when there is none."""
    if SSHD is None or SFTP is None or shutil.which("ssh-keygen") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no sshd here: apt-get install openssh-server openssh-sftp-server")
        pytest.skip("no sshd here: apt-get install openssh-server openssh-sftp-server")
    return SSHD


class Sshd(programs.Sshd):
    """The server. `home` is what it serves (any absolute path works as well); `key` lets its user in. `through`: the command
    that stands in for its sftp-server."""

    def __init__(
        self,
        folder: Path,
        *,
        host_keys: tuple[str, ...] = ("ed25519",),
        options: tuple[str, ...] = (),
        through: str = "",
    ) -> None:
        needed()
        self.home = folder / "box"
        self.home.mkdir(parents=True)
        home = f"SetEnv HOME={self.home}"  # the user's own shell start-up files are no part of the test
        super().__init__(folder, host_keys=host_keys, options=(*options, home), sftp=through or str(SFTP))

    def spec(self, **more: Any) -> SftpSpec:
        said = {"app": "sftp", "host": "127.0.0.1", "port": self.port, "user": self.user, "timeout": "20s"}
        said |= {"key": str(self.key), "host_key": self.fingerprint()}
        return SftpSpec.model_validate({k: v for k, v in {**said, **more}.items() if v is not None})

    def client(self, **more: Any) -> SftpClient:
        found = APP.open("seedbox", self.spec(**more), access="write", clock=SystemClock())
        assert isinstance(found, SftpClient)
        return found
