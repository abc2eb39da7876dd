"""What makes a broken move, what ends one, and what holds its mending: planning over made-up worlds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reconciler.action import Proposal
from reconciler.errors import UsageError
from reconciler.kind import Ledger, Past
from reconciler.plan.retry import tried_in_vain
from resources.clients.servarr import Item
from tests.kinds.disk_fill.made import GB, NOW, TB, Made, Server, days, move_command, past_move, show, three_disks

OLD, NEW, THIRD = "/tv1/Alpha", "/tv2/Alpha", "/tv3/Alpha"
A, B, C = {"a.mkv": 10 * GB}, {"b.mkv": 20 * GB}, {"c.mkv": 30 * GB}
ALL = {**A, **B, **C}
DISKS = """
d1: {roots: {sonarr: /tv1}, max: 95%}
d2: {roots: {sonarr: /tv2}, max: 95%}
d3: {roots: {sonarr: /tv3}, max: 95%}
"""


def made(at: dict[str, dict[str, int]], path: str = OLD, rows: dict[str, int] = ALL, **more: Any) -> Made:
    """One show, whose app knows `rows`, with the files `at` each place. Nothing has to move for any limit."""
    alpha = replace(show(1, "Alpha", sum(rows.values()), "/tv1", len(rows), more.pop("tags", ())), path=path)
    free: dict[str, tuple[int, int | None]] = {
        "/tv1": (5 * TB, 8 * TB),
        "/tv2": (6 * TB, 8 * TB),
        "/tv3": (7 * TB, 8 * TB),
    }
    server = Server("sonarr", [alpha], free)
    server.rows[1] = rows
    server.trees.update({place: dict(at.get(place, {})) for place in (OLD, NEW, THIRD)})
    server.extra.update({place.rpartition("/")[0]: ["Alpha"] for place in at if place != path})
    spec = more.pop("spec", "{disks: [d1, d2, d3]}")
    return Made({"sonarr": server}, DISKS, spec, **more)


def journal(outcome: str, expected: dict[str, int] = ALL) -> Ledger:
    alpha: Item = show(1, "Alpha", 60 * GB, "/tv1", 3)
    rows = [[name, size] for name, size in sorted(expected.items())]
    past = past_move(alpha, OLD, NEW, NOW - days(2), outcome, files=rows)
    return Ledger(history=(past,))


def holds(proposal: Proposal, reason: str) -> None:
    """No action, and words that make the plan no good one."""
    assert proposal.actions == ()
    (held,) = proposal.held
    assert reason in held.reason
    assert [b.reason for b in proposal.blocked] == [held.reason]


SPLIT = {OLD: {**A, **B}, NEW: C}


def test_a_broken_move_of_our_own_is_healed() -> None:
    (heal,) = made(SPLIT, ledger=journal("broken")).plan().actions
    assert (heal.verb, heal.cause) == ("heal", "repair")


def test_what_a_heal_overwrites_is_counted_and_said() -> None:
    proposal = made({OLD: {**A, **B}, NEW: {**C, "b.mkv": 5 * GB}}, NEW, ledger=journal("broken")).plan()
    (heal,) = proposal.actions
    assert (heal.effects.destroys, heal.effects.bytes_destroyed) == (1, 5 * GB)
    assert "Only half copies are overwritten: 1 file." in proposal.summary[0]


@pytest.mark.parametrize("begun", [False, True])
def test_a_smaller_file_alone_proves_no_move(begun: bool) -> None:
    """Somebody set the path to a folder where a file of that name lies: the path goes back to the whole ones, and nothing is
    overwritten; not by a second heal either, when the first was cut off."""
    at = {OLD: ALL, NEW: {"b.mkv": 5 * GB}}
    (heal,) = made(at, NEW).plan().actions
    if begun:
        past = Past(action=heal, outcome="broken", at=NOW - days(1), run="r000001")
        (heal,) = made(at, NEW, ledger=Ledger(history=(past,))).plan().actions
    assert (heal.data["goal"], heal.data["steps"], heal.effects.destroys) == ("old", [[OLD, False]], 0)
    assert heal.effects.disks == {}, "nothing leaves either disk"
    assert "where b.mkv has 5.0 GB in place of 20.0 GB; that it was moved there nobody knows" in heal.reason


@pytest.mark.parametrize("outcome", ["done", "broken"])
@pytest.mark.parametrize("rows", [ALL, {**A, **B}], ids=["known", "forgotten"])
def test_once_its_path_is_right_only_a_rescan_can_be_missing(outcome: str, rows: dict[str, int]) -> None:
    """The smaller file stays where it is, and keeps nothing from being over."""
    at = {OLD: ALL, NEW: {"b.mkv": 5 * GB}}
    (heal,) = made(at, NEW).plan().actions
    past = Past(action=heal, outcome=outcome, at=NOW - days(0.5), run="r000001")
    proposal = made(at, OLD, rows, ledger=Ledger(history=(past,))).plan()
    assert (proposal.held, proposal.blocked) == ((), ())
    assert [a.data["steps"] for a in proposal.actions] == ([] if rows == ALL else [[]])


@pytest.mark.parametrize("outcome", ["failed", "not-done"])
def test_a_move_that_never_began_licenses_no_heal(outcome: str) -> None:
    """Somebody puts a folder of his own where it would have gone: it is his."""
    theirs = {OLD: ALL, NEW: {"a.mkv": 9 * GB, "notes.txt": 7}}
    proposal = made(theirs, ledger=journal(outcome)).plan()
    assert (proposal.actions, proposal.held, proposal.blocked) == ((), (), ())


@pytest.mark.parametrize(
    "spec", ["{disks: [d1, d2, d3], exclude: {tags: [stay]}}", "{disks: [d1, d2, d3], exclude: {ids: ['tvdb:1001']}}"]
)
def test_a_heal_moves_nothing_of_what_is_excluded(spec: str) -> None:
    holds(made(SPLIT, tags=("stay",), spec=spec, ledger=journal("broken")).plan(), "it is excluded by its")


def test_what_is_excluded_has_its_path_set_right() -> None:
    spec = "{disks: [d1, d2, d3], exclude: {tags: [stay]}}"
    (heal,) = made({OLD: ALL}, NEW, tags=("stay",), spec=spec, ledger=journal("broken")).plan().actions
    assert heal.data["steps"] == [[OLD, False]]


def test_nothing_is_mended_in_an_app_that_may_only_be_read() -> None:
    holds(made(SPLIT, read_only=("sonarr",), ledger=journal("broken")).plan(), "access: read")


def test_two_places_on_what_looks_like_one_disk_are_not_moved_between() -> None:
    world = made(SPLIT, ledger=journal("broken"))
    world.servers["sonarr"].roots["/tv2"] = world.servers["sonarr"].roots["/tv1"]
    holds(world.plan(), "may be one folder")


def test_one_folder_under_two_paths_is_held() -> None:
    holds(made({OLD: ALL, NEW: ALL}, ledger=journal("broken")).plan(), "may be one folder")


def test_equal_sizes_at_both_places_are_held() -> None:
    """Nobody knows where it was going, and either file may be the whole one."""
    holds(made({OLD: {**A, **B}, NEW: {**B, **C}}).plan(), "it is not certain which one is to be kept")


@pytest.mark.parametrize("rows", [ALL, {**A, **B}])
def test_a_broken_move_is_not_forgotten_while_its_disk_is_away(rows: dict[str, int]) -> None:
    """Nor when a rescan has made the app forget what lies there."""
    holds(made({OLD: {**A, **B}}, rows=rows, ledger=journal("broken")).plan(), "c.mkv is whole at neither place")


def test_what_somebody_has_mended_by_moving_it_elsewhere_is_over() -> None:
    proposal = made({THIRD: ALL}, THIRD, ledger=journal("broken")).plan()
    assert (proposal.actions, proposal.held, proposal.blocked) == ((), (), ())


@pytest.mark.parametrize("at", [{THIRD: {**A, **B}}, {THIRD: ALL, NEW: C}])
def test_what_is_elsewhere_and_not_whole_or_left_something_behind_is_held(at: dict[str, dict[str, int]]) -> None:
    holds(made(at, THIRD, ledger=journal("broken")).plan(), "neither of the two")


def test_what_was_upgraded_since_it_was_mended_by_hand_is_over() -> None:
    better = {**A, **B, "c.mkv": 33 * GB}
    proposal = made({OLD: better}, rows=better, ledger=journal("broken")).plan()
    assert (proposal.actions, proposal.held, proposal.blocked) == ((), (), ())


def test_a_broken_move_from_another_item_s_folder_is_held() -> None:
    world = made(SPLIT, NEW)
    server = world.servers["sonarr"]
    server.items.append(replace(show(2, "Beta", GB, "/tv1", 1), path=OLD))
    server.commands = [move_command(7, 1, OLD, NEW, "failed")]
    server.trees[OLD] = {**A, **B}
    proposal = world.plan()
    assert proposal.actions == ()
    assert f"{OLD} is another item's folder too" in next(h.reason for h in proposal.held if h.subject.title == "Alpha")


def often(verb: str, times: int, outcome: str = "broken") -> Ledger:
    """Our broken move, and `times` more attempts at it today."""
    alpha: Item = show(1, "Alpha", 60 * GB, "/tv1", 3)
    rows = [[name, size] for name, size in sorted(ALL.items())]
    past = past_move(alpha, OLD, NEW, NOW - days(0.1), outcome, files=rows)
    again = replace(past, action=past.action.model_copy(update={"verb": verb}))
    return replace(journal("broken"), history=(*journal("broken").history, *(again for _ in range(times))))


def test_what_was_mended_in_vain_too_often_is_tried_again_when_somebody_asks() -> None:
    """It rests for a day, and the plan says what to type; asked for, it is mended now."""
    tired = often("heal", 3)
    resting = made(SPLIT, ledger=tired).plan()
    holds(resting, "mended 3 times within a day, in vain")
    assert "arr plan --retry tvdb:1001" in resting.blocked[0].remedy
    (asked,) = tried_in_vain(tired, "tvdb:1001")
    (heal,) = made(SPLIT, ledger=replace(tired, retried=frozenset({asked}))).plan().actions
    assert heal.verb == "heal"


@pytest.mark.parametrize("item", ["TVDB:1001", "alpha", " Alpha "])
def test_what_to_try_again_is_named_by_title_or_id(item: str) -> None:
    assert len(tried_in_vain(often("heal", 3), item)) == 1


@pytest.mark.parametrize("item", ["", "Beta", "tvdb:1"])
def test_nothing_else_can_be_asked_for(item: str) -> None:
    with pytest.raises(UsageError, match="tried in vain"):
        tried_in_vain(often("heal", 3), item)


def test_a_move_that_came_to_nothing_twice_is_tried_again_when_somebody_asks() -> None:
    world = three_disks(ledger=Ledger())
    (first, *_) = world.plan().actions
    past = Past("r000001", NOW - days(0.1), first, "failed")
    tired = Ledger(history=(past, past))
    resting = replace(world, ledger=tired).plan()
    assert first.subject.ident not in {a.subject.ident for a in resting.actions}
    said = " ".join(replace(world, ledger=tired).why(first.subject.key))
    assert f"arr plan --retry {first.subject.key}" in said
    again = replace(world, ledger=replace(tired, retried=frozenset({first.subject.ident}))).plan()
    assert again.actions[0].subject.ident == first.subject.ident
