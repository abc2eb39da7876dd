"""Every row of the servers' outcome tables, on real servers over real files, and each broken one mended to its end.

What is asserted is the world: which files lie where with which sizes, where the item's path points, which rows the app
has after the rescan.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from reconciler.action import Action
from reconciler.kind import Verdict
from reconciler.opener import ReadWorld, WriteWorld
from resources.clients.servarr import Commands
from resources.disk_fill import KIND
from tests.kinds.disk_fill.lab import MB, Lab, lab_of, movies_on, sandbox_of, shows_on, world_of


@dataclass
class Case:
    """A lab whose plan moves one item of several files from d1 to d2."""

    lab: Lab
    connection: str
    title: str
    old: str
    new: str
    before: dict[str, int]

    @property
    def action(self) -> Action:
        actions = self.lab.plan().actions
        assert [(a.verb, a.subject.title) for a in actions] == [("move", self.title)]
        return actions[0]

    def files(self, place: str) -> dict[str, int]:
        """Names relative to the item's folder at `old` or `new`."""
        base = self.old if place == "old" else self.new
        return {path.removeprefix(f"{base}/"): size for path, size in self.lab.tree(base).items()}

    def path(self) -> str:
        return str(self.lab.item(self.connection, self.title).path)

    def stall(self, finished: int) -> None:
        """Moves are slow from here on: the next one stands still with that many videos moved and one half copied."""
        self.lab.sandbox.event({"slow_moves": {"finished_videos": finished}})

    def stalled(self) -> None:
        self.lab.sandbox.world.await_stall()

    def go_on(self) -> None:
        self.lab.sandbox.event({"slow_moves": False})

    def all_at(self, place: str) -> None:
        """Every file of before is there with its size, nothing at the other place, and the app knows its files there."""
        here, other = (self.old, "new") if place == "old" else (self.new, "old")
        assert self.files(place) == self.before
        assert self.files(other) == {}
        assert self.path() == here
        known = self.lab.known(self.connection, self.title)
        tracked = {f"{here}/{n}": s for n, s in self.before.items() if n.endswith(".mkv")}
        assert known == tracked


ROOTS = ["/data/d1/media", "/data/d2/media"]
FILLER = "/data/d2/filler.bin"
DISKS = {"/data/d1": 100 * MB, "/data/d2": 200 * MB}
FILL = """
d1: {{roots: {{{app}: /data/d1/media}}, max: 70%, size: 100 MB}}
d2: {{roots: {{{app}: /data/d2/media}}, max: 95%, size: 200 MB}}
"""
EXTRA = [
    {"path": "/data/d1/media/Alpha Station/extra/readme.txt", "size": 100},
    {"path": "/data/d1/media/Alpha Station/poster.jpg", "size": 100},
]


MEMORY = [pytest.mark.root, pytest.mark.skipif(os.geteuid() != 0, reason="mounting memory disks needs root")]


@pytest.fixture(params=["sonarr", "sonarr-v5", "radarr", pytest.param("sonarr on memory disks", marks=MEMORY)])
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    """Sonarr: a show of four episodes and two files that no app tracks. Radarr: a movie and its small companion.

    On memory disks the kernel says what is full and what is another file system.
    """
    app, _, memory = request.param.partition(" on ")
    if app == "radarr":
        told = movies_on(ROOTS, [(501, "Alpha Station", 40 * MB, ROOTS[0]), (502, "Borrowed Time", 45 * MB, ROOTS[0])])
        title, folder = "Alpha Station", "Alpha Station (2019)"
    else:
        told = shows_on(
            ROOTS,
            [(70001, "Alpha Station", 4, 40 * MB, ROOTS[0]), (70002, "Borrowed Time", 2, 45 * MB, ROOTS[0])],
            name=app,
            app=app,
        )
        title, folder = "Alpha Station", "Alpha Station"
        told[0].files.extend(EXTRA)
    spec = "{disks: [d1, d2], settle: 0%}"
    backing = "tmpfs" if memory else "simulated"
    with (
        sandbox_of(world_of(DISKS, told), backing=backing) as sandbox,
        lab_of(sandbox, FILL.format(app=app), spec) as lab,
    ):
        old, new = f"{ROOTS[0]}/{folder}", f"{ROOTS[1]}/{folder}"
        before = {path.removeprefix(f"{old}/"): size for path, size in lab.tree(old).items()}
        yield Case(lab, app, title, old, new, before)


