"""Writes `docs/reliability.md`: what was tried against the program, what it found, and what it does not show.

    ARR_FIGURES=folder .venv/bin/python -m tests.reliability docs/reliability.md
    .venv/bin/python -m tests.reliability --record docs/reliability.md

The first is run at the end of `make proof`, over the figures that its tests have left (see `tests/figures.py`). In a proof a
part of `PARTS` without figures is an error: one that left something out is none. The second leaves the figures as they are, and
writes anew what `track_record.toml` and this module say.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests import figures
from tests.effort import PROOF

ROOT = Path(__file__).resolve().parents[1]
RECORD = ROOT / "tests" / "track_record.toml"

PARTS = {
    "laws": "The laws",
    "crash": "Crash points",
    "faults": "Faults of servers",
    "simulation": "Simulation",
    "torrents": "Simulation of torrents",
    "store": "Faults of the disk",
    "power": "Power loss",
    "fuzz": "Fuzzing",
    "sabotages": "Planted bugs",
}
"""Figures that a proof must have, in the order of the page, with their headings; others follow by name."""

HEAD = """# Reliability

This page is written by `make proof`. It says what was tried against `arr` and what came of it; the figures are those of one
run, of which the first table tells where and when. Everything named here can be run again with the command beside it.
"""

SAMPLED = "what `make test` samples, and not all parts of it; a proof tries far more"

TRIED = """## What was tried

Sonarr and Radarr are simulated (`sandbox`), over real HTTP and real files, and held against recordings of real ones. SFTP
servers are real; torrent clients are real, and simulated as well where they have to break or to be many. Processes are real,
and are killed for real. A figure counts what passed: one failure
fails the proof, and this page is not written.
"""

RECORD_HEAD = """## What it found

Every bug that this work has found in `arr`, and in the simulated servers that it stands on, with the command that finds it
again. None was in a release.

| # | what was wrong | found again by |
|---|---|---|
"""

LIMITS = """## What this does not show

- Sonarr and Radarr are simulated. They answer as recordings of Sonarr 4.0 and Radarr 6 do (`make fidelity`), and what was never
  recorded is not proven. No run is on anybody's real library; none is on 50 TB.
- Power loss is simulated by dropping what was not synced. A disk that acknowledges writes and then loses them, failing memory
  and bit rot are not tried.
- Local file systems only: no state on NFS or SMB, and moves are those of the servers, on file systems of Linux.
- One machine. Two hosts that share one state over a network are not tried.
- Linux and CPython. Nothing here was run on Windows or macOS.
- The laws and the kills of `torrent_retention` are tried on simulated clients. Real ones (rtorrent, qBittorrent and Transmission
  as Debian has them) plan, apply and plan again; other versions of them are simulated only.
- Sizes are what a move is judged by, as the servers do themselves. A file that was corrupted and kept its size is not seen.
- The crash matrix kills at every boundary of the journal and every write, not at every instruction; what lies between two
  boundaries changes nothing outside of the process.
- A server that tells its lists as they were at an earlier moment cannot be seen through. A plan may rest on such a list; nothing
  is lost, but a rescan may make the server forget, until its next one, a file that is there.
- Random worlds are made of libraries on disks in memory, and of torrents over real files. `seedbox_transfer` is in neither:
  it has its laws, kills and faults, in worlds that people thought of. In the torrents' one a process dies at its steps on the
  disk and in its state, not by a signal; nobody asks for imports there, and nothing lies behind SFTP.
- An SFTP server fails in every way at every packet of a plan, but for silence, which strikes at every seventh: it is waited for.
  In an apply each way strikes at every ninth packet of a fetch, and at every 37th of a removal over SFTP, another way at others.
- Random worlds and random faults find what they find. A proof draws the same ones each time, so that it can be repeated; `make
  search` draws others, for as long as it is let, and may find more.
