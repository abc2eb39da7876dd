"""A33: the server normalises what it is given, and the tool makes or changes it again at every run, for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.clock import FakeClock
from reconciler.errors import UsageError
from reconciler.facts import Facts, Known, Query
from reconciler.kind import Ledger
from resources.clients.servarr import Tag, Tags
from resources.tag import KIND
from tests.kinds.tag.house import fresh, running


def test_a33_labels_settle_in_one_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stack").mkdir()
    with running(tmp_path / "stack") as lab:
        house = fresh(lab, tmp_path, monkeypatch)
        house.make("radarr", "KIDS")  # made by hand: the server keeps "kids"
        house.declare("  kids: {connections: [sonarr, next, radarr]}\n")
        assert house.steps() == ["create next:tag/kids", "create sonarr:tag/kids"]
        house.apply()
        assert not house.steps()
        assert house.tags("radarr").keys() == {"kids"}

        # The spelling that no server keeps is refused where it is written.
        house.declare("  kids: {connections: [sonarr], label: Kids}\n")
        with pytest.raises(UsageError):
            house.plan()

        # A server that kept an old spelling all the same has the tag: another spelling is no difference.
        house.declare("  kids: {connections: [sonarr]}\n")
        (resource,) = house.session.validate().resources
        now = FakeClock().now()
        query: Query[tuple[Tag, ...]] = Tags("sonarr")
        facts = Facts({query: Known((Tag(1, "Kids"),), now)})  # type: ignore[dict-item]
        assert KIND.plan(resource, facts, Ledger(), now).actions == ()
