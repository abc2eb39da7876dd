"""Moves that somebody else began and that broke: found, told apart from harmless leftovers, and mended in a plan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from reconciler.kind import WriteRefused
from resources.clients.servarr import Commands
from tests.kinds.disk_fill.lab import MB, Lab, Stale, lab_of, sandbox_of, shows_on, world_of

OLD, NEW = "/data/d1/tv/Alpha Station", "/data/d2/tv/Alpha Station"
ROOTS = ["/data/d1/tv", "/data/d2/tv"]
DISKS = """
d1: {roots: {sonarr: /data/d1/tv}, max: 90%, size: 100 MB}
d2: {roots: {sonarr: /data/d2/tv}, max: 90%, size: 200 MB}
"""


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Nothing is over its limit: whatever is planned is because something broke."""
    shows = [(70001, "Alpha Station", 4, 40 * MB, ROOTS[0]), (70002, "Borrowed Time", 2, 20 * MB, ROOTS[1])]
    told = shows_on(ROOTS, shows)
    world = world_of({"/data/d1": 100 * MB, "/data/d2": 200 * MB}, told)
    with sandbox_of(world) as sandbox, lab_of(sandbox, DISKS, "{disks: [d1, d2]}") as lab:
        yield lab


def start(lab: Lab, finished: int) -> None:
    """Somebody moves the show by hand; it stands still with that many files moved."""
    lab.sandbox.event({"slow_moves": {"finished_videos": finished}})
    lab.client("sonarr").move(lab.item("sonarr", "Alpha Station").id, NEW, move_files=True)
    lab.sandbox.world.await_stall()


def over(lab: Lab) -> None:
    lab.until(lambda: all(c.over for c in lab.read(Commands("sonarr")) if c.name == "MoveSeries"))


def forget_commands(lab: Lab) -> None:
    """A restart: what the app remembers of its commands is gone, as it is five minutes later."""
    lab.sandbox.restart("sonarr")


def files(lab: Lab, place: str) -> dict[str, int]:
    return {path.removeprefix(place): size for path, size in lab.tree(place).items()}


