"""A07: an unreadable path counted as "no hardlinks"."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import Exit
from sandbox.torrents.rtorrent import Rtorrent
from tests.kinds.torrent_retention.sim import FREE, Sim, goes, payload

WISH = f"connection: rt\nmay_go: {{ratio: '>= 2'}}\n{FREE}"


def test_a07_what_cannot_be_looked_at_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One unreadable file blocks its torrent, with the reason, and only that torrent."""
    downloads = tmp_path / "dl"
    bad = payload(downloads, "Bad", 1, files={"a.mkv": 30_000})
    good = payload(downloads, "Good.mkv", 2)
    real = os.lstat

    def lstat(path: str) -> object:
        if "Bad" in str(path):
            raise PermissionError(13, "Permission denied")
        return real(path)

    with Rtorrent([bad, good]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        monkeypatch.setattr(os, "lstat", lstat)  # root may read everything, so the system itself has to refuse
        proposal = sim.proposal()
        assert goes(proposal) == ["Good.mkv"]
        assert [(b.what, "cannot be looked at (Permission denied)" in b.reason) for b in proposal.blocked] == [
            ("Bad", True)
        ]
        assert sim.code() == Exit.BLOCKED
        monkeypatch.undo()
        assert (downloads / "Bad" / "a.mkv").exists()


def test_a07_files_that_are_not_there_mean_a_missing_mount(tmp_path: Path) -> None:
    """An empty mount point is not data that is gone already."""
    downloads = tmp_path / "dl"
    torrent = payload(downloads, "Film.mkv", 1)
    with Rtorrent([torrent]) as rt:
        sim = Sim(tmp_path, {"rt": rt.url}, downloads)
        sim.declare(WISH)
        (downloads / "Film.mkv").rename(tmp_path / "elsewhere.mkv")
        proposal = sim.proposal()
        assert goes(proposal) == [] and "is mounted" in proposal.blocked[0].remedy
