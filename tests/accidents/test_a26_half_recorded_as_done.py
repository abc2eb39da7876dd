"""A26: half-transferred files were recorded as done and never tried again. Here: done is whole, verified and in its place."""

from __future__ import annotations

import os
from pathlib import Path

from reconciler.action import Action
from reconciler.apply.interrupt import Stop
from reconciler.apply.report import Silent
from reconciler.kind import Verdict
from tests.kinds.seedbox_transfer.lab import Box

DATA = os.urandom(8_000_000)


def test_a26_a_half_is_never_done_and_is_tried_again(tmp_path: Path) -> None:
    stop = Stop()

    class Half(Silent):
        def progress(self, action: Action, verdict: Verdict) -> None:
            stop.request()

    with Box(tmp_path) as box:
        box.put("Show", {"episode.mkv": DATA})
        box.declare("limit: {rate: 8 MB/s}")
        report = box.apply(box.settled_plan(), Half(), stop)
        assert [o.state for o in report.outcomes] == ["left"]
        assert not (box.to / "Show").exists()
        again = box.plan()
        assert len(list(again.actions())) == 1
        assert box.apply(again).exit == 0
        assert box.here() == {"Show/episode.mkv": DATA}
