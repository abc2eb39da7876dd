"""The solver against every possible plan of small problems, and the laws of its answer on random ones.

The brute force here knows nothing of the solver: it walks over all states that lawful moves can reach, so it covers
chains and the order of moves too.
"""

from __future__ import annotations

import random
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from resources.disk_fill.solver import Disk, Item, Limits, Problem, Solution, balanced, check, lower_bound, solve
from tests.effort import examples

NAMES = ("d1", "d2", "d3", "d4")


@st.composite
def problems(draw: st.DrawFn, most_items: int = 6, most_disks: int = 4, limited: bool = False) -> Problem:
    names = NAMES[: draw(st.integers(2, most_disks))]
    disks = []
    for name in names:
        least = draw(st.integers(0, 30))
        disks.append(
            Disk(
                name,
                free=draw(st.integers(0, 60)),
                min_free=least,
                settle_free=draw(st.none() | st.integers(least, least + 15)),
                max_free=draw(st.none() | st.none() | st.integers(least, 60)),
                drain=draw(st.integers(0, 7)) == 0,
                capacity=100,
            )
        )
    items = []
    for at in range(draw(st.integers(0, most_items))):
        size = draw(st.integers(1, 40))
        items.append(
            Item(
                f"i{at}",
                size,
                draw(st.sampled_from(names)),
                tuple(sorted(draw(st.sets(st.sampled_from(names))))),
                frees=draw(st.sampled_from((None, None, None, 0, size // 2))),
                movable=draw(st.integers(0, 5)) > 0,
            )
        )
    limits = Limits(price=draw(st.integers(0, 3)))
    if limited:
        limits = replace(
            limits, max_moves=draw(st.none() | st.integers(0, 4)), max_bytes=draw(st.none() | st.integers(0, 80))
        )
    return Problem(tuple(disks), tuple(items), limits)


def targets(problem: Problem) -> dict[str, tuple[int, int | None]]:
    """Least and most free bytes each disk is to end with."""
    wanted = {}
    for disk in problem.disks:
        least = disk.min_free
        if disk.free < disk.min_free:
            least = max(least, disk.settle_free or 0)
        most = None if disk.max_free is None else max(disk.max_free, least)
        if disk.drain:
            leaving = sum(item.freed for item in problem.items if item.disk == disk.name and item.movable)
            least, most = max(least, disk.free + leaving), None
        wanted[disk.name] = (least, most)
    return wanted


def missing(wanted: tuple[int, int | None], free: int) -> int:
    least, most = wanted
    return max(0, least - free, 0 if most is None else free - most)


def harm(problem: Problem, free: dict[str, int]) -> int:
    """Bytes beyond the limits of all disks together; where a disk settles is no limit."""
    wanted = targets(problem)
    return sum(
        missing((wanted[disk.name][0] if disk.drain else disk.min_free, wanted[disk.name][1]), free[disk.name])
        for disk in problem.disks
    )


def optimum(problem: Problem) -> tuple[int, int, int]:
    """(bytes beyond limits, bytes missing to the targets, bytes + price of the moves) of the best lawful sequence of moves."""
    disks = {disk.name: disk for disk in problem.disks}
    movable = [item for item in problem.items if item.movable and item.freed > 0]
    wanted = targets(problem)
    start = {name: missing(wanted[name], disk.free) for name, disk in disks.items()}
    best = (harm(problem, {disk.name: disk.free for disk in problem.disks}), sum(start.values()), 0)
    seen: set[tuple[tuple[str, str], ...]] = {()}
    front: list[dict[str, str]] = [{}]
    while front:
        done = front.pop()
        free = {name: disk.free for name, disk in disks.items()}
        spent = 0
        for item in movable:
            if item.id in done:
                free[item.disk] += item.freed
                free[done[item.id]] -= item.bytes
                spent += item.bytes
        now = {name: missing(wanted[name], free[name]) for name in disks}
        if all(now[name] <= start[name] for name in disks):
            best = min(best, (harm(problem, free), sum(now.values()), spent + problem.limits.price * len(done)))
        for item in movable:
            for to in item.eligible:
                if item.id in done or to == item.disk or disks[to].drain or free[to] - item.bytes < disks[to].min_free:
                    continue
                if problem.limits.max_moves is not None and len(done) >= problem.limits.max_moves:
                    continue
                if problem.limits.max_bytes is not None and spent + item.bytes > problem.limits.max_bytes:
                    continue
                after = {**done, item.id: to}
                key = tuple(sorted(after.items()))
                if key not in seen:
                    seen.add(key)
                    front.append(after)
    return best


def left(problem: Problem, solution: Solution) -> int:
    return harm(problem, {disk.disk: disk.after for disk in solution.disks})


@given(problems(most_items=5))
@settings(max_examples=examples(250), deadline=None)
def test_no_lawful_plan_is_better(problem: Problem) -> None:
    solution = solve(problem)
    assert check(problem, solution) == ()
    short = sum(entry.missing for entry in solution.short)
    cost = solution.bytes + problem.limits.price * len(solution.moves)
    assert (left(problem, solution), short, cost) == optimum(problem)


@given(problems(most_items=5, most_disks=3, limited=True))
@settings(max_examples=examples(120), deadline=None)
def test_no_plan_within_the_limits_is_better(problem: Problem) -> None:
    solution = solve(problem)
    assert check(problem, solution) == ()
    short = sum(entry.missing for entry in solution.short)
    assert (left(problem, solution), short) == optimum(problem)[:2]


@given(problems(most_items=6))
@settings(max_examples=examples(120), deadline=None)
def test_the_bound_is_never_above_the_optimum(problem: Problem) -> None:
    free_of_price = replace(problem, limits=Limits(price=0))
    _, short, cost = optimum(free_of_price)
    if short == 0:
        assert lower_bound(problem) <= cost


def medium(seed: int) -> Problem:
    """Too large for brute force: scarce room, restricted and pinned items, links that free little, a drained disk."""
    rng = random.Random(seed)
    names = [f"d{at}" for at in range(rng.randint(3, 8))]
    disks = []
    for name in names:
        least = rng.randint(50, 300)
        free = rng.choice((rng.randint(0, least), rng.randint(least, 900)))
        disks.append(Disk(name, free, least, least + rng.choice((0, 40)), drain=rng.random() < 0.1, capacity=3_000))
    second = names[:: rng.choice((1, 2, 3))]
    items = []
    for at in range(rng.randint(20, 150)):
        size = max(1, min(int(rng.lognormvariate(2.5, 1.2)), 400))
        eligible = tuple(second if rng.random() < 0.4 else names)
        frees = rng.choice((None, None, None, 0, size // 3))
        items.append(Item(f"i{at:03}", size, rng.choice(names), eligible, frees, movable=rng.random() > 0.1))
    return Problem(tuple(disks), tuple(items), Limits(price=1))


@given(st.integers(0, 100_000), st.sampled_from((None, 0.02, 0.1)))
@settings(max_examples=examples(60), deadline=None)
def test_random_problems_end_lawfully(seed: int, tolerance: float | None) -> None:
    problem = medium(seed) if tolerance is None else balanced(medium(seed), tolerance)
    assert check(problem, solve(problem)) == ()


@given(st.integers(0, 100_000), st.integers(0, 8), st.integers(0, 900))
@settings(max_examples=examples(40), deadline=None)
def test_limits_hold(seed: int, moves: int, size: int) -> None:
    problem = replace(medium(seed), limits=Limits(max_moves=moves, max_bytes=size, price=1))
    assert check(problem, solve(problem)) == ()


@given(st.integers(0, 100_000), st.randoms(use_true_random=False))
@settings(max_examples=examples(60), deadline=None)
def test_the_order_of_the_input_does_not_matter(seed: int, rng: random.Random) -> None:
    problem = medium(seed)
    disks, items = list(problem.disks), list(problem.items)
    rng.shuffle(disks)
    rng.shuffle(items)
    items = [replace(item, eligible=tuple(rng.sample(item.eligible, len(item.eligible)))) for item in items]
    assert solve(Problem(tuple(disks), tuple(items), problem.limits)) == solve(problem)


def after(problem: Problem, solution: Solution) -> Problem:
    """The world once all is done; what moved rests."""
    went = {move.item: move.target for move in solution.moves}
    free = {disk.disk: disk.after for disk in solution.disks}
    return Problem(
        tuple(replace(disk, free=free[disk.name]) for disk in problem.disks),
        tuple(replace(item, disk=went[item.id], movable=False) if item.id in went else item for item in problem.items),
        problem.limits,
    )


@given(st.integers(0, 100_000))
@settings(max_examples=examples(100), deadline=None)
def test_what_it_leads_to_asks_for_nothing_more(seed: int) -> None:
    """Fixed point: planned again after all moves, nothing moves."""
    problem = medium(seed)
    assert solve(after(problem, solve(problem))).moves == ()


@given(st.integers(0, 100_000), st.sampled_from((0.02, 0.1)))
@settings(max_examples=examples(60), deadline=None)
def test_what_is_balanced_stays_balanced(seed: int, tolerance: float) -> None:
    """Fixed point of a balance that was reached: the level that is computed anew is the same one."""
    problem = medium(seed)
    problem = replace(problem, items=tuple(replace(item, frees=None) for item in problem.items))
    solution = solve(balanced(problem, tolerance))
    if solution.met:
        assert solve(balanced(after(problem, solution), tolerance)).moves == ()
