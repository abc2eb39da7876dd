"""A server comes back to its own port, also when that has been somebody else's in between."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest

from sandbox import listening


class Opened:
    """Stands for a server: it takes the port, as one does."""

    def __init__(self, _site: Any, port: int) -> None:
        self.socket = socket.create_server(("127.0.0.1", port))


def test_a_port_that_is_taken_for_a_moment_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "Server", Opened)
    other = socket.create_server(("127.0.0.1", 0))
    port = other.getsockname()[1]
    leaves = threading.Timer(0.3, other.close)
    leaves.start()
    found: Any = listening._opened(None, port)  # type: ignore[arg-type]  # it is not looked at
    leaves.join()
    assert found.socket.getsockname()[1] == port
    found.socket.close()


def test_a_port_that_stays_taken_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "Server", Opened)
    monkeypatch.setattr(listening, "PATIENCE", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(OSError, match="in use"):
        listening._opened(None, other.getsockname()[1])  # type: ignore[arg-type]  # it is not looked at