- A planted bug that is caught shows that this safeguard is guarded. Bugs that nobody thought of planting are not counted.
- Laws are tried on every registered kind and on every app that it works with, in the worlds that it supplies; a kind of another
  package is tried only when its author runs the suite over it.
"""


def record() -> list[dict[str, str]]:
    """The bugs, each with `was` and `test`."""
    found: list[dict[str, str]] = tomllib.loads(RECORD.read_text(encoding="utf-8"))["bug"]
    return found


def command(test: str) -> str:
    """What to type to find it again."""
    quote = "'" if set(test) & set("[] ") else ""
    return f".venv/bin/python -m pytest {quote}{test}{quote}"


def record_table(bugs: list[dict[str, str]]) -> str:
    """The section on what was found."""
    rows = [f"| {n} | {bug['was']} | `{command(bug['test'])}` |" for n, bug in enumerate(bugs, 1)]
    return RECORD_HEAD + "\n".join(rows) + "\n"


def run_table(began: float | None, *, proof: bool) -> str:
    """Where, when and how long, as a table."""
    rows = {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "commit": _commit(),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "cores": str(os.cpu_count()),
        "depth": "a proof" if proof else SAMPLED,
    }
    if began is not None:
        rows["duration"] = f"{(datetime.now(UTC).timestamp() - began) / 60:.0f} minutes"
    return "| this run | |\n|---|---|\n" + "".join(f"| {name} | {value} |\n" for name, value in rows.items())


def _commit() -> str:
    def git(*args: str) -> str:
        done = subprocess.run(["git", *args], cwd=ROOT, capture_output=True, text=True, check=False)
        return done.stdout.strip()

    return (git("rev-parse", "--short=12", "HEAD") or "none") + (
        " with changes" if git("status", "--porcelain", "--untracked-files=no") else ""
    )


def figures_table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """What was counted, a row each."""
    rows = ["| part | what | figures |", "|---|---|---|"]
    for name in [*(name for name in PARTS if name in found), *sorted(found.keys() - PARTS.keys())]:
        told = {key: value for key, value in found[name].items() if key != "what"}
        counted = ", ".join(f"{_number(value)} {_words(key)}" for key, value in told.items())
        rows.append(f"| {PARTS.get(name, _words(name).capitalize())} | {found[name]['what']} | {counted} |")
    return "\n".join(rows) + "\n"


def _number(value: float) -> str:
    return f"{value:,.1f}" if isinstance(value, float) and not value.is_integer() else f"{int(value):,}"


def _words(key: str) -> str:
    """A key as words; one with blanks in it is words already."""
    if " " in key:
        return key
    if key.startswith(figures.LARGEST):
        return f"{key.removeprefix(figures.LARGEST).replace('_', ' ')} at most"
    return key.replace("_", " ")


def page(found: Mapping[str, Mapping[str, Any]], began: float | None = None, *, proof: bool = PROOF) -> str:
    """The whole page. `began`: when the run did, in seconds. SystemExit when a part of a proof has no figures."""
    missing = [name for name in PARTS if name not in found]
    if missing and proof:
        raise SystemExit(f"no figures of: {', '.join(missing)}")
    parts = (HEAD, run_table(began, proof=proof), TRIED, figures_table(found), record_table(record()), LIMITS)
    return "\n".join(parts)


def renewed(old: str) -> str:
    """A page with the record and the limits of today, and the figures that it had."""
    before, heading, _ = old.partition(RECORD_HEAD.partition("\n")[0])
    if not heading:
        raise SystemExit("this is no page of ours: make proof writes one")
    return before + record_table(record()) + "\n" + LIMITS


def main() -> None:
    folder, *given = os.environ.get("ARR_FIGURES", ""), *sys.argv[1:]
    if len(given) == 2 and given[0] == "--record":
        path = Path(given[1])
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
        return
    if not folder or len(given) != 1:
        raise SystemExit(__doc__)
    began = Path(folder, "began")
    text = page(figures.collected(Path(folder)), float(began.read_text()) if began.exists() else None)
    Path(given[0]).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
