"""A04: the copy was a dry run, the delete of the source was real: 330 GB gone. Here: the source goes only after its copy is
proven to be where it shall be, and that is looked at again at the moment of doing.
"""

from __future__ import annotations

from pathlib import Path

from tests.kinds.seedbox_transfer.leaving import FILES, leaving


def test_a04_the_source_stays_until_its_copy_is_proven(tmp_path: Path) -> None:
    with leaving(tmp_path) as home:
        home.forgotten()  # imported as Sonarr tells, and no torrent needs it; but it was never fetched by us
        assert home.removals() == []
        home.rt.torrents[home.torrent.hash.upper()] = home.torrent
        home.brought()
        home.forgotten()
        plan = home.box.plan()
        assert home.removals(plan) == ["Show"]
        (copy,) = home.library
        aside = tmp_path / "aside"
        copy.rename(aside)  # the history tells of an import, and the file is not there
        (outcome,) = home.box.apply(plan).outcomes
        assert outcome.state == "stale"
        assert "which was imported, is missing" in outcome.says
        assert home.removals() == []
        assert "is not on disk" in home.why()
        assert home.files() == set(FILES)
        aside.rename(copy)
        plan = home.box.plan()
        assert [o.state for o in home.box.apply(plan).outcomes] == ["done"]
        assert copy.exists()
