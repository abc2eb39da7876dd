"""Figures of several processes are put together: sums, and the largest where the name says so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests import figures

COUNTS = """
import os
from tests import figures
figures.add("tries", "what is tried", runs=2, most_seconds=0.5)
figures.add("tries", "what is tried", runs=1, most_seconds={most})
if os.fork() == 0:
    figures.add("tries", "what is tried", runs=10)
    figures.write()
    os._exit(0)
os.wait()
"""


def counted(folder: Path, most: float) -> None:
    env = {**os.environ, "ARR_FIGURES": str(folder)}
    subprocess.run([sys.executable, "-c", COUNTS.format(most=most)], check=True, env=env)


def test_processes_are_summed_and_the_largest_is_kept(tmp_path: Path) -> None:
    counted(tmp_path / "figures", 3.25)
    counted(tmp_path / "figures", 0.25)
    assert figures.collected(tmp_path / "figures") == {
        "tries": {"what": "what is tried", "runs": 26, "most_seconds": 3.25}
    }


def test_nothing_is_kept_unasked(tmp_path: Path) -> None:
    env = {k: v for k, v in os.environ.items() if k != "ARR_FIGURES"}
    subprocess.run(
        [sys.executable, "-c", COUNTS.format(most=1)],
        check=True,
        env=env | {"PYTHONPATH": str(Path.cwd())},
        cwd=tmp_path,
    )
    assert list(tmp_path.iterdir()) == []
