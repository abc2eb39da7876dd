"""A server that lies about sizes and names: nothing wrong is put in its place, nothing is written outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reconciler.clock import SystemClock
from reconciler.kind import Verdict, WriteRefused
from resources.clients.localfs.staging import PARTIAL
from resources.clients.sftp import APP
from resources.clients.sftp.client import SftpClient
from resources.seedbox_transfer.bring import Order, bring
from tests.kinds.seedbox_transfer.lying import Liar, Told

Brought = Callable[[dict[str, Told]], Verdict | None]


@pytest.fixture
def brought(tmp_path: Path) -> Iterator[Brought]:
    (tmp_path / "to").mkdir()
    with ExitStack() as exits:

        def run(files: dict[str, Told]) -> Verdict | None:
            liar = exits.enter_context(Liar(tmp_path, files))
            client = APP.open("seedbox", liar.spec, access="write", clock=SystemClock())
            assert isinstance(client, SftpClient)
            exits.callback(client.close)
            order = Order("seedbox", "/box/Show", "Show", str(tmp_path / "to"), verify="size")
            return bring(client, order, lambda _bytes: None, lambda: False)

        yield run


def outside(tmp_path: Path) -> set[str]:
    return {p.name for p in (tmp_path / "to").iterdir()}


def test_the_truth_comes_through(brought: Brought, tmp_path: Path) -> None:
    assert brought({"a": Told(5, b"hello"), "b": Told(0, b"")}) is None
    assert (tmp_path / "to/Show/a").read_bytes() == b"hello"
    assert (tmp_path / "to/Show/b").read_bytes() == b""


@pytest.mark.parametrize(
    ("told", "word"),
    [
        (Told(600_000, b"x" * 599_999), "not as long as"),
        (Told(600_000, b""), "not as long as"),
        (Told(599_999, b"x" * 600_000), "longer than"),
        (Told(1, b"x" * 600_000), "longer than"),
        (Told(1 << 62, b"x"), "not as long as"),
    ],
    ids=["one byte short", "empty", "one byte long", "much longer", "absurdly large"],
)
def test_a_wrong_size(brought: Brought, tmp_path: Path, told: Told, word: str) -> None:
    verdict = brought({"a": told})
    assert verdict is not None
    assert word in verdict.says
    assert outside(tmp_path) <= {PARTIAL}


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "a\nb", "x" * 300, "sub/../../c"])
def test_a_hostile_name(brought: Brought, tmp_path: Path, name: str) -> None:
    with pytest.raises(WriteRefused):
        brought({"fine": Told(1, b"x"), name: Told(1, b"x")})
    assert outside(tmp_path) == set()


def test_a_name_told_twice(brought: Brought, tmp_path: Path) -> None:
    with pytest.raises(WriteRefused, match="letter case"):
        brought({"a": Told(1, b"x"), "A": Told(1, b"y")})
