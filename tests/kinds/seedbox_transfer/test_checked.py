"""What is said of how a release was verified is what was done: checksums, a second reading, or sizes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.action import Action
from reconciler.apply.report import Silent
from reconciler.kind import Verdict
from resources.clients.localfs.staging import place
from resources.seedbox_transfer.bring import TOGETHER
from tests.kinds.seedbox_transfer.lab import Box
from tests.live.sftp.server import SFTP

ALONE = ("ForceCommand internal-sftp",)  # no command of ours is run
INSTEAD = (f"ForceCommand {SFTP}",)  # what is run in its place waits for requests, for ever

BETWEEN = """#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
    *sha256sum*) {then} ;;
    *) exec {sftp} ;;
esac
"""  # stands between us and what we ask for there


def between(folder: Path, then: str) -> tuple[str, ...]:
    """Options of a server that does `then` when a checksum is asked for."""
    script = folder / "between"
    script.write_text(BETWEEN.format(then=then, sftp=SFTP))
    script.chmod(0o755)
    return (f"ForceCommand {script}",)


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


def test_a_line_that_is_cut_while_checksums_are_made_is_taken_up(tmp_path: Path) -> None:
    """What was only cut is asked again, and is no reason to look at sizes alone."""
    once = tmp_path / "once"
    then = f'test -e {once} || {{ touch {once}; kill -9 $PPID; }}; exec sh -c "$SSH_ORIGINAL_COMMAND"'
    with Box(tmp_path, options=between(tmp_path, then)) as box:
        box.put("Show", {"a": b"one" * 1000, "b/c": b"two"})
        box.declare("verify: checksum")
        (outcome,) = box.bring().outcomes
        assert once.exists()
        assert (outcome.state, "every file has the server's checksum" in outcome.says) == ("done", True), outcome.says


def test_a_file_that_the_server_cannot_read_to_its_end_is_not_called_checked(tmp_path: Path) -> None:
    """It makes checksums, and none of this file: its disk is at fault, and the size alone says nothing of that."""
    then = 'sh -c "$SSH_ORIGINAL_COMMAND" | grep -zv "/b/c$"'
    with Box(tmp_path, options=between(tmp_path, then)) as box:
        box.put("Show", {"a": b"one" * 1000, "b/c": b"two"})
        box.declare("verify: checksum")
        (outcome,) = box.bring().outcomes
        assert (outcome.state, "cannot read" in outcome.says) == ("failed", True), outcome.says
        assert box.shown() == []


def test_checksums_of_very_many_files_are_asked_for_some_at_a_time(tmp_path: Path) -> None:
    """All are compared, the first and the last of every question as well."""
    with Box(tmp_path) as box:
        names = [f"{n:04}" for n in range(TOGETHER * 2 + 1)]
        box.put("Show", dict.fromkeys(names, b"ten bytes."))
        box.declare("verify: checksum")
        plan = box.settled_plan()
        wrong = [names[0], names[TOGETHER - 1], names[TOGETHER], names[-1]]

        class Spoiled(Silent):
            def progress(self, action: Action, verdict: Verdict) -> None:
                while wrong and verdict.done_bytes == verdict.total_bytes:
                    (place(str(box.to), "Show") / "files" / wrong.pop()).write_bytes(b"other one.")

        (outcome,) = box.apply(plan, Spoiled()).outcomes
        assert wrong == []
        assert (outcome.state, "every file has the server's checksum" in outcome.says) == ("done", True), outcome.says
        assert box.here() == {f"Show/{name}": b"ten bytes." for name in names}