def mended(case: Case, verdict: Verdict, action: Action) -> Verdict:
    """The approved compensation, right away, as the executor does it."""
    assert verdict.state == "broken"
    assert verdict.data["mendable"]
    return case.lab.do(case.lab.mend(action, verdict))


def test_a_move_is_done_when_the_files_are_there(case: Case) -> None:
    verdict = case.lab.do(case.action)
    assert verdict.state == "done"
    case.all_at("new")
    assert case.lab.plan().actions == ()


def test_a_running_move_is_found_again_without_its_handle(case: Case) -> None:
    """The process died after the write and before it knew the command."""
    action = case.action
    case.stall(0)
    case.lab.begin(action)
    case.stalled()
    verdict = case.lab.look(action, None)
    assert verdict.state == "running"
    assert verdict.total_bytes is not None and verdict.done_bytes is not None
    assert verdict.done_bytes < verdict.total_bytes
    (under_way,) = case.lab.plan().under_way
    assert under_way.action.id == action.id
    case.go_on()
    assert case.lab.follow(action, None).state == "done"
    case.all_at("new")


def test_what_never_reached_the_server_is_not_done(case: Case) -> None:
    assert case.lab.look(case.action, None).state == "not-done"


def test_what_is_not_whole_where_it_was_is_not_taken_for_never_begun(case: Case) -> None:
    """A file that is at neither place may lie on a disk that is away."""
    action = case.action
    name = next(name for name in case.before if name.endswith(".mkv"))
    case.lab.sandbox.event({"remove": {"path": f"{case.old}/{name}"}})
    verdict = case.lab.look(action, None)
    assert (verdict.state, verdict.data["mendable"]) == ("broken", False)


