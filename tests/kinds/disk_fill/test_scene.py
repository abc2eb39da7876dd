"""The recovery table as pure functions: every state a broken move can leave, and that no remedy ever loses a byte.

The model of a transfer is the servers' own: file by file, the target overwritten first, the source removed when the copy
is whole, a partial copy left only by a kill.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.disk_fill.mending import choose, says
from resources.disk_fill.scene import Remedy, Scene, remedies, whole, why_not

OLD, NEW = "/tv1/Alpha", "/tv3/Alpha"
A, B, C = {"a.mkv": 100}, {"b.mkv": 200}, {"c.mkv": 300}
ALL = {**A, **B, **C}


def scene(path: str, at_old: dict[str, int], at_new: dict[str, int], expected: dict[str, int] | None = None) -> Scene:
    return Scene(path, OLD, NEW, ALL if expected is None else expected, at_old, at_new)


@pytest.mark.parametrize(
    ("found", "steps"),
    [
        # out of space half-way: the path was put back, no name at both places
        (scene(OLD, {**A, **B}, C), [[(NEW, True)], [(NEW, False), (OLD, True)]]),
        # denied at once: only the path is wrong
        (scene(NEW, ALL, {}), [[(OLD, False)]]),
        # denied half-way
        (scene(NEW, {**A, **B}, C), [[(OLD, False), (NEW, True)], [(OLD, True)]]),
        # killed: one name at both places, half copied at the target: never back
        (scene(NEW, {**A, **B}, {**C, "b.mkv": 77}), [[(OLD, False), (NEW, True)]]),
        # killed, and somebody put the path back
        (scene(OLD, {**A, **B}, {**C, "b.mkv": 77}), [[(NEW, True)]]),
        # a bringing back was killed: the half copy lies at the source
        (scene(OLD, {**A, "c.mkv": 5}, {**B, **C}), [[(NEW, False), (OLD, True)]]),
        # everything arrived, and the path was put back all the same
        (scene(OLD, {}, ALL), [[(NEW, False)]]),
        # nothing broken
        (scene(NEW, {}, ALL), []),
        (scene(OLD, ALL, {}), []),
        # the source was missing
        (scene(NEW, {}, {}), []),
        # a file is whole nowhere
        (scene(NEW, A, {**C, "b.mkv": 10}), []),
        # the app says a third place
        (scene("/tv9/Alpha", ALL, {}), []),
        # half copies on both sides: nothing is safe
        (scene(NEW, {"a.mkv": 100, "b.mkv": 5, "c.mkv": 300}, {"a.mkv": 5, "b.mkv": 200}), []),
    ],
)
def test_the_recovery_table(found: Scene, steps: list[list[tuple[str, bool]]]) -> None:
    assert [list(way.steps) for way in remedies(found)] == steps


def test_who_was_denied_is_brought_back_first() -> None:
    ways = remedies(scene(NEW, {**A, **B}, C), denied=True)
    assert [way.goal for way in ways] == ["old", "new"]


def test_a_partial_row_of_a_refresh_during_the_move_leaves_it_to_somebody_who_knows() -> None:
    """The app wrote the half copy's size into its row: the half copy then looks whole, and the whole file odd."""
    found = scene(NEW, {**A, **B}, {**C, "b.mkv": 77}, expected={**A, **C, "b.mkv": 77})
    assert remedies(found) == ()
    assert why_not(found, "sonarr").startswith("b.mkv lies at both places")


@pytest.mark.parametrize(
    ("at_old", "at_new", "expected"),
    [
        # another file of the same name, bigger than the app's
        ({**A, "b.mkv": 210}, {**B, **C}, ALL),
        # a file that nobody vouches for, of two sizes
        ({**A, "x.srt": 9}, {**B, **C, "x.srt": 4}, ALL),
        # one size at both places: two whole files, or one seen twice
        ({**A, **B}, {**B, **C}, ALL),
        ({**A, **B, "x.srt": 9}, {**C, "x.srt": 9}, ALL),
    ],
)
@pytest.mark.parametrize("path", [OLD, NEW])
def test_nothing_whole_is_ever_overwritten(
    path: str, at_old: dict[str, int], at_new: dict[str, int], expected: dict[str, int]
) -> None:
    found = scene(path, at_old, at_new, expected)
    assert not any(way.moves for way in remedies(found))
    assert "lies at both places" in why_not(found, "sonarr")


