"""Plans that are not, or no longer, what this state made: refused with the reason and the remedy, and nothing is done."""

from __future__ import annotations

import copy
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.badinput.child import go, held
from tests.badinput.ends import asked, ends, flat, told_well
from tests.stacks import TINY, Lab

TAG = "tag:\n  {name}: {{connections: [radarr]}}\n"


@pytest.fixture(scope="module")
def saved(stack: Lab, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A plan of a move: the state that made it, and the value in its file."""
    stack.declare(TINY)
    shutil.rmtree(stack.state, ignore_errors=True)
    (stack.folder / "media.json").unlink(missing_ok=True)  # of a test that needs no plan, and ran first
    assert stack.arr("plan", "--out", "media.json").returncode == 0
    value = json.loads((stack.folder / "media.json").read_text())
    assert [a["verb"] for r in value["resources"] for a in r["proposal"]["actions"]] == ["move"]
    return stack.state.rename(tmp_path_factory.mktemp("saved") / "state"), value


@pytest.fixture
def plan(tiny: Lab, saved: tuple[Path, dict[str, Any]]) -> dict[str, Any]:
    """That plan, to be edited; it lies in `media.json`, and the state knows it."""
    shutil.copytree(saved[0], tiny.state)
    write(tiny, saved[1])
    return copy.deepcopy(saved[1])


def write(tiny: Lab, value: dict[str, Any]) -> None:
    (tiny.folder / "media.json").write_text(json.dumps(value))


def another_target(plan: dict[str, Any]) -> None:
    action = plan["resources"][0]["proposal"]["actions"][0]
    action["after"]["path"] = action["data"]["destination"] = "/data/d3/tv/Borrowed Time"


def another_item(plan: dict[str, Any]) -> None:
    plan["resources"][0]["proposal"]["actions"][0]["data"]["item_id"] = 1


def other_words(plan: dict[str, Any]) -> None:
    """Nothing of this is in the plan's id."""
    plan["resources"][0]["proposal"]["actions"][0]["reason"] = "because"


def longer_validity(plan: dict[str, Any]) -> None:
    plan["valid_until"] = "2099-01-01T00:00:00Z"


def no_guards(plan: dict[str, Any]) -> None:
    plan["resources"][0]["guards"] = []


def older(plan: dict[str, Any]) -> None:
    plan["schema_version"] = "arr.plan/0"


def newer(plan: dict[str, Any]) -> None:
    plan["schema_version"] = "arr.plan/99"


def no_plan(plan: dict[str, Any]) -> None:
    plan.clear()


def a_field_less(plan: dict[str, Any]) -> None:
    del plan["resources"][0]["address"]


EDITS: dict[str, tuple[Callable[[dict[str, Any]], None], int, tuple[str, ...]]] = {
    "another target": (another_target, 5, ("was changed after it was made",)),
    "another item": (another_item, 5, ("was changed after it was made",)),
    "other words": (other_words, 5, ("is not the plan that this state made under that id",)),
    "longer validity": (longer_validity, 5, ("is not the plan that this state made under that id",)),
    "no guards": (no_guards, 5, ("is not the plan that this state made under that id",)),
    "an older version": (older, 5, ("is of version arr.plan/0, this program makes",)),
    "a newer version": (newer, 5, ("is of version arr.plan/99, this program makes",)),
    "no plan at all": (no_plan, 64, ("is not a plan", "arr plan --out FILE")),
    "a field less": (a_field_less, 64, ("resources.0.address", "arr plan --out FILE")),
}


@pytest.mark.parametrize("name", EDITS)
def test_a_plan_file_edited_by_hand(tiny: Lab, plan: dict[str, Any], name: str) -> None:
    edit, code, says = EDITS[name]
    plan_id = plan["id"]
    edit(plan)
    write(tiny, plan)
    says = ("media.json", *says, "arr plan")
    ends(tiny, "apply", "media.json", "--approve", plan_id, code=code, says=says, reads=False)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "media.json cannot be read: No such file or directory"),
        (b"", "media.json is not a plan: it is no JSON (line 1)"),
        (b"\x80\x81", "media.json is not a plan: it is no UTF-8 text"),
        (b"[" * 100_000, "media.json is not a plan: it is no JSON"),
        (b"[]", "media.json is not a plan"),
        (b'{"schema_version": {"a": 1}}', "media.json is of version"),
    ],
    ids=["missing", "empty", "binary", "nested", "a list", "a strange version"],
)
def test_a_file_that_is_no_plan(tiny: Lab, content: bytes | None, says: str) -> None:
    path = tiny.folder / "media.json"
    path.unlink(missing_ok=True)
    if content is not None:
        path.write_bytes(content)
    code = 5 if "version" in says else 64
    ends(tiny, "apply", "media.json", code=code, says=(says, "arr plan"), reads=False)