def filled(case: Case, action: Action) -> dict[str, Any]:
    """The target fills up after the precondition was read: some files have moved by then, the next does not fit."""
    if case.connection == "radarr":
        fill_up(case, MB)
        handle = KIND.verbs["move"].perform(WriteWorld(case.lab.opener), action)
    else:
        case.stall(2)
        handle = case.lab.begin(action)
        case.stalled()
        fill_up(case, MB // 2)
        case.go_on()
    assert handle is not None
    return handle


def fill_up(case: Case, leave: int) -> None:
    free = 200 * MB - sum(case.lab.tree("/data/d2").values())
    case.lab.sandbox.event({"make_file": {"path": FILLER, "size": free - leave}})


def test_no_room_left_half_way_is_brought_back(case: Case) -> None:
    """`completed` and `successful`, says the server; the files say otherwise."""
    action = case.action
    handle = filled(case, action)
    verdict = case.lab.follow(action, handle)
    command = next(c for c in case.lab.read(Commands(case.connection)) if c.id == handle["command"])
    assert (command.status, command.result) == ("completed", "successful")
    assert "half-way" in verdict.says
    assert f"({case.connection}: No space left on device" in verdict.says  # from its log: the command tells nothing
    assert case.path() == case.old
    assert case.files("old").keys().isdisjoint(case.files("new"))
    assert case.files("new")
    assert verdict.data["goal"] == "old"
    assert mended(case, verdict, action).state == "done"
    case.all_at("old")


def test_no_room_left_half_way_goes_on_once_there_is_room(case: Case) -> None:
    """Room came back before the next plan: it goes on, and says that it mends what it had begun."""
    action = case.action
    assert case.lab.follow(action, filled(case, action)).state == "broken"
    case.lab.sandbox.event({"remove": {"path": FILLER}})
    (heal,) = case.lab.plan().actions
    assert (heal.verb, heal.cause) == ("heal", "repair")
    assert case.lab.do(heal).state == "done"
    case.all_at("new")
    assert case.lab.plan().actions == ()


def test_denied_at_once_gets_its_path_back(case: Case) -> None:
    """The path says the target, no file has moved: the next rescan would forget them all."""
    action = case.action
    case.lab.sandbox.event({"chmod": {"path": ROOTS[1], "writable": False}})
    verdict = case.lab.follow(action, case.lab.begin(action))
    assert verdict.state == "broken"
    assert case.path() == case.new
    assert "may not write there" in verdict.says
    assert f"({case.connection}: Access to the path '{case.new}" in verdict.says
    assert verdict.data["steps"] == [[case.old, False]]
    assert mended(case, verdict, action).state == "done"
    case.all_at("old")


def test_denied_half_way_is_brought_back(case: Case) -> None:
    if case.connection == "radarr":
        pytest.skip("a movie of one file does not stop between two")
    action = case.action
    case.stall(1)
    handle = case.lab.begin(action)
    case.stalled()
    case.lab.sandbox.event({"chmod": {"path": f"{case.new}/Season 01", "writable": False}})
    case.go_on()
    verdict = case.lab.follow(action, handle)
    assert verdict.state == "broken"
    assert "is denied)" in verdict.says
    assert case.path() == case.new
    assert 0 < len(case.files("new")) < len(case.before)
    assert case.files("old").keys().isdisjoint(case.files("new"))
    case.lab.sandbox.event({"chmod": {"path": f"{case.new}/Season 01", "writable": True}})
    assert verdict.data["goal"] == "old"
    assert mended(case, verdict, action).state == "done"
    case.all_at("old")


@pytest.mark.parametrize("finished", [0, 2])
def test_killed_in_mid_move_goes_on_and_never_back(case: Case, finished: int) -> None:
    """One name lies at both places, half copied at the target: it is overwritten by the whole one, never the reverse."""
    if case.connection == "radarr" and finished:
        pytest.skip("a movie has one video")
    action = case.action
    case.stall(finished)
    handle = case.lab.begin(action)
    case.stalled()
    case.lab.sandbox.kill(case.connection)
    assert case.lab.look(action, handle).state == "unknown"
    case.go_on()
    case.lab.sandbox.start(case.connection)
    both = case.files("old").keys() & case.files("new").keys()
    assert len(both) == 1
    verdict = case.lab.follow(action, handle)
    assert verdict.state == "broken"
    assert case.path() == case.new
    assert "half copied" in verdict.says
    (heal,) = case.lab.plan().actions
    assert heal.data["goal"] == "new"
    assert heal.data["steps"] == [[case.old, False], [case.new, True]]
    assert heal.cause == "repair"
    assert case.lab.do(heal).state == "done"
    case.all_at("new")
    assert case.lab.plan().actions == ()


def test_killed_in_mid_move_and_no_room_to_go_on_is_held(case: Case) -> None:
    action = case.action
    case.stall(0)
    handle = case.lab.begin(action)
    case.stalled()
    case.lab.sandbox.kill(case.connection)
    case.go_on()
    fill_up(case, MB)
    case.lab.sandbox.start(case.connection)
    verdict = case.lab.follow(action, handle)
    assert verdict.state == "broken"
    assert verdict.data["mendable"] is False
    proposal = case.lab.plan()
    assert proposal.actions == ()
    (held,) = [h for h in proposal.held if h.subject.title == case.title]
    assert "no room" in held.reason
    assert [b.reason for b in proposal.blocked] == [held.reason]
    whole = {**case.files("new"), **case.files("old")}
    assert whole == case.before


def test_a_missing_source_is_no_broken_move_and_is_said_so(case: Case) -> None:
    """The folder goes while the move waits behind another one: the server says `successful`, without a word."""
    action = case.action
    case.stall(0)
    other = case.lab.item(case.connection, "Borrowed Time")
    case.lab.client(case.connection).move(other.id, other.path.replace("/d1/", "/d2/"), move_files=True)
    case.stalled()
    handle = KIND.verbs["move"].perform(WriteWorld(case.lab.opener), action)
    assert case.lab.look(action, handle).state == "running"
    case.lab.sandbox.event({"rename": {"from": case.old, "to": "/data/d1/elsewhere"}})
    case.go_on()
    verdict = case.lab.follow(action, handle)
    assert verdict.state == "broken"
    assert "no files at" in verdict.says
    assert verdict.data["mendable"] is False
    assert verdict.remedy
    held = [h for h in case.lab.plan().held if h.subject.title == case.title]
    assert len(held) == 1
    assert "no broken move" in held[0].reason


def test_a_busy_app_makes_the_precondition_fail(case: Case) -> None:
    """One move at a time: while the app moves something else, nothing is sent."""
    action = case.action
    case.stall(0)
    other = case.lab.item(case.connection, "Borrowed Time")
    case.lab.client(case.connection).move(other.id, other.path.replace("/d1/", "/d2/"), move_files=True)
    case.stalled()
    fact = KIND.verbs["move"].read(ReadWorld(case.lab.opener), action)
    assert fact.value["idle"] != "yes"  # type: ignore[union-attr]
    case.go_on()
