"""The solver on the hard cases of real libraries, each small enough to see the right answer by eye."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import bench_solver
from resources.disk_fill.solver import (
    Disk,
    Item,
    Limits,
    Move,
    Problem,
    Solution,
    balanced,
    check,
    lower_bound,
    solve,
)

ALL = ("d1", "d2", "d3")


def solved(problem: Problem) -> Solution:
    solution = solve(problem)
    assert check(problem, solution) == ()
    return solution


def moves(solution: Solution) -> list[tuple[str, str, str]]:
    return [(move.item, move.source, move.target) for move in solution.moves]


def test_a_disk_within_its_limit_stays_as_it_is() -> None:
    problem = Problem(
        (Disk("d1", free=20, min_free=20, settle_free=30), Disk("d2", free=90)), (Item("a", 15, "d1", ALL[:2]),)
    )
    assert moves(solved(problem)) == []


def test_a_disk_above_its_limit_goes_down_to_where_it_settles() -> None:
    disks = (Disk("d1", free=19, min_free=20, settle_free=30), Disk("d2", free=90))
    items = tuple(Item(f"i{size}", size, "d1", ("d2",)) for size in (2, 5, 6, 20))
    solution = solved(Problem(disks, items, Limits(price=0)))
    assert sorted(move.bytes for move in solution.moves) == [5, 6]
    assert (solution.bound, solution.gap) == (11, 0)


def test_no_disk_is_filled_above_its_own_limit() -> None:
    disks = (Disk("d1", free=0, min_free=10), Disk("d2", free=15, min_free=6), Disk("d3", free=12, min_free=2))
    solution = solved(Problem(disks, (Item("a", 10, "d1", ALL),)))
    assert moves(solution) == [("a", "d1", "d3")]


def test_room_is_made_on_the_only_disk_an_item_may_go_to() -> None:
    """`tv` may go to d2 only, which is full of a movie that d3 can take."""
    disks = (Disk("d1", free=0, min_free=10), Disk("d2", free=12, min_free=10), Disk("d3", free=40, min_free=10))
    items = (Item("tv", 10, "d1", ("d1", "d2")), Item("movie", 8, "d2", ("d2", "d3")))
    solution = solved(Problem(disks, items))
    assert moves(solution) == [("movie", "d2", "d3"), ("tv", "d1", "d2")]
    assert solution.moves[1].needs == ("movie",)


def test_room_is_made_across_three_disks_of_a_library_too_large_to_try_everything() -> None:
    disks = tuple(Disk(f"d{at}", free=free, min_free=10) for at, free in ((1, 0), (2, 12), (3, 12), (4, 60)))
    pinned = tuple(Item(f"p{at:02}", 7, f"d{1 + at % 4}", ("d1", "d2", "d3", "d4"), movable=False) for at in range(40))
    crumbs = tuple(Item(f"c{at:02}", 1, "d4", ("d3",)) for at in range(20))
    chain = (Item("a", 10, "d1", ("d2",)), Item("b", 9, "d2", ("d3",)), Item("c", 8, "d3", ("d4",)))
    solution = solved(Problem(disks, (*pinned, *crumbs, *chain)))
    assert solution.met
    assert moves(solution) == [("c", "d3", "d4"), ("b", "d2", "d3"), ("a", "d1", "d2")]


def test_what_may_go_anywhere_leaves_the_room_to_what_may_not() -> None:
    disks = (
        Disk("d1", free=0, min_free=50),
        Disk("d2", free=0, min_free=50),
        Disk("d3", free=60, min_free=5),
        Disk("d4", free=60, min_free=5),
    )
    anywhere = tuple(Item(f"a{at:02}", 5, "d1", ("d3", "d4")) for at in range(12))
    only_d3 = tuple(Item(f"b{at:02}", 5, "d2", ("d3",)) for at in range(12))
    assert solved(Problem(disks, (*anywhere, *only_d3))).met


def test_what_frees_nothing_is_never_moved_to_free_space() -> None:
    disks = (Disk("d1", free=0, min_free=10), Disk("d2", free=90))
    seeding, own = Item("seeding", 10, "d1", ("d2",), frees=0), Item("own", 30, "d1", ("d2",))
    assert moves(solved(Problem(disks, (seeding, own)))) == [("own", "d1", "d2")]
    stuck = solved(Problem(disks, (seeding,)))
    assert moves(stuck) == []
    assert [(short.reason, short.needed) for short in stuck.short] == [("pinned", 10)]


def test_a_target_counts_what_a_move_frees_and_a_receiver_what_arrives() -> None:
    disks = (Disk("d1", free=0, min_free=10), Disk("d2", free=25, min_free=6))
    solution = solved(Problem(disks, (Item("half", 20, "d1", ("d2",), frees=10),)))
    assert moves(solution) == []
    assert solved(Problem((disks[0], replace(disks[1], free=26)), (Item("half", 20, "d1", ("d2",), frees=10),))).met


def test_a_drained_disk_loses_all_that_may_move_and_receives_nothing() -> None:
    disks = (Disk("d1", free=5, min_free=10), Disk("d2", free=50), Disk("d3", free=80, drain=True))
    items = (
        Item("a", 6, "d1", ALL),
        Item("b", 7, "d3", ALL),
        Item("c", 8, "d3", ALL, movable=False),
        Item("d", 9, "d3", ALL, frees=0),
    )
    solution = solved(Problem(disks, items))
    assert sorted(moves(solution)) == [("a", "d1", "d2"), ("b", "d3", "d2")]
    assert solution.met


def test_one_huge_item_does_not_hide_a_set_of_small_ones() -> None:
    items = (Item("huge", 1500, "d1", ("d2",)), *(Item(f"s{at:02}", 20 + at, "d1", ("d2",)) for at in range(40)))
    solution = solved(Problem((Disk("d1", free=0, min_free=966), Disk("d2", free=5000)), items, Limits(price=1)))
    assert solution.gap is not None
    assert solution.gap <= 2


@pytest.mark.parametrize(
    ("disks", "items", "reason", "needed"),
    [
        ((Disk("d1", 0, 10), Disk("d2", 50)), (Item("a", 20, "d1", ("d2",), movable=False),), "pinned", 10),
        ((Disk("d1", 0, 10), Disk("d2", 50, 46)), (Item("a", 20, "d1", ("d2",)),), "room", 6),
        ((Disk("d1", 0, 10), Disk("d2", 50)), (Item("a", 20, "d1", ()),), "eligibility", 10),
        (
            (Disk("d1", 0, 10), Disk("d2", 50, 46), Disk("d3", 90)),
            (Item("a", 20, "d1", ("d2",)),),
            "eligibility",
            6,
        ),
        ((Disk("d1", 0, 10), Disk("d2", 50, 38)), (Item("a", 20, "d1", ("d2",)),), "size", 8),
    ],
)
def test_a_target_out_of_reach_is_said_with_what_would_help(
    disks: tuple[Disk, ...], items: tuple[Item, ...], reason: str, needed: int
) -> None:
    solution = solved(Problem(disks, items))
    assert not solution.met
    assert solution.gap is None
    assert [(short.disk, short.missing, short.reason, short.needed) for short in solution.short] == [
        ("d1", 10, reason, needed)
    ]


def test_out_of_reach_goes_as_far_as_it_can() -> None:
    items = tuple(Item(f"i{size}", size, "d1", ("d2",)) for size in (4, 5, 6))
    solution = solved(Problem((Disk("d1", 0, 14), Disk("d2", 21, 10)), items))
    assert solution.bytes == 11
    assert [(short.missing, short.reason, short.needed) for short in solution.short] == [(3, "room", 3)]


def test_being_within_the_limit_matters_more_than_settling() -> None:
    """The room on d3 goes to the disk above its limit, not to the one that has merely not settled."""
    disks = (Disk("d1", 9, 10, 30), Disk("d2", 0, 20, 20), Disk("d3", 21))
    items = (Item("a", 21, "d1", ("d3",)), Item("b", 20, "d2", ("d3",)), Item("c", 1, "d1", ("d3",)))
    assert sorted(moves(solved(Problem(disks, items)))) == [("b", "d2", "d3"), ("c", "d1", "d3")]


def test_limits_leave_the_moves_that_help_most() -> None:
    items = tuple(Item(f"i{size}", size, "d1", ("d2",)) for size in (3, 4, 5, 6))
    problem = Problem((Disk("d1", 0, 18), Disk("d2", 90)), items)
    two = solved(replace(problem, limits=Limits(max_moves=2)))
    assert sorted(move.bytes for move in two.moves) == [5, 6]
    assert [(short.reason, short.missing) for short in two.short] == [("limits", 7)]
    ten = solved(replace(problem, limits=Limits(max_bytes=10)))
    assert ten.bytes == 10


def test_balance_brings_every_disk_into_the_tolerance() -> None:
    disks = tuple(Disk(name, free=free, capacity=1000) for name, free in zip(ALL, (100, 400, 700), strict=True))
    items = tuple(Item(f"i{at:02}", 3 + at % 17, "d1" if at < 60 else "d2", ALL) for at in range(100))
    solution = solved(balanced(Problem(disks, items, Limits(price=1)), 0.02))
    assert solution.met
    assert all(abs(disk.after - 400) <= 20 for disk in solution.disks)
    assert solution.gap is not None
    assert solution.gap <= 0.02 * solution.bound


def test_balance_respects_a_stricter_limit_and_disks_of_unknown_size() -> None:
    disks = (
        Disk("d1", free=100, min_free=700, capacity=1000),
        Disk("d2", free=800, capacity=1000),
        Disk("d3", free=500, min_free=490),
    )
    items = tuple(Item(f"i{at:03}", 4 + at % 9, "d1", ALL) for at in range(110))
    solution = solved(balanced(Problem(disks, items, Limits(price=1)), 0.02))
    after = {disk.disk: disk.after for disk in solution.disks}
    assert after["d1"] >= 700
    assert after["d3"] >= 490
    assert solution.met


@pytest.mark.parametrize(
    "problem",
    [
        Problem((Disk("d1", 1), Disk("d1", 2)), ()),
        Problem((Disk("d1", 1),), (Item("a", 1, "d1", ()), Item("a", 2, "d1", ()))),
        Problem((Disk("d1", 1),), (Item("a", 1, "d9", ()),)),
        Problem((Disk("d1", 1),), (Item("a", 1, "d1", ("d9",)),)),
        Problem((Disk("d1", 1),), (Item("a", 1, "d1", (), frees=2),)),
        Problem((Disk("d1", -1),), ()),
    ],
)
def test_a_problem_that_contradicts_itself_is_refused(problem: Problem) -> None:
    with pytest.raises(ValueError, match=r"disk|item"):
        solve(problem)


def test_the_judge_sees_broken_rules() -> None:
    problem = Problem((Disk("d1", 0, 10), Disk("d2", 15, 10)), (Item("a", 10, "d1", ("d2",)),))
    honest = solve(problem)
    forged = replace(honest, moves=(Move("a", "d1", "d2", 10, 10),))
    assert any("below its limit" in fault for fault in check(problem, forged))
    assert any(
        "not an item" in fault for fault in check(problem, replace(honest, moves=(Move("b", "d1", "d2", 1, 1),)))
    )
    assert check(problem, replace(honest, short=())) != ()


def test_the_bound_uses_what_few_items_allow() -> None:
    problem = Problem((Disk("d1", 0, 10), Disk("d2", 90)), (Item("a", 7, "d1", ("d2",)), Item("b", 25, "d1", ("d2",))))
    assert lower_bound(problem) == 25


@pytest.mark.parametrize(("items", "disks"), [(300, 4), (5_000, 10)])
@pytest.mark.parametrize("restricted", bench_solver.RESTRICTED)
def test_the_figures_hold_on_other_libraries_than_the_benchmarks(items: int, disks: int, restricted: float) -> None:
    for seed in range(3):
        problem = bench_solver.library(items, disks, restricted, seed=seed)
        solution = solved(problem)
        assert solution.gap is not None
        assert solution.gap <= max(solution.bound // 1000, min(item.bytes for item in problem.items))
        assert len(solution.moves) <= 1.2 * len(bench_solver.greedy(problem))
