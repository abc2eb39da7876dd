"""Replay a list of operations from a file, with a readable trace: `python -m tests.simulation.replay FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.simulation.course import Course
from tests.simulation.simulation import Simulation
from tests.simulation.torrents.simulation import TorrentSimulation


def simulated(operations: list[dict[str, object]]) -> type[Course]:
    """Which simulation they are of: its first operation tells."""
    return TorrentSimulation if "torrents" in operations[0] else Simulation


def replay(file: Path, *, trace: bool = False) -> None:
    """Do what the file says, in order. Raises what a broken law raises."""
    operations = json.loads(file.read_text())["operations"]
    with simulated(operations)() as simulation:
        for number, op in enumerate(operations, 1):
            if trace:
                sys.stdout.write(f"{number:3}. {' '.join(f'{k}={v}' for k, v in op.items() if v is not None)}\n")
                sys.stdout.flush()
            try:
                simulation.do(op)
            finally:
                if trace and simulation.last:
                    sys.stdout.write(f"     {simulation.last}\n")


if __name__ == "__main__":
    replay(Path(sys.argv[1]), trace=True)
