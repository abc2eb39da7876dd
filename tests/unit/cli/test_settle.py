"""`arr settle`: a journal entry that no look can tell of is closed by hand, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from reconciler.action import Action, Effects
from reconciler.address import Subject
from reconciler.clock import SystemClock
from reconciler.errors import Exit
from reconciler.store import Store
from tests.unit.cli.conftest import Desk, Terminal
from tests.unit.cli.test_flow import document

Typing = Callable[[str], Terminal]
ENTRY = "r000001/notes.mine/1"
SAY = ("settle", ENTRY, "--as", "not-done", "--because", "renamed the desk")


@pytest.fixture
def left(arr: Desk) -> Desk:
    """A process died after it had said that it would write `a`."""
    action = Action(
        id="notes.mine/1",
        address="notes.mine",
        verb="create",
        subject=Subject(connection="desk", type="note", key="a", title="a"),
        reason="a should read 'one'",
        before={"text": None},
        after={"text": "one"},
        effects=Effects(),
    )
    with Store.open(arr.folder / "state", SystemClock()) as store:
        store.intend(store.begin_run("apply", None), action)
    return arr


def rename(arr: Desk) -> None:
    arr.wish.write_text(
        arr.wish.read_text().replace("desk: {app", "table: {app").replace("connection: desk", "connection: table")
    )


def state_of(arr: Desk) -> str:
    return str(document(arr("show", "r000001", "--format", "json").out)["entries"][0]["state"])


def test_a_renamed_connection(left: Desk, typing: Typing) -> None:
    """The entry stays open whatever is planned; status names the remedy; the typed word closes it, and says who and why."""
    rename(left)
    left("plan")
    assert state_of(left) == "intended"
    assert f"arr settle {ENTRY}" in " ".join(left("status").out.split())
    before = left.world()
    shown = typing("not-done\n")
    done = left(*SAY)
    assert (done.code, left.world()) == (Exit.OK, before)
    assert "a" in shown.getvalue()
    assert "Type not-done" in shown.getvalue()
    entry = document(left("show", "r000001", "--format", "json").out)["entries"][0]
    assert entry["state"] == "failed"
    assert entry["data"]["by_hand"]["because"] == "renamed the desk"
    assert "@" in entry["data"]["by_hand"]["who"]
    assert "renamed the desk" in left("history").out
    assert left("settle").out == "Nothing is open: the journal knows how everything ended.\n"


@pytest.mark.parametrize("typed", ["", "yes\n", "done\n", "not-done please\n"])
def test_only_the_word_counts(left: Desk, typing: Typing, typed: str) -> None:
    rename(left)
    typing(typed)
    assert left(*SAY).code == Exit.ERROR
    assert state_of(left) == "intended"


def test_nobody_there(left: Desk) -> None:
    """A script has seen nothing."""
    rename(left)
    assert left(*SAY).code == Exit.USAGE
    assert state_of(left) == "intended"


def test_what_looking_tells_is_refused(left: Desk, typing: Typing) -> None:
    """A connection that answers tells; nothing is written by hand."""
    shown = typing("not-done\n")
    refused = left(*SAY)
    assert refused.code == Exit.REFUSED
    assert "arr plan" in shown.getvalue()
    assert state_of(left) == "intended"


def test_a_server_that_is_down_may_still_tell(left: Desk, typing: Typing) -> None:
    left.app.faults.add("down")
    shown = typing("not-done\n")
    refused = left(*SAY)
    assert refused.code == Exit.REFUSED
    assert "take it out of the desired state first" in " ".join(shown.getvalue().split())
    left.app.faults.clear()
    left("plan")
    assert state_of(left) == "failed"  # looked up: nothing of it had happened


def test_a_living_process_is_left_alone(left: Desk, typing: Typing) -> None:
    rename(left)
    shown = typing("not-done\n")
    with Store.open(left.folder / "state", SystemClock()) as store, store.living("r000001"):
        refused = left(*SAY)
    assert refused.code == Exit.REFUSED
    assert "at work" in shown.getvalue()
    assert state_of(left) == "intended"


def test_a_word_gives_no_ownership(left: Desk, typing: Typing) -> None:
    """What a person says was made is not deleted later for it, though `prune` is on."""
    rename(left)
    typing("done\n")
    assert left("settle", "r000001", "--as", "done", "--because", "seen").code == Exit.OK
    (left.notes / "a").write_text("one")
    left.wish.write_text(left.wish.read_text().replace("table", "desk").replace("a: one, ", ""))
    assert re.findall(r"^\d+ {2}(\w+)", left("plan").out, re.MULTILINE) == ["create"]  # of b; a stays


def test_how_it_is_called(left: Desk) -> None:
    """Without an entry: what is open; without an outcome: what it is and what to type; JSON of a published schema."""
    rename(left)
    listed = left("settle")
    assert (listed.code, ENTRY in listed.out) == (Exit.OK, True)
    (entry,) = document(left("settle", "--format", "json").out)["open"]
    assert (entry["entry"], entry["refusal"]) == (ENTRY, "")
    shown = left("settle", ENTRY)
    assert (shown.code, "--because" in shown.err, "None → " in shown.out or "one" in shown.out) == (64, True, True)
    assert left("settle", "r000009").code == Exit.USAGE
    assert left("settle", "--as", "done").code == Exit.USAGE
    assert document(left("settle", ENTRY, "--format", "json").out)["exit"] == 64
    for line in (listed.out + shown.out).splitlines():
        assert len(line) <= 80
