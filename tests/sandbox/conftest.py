"""Fixtures of the sandbox's tests: stacks that are gone afterwards, whatever happened, and answers that keep to the documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.process import Stack
from tests.sandbox.play import played

SPECS = Path(__file__).resolve().parents[3] / "shared" / "specs"


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Stack]]:
    """Starts stacks; each is checked against the servers' documents where these are at hand, and disposed of."""
    if SPECS.exists():
        monkeypatch.setenv("ARR_SANDBOX_SPECS", str(SPECS))
    stacks: list[Stack] = []

    def start(world: dict[str, Any], **options: Any) -> Stack:
        stacks.append(played(tmp_path / str(len(stacks)), world, **options))
        return stacks[-1]

    yield start
    broken = [v for s in stacks for v in s.violations()]
    for stack in stacks:
        stack.dispose()
    assert not broken
