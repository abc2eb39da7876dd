"""Commands on the server: what comes of one, whatever the order in which both sides end it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest
from paramiko.common import cMSG_CHANNEL_EOF

from resources.clients.sftp import Digests, RemoteStat
from tests.live.sftp.server import Sshd

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    with Sshd(tmp_path / "sshd") as found:
        yield found


def test_a_command_that_is_quicker_than_our_end_of_input(server: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSH drops the whole connection when the end of the input comes for a channel that is closed already."""
    (server.home / "empty").touch()
    client = server.client()
    send: Any = paramiko.Transport._send_user_message  # type: ignore[attr-defined]  # the one place where all of it leaves

    def late(self: paramiko.Transport, message: Any) -> None:
        if message.asbytes()[:1] == cMSG_CHANNEL_EOF:
            time.sleep(0.5)  # on its way
        send(self, message)

    monkeypatch.setattr(paramiko.Transport, "_send_user_message", late)
    line = client.line()
    asked = Digests("seedbox", (f"{server.home}/empty",))
    assert client.read(asked) == {f"{server.home}/empty": EMPTY}
    assert client.read(RemoteStat("seedbox", f"{server.home}/empty")).kind == "file"
    assert client.line() is line, "the connection was dropped"
    client.close()
