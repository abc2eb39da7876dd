"""What can be wrong with a `disk_fill` before any server is asked: through the loader, with the place of every mistake."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reconciler import registry
from reconciler.connection import ConnectionSpec
from reconciler.desired import load
from reconciler.errors import Diagnostic, UsageError
from resources.disk_fill import KIND

STACK = """
connections:
  sonarr: {app: sonarr, url: "http://localhost:8989", api_key: {env: KEY}}
disks:
  d1: {roots: {sonarr: /tv1}, max: 85%}
  d2: {roots: {sonarr: /tv2}}
"""


def wrong(tmp_path: Path, wish: str, stack: str = STACK) -> list[Diagnostic]:
    (tmp_path / "stack.yaml").write_text(stack)
    (tmp_path / "wish.yaml").write_text(wish)
    with pytest.raises(UsageError) as caught:
        load([tmp_path], kinds=registry.kinds(), apps=registry.apps())
    return list(caught.value.diagnostics)


def test_a_good_one_loads(tmp_path: Path) -> None:
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "wish.yaml").write_text(
        "disk_fill:\n  media:\n    disks: [d1, d2]\n    settle: 3%\n"
        "    moves: {per_run: 2, per_day: {count: 10, bytes: 2 TB}, cooldown: 90d}\n"
        "    exclude: {tags: [Pinned], ids: ['tvdb:280619']}\n    balance: true\n"
    )
    (resource,) = load([tmp_path], kinds=registry.kinds(), apps=registry.apps()).resources
    spec = resource.spec
    assert (spec.settle, spec.moves.per_day.bytes, spec.moves.cooldown) == (0.03, 2 * 10**12, 90 * 86400)
    assert spec.exclude.tags == ("pinned",)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("{disks: [d1, d9]}", "there is no disk 'd9'"),
        ("{disks: [d1, d1]}", "disk 'd1' is named twice"),
        ("{disks: [d2]}", "none of these disks has a target"),
        ("{disks: [d1], settle: 90%}", "settle (90%) is not smaller than the max of disk 'd1' (85%)"),
        ("{disks: [d1], exclude: {ids: ['280619']}}", "is no id of an item"),
        ("{disks: []}", "disks"),
        ("{disks: [d1], moves: {per_run: 0}}", "per_run"),
        ("{disks: [d1], settle: 3}", "3%"),
        ("{disks: [d1], max: 85%}", "max"),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path: Path, wish: str, message: str) -> None:
    found = wrong(tmp_path, f"disk_fill:\n  media: {wish}\n")
    assert any(message in f"{d.message} {d.hint} {d.field}" for d in found), found
    assert all(d.mark is not None and d.mark.file.endswith("wish.yaml") for d in found)


def test_disks_that_nothing_can_speak_to(tmp_path: Path) -> None:
    stack = STACK.replace("{sonarr: /tv2}", "{sonar: /tv2}")
    found = wrong(tmp_path, "disk_fill:\n  media: {disks: [d1, d2]}\n", stack)
    assert any("sonar" in d.message and "sonarr" in d.hint for d in found), found


def test_a_disk_of_an_app_that_moves_nothing(tmp_path: Path) -> None:
    """Only apps whose moves are known may stand at such a disk."""
    (tmp_path / "stack.yaml").write_text(STACK)
    (tmp_path / "wish.yaml").write_text("disk_fill:\n  media: {disks: [d1]}\n")
    loaded = load([tmp_path], kinds=registry.kinds(), apps=registry.apps())
    (resource,) = loaded.resources

    class Other(ConnectionSpec):
        """Of an app that is not known here."""

    stack = replace(resource.stack, connections={"sonarr": Other(app="other")})
    (found,) = KIND.check(replace(resource, stack=stack))
    assert "'sonarr' is of app other: only sonarr and radarr can move items" in found.message
    assert found.mark is not None and found.mark.file.endswith("stack.yaml")


def test_one_root_on_two_disks_names_both(tmp_path: Path) -> None:
    found = wrong(tmp_path, "disk_fill:\n  media: {disks: [d1, d2]}\n", STACK.replace("/tv2", "/tv1/"))
    assert any("d1" in d.message and "d2" in d.field for d in found), found


def test_two_resources_on_one_disk_name_each_other(tmp_path: Path) -> None:
    found = wrong(tmp_path, "disk_fill:\n  a: {disks: [d1]}\n  b: {disks: [d1, d2]}\n")
    assert any("disk_fill.a" in f"{d.message} {d.hint}" and "d1" in d.message for d in found), found


def test_draining_everything_leaves_nowhere_to_go(tmp_path: Path) -> None:
    stack = STACK.replace("max: 85%", "drain: true").replace("{sonarr: /tv2}}", "{sonarr: /tv2}, drain: true}")
    found = wrong(tmp_path, "disk_fill:\n  media: {disks: [d1, d2]}\n", stack)
    assert any("nothing can go anywhere" in d.message for d in found), found
