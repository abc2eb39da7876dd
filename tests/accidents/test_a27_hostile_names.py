"""A27: hostile names on the remote led out of the folder. Here: refused by name, held with the reason, never joined to a path."""

from __future__ import annotations

import os
from pathlib import Path

from tests.kinds.seedbox_transfer.lab import Box


def test_a27_a_hostile_name_is_held_and_everything_else_comes(tmp_path: Path) -> None:
    with Box(tmp_path) as box:
        box.put("Fine", {"a": b"fine"})
        box.put("Bad", {"a": b"bad"})
        Path(os.fsdecode(os.fsencode(box.remote / "Bad") + b"/new\nline")).write_bytes(b"bad")
        (box.remote / "Out").symlink_to("/etc")
        box.declare()
        plan = box.settled_plan()
        assert {h.subject.title for h in box.proposal(plan).held} == {"Bad", "Out"}
        assert box.apply(plan).exit == 0
        assert box.here() == {"Fine/a": b"fine"}
        assert sorted(p.name for p in tmp_path.iterdir()) == ["desired", "incoming", "sshd", "state"]