@pytest.mark.parametrize("at_new", [ALL, {**A, **B}, {**ALL, "x.srt": 9}])
def test_one_folder_under_two_paths_is_never_moved_onto_itself(at_new: dict[str, int]) -> None:
    found = scene(OLD, ALL, at_new)
    assert not found.apart
    assert remedies(found) == ()
    assert "may be one folder" in why_not(found, "sonarr")


def test_going_on_wants_room_under_the_limit_and_bringing_back_room_on_the_disk() -> None:
    mb = 1_000_000
    found = Scene(OLD, OLD, NEW, {"a": 300 * mb, "b": 10 * mb}, {"a": 300 * mb}, {"b": 10 * mb})
    roomy = choose(found, {"old": 500 * mb, "new": 1000 * mb}, 600 * mb, denied=False)
    assert roomy is not None and (roomy.remedy.goal, roomy.fits) == ("new", True)
    tight = choose(found, {"old": 500 * mb, "new": 800 * mb}, 600 * mb, denied=False)
    assert tight is not None and (tight.remedy.goal, tight.fits) == ("old", True)
    nowhere = choose(found, {"old": mb, "new": mb}, 0, denied=False)
    assert nowhere is not None and not nowhere.fits


def test_words() -> None:
    (way, back) = remedies(scene(OLD, {**A, **B}, C))
    assert says(way, scene(OLD, {**A, **B}, C)) == f"go on to {NEW}: nothing is overwritten"
    assert (
        says(back, scene(OLD, {**A, **B}, C))
        == f"bring back what is at {NEW}: path there and back, nothing is overwritten"
    )
    assert "neither of the two" in why_not(scene("/tv9/Alpha", ALL, {}), "sonarr")
    assert "no broken move" in why_not(scene(NEW, {}, {}), "sonarr")
    assert why_not(scene(NEW, A, {**C, "b.mkv": 10}), "sonarr") == "b.mkv is whole at neither place"


# ------------------------------------------------------------------------------------------------ a model of the server


class Server:
    """One item, two folders. `move` stops after `budget` whole files, and then perhaps in the middle of one."""

    def __init__(self, files: dict[str, int]) -> None:
        self.path = OLD
        self.at: dict[str, dict[str, int]] = {OLD: dict(files), NEW: {}}
        self.lost: list[str] = []
        self.files = dict(files)

    def put(self, path: str, move: bool) -> None:
        source, self.path = self.path, path
        if move and source != path:
            self.transfer(source, path, len(self.files) + 1, None)

    def transfer(self, source: str, target: str, budget: int, partial: float | None) -> None:
        for name in list(self.at[source]):
            if not budget:
                if partial is not None:
                    self.at[target][name] = int(self.at[source][name] * partial)
                return
            budget -= 1
            size = self.at[source].pop(name)
            if self.at[target].get(name, 0) > size:
                self.lost.append(name)
            self.at[target][name] = size

    def scene(self) -> Scene:
        return Scene(self.path, OLD, NEW, self.files, dict(self.at[OLD]), dict(self.at[NEW]))


FILES = st.dictionaries(st.sampled_from([f"{n}.mkv" for n in range(8)]), st.integers(1, 1000), min_size=1)
BREAK = st.tuples(st.integers(0, 8), st.one_of(st.none(), st.floats(0, 0.99)), st.booleans())


@given(FILES, st.lists(BREAK, min_size=1, max_size=4), st.booleans())
def test_whatever_stops_a_move_or_its_mending_no_byte_is_lost(
    files: dict[str, int], breaks: list[tuple[int, float | None, bool]], prefer_back: bool
) -> None:
    """Moves and heals are killed, denied and reverted at any file, again and again; in the end all is in one place."""
    server = Server(files)
    source, target = OLD, NEW
    for budget, partial, reverted in breaks:
        server.path = target
        server.transfer(source, target, budget, partial)
        if reverted and partial is None:
            server.path = source
        ways = remedies(server.scene(), denied=prefer_back)
        if ways:
            way: Remedy = ways[0]
            for path, move in way.steps[:-1]:
                server.put(path, move)
            source = server.path
            target = way.steps[-1][0]
    for _ in range(3):
        for path, move in remedies(server.scene(), denied=prefer_back)[0].steps if remedies(server.scene()) else ():
            server.put(path, move)
    assert server.lost == []
    assert whole(server.scene(), "new") or whole(server.scene(), "old")
