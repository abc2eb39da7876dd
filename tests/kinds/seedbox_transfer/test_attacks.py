"""Attacks that once changed files elsewhere, or let a state or a plan say what was not so."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from resources.clients.localfs import staging
from resources.clients.sftp.names import collision
from tests.kinds.seedbox_transfer.lab import Box

LATER = 1_750_000_000


def test_links_in_the_hidden_folder_lead_nowhere(tmp_path: Path) -> None:
    """Somebody has put a linked folder and a hard link where a release arrives: what they lead to stays as it is."""
    with Box(tmp_path) as box:
        box.put("Show", {"S1/e1.mkv": b"one" * 1000, "e2.mkv": b"two" * 1000})
        box.declare()
        library = tmp_path / "library"
        library.mkdir()
        for name in ("e1.mkv", "e2.mkv"):
            (library / name).write_bytes(b"precious")
        files = staging.place(str(box.to), "Show") / "files"
        files.mkdir(parents=True)
        (files / "S1").symlink_to(library)
        os.link(library / "e2.mkv", files / "e2.mkv")
        assert [o.state for o in box.bring().outcomes] == ["done"]
        assert box.here() == {"Show/S1/e1.mkv": b"one" * 1000, "Show/e2.mkv": b"two" * 1000}
        assert {p.read_bytes() for p in library.iterdir()} == {b"precious"}


def test_another_folder_wants_the_same_release(tmp_path: Path) -> None:
    """What was fetched into one folder was not tidied away in another."""
    with Box(tmp_path) as box:
        box.put("Show", {"e1.mkv": b"a" * 5000})
        box.declare()
        box.bring()
        box.to = tmp_path / "other"
        box.to.mkdir()
        box.declare()
        assert [o.state for o in box.bring().outcomes] == ["done"]
        assert box.here() == {"Show/e1.mkv": b"a" * 5000}


def test_what_changed_on_the_server_is_not_called_here(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("Show", {"e1.mkv": b"a" * 5000})
        box.declare()
        box.bring()
        box.put("Show", {"e1.mkv": b"b" * 4000}, mtime=LATER)
        said = box.proposal(box.settled_plan()).summary
        assert "here already: 0." in said[0] and "changed since, here or on the server: Show." in said[1]


def test_a_mark_vouches_for_nothing_that_came_after_its_flush(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A segment that arrives while the disk is flushed is written after the mark: a power cut may have taken its bytes."""
    with staging.staging(str(tmp_path), "Show") as stage:
        flush = os.sync

        def slow() -> None:
            other = threading.Thread(target=stage.done, args=("late", 10, 1, 0, 10))
            other.start()
            other.join(10)
            flush()

        monkeypatch.setattr(staging, "FLUSH_EVERY", 15)
        stage.done("early", 10, 1, 0, 10)
        monkeypatch.setattr(os, "sync", slow)
        stage.done("then", 10, 1, 0, 10)
        found = list(staging.rows(stage.folder / "segments"))
    names = [row[0] if isinstance(row, list) else "mark" for row in found]
    assert names == ["mark", "early", "then", "mark", "late"]


def test_letters_that_are_composed_elsewhere_are_one_name() -> None:
    assert collision(["Caf\u00e9.mkv", "Cafe\u0301.mkv"]) is not None
    assert collision(["Cafe.mkv", "Caf\u00e9.mkv"]) is None
