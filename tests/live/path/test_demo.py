"""`make demo-seedbox` tells its story to the end, and says in a sentence what is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.seedbox.programs import lacking
from tests.effort import PROOF

ROOT = Path(__file__).resolve().parents[3]


def demo(**env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sandbox.seedbox"], cwd=ROOT, env={**os.environ, "COLUMNS": "80", **env}, text=True,
        capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def test_it_says_what_is_not_installed() -> None:
    done = demo(PATH="/nowhere")
    assert done.returncode == 1 and done.stdout == ""
    assert "not installed: rtorrent" in done.stderr and "apt-get install rtorrent" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not PROOF, reason="what it shows is tested beside it: part of make proof")
def test_it_tells_its_story_to_the_end() -> None:
    if gone := lacking():
        assert os.environ.get("CI") != "true", gone
        pytest.skip(gone)
    done = demo()
    assert done.returncode == 0, done.stdout + done.stderr
    told = [line for line in done.stdout.splitlines() if line.startswith("$ arr ")]
    assert [line.split()[2] for line in told] == [
        "plan", "apply", "plan", "plan", "why", "why", "plan", "plan", "apply", "plan", "history"
    ]  # fmt: skip
