"""Runs every benchmark, prints its table and keeps all of them in `benchmarks/README.md`.

python -m benchmarks.run [NAME …]      NAME: start, plan, purge, solver, transfer
"""

from __future__ import annotations

import importlib
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

NAMES = ("plan", "purge", "solver", "start", "transfer")
HEAD = """# Benchmarks

Written by `make bench`. Every figure was measured in one run on one machine; what counts are the ratios, which compare
two things in that same run. No test times anything.

"""


def table(rows: list[dict[str, object]]) -> str:
    """Rows as a Markdown table; the first row's keys are the columns."""
    columns = list(rows[0])
    cells = [[_cell(row.get(c)) for c in columns] for row in rows]
    widths = [max(len(c), *(len(line[n]) for line in cells)) for n, c in enumerate(columns)]

    def line(parts: list[str]) -> str:
        return "| " + " | ".join(p.ljust(w) for p, w in zip(parts, widths, strict=True)) + " |"

    return "\n".join([line(columns), "|" + "|".join("-" * (w + 2) for w in widths) + "|", *map(line, cells)])


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def main(names: list[str]) -> None:
    """Run `names`, or all; only a full run rewrites the page."""
    parts = []
    for name in names or NAMES:
        module = importlib.import_module(f"benchmarks.bench_{name}")
        text = f"## {name}\n\n{(module.__doc__ or '').strip()}\n\n{table(module.run())}\n"
        print(text, flush=True)
        parts.append(text)
    if not names:
        when = f"Measured {datetime.now(UTC):%Y-%m-%d}, Python {platform.python_version()}, {platform.machine()}.\n\n"
        (Path(__file__).parent / "README.md").write_text(HEAD + when + "\n".join(parts))


if __name__ == "__main__":
    main(sys.argv[1:])