@pytest.mark.parametrize("remembered", [True, False])
def test_out_of_space_by_somebody_else_is_brought_back(lab: Lab, remembered: bool) -> None:
    before = files(lab, OLD)
    start(lab, 2)
    used = sum(lab.tree("/data/d2").values())
    lab.sandbox.event({"make_file": {"path": "/data/d2/filler.bin", "size": 200 * MB - used - MB // 2}})
    lab.sandbox.event({"slow_moves": False})
    over(lab)
    assert files(lab, NEW)
    if not remembered:
        forget_commands(lab)
    proposal = lab.plan()
    (heal,) = proposal.actions
    assert (heal.verb, heal.cause) == ("heal", "drift")
    assert "not ours" in heal.reason
    assert "forget 3 files" in heal.reason
    assert heal.details == (f"bring back what is at {NEW}: path there and back, nothing is overwritten",)
    assert lab.do(heal).state == "done"
    assert files(lab, OLD) == before
    assert files(lab, NEW) == {}
    assert len(lab.known("sonarr", "Alpha Station")) == 4
    assert lab.plan().actions == ()


@pytest.mark.parametrize("remembered", [True, False])
def test_denied_by_somebody_else_gets_its_path_back(lab: Lab, remembered: bool) -> None:
    before = files(lab, OLD)
    lab.sandbox.event({"chmod": {"path": ROOTS[1], "writable": False}})
    lab.client("sonarr").move(lab.item("sonarr", "Alpha Station").id, NEW, move_files=True)
    over(lab)
    if not remembered:
        forget_commands(lab)
    (heal,) = lab.plan().actions
    assert heal.data["steps"] == [[OLD, False]]
    assert heal.effects.bytes_moved == 0
    assert lab.do(heal).state == "done"
    assert lab.item("sonarr", "Alpha Station").path == OLD
    assert files(lab, OLD) == before
    assert len(lab.known("sonarr", "Alpha Station")) == 4
    assert lab.plan().actions == ()


@pytest.mark.parametrize("finished", [1, 3])
def test_killed_while_somebody_else_moved_goes_on(lab: Lab, finished: int) -> None:
    """Found by the folder alone: the command is gone from the list."""
    before = files(lab, OLD)
    start(lab, finished)
    lab.sandbox.kill("sonarr")
    lab.sandbox.event({"slow_moves": False})
    lab.sandbox.start("sonarr")
    (heal,) = lab.plan().actions
    assert heal.data["goal"] == "new"
    assert lab.do(heal).state == "done"
    assert files(lab, NEW) == before
    assert files(lab, OLD) == {}
    assert lab.plan().actions == ()


def test_killed_in_the_first_file_of_somebody_else_s_move_gets_its_path_back(lab: Lab) -> None:
    """Nothing has arrived: that the smaller file there is half a copy nobody knows, so it is not overwritten."""
    before = files(lab, OLD)
    start(lab, 0)
    lab.sandbox.kill("sonarr")
    lab.sandbox.event({"slow_moves": False})
    lab.sandbox.start("sonarr")
    half = files(lab, NEW)
    (heal,) = lab.plan().actions
    assert (heal.data["steps"], heal.effects.destroys) == ([[OLD, False]], 0)
    assert f"nothing moves, and what is at {NEW} stays" in heal.details[0]
    assert lab.do(heal).state == "done"
    assert lab.item("sonarr", "Alpha Station").path == OLD
    assert (files(lab, OLD), files(lab, NEW)) == (before, half) and half
    assert len(lab.known("sonarr", "Alpha Station")) == 4
    assert lab.plan().actions == ()


def test_a_running_move_of_somebody_else_is_left_alone(lab: Lab) -> None:
    start(lab, 1)
    assert lab.plan().actions == ()
    lab.sandbox.event({"slow_moves": False})
    over(lab)
    assert lab.plan().actions == ()


@pytest.mark.parametrize("size", [5 * MB, None])
def test_a_leftover_folder_of_the_same_name_is_no_broken_move(lab: Lab, size: int | None) -> None:
    """Everything the app knows is where it says: nothing would be forgotten, so nothing is touched."""
    name = next(iter(lab.tree(OLD)))
    there = name.replace(OLD, NEW)
    lab.sandbox.event({"make_file": {"path": there, "size": size or lab.tree(OLD)[name]}})
    before = lab.tree("/data")
    assert lab.plan().actions == ()
    assert lab.tree("/data") == before


def test_an_archive_of_bigger_files_is_nobody_s_broken_move(lab: Lab) -> None:
    """The same names, each a little bigger, in another root of the app: all that the app knows is whole at its path."""
    for path, size in lab.tree(OLD).items():
        lab.sandbox.event({"make_file": {"path": path.replace(OLD, NEW), "size": size + MB}})
    before = lab.tree("/data")
    assert lab.plan().actions == ()
    assert lab.tree("/data") == before


@pytest.mark.parametrize("whose", ["another Sonarr's", "on no declared disk"])
def test_a_folder_that_is_not_ours_to_take_is_no_broken_move(whose: str) -> None:
    """A file of the show is gone, and a folder of its name elsewhere has one of that size: still not its own."""
    archive = "/data/archive/tv"
    first = shows_on([*ROOTS, archive], [(70001, "Alpha Station", 4, 40 * MB, ROOTS[0])])
    place, also = (ROOTS[1], {"uhd": ROOTS[1]}) if whose == "another Sonarr's" else (archive, {})
    second = shows_on([ROOTS[1]], [(70001, "Alpha Station", 4, 40 * MB, ROOTS[1])], name="uhd") if also else None
    disks = {"/data/d1": 100 * MB, "/data/d2": 200 * MB, "/data/archive": 300 * MB}
    declared = DISKS.replace("{sonarr: /data/d2/tv}", "{sonarr: /data/d2/tv, uhd: /data/d2/tv}") if also else DISKS
    world = world_of(disks, first, *([second] if second else []))
    with sandbox_of(world) as sandbox, lab_of(sandbox, declared, "{disks: [d1, d2]}") as lab:
        if not also:
            for path, size in lab.tree(OLD).items():
                sandbox.event({"make_file": {"path": path.replace(ROOTS[0], place), "size": size}})
        sandbox.event({"remove": {"path": next(iter(lab.tree(OLD)))}})
        assert lab.plan().actions == ()


def test_a_folder_in_the_way_of_a_move_is_held_with_its_name(lab: Lab) -> None:
    """A target that exists is never moved onto, whatever is in it."""
    name = next(iter(lab.tree(OLD)))
    lab.sandbox.event({"make_file": {"path": name.replace(OLD, NEW), "size": 5 * MB}})
    tight = DISKS.replace("max: 90%, size: 100", "max: 10%, size: 100")
    with lab_of(lab.sandbox, tight, "{disks: [d1, d2]}") as squeezed:
        proposal = squeezed.plan()
        assert proposal.actions == ()
        (held,) = proposal.held
        assert held.subject.title == "Alpha Station"
        assert held.reason == f"there is a folder {NEW} already: 1 file, 5.0 MB there, 4 files, 40.0 MB here"
        assert any("d1 misses its target" in line for line in proposal.summary)
        assert any(NEW in line for line in squeezed.why("alpha station"))


def test_a_target_that_appears_after_the_plan_stops_the_move(lab: Lab) -> None:
    tight = DISKS.replace("max: 90%, size: 100", "max: 10%, size: 100")
    with lab_of(lab.sandbox, tight, "{disks: [d1, d2]}") as squeezed:
        (move,) = squeezed.plan().actions
        squeezed.sandbox.event({"make_file": {"path": f"{NEW}/note.txt", "size": 10}})
        before = squeezed.tree("/data")
        with pytest.raises(Stale, match="there already, 1 file"):
            squeezed.begin(move)
        assert squeezed.tree("/data") == before
        assert squeezed.item("sonarr", "Alpha Station").path == OLD


def test_a_disk_that_is_unmounted_after_the_plan_stops_the_move(lab: Lab) -> None:
    tight = DISKS.replace("max: 90%, size: 100", "max: 10%, size: 100")
    with lab_of(lab.sandbox, tight, "{disks: [d1, d2]}") as squeezed:
        (move,) = squeezed.plan().actions
        there = lab.sandbox.home / "data/d2/tv/Borrowed Time"
        there.rename(lab.sandbox.home / "data/d2/Borrowed Time")
        before = squeezed.tree("/data")
        with pytest.raises(Stale, match="looks unmounted: none of the 1 folders"):
            squeezed.begin(move)
        assert squeezed.tree("/data") == before


def test_an_item_that_lies_elsewhere_by_now_is_not_sent_to_the_target(lab: Lab) -> None:
    item = lab.item("sonarr", "Alpha Station")
    with pytest.raises(WriteRefused, match="its folder is /data/d1/tv/Alpha Station now"):
        lab.client("sonarr").move(item.id, NEW, move_files=True, from_path="/data/d1/tv/Elsewhere")
    assert lab.item("sonarr", "Alpha Station").path == OLD


def test_an_item_that_lies_elsewhere_by_now_is_not_healed(lab: Lab) -> None:
    """Somebody gives it a third folder between the last look and the request: their word stays."""
    lab.sandbox.event({"chmod": {"path": ROOTS[1], "writable": False}})
    item = lab.item("sonarr", "Alpha Station")
    lab.client("sonarr").move(item.id, NEW, move_files=True)
    over(lab)
    (heal,) = lab.plan().actions
    lab.client("sonarr").move(item.id, f"{ROOTS[0]}/Elsewhere", move_files=False)
    assert f"its folder is {ROOTS[0]}/Elsewhere now" in lab.refused(heal)
    assert lab.item("sonarr", "Alpha Station").path == f"{ROOTS[0]}/Elsewhere"
