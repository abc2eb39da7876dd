"""A01: a failed list, an outage, or page 1 of 3 was read as "the user removed everything"; files were deleted.

Whatever goes wrong with a server's answer, the plan blocks what needs it, says why and what to do, ends with 7, sends
nothing but reads, and leaves every file where it is. What does not depend on that answer is planned all the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import scenarios
from tests.stacks import TINY, Lab, lab

WISH = TINY + "tag:\n  kids: {connections: [radarr]}\n  old: {connections: [sonarr], prune: true}\n"

DOWNLOAD = {"title": "x", "status": "downloading", "trackedDownloadState": "downloading", "size": 1, "sizeleft": 1}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "down": ({}, "down"),
    "reset": ({}, "truncated"),
    "starting": ({}, "starting"),
    "unauthorised": ({}, "unauthorised"),
    "login-page": ({}, "not-json"),
    "wrong-app": ({}, "wrong-app"),
    "server-error": ({"path": "/api/v3/series"}, "server-error"),
    "truncated": ({"path": "/api/v3/series"}, "truncated"),
    "short-list": ({"path": "/api/v3/queue"}, "incomplete"),
}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    world = scenarios.load("tiny")
    for server in world["servers"]:
        server["queue"] = [DOWNLOAD | {"id": n, "downloadId": f"A{n}"} for n in (1, 2)]  # a page to be cut short
    with lab(tmp_path_factory.mktemp("a01"), world) as found:
        found.declare(WISH)
        yield found


@pytest.mark.parametrize("name", FAULTS)
def test_a01_what_is_not_answered_blocks_and_nothing_is_touched(tiny: Lab, name: str) -> None:
    narrowed, code = FAULTS[name]
    before = tiny.files()
    tiny.stack.control.clear("radarr")
    tiny.stack.control.break_(name, server="sonarr", **narrowed)
    try:
        plan: dict[str, Any] = tiny.json("plan", env={"ARR_LOG": "error"})
        shown = tiny.arr("plan")
    finally:
        tiny.stack.control.heal()
    media, kids = (r for r in plan["plan"]["resources"] if r["address"] in ("disk_fill.media", "tag.kids"))
    blocked = media["proposal"]["blocked"]
    assert code in {b["code"] for b in blocked}, blocked
    assert all(b["remedy"] for b in blocked), blocked
    assert not [a for a in media["proposal"]["actions"] if a["subject"]["connection"] == "sonarr"]
    assert [a["verb"] for a in kids["proposal"]["actions"]] == ["create"]
    assert shown.returncode == 7, shown.stdout
    assert "not known" in shown.stdout
    assert {r["method"] for r in tiny.stack.control.requests("radarr")} == {"GET"}
    assert tiny.files() == before
