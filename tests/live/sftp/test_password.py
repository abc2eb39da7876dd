"""Logging in by password, where a server lets nobody in by key: by `password`, and by `keyboard-interactive` alone.

The server sees a user of ours, whose password is new in every run, in /etc/passwd and /etc/shadow of a mount namespace of its
own: nobody else does, the machine's own files are not touched, and all of it ends with the server. That needs root.
"""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.facts import ReadFailed
from resources.clients.sftp import RemoteTree
from tests.live.sftp.server import Sshd

pytestmark = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="a user of our own needs root")]

USER = "arr-visitor"
NOBODY = 65534
PAM = "auth required pam_unix.so nodelay\naccount required pam_permit.so\nsession required pam_permit.so\n"
WAYS = {
    "password": ("UsePAM no", "PasswordAuthentication yes", "KbdInteractiveAuthentication no"),
    "keyboard-interactive": ("UsePAM yes", "PasswordAuthentication no", "KbdInteractiveAuthentication yes"),
}


def crypted(password: str) -> str:
    """As /etc/shadow has it."""
    crypt = ctypes.CDLL("libcrypt.so.1").crypt  # where sshd is, this is
    crypt.restype = ctypes.c_char_p
    found: bytes = crypt(password.encode(), f"$6${secrets.token_hex(8)}$".encode())
    return found.decode()


def private(folder: Path, password: str) -> tuple[str, ...]:
    """The command that shows the one behind it a machine with our user. Skips where root may not mount."""
    lines = {
        "/etc/passwd": f"{USER}:x:{NOBODY}:{NOBODY}::{folder}:/bin/sh\n",
        "/etc/shadow": f"{USER}:{crypted(password)}:20000:0:99999:7:::\n",
    }
    script = ""
    for number, path in enumerate(("/etc/passwd", "/etc/shadow", "/etc/pam.d/sshd")):
        copy = folder / f"etc{number}"
        copy.write_text(lines[path] + Path(path).read_text() if path in lines else PAM)
        copy.chmod(0o600 if path == "/etc/shadow" else 0o644)
        script += f"mount --bind '{copy}' {path} && "
    command = ("unshare", "--mount", "--propagation", "private", "sh", "-c", f'{script}exec "$@"', "sh")
    tried = shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True, check=False)
    if not tried or tried.returncode:
        assert os.environ.get("CI") != "true", f"no mount namespace here: {tried}"
        pytest.skip("this container does not let root mount")
    return command


@pytest.fixture(params=WAYS)
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Sshd, Path]]:
    """A server that takes no keys, and a file with the password."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    secret = tmp_path / "password"
    secret.write_text(secrets.token_urlsafe(16))
    made = Sshd(tmp_path / "sshd", options=("PubkeyAuthentication no", *WAYS[request.param]))
    (made.home / "a file").write_text("hello")
    made.user, made.before = USER, private(made.folder, secret.read_text())
    with made:
        yield made, secret


def names(server: Sshd, password: Path) -> list[str]:
    client = server.client(key=None, password={"file": str(password)})
    try:
        return [f.path for f in client.read(RemoteTree("seedbox", str(server.home)))]
    finally:
        client.close()


def test_the_password_lets_us_in_and_another_does_not(server: tuple[Sshd, Path], tmp_path: Path) -> None:
    sshd, secret = server
    assert names(sshd, secret) == ["a file"]
    wrong = tmp_path / "wrong"
    wrong.write_text("another password")
    with pytest.raises(ReadFailed) as caught:
        names(sshd, wrong)
    assert (caught.value.code, "with the password" in caught.value.reason) == ("unauthorised", True)
    assert "another password" not in caught.value.reason + caught.value.remedy
    assert USER not in Path("/etc/passwd").read_text()
