"""Golden scenarios: a world, a wish, and what `arr plan` says of it, to the letter.

A folder of `tests/scenarios/` is one: `scenario.toml` (world, faults, commands before, exit code), `wish.yaml`, and the
expected `plan.txt` and `plan.json`. A change of behaviour is a visible diff; `ARR_UPDATE=1` writes the files anew. Ids,
addresses of servers and moments are taken out before comparing.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sandbox import scenarios
from tests.stacks import Lab, lab

HERE = Path(__file__).parent
FOLDERS = sorted(p.parent for p in HERE.glob("*/scenario.toml"))


def plain(text: str) -> str:
    """Without what differs from run to run."""
    text = re.sub(r"http://127\.0\.0\.1:\d+", "http://server", text)
    text = re.sub(r"valid until (tomorrow )?[\d:-]+( [\d:]+)?", "valid until SOON", text)
    text = re.sub(r"( plan |arr apply |--approve )(?!needs)[a-z2-7]{4,}\b", r"\1PLAN", text, flags=re.MULTILINE)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def essence(plan: dict[str, Any]) -> Any:
    """The plan's JSON without its identity and its time."""
    moment = {"id", "lineage", "serial", "desired", "created", "valid_until"}
    text = json.dumps({k: v for k, v in plan.items() if k not in moment}, indent=1, ensure_ascii=False, sort_keys=True)
    return json.loads(plain(text))


def prepared(found: Lab, given: dict[str, Any]) -> None:
    """Bring the lab into the scenario's state."""
    for command in given.get("before", []):
        done = found.arr(*command.split())
        assert done.returncode in (0, 2), done.stdout + done.stderr
    for event in given.get("events", []):
        found.stack.event(event)
    for fault in given.get("faults", []):
        found.stack.control.break_(**fault)


def expected(path: Path, now: str) -> str:
    if os.environ.get("ARR_UPDATE"):
        path.write_text(now)
    return path.read_text()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: p.name)
def test_plan(folder: Path, tmp_path: Path) -> None:
    given = tomllib.loads((folder / "scenario.toml").read_text())
    with lab(tmp_path, scenarios.load(given["world"])) as found:
        found.declare((folder / "wish.yaml").read_text())
        prepared(found, given)
        shown = found.arr("plan", "--detailed-exitcode")
        document = found.json("plan")
    text = plain(shown.stdout)
    assert shown.returncode == given["exit"], shown.stdout + shown.stderr
    assert max(map(len, shown.stdout.splitlines())) <= 80, shown.stdout
    assert text == expected(folder / "plan.txt", text)
    now = json.dumps(essence(document["plan"]), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    assert now == expected(folder / "plan.json", now)


def test_there_are_scenarios() -> None:
    assert len(FOLDERS) >= 6
