"""Every test here runs over every registered kind, in each of its worlds, under each app; in the proof over all faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, stage
from tests.laws.worlds import Case


@pytest.fixture
def on_stage(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    with stage(case, tmp_path, monkeypatch) as found:
        yield found
