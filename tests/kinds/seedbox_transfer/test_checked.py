"""What is said of how a release was verified is what was done: checksums, a second reading, or sizes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kinds.seedbox_transfer.lab import Box
from tests.live.sftp.server import SFTP

ALONE = ("ForceCommand internal-sftp",)  # no command of ours is run
INSTEAD = (f"ForceCommand {SFTP}",)  # what is run in its place waits for requests, for ever


@pytest.mark.parametrize(
    ("verify", "options", "said"),
    [
        ("checksum", (), "every file has the server's checksum"),
        ("checksum", ALONE, "checked by size alone, as the server runs no sha256sum for us"),
        ("checksum", INSTEAD, "checked by size alone, as the server runs no sha256sum for us"),
        ("reread", ALONE, "every byte was read there a second time"),
        ("size", (), "checked by size alone, as asked for"),
    ],
)
def test_what_was_checked_is_said(tmp_path: Path, verify: str, options: tuple[str, ...], said: str) -> None:
    with Box(tmp_path, options=options) as box:
        box.put("Show", {"a": b"one" * 1000, "b/c": b"two"})
        box.declare(f"verify: {verify}")
        plan = box.settled_plan()
        told = " ".join(box.proposal(plan).summary)
        assert ("by checksum" in told) == (verify == "checksum")
        assert ("size alone" in told) == (verify in ("checksum", "size"))
        (outcome,) = box.apply(plan).outcomes
        assert (outcome.state, "whole" in outcome.says) == ("done", False)
        assert said in outcome.says
        (action,) = plan.actions()
        assert "every file has the size that the server told" in box.verified(action).says  # the world tells no more
        again = " ".join(box.proposal().summary) + str(box.session.why("Show"))
        assert "whole" not in again
