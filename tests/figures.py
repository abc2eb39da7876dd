"""The figures of a run: what was tried and how much of it, counted by the tests that try it.

    figures.add("faults", "the n-th call fails, for every n and every fault", runs=1, reached=1)

Nothing is kept unless `ARR_FIGURES` names a folder (`make proof` does). Then each process writes there, when it ends, one
file a name: `faults-4711.json`, a flat object of numbers and the sentence `what`. `collected` puts the files of all
processes together: numbers are summed, those whose name begins with `most_` are the largest of all.
"""

from __future__ import annotations

import atexit
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

LARGEST = "most_"

_counted: dict[str, dict[str, Any]] = {}


def add(name: str, what: str, **numbers: float) -> None:
    """Count `numbers` under `name`. `what`: one sentence on what is counted, the same at every call of that name."""
    _put(_counted.setdefault(name, {"what": what}), numbers)


def collected(folder: Path) -> dict[str, dict[str, Any]]:
    """Name → the figures of all processes in `folder`, with their sentence `what`."""
    found: dict[str, dict[str, Any]] = {}
    for file in sorted(folder.glob("*.json")):
        told = json.loads(file.read_text())
        into = found.setdefault(file.stem.rpartition("-")[0], {"what": told["what"]})
        _put(into, {key: value for key, value in told.items() if key != "what"})
    return found


def write() -> None:
    """Write what this process counted. Called at its end; again, it writes the same files anew."""
    folder = os.environ.get("ARR_FIGURES")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, told in _counted.items():
        Path(folder, f"{name}-{os.getpid()}.json").write_text(json.dumps(told, indent=1))


def _put(into: dict[str, Any], numbers: dict[str, float]) -> None:
    for key, value in numbers.items():
        old: Iterable[float] = [into[key]] if key in into else []
        into[key] = max(*old, value) if old and key.startswith(LARGEST) else sum(old) + value


atexit.register(write)
os.register_at_fork(after_in_child=_counted.clear)  # what the parent counted is its own to write
