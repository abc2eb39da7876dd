"""How a command has to end on bad input: the exit code, the words and the remedy, a world left as it was, no secret told.

`ends` runs the real `arr` over a lab, once as text with the whole log in a file, and looks at everything it could have
touched. Used by every test of this folder.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.stacks import Lab

REMEMBERED = ("runs", "entries", "consumed", "applied", "owned", "protected")  # what only an apply may change


def flat(text: str) -> str:
    """Without the line breaks of the page."""
    return " ".join(text.split())


def remembered(state: Path) -> dict[str, list[Any]]:
    """The rows of the state that only an apply may change; none where there is no state."""
    if not (state / "arr.db").exists():
        return {table: [] for table in REMEMBERED}
    with (
        tempfile.TemporaryDirectory() as aside
    ):  # a reader of its own would write beside it, and a full disk has no room
        for file in state.glob("arr.db*"):
            shutil.copy(file, aside)
        db = sqlite3.connect(Path(aside) / "arr.db")
        try:
            return {table: db.execute(f"SELECT * FROM {table}").fetchall() for table in REMEMBERED}  # noqa: S608
        finally:
            db.close()


def asked(lab: Lab) -> list[tuple[str, str]]:
    """Every request that the servers have seen."""
    return [(r["method"], r["path"]) for r in lab.stack.control.requests()]


def told_well(lab: Lab, done: subprocess.CompletedProcess[str], log: str = "", secrets: Sequence[str] = ()) -> None:
    """No traceback, no fault of the program, and no key on any way out."""
    for text in (done.stdout, done.stderr, log):
        assert "Traceback" not in text, text
        assert "fault of this program" not in text, text
        assert "unexpectedly" not in text, text
        assert not [key for key in (*lab.env.values(), *secrets) if key in text], text


@contextmanager
def untouched(lab: Lab, state: Path, *, reads: bool = True) -> Iterator[None]:
    """In the block nothing changes: no file of the world, nothing that only an apply may remember, no write is sent.

    `reads`: whether the servers may be asked anything at all.
    """
    world, before = lab.files(), remembered(state)
    lab.stack.control.clear()
    yield
    assert {method for method, _ in asked(lab)} <= ({"GET"} if reads else set())
    assert lab.files() == world
    assert remembered(state) == before


def ends(
    lab: Lab, *args: str, code: int, says: Sequence[str], reads: bool = True, secrets: Sequence[str] = (), **more: Any
) -> str:
    """Run `arr ARGS`; it ends with `code`, says all of `says`, and nothing has changed. What it said, on one line."""
    log = lab.folder / "arr.log"
    log.unlink(missing_ok=True)
    with untouched(lab, lab.state, reads=reads):
        done = lab.arr(*args, "-vv", "--log-file", str(log), **more)
    said = flat(done.stdout + " " + done.stderr)
    assert done.returncode == code, said
    for words in says:
        assert words in said, said
    told_well(lab, done, log.read_text(encoding="utf-8"), secrets)
    return said
