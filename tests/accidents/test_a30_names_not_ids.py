"""A30: ids copied between instances. Tag 3 is "kids" here and "4k" there; the wrong things were tagged."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kinds.tag.house import fresh, running


def test_a30_a_tag_is_found_by_its_label_on_every_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stack").mkdir()
    with running(tmp_path / "stack") as lab:
        house = fresh(lab, tmp_path, monkeypatch)
        house.make("sonarr", "kids")
        house.make("sonarr", "4k")
        house.make("radarr", "4k")
        house.make("radarr", "kids")
        before = {name: house.tags(name) for name in ("sonarr", "radarr")}
        assert before["sonarr"]["kids"] == before["radarr"]["4k"], "one id, two meanings"

        house.declare("  kids: {connections: [sonarr, radarr], prune: true}\n")
        assert not house.steps()

        # The tag is made anew on one server, under another id: still the same wish, and nothing to do.
        house.ask("radarr", "DELETE", f"/tag/{before['radarr']['kids']}")
        house.make("radarr", "other")
        assert house.steps() == ["create radarr:tag/kids"]
        house.apply()
        assert not house.steps()

        # And going back deletes the one of that label, whatever its id has become.
        house.declare("  kids: {connections: [sonarr], prune: true}\n")
        house.apply()
        assert house.tags("radarr").keys() == {"4k", "other"}
        assert house.tags("sonarr") == before["sonarr"]