def test_a_plan_of_another_state(tiny: Lab, plan: dict[str, Any]) -> None:
    said = ends(tiny, "apply", "media.json", "--state", "elsewhere", code=5, says=("arr plan",), reads=False)
    assert "media.json was made with another state than elsewhere" in said
    ends(tiny, "apply", plan["id"], "--state", "elsewhere", code=64, says=("no saved plan begins with",), reads=False)


def test_a_plan_is_applied_once(tiny: Lab) -> None:
    tiny.declare(TAG.format(name="once"))
    assert tiny.arr("plan", "--out", "tag.json").returncode == 0
    assert tiny.arr("apply", "tag.json").returncode == 0
    says = ("this plan was used up by run r000001", "make a new one: arr plan")
    ends(tiny, "apply", "tag.json", code=5, says=says, reads=False)
    ends(tiny, "apply", json.loads((tiny.folder / "tag.json").read_text())["id"][:8], code=5, says=says, reads=False)
    assert labels(tiny).count("once") == 1


def labels(tiny: Lab) -> list[str]:
    handle = tiny.stack["radarr"]
    answer = httpx.get(f"{handle.url}/api/v3/tag", headers={"X-Api-Key": handle.api_key})
    return [tag["label"] for tag in answer.json()]


@pytest.mark.parametrize("number", range(3))
def test_two_processes_apply_one_plan_and_one_does_it(tiny: Lab, number: int) -> None:
    """Both stand at the gate with everything loaded: whoever comes second is refused, whatever the order."""
    tiny.declare(TAG.format(name=f"race-{number}"))
    assert tiny.arr("plan", "--out", "tag.json").returncode == 0
    tiny.stack.control.clear()
    ended = go(*(held(tiny, "apply", "tag.json") for _ in range(2)))
    codes = sorted(done.returncode for done in ended)
    said = [flat(done.stdout + done.stderr) for done in ended]
    assert codes in ([0, 5], [0, 6]), said
    for done in ended:
        told_well(tiny, done)
    (refused,) = (text for done, text in zip(ended, said, strict=True) if done.returncode)
    assert "was used" in refused or "another process is at work" in refused
    assert [request for request in asked(tiny) if request[0] != "GET"] == [("POST", "/api/v3/tag")]
    assert labels(tiny).count(f"race-{number}") == 1
    assert len(tiny.json("history")["runs"]) == 1


def test_a_plan_whose_move_is_under_way_is_not_begun_again(tiny: Lab, plan: dict[str, Any]) -> None:
    """The first process follows a move that does not end; the second is told, and touches nothing."""
    before = tiny.files()
    tiny.stack.control.break_("slow-moves", server="sonarr")
    approved = ("apply", "media.json", "--approve", plan["id"])
    first = tiny.popen(*approved)
    try:
        until(lambda: tiny.files() != before and accepted(tiny), "the move stands still in mid-file")
        ends(tiny, *approved, code=5, says=("was used up by run r000001", "arr plan"))
    finally:
        tiny.stack.control.heal()
        out, err = first.communicate(timeout=120)
    assert first.returncode == 0, out + err
    assert len(tiny.json("history")["runs"]) == 1


def accepted(tiny: Lab) -> bool:
    return any(entry["accepted"] for entry in tiny.json("show", "r000001")["entries"])


def until(true: Callable[[], object], what: str, limit: float = 30) -> None:
    end = time.monotonic() + limit
    while not true():
        assert time.monotonic() < end, f"not within {limit} s: {what}"
        time.sleep(0.05)


def test_a_name_that_is_no_plan(tiny: Lab) -> None:
    ends(tiny, "apply", "zzzzzz", code=64, says=("no saved plan begins with 'zzzzzz'", "arr plan"), reads=False)
    ends(tiny, "apply", "z", code=64, says=("'z' is too short",), reads=False)
    ends(tiny, "show", "r999999", code=64, says=("there is no run r999999", "arr history"), reads=False)


def test_out_where_nothing_can_be_written(tiny: Lab, tmp_path: Path) -> None:
    ends(tiny, "plan", "--out", "nowhere/x.json", code=64, says=("nowhere/x.json cannot be written", "another place"))
