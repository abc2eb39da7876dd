"""The way through: plan, apply, plan again; what is asked, what is refused, and the exit code of every end."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from reconciler.errors import Exit
from reconciler.views.documents import json_schemas
from tests.unit.cli.conftest import Desk, Terminal

Typing = Callable[[str], Terminal]
BOTH = {"a": "one", "b": "two"}


def document(text: str) -> dict[str, Any]:
    """The JSON that a command printed, checked against its published schema."""
    value: dict[str, Any] = json.loads(text)
    jsonschema_rs.validator_for(json_schemas()[str(value["schema"])]).validate(value)
    return value


def test_plan_apply_plan(arr: Desk) -> None:
    """A plan changes nothing and names its apply; the apply does it; the next plan has nothing to do."""
    planned = arr("plan")
    assert planned.code == Exit.OK
    assert arr.world() == {}
    command = re.search(r"Apply: arr (apply \S+)", planned.out)
    assert command
    applied = arr(*command[1].split())
    assert (applied.code, arr.world()) == (Exit.OK, BOTH)
    assert "2 done." in applied.out
    again = arr("plan")
    assert again.code == Exit.OK
    assert again.out.startswith("Nothing to do.")


def test_detailed_exit_code(arr: Desk) -> None:
    """2 while something would change, 0 when nothing would."""
    assert arr("plan", "--detailed-exitcode").code == Exit.CHANGES
    arr("apply", arr.short())
    assert arr("plan", "--detailed-exitcode").code == Exit.OK


def test_a_plan_in_a_file(arr: Desk) -> None:
    """`--out` writes what `apply` takes; an edited file is stale and nothing is done."""
    arr("plan", "--out", "p.json")
    edited = json.loads(Path("p.json").read_text())
    edited["resources"][0]["proposal"]["actions"][0]["after"]["text"] = "evil"
    Path("edited.json").write_text(json.dumps(edited))
    assert arr("apply", "edited.json").code == Exit.STALE
    assert arr.world() == {}
    assert arr("apply", "p.json").code == Exit.OK
    assert arr.world() == BOTH


def test_used_twice(arr: Desk) -> None:
    """A plan is used once."""
    short = arr.short()
    arr("apply", short)
    (arr.notes / "a").unlink()
    second = arr("apply", short)
    assert second.code == Exit.STALE
    assert "arr plan" in second.err
    assert arr.world() == {"b": "two"}


def test_without_a_plan_nobody_there(arr: Desk) -> None:
    """In a script, `arr apply` without a plan wants `--yes`; nothing is done without."""
    refused = arr("apply")
    assert (refused.code, arr.world()) == (Exit.USAGE, {})
    assert "--yes" in refused.err
    assert arr("apply", "--yes").code == Exit.OK
    assert arr.world() == BOTH


def test_typed_yes(arr: Desk, typing: Typing) -> None:
    """At a terminal the plan is shown and the word yes has it done."""
    shown = typing("yes\n")
    result = arr("apply")
    assert "Type yes" in shown.getvalue()
    assert "create" in result.out
    assert (result.code, arr.world()) == (Exit.OK, BOTH)


@pytest.mark.parametrize("typed", ["", "\n", "y\n", "no\n", "yes please\n"])
def test_anything_else_is_no(arr: Desk, typing: Typing, typed: str) -> None:
    """Only the whole word counts."""
    shown = typing(typed)
    assert (arr("apply").code, arr.world()) == (Exit.ERROR, {})
    assert "Nothing was done." in shown.getvalue()


def pruning(arr: Desk) -> None:
    """The next plan deletes a note for the first time: it wants an approval."""
    arr("apply", arr.short())
    arr.wish.write_text(arr.wish.read_text().replace(", b: two", ""))


def test_a_first_deletion_asks(arr: Desk) -> None:
    """Refused without an approval, without using the plan up; done with it."""
    pruning(arr)
    planned = arr("plan")
    short = arr.short()
    assert planned.code == Exit.OK
    assert f"arr apply {short} --approve {short}" in planned.out
    refused = arr("apply", short)
    assert (refused.code, arr.world()) == (Exit.REFUSED, BOTH)
    assert f"--approve {short}" in refused.err
    assert arr("apply", short, "--approve", short).code == Exit.OK
    assert arr.world() == {"a": "one"}


def test_yes_is_no_approval(arr: Desk) -> None:
    """`--yes` answers the question, not the guard."""
    pruning(arr)
    assert arr("apply", "--yes").code == Exit.REFUSED
    assert arr.world() == BOTH


def test_typed_yes_approves_a_first_time(arr: Desk, typing: Typing) -> None:
    """A person who typed yes has approved the first deletion."""
    pruning(arr)
    shown = typing("yes\n")
    assert arr("apply").code == Exit.OK
    assert "approve these first changes" in shown.getvalue()
    assert arr.world() == {"a": "one"}


def test_typed_yes_overrules_no_limit(arr: Desk, typing: Typing) -> None:
    """What is beyond a declared limit needs the approval of that very plan."""
    arr("apply", arr.short())
    arr.wish.write_text(arr.wish.read_text().replace(", b: two", "") + "guards: {destroy: {max: 0}}\n")
    typing("yes\n")
    assert arr("apply").code == Exit.REFUSED
    assert arr.world() == BOTH
    assert arr("plan").code == Exit.REFUSED


def test_approving_another_plan(arr: Desk) -> None:
    """An approval is of one plan."""
    pruning(arr)
    short = arr.short()
    assert arr("apply", short, "--approve", "zzzz").code == Exit.USAGE
    assert arr("apply", "--approve", short).code == Exit.USAGE
    assert arr.world() == BOTH


def test_a_server_that_is_down_blocks(arr: Desk) -> None:
    """Not known is said with the remedy, and ends with 7."""
    arr.app.faults.add("down")
    planned = arr("plan")
    assert planned.code == Exit.BLOCKED
    assert "desk does not answer" in planned.out
    assert "start it" in planned.out


def test_a_failed_action(arr: Desk) -> None:
    """The report says why; 1 is returned."""
    arr.app.faults.add("refuse")
    applied = arr("apply", arr.short())
    assert applied.code == Exit.ERROR
    assert "the disk is write-protected" in applied.out


def test_a_changed_subject(arr: Desk) -> None:
    """What moved since the plan is not touched."""
    short = arr.short()
    (arr.notes / "a").write_text("somebody else's")
    applied = arr("apply", short)
    assert applied.code == Exit.STALE
    assert arr.world() == {"a": "somebody else's", "b": "two"}


def test_where_nothing_is_written_yet(arr: Desk) -> None:
    """Somebody new is shown the way; a folder without a wish says what can be wished for."""
    arr.wish.unlink()
    arr.wish.parent.rmdir()
    lost = arr("plan")
    assert (lost.code, "arr init" in lost.err) == (Exit.USAGE, True)
    assert arr("init").code == Exit.OK
    assert "arr explain" in arr("plan").out
    assert "arr explain" in arr("validate").out


def test_history_show_undo(arr: Desk) -> None:
    """What was done can be seen, and taken back by a plan like any other."""
    arr("apply", arr.short())
    history = document(arr("history", "--format", "json").out)
    run = history["runs"][0]["run"]
    assert run in arr("history").out
    assert arr("show", run).out.count("done") >= 2
    assert document(arr("show", run, "--format", "json").out)["run"]["outcomes"] == {"done": 2}
    undone = arr("undo", run)
    command = re.search(r"arr apply (\S+)", undone.out)
    assert undone.code == Exit.OK
    assert command
    applied = arr("apply", command[1], "--approve", command[1])
    assert (applied.code, arr.world()) == (Exit.OK, {})


def test_an_undo_of_nothing(arr: Desk) -> None:
    """A run that did nothing is told apart from a stack without a wish."""
    arr.app.faults.add("refuse")
    arr("apply", arr.short())
    undone = arr("undo", "r000001")
    assert undone.code == Exit.OK
    assert "is declared yet" not in undone.out
    assert "arr show r000001" in undone.out


def test_drift(arr: Desk) -> None:
    """What the world changed is drift; what you changed is not."""
    arr("apply", arr.short())
    assert arr("drift").out.startswith("No drift")
    (arr.notes / "a").write_text("scribble")
    found = arr("drift", "--detailed-exitcode")
    assert found.code == Exit.CHANGES
    assert "text: scribble → one" in found.out
    (arr.notes / "a").write_text("one")
    arr.wish.write_text(arr.wish.read_text().replace("a: one", "a: other"))
    assert arr("drift", "--detailed-exitcode").code == Exit.OK


@pytest.mark.parametrize(
    "args",
    [
        ("plan",), ("validate",), ("status",), ("history",), ("drift",), ("doctor",), ("why", "a"), ("version",),
        ("explain",), ("explain", "notes"), ("schema",), ("init",), ("apply", "--yes"), ("apply",), ("show", "zzzz"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_json_of_every_command(arr: Desk, args: tuple[str, ...]) -> None:
    """`--format json` prints one document of a published schema, with the exit code in it."""
    result = arr(*args, "--format", "json")
    assert document(result.out)["exit"] == result.code


@pytest.mark.parametrize("fault", ["down", "refuse"])
def test_the_exit_code_in_the_json_is_the_real_one(arr: Desk, fault: str) -> None:
    """Also when something is blocked or fails."""
    arr.app.faults.add(fault)
    for args in (("plan",), ("apply", "--yes")):
        result = arr(*args, "--format", "json")
        assert document(result.out)["exit"] == result.code
    assert result.code != Exit.OK


def test_partly_known(arr: Desk) -> None:
    """What is blocked in one resource does not keep another from being done, and the end is 3."""
    (arr.folder / "desired" / "other.yaml").write_text(
        "connections:\n  attic: {app: folder, path: /nowhere/at/all}\nnotes:\n  up: {connection: attic, notes: {c: x}}\n"
    )
    planned = arr("plan")
    assert (planned.code, arr("apply", "--yes").code, arr.world()) == (Exit.BLOCKED, Exit.PARTLY, BOTH)


def test_markdown(arr: Desk) -> None:
    """A plan for a pull request; other commands refuse Markdown."""
    assert arr("plan", "--format", "markdown").out.startswith("## arr plan `")
    assert arr("history", "--format", "markdown").code == Exit.USAGE
    assert arr("--format", "markdown", "history").code == Exit.USAGE
