"""Replay a list of operations from a file, with a readable trace: `python -m tests.simulation.replay FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tests.simulation.simulation import Simulation


def replay(file: Path, *, trace: bool = False) -> None:
    """Do what the file says, in order. Raises what a broken law raises."""
    with Simulation() as simulation:
        for number, op in enumerate(json.loads(file.read_text())["operations"], 1):
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
