"""Listings of a server that does not come to an end."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.facts import ReadFailed
from resources.clients.sftp import wire
from resources.clients.sftp.listing import tree


class Endless:
    """Opens every folder, and each of its pages is empty."""

    def __init__(self) -> None:
        self.asked = 0

    def ask(self, kind: int, _body: bytes, then: Any) -> None:
        self.asked += 1
        assert self.asked < 100, "asked without end"
        if kind == wire.OPENDIR:
            then(wire.HANDLE, wire.text(b"handle"))
        elif kind == wire.READDIR:
            then(wire.NAME, (0).to_bytes(4, "big"))

    def flush(self) -> None:
        """Everything is answered at once."""


def test_an_empty_page_is_no_page() -> None:
    line: Any = Endless()
    with pytest.raises(ReadFailed) as error:
        tree(line, b"/dl")
    assert error.value.code == "malformed"
