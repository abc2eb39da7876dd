"""Start-up: what a command costs before it does anything, against the bare imports that it cannot do without.

CPU seconds (user and system) of whole processes, the median of several runs, alternating, so that both sides meet the
same machine. `arr validate` reads 2,000 resources.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

RUNS = 15
ARR = str(Path(sys.executable).with_name("arr"))
FLOOR = "import typer, pydantic"


def cpu(command: list[str], cwd: Path) -> float:
    """CPU seconds of one process, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, env={**os.environ, "NO_COLOR": "1"})
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def desired(folder: Path, count: int) -> None:
    """`count` tags in files of 200."""
    folder.mkdir()
    (folder / "connections.yaml").write_text(
        "connections:\n  sonarr: {app: sonarr, url: 'http://127.0.0.1:8989', api_key: {env: SONARR_API_KEY}}\n"
    )
    for start in range(0, count, 200):
        lines = [f"  t{n}: {{connections: [sonarr]}}\n" for n in range(start, min(start + 200, count))]
        (folder / f"tags{start:05}.yaml").write_text("tag:\n" + "".join(lines))


def run() -> list[dict[str, object]]:
    """Rows: what, CPU seconds, the floor's CPU seconds, ratio."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        desired(folder / "desired", 2_000)
        commands = {"arr --help": [ARR, "--help"], "arr validate, 2,000 resources": [ARR, "validate"]}
        floor: list[float] = []
        times: dict[str, list[float]] = {what: [] for what in commands}
        for _ in range(RUNS):
            floor.append(cpu([sys.executable, "-c", FLOOR], folder))
            for what, command in commands.items():
                times[what].append(cpu(command, folder))
    base = statistics.median(floor)
    return [
        {
            "what": what,
            "CPU s": round(statistics.median(mine), 3),
            "import typer, pydantic: CPU s": round(base, 3),
            "ratio": round(statistics.median(mine) / base, 2),
        }
        for what, mine in times.items()
    ]
