"""`arr` in a process of its own that waits at a gate: `python -m tests.badinput.child [--as UID] ARGS`.

Everything is imported before it says that it is ready, so that two of them begin at the same moment, and so that the
process may become a user who cannot read the interpreter's own files.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from reconciler.cli.main import outcome
from tests.stacks import Lab

PROJECT = Path(__file__).parents[2]


def held(lab: Lab, *args: str, user: int | None = None) -> subprocess.Popen[str]:
    """`arr ARGS` in the lab's folder, ready and waiting at the gate. As `user`, when given."""
    who = ["--as", str(user)] if user is not None else []
    env = {k: v for k, v in os.environ.items() if not k.startswith("ARR_")}
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.badinput.child", str(lab.folder), *who, *args],
        cwd=PROJECT,
        env={**env, "NO_COLOR": "1", "COLUMNS": "80", **lab.env},
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child


def go(*children: subprocess.Popen[str]) -> list[subprocess.CompletedProcess[str]]:
    """Open the gate for all of them, and wait for their ends."""
    for child in children:
        assert child.stdin is not None
        child.stdin.write("\n")
        child.stdin.flush()
    ended = []
    for child in children:
        out, err = child.communicate(timeout=120)
        ended.append(subprocess.CompletedProcess(child.args, child.returncode, out, err))
    return ended


def _import_all() -> None:
    for package in ("reconciler", "resources"):
        root: Any = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            importlib.import_module(module.name)


def main() -> None:
    folder, *args = sys.argv[1:]
    _import_all()
    os.chdir(folder)
    with contextlib.redirect_stdout(io.StringIO()):  # what is loaded at first use is loaded now
        outcome(["status", "--state", "none"])
    if args[:1] == ["--as"]:
        os.setgroups([])
        os.setgid(int(args[1]))
        os.setuid(int(args[1]))
        args = args[2:]
    print("ready", flush=True)
    sys.stdin.readline()
    sys.exit(outcome(args))


if __name__ == "__main__":
    main()
