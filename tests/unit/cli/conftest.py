"""A command line over the toy kind: notes in a folder, declared in YAML, with a real state store."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.cli.main import outcome
from tests.toy import Folder, NotesKind

DESIRED = """\
connections:
  desk: {{app: folder, path: {folder}}}
notes:
  mine:
    connection: desk
    prune: true
    notes: {{a: one, b: two}}
"""


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@dataclass
class Result:
    code: int
    out: str
    err: str


class Desk:
    """A work folder, the notes in it, and `arr` in this process."""

    def __init__(self, folder: Path, app: Folder, captured: pytest.CaptureFixture[str]) -> None:
        self.folder, self.app, self._captured = folder, app, captured
        self.notes = folder / "desk"
        self.notes.mkdir()
        self.wish = folder / "desired" / "notes.yaml"
        self.wish.parent.mkdir()
        self.wish.write_text(DESIRED.format(folder=self.notes))

    def __call__(self, *args: str) -> Result:
        self._captured.readouterr()
        code = outcome(args)
        out, err = self._captured.readouterr()
        return Result(int(code), out, err)

    def short(self) -> str:
        """A plan is made; what `arr apply` takes for it."""
        return self("plan").out.split("plan ", 1)[1].split()[0]

    def world(self) -> dict[str, str]:
        return {p.name: p.read_text() for p in sorted(self.notes.iterdir())}


@pytest.fixture
def arr(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Desk:
    monkeypatch.chdir(tmp_path)
    for name in ("ARR_DESIRED", "ARR_STATE", "ARR_LOG", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    app = Folder()
    monkeypatch.setattr(registry, "kinds", lambda: {"notes": NotesKind()})
    monkeypatch.setattr(registry, "openable", lambda: {"folder": app})
    return Desk(tmp_path, app, capsys)


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch) -> object:
    """Sit at a terminal: what is typed there is the argument."""

    def sit(text: str) -> Terminal:
        shown = Terminal()
        monkeypatch.setattr(sys, "stdin", Terminal(text))
        monkeypatch.setattr(sys, "stderr", shown)
        return shown

    return sit
