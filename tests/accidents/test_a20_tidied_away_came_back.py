"""A20: the local copy was tidied away, so it was downloaded again for ever. Here: fetched once, not again, and said so."""

from __future__ import annotations

from pathlib import Path

from tests.kinds.seedbox_transfer.lab import Box


def test_a20_what_was_tidied_away_stays_away(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("Show", {"episode.mkv": b"x" * 1000})
        box.declare()
        assert box.bring().exit == 0
        (box.to / "Show/episode.mkv").unlink()
        (box.to / "Show").rmdir()
        for _ in range(2):
            assert box.bring().outcomes == ()
        assert "tidied away here: not again" in " ".join(box.arr("why", "Show").stdout.split())
        assert box.here() == {}


def test_a20_also_when_what_is_excluded_was_edited_since(tmp_path: Path) -> None:
    """What the server has is the same as before; only the wish sees more, or less, of it."""
    with Box(tmp_path) as box:
        box.put("Show", {"episode.mkv": b"x" * 1000, "episode.nfo": b"words"})
        box.declare("exclude: ['*.nfo']")
        assert box.bring().exit == 0
        (box.to / "Show/episode.mkv").unlink()
        (box.to / "Show").rmdir()
        for patterns in ("[]", "['*.srt']", "['*.mkv']", "['*.nfo']"):
            box.declare(f"exclude: {patterns}")
            assert box.bring().outcomes == (), patterns
        box.put("Show", {"episode2.mkv": b"y" * 1000})
        assert [o.state for o in box.bring().outcomes] == ["done"]
