"""A24: the declared list became empty by a typo or a missing include, and everything undeclared was deleted."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.errors import UsageError
from tests.kinds.tag.house import House, fresh, running

WISH = (
    "  kids: {connections: [sonarr, radarr], prune: true}\n  uhd: {connections: [radarr], label: 4k-uhd, prune: true}\n"
)


def untouched(house: House, before: dict[str, dict[str, int]]) -> bool:
    return not house.writes() and {name: house.tags(name) for name in before} == before


def test_a24_an_emptied_section_deletes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stack").mkdir()
    with running(tmp_path / "stack") as lab:
        house = fresh(lab, tmp_path, monkeypatch)
        house.declare(WISH)
        house.apply()
        before = {name: house.tags(name) for name in ("sonarr", "radarr")}
        assert before["radarr"].keys() == {"kids", "4k-uhd"}
        house.control.clear()

        for emptied in ("tag: {}\n", "tag:\n"):
            house.declare(emptied)
            assert not house.steps()
            house.apply()
            assert untouched(house, before)

        (house.folder / "tags.yaml").unlink()  # an include that went missing
        assert not house.steps()
        house.apply()
        assert untouched(house, before)

        house.declare("  kids: {connections: [], prune: true}\n")
        with pytest.raises(UsageError) as caught:
            house.plan()
        assert any("connections" in d.field for d in caught.value.diagnostics)
        assert untouched(house, before)
