"""A state in a fresh folder, and a clock that stands still."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.clock import FakeClock
from reconciler.store import Store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def store(folder: Path, clock: FakeClock) -> Iterator[Store]:
    with Store.open(folder, clock) as opened:
        yield opened


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that an unprivileged user can reach, which pytest's own are not."""
    made = Path(tempfile.mkdtemp())
    made.chmod(0o777)
    yield made
    for path in (made, *made.rglob("*")):
        if path.is_dir():
            path.chmod(0o700)
    shutil.rmtree(made)
