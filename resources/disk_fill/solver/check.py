"""An independent judge of a solution: it knows the problem and the moves, and nothing of how they were found.

Called by tests, laws and benchmarks. It plays the moves one by one and says every rule that is broken as a sentence;
it shares no code with the search.
"""

from __future__ import annotations

from collections.abc import Iterator

from resources.disk_fill.solver.model import Disk, Item, Move, Problem, Solution


def check(problem: Problem, solution: Solution) -> tuple[str, ...]:
    """Every broken rule as a sentence; empty when the solution is lawful."""
    disks = {disk.name: disk for disk in problem.disks}
    items = {item.id: item for item in problem.items}
    faults = [*_each(solution, disks, items)]
    if faults:
        return tuple(faults)
    faults += _prefixes(solution.moves, disks)
    faults += _other_orders(solution.moves, disks)
    faults += _limits(problem, solution)
    faults += _end(problem, solution, disks)
    faults += _purpose(solution.moves, disks)
    return tuple(faults)


def _each(solution: Solution, disks: dict[str, Disk], items: dict[str, Item]) -> Iterator[str]:
    seen: set[str] = set()
    for move in solution.moves:
        item = items.get(move.item)
        if item is None:
            yield f"{move.item} is not an item of the problem"
            continue
        if move.item in seen:
            yield f"{move.item} moves twice"
        if any(need not in seen for need in move.needs):
            yield f"{move.item} needs a move that does not come before it"
        seen.add(move.item)
        if move.source != item.disk or (move.bytes, move.frees) != (item.bytes, item.freed):
            yield f"{move.item} is told wrongly: its disk or its bytes are not those of the problem"
        if not item.movable:
            yield f"{move.item} is pinned and moves"
        if move.target == item.disk or move.target not in item.eligible or move.target not in disks:
            yield f"{move.item} may not go to {move.target}"
        elif disks[move.target].drain:
            yield f"{move.item} goes to {move.target}, which is being emptied"
        if item.freed <= 0:
            yield f"{move.item} frees nothing and moves"


def _prefixes(moves: tuple[Move, ...], disks: dict[str, Disk]) -> Iterator[str]:
    free = {name: disk.free for name, disk in disks.items()}
    for at, move in enumerate(moves, 1):
        free[move.target] -= move.bytes
        if free[move.target] < disks[move.target].min_free:
            yield f"move {at} ({move.item}) leaves {move.target} with {free[move.target]} bytes free, below its limit"
        free[move.source] += move.frees


def _other_orders(moves: tuple[Move, ...], disks: dict[str, Disk]) -> Iterator[str]:
    """`needs` alone must do: each move as early as its needs allow, with every other one into the same disk before."""
    frees = {move.item: move.frees for move in moves}
    for at, move in enumerate(moves):
        came = sum(other.bytes for other in moves[: at + 1] if other.target == move.target)
        left = sum(frees[item] for item in move.needs)
        if disks[move.target].free - came + left < disks[move.target].min_free:
            yield f"{move.item} has no room on {move.target} after the moves it says it needs"


def _limits(problem: Problem, solution: Solution) -> Iterator[str]:
    limits = problem.limits
    if limits.max_moves is not None and len(solution.moves) > limits.max_moves:
        yield f"{len(solution.moves)} moves, {limits.max_moves} allowed"
    if limits.max_bytes is not None and solution.bytes > limits.max_bytes:
        yield f"{solution.bytes} bytes, {limits.max_bytes} allowed"


def _end(problem: Problem, solution: Solution, disks: dict[str, Disk]) -> Iterator[str]:
    wants = {name: _wanted(disk, problem.items) for name, disk in disks.items()}
    free = {name: disk.free for name, disk in disks.items()}
    before = {name: _missing(free[name], *wants[name]) for name in disks}
    for move in solution.moves:
        free[move.source] += move.frees
        free[move.target] -= move.bytes
    after = {name: _missing(free[name], *wants[name]) for name in disks}
    for name in disks:
        if after[name] > before[name]:
            yield f"{name} ends further from its target than it started"
    start = {name: disk.free for name, disk in disks.items()}
    if solution.moves and (_harm(disks, wants, free), sum(after.values())) >= (
        _harm(disks, wants, start),
        sum(before.values()),
    ):
        yield "something moves, and nothing is better for it"
    if solution.met != (sum(after.values()) == 0):
        yield "it is told wrongly whether the targets are met"
    if {short.disk: short.missing for short in solution.short} != {name: miss for name, miss in after.items() if miss}:
        yield "the shortfalls are told wrongly"
    if {disk.disk: (disk.before, disk.after) for disk in solution.disks} != {
        n: (disks[n].free, free[n]) for n in disks
    }:
        yield "the free space after the moves is told wrongly"
    if solution.met and solution.bytes < solution.bound:
        yield "fewer bytes than the bound says any plan needs"


def _purpose(moves: tuple[Move, ...], disks: dict[str, Disk]) -> Iterator[str]:
    """A disk within its limit gives only to make room for what comes, or to fill a disk that wants to be filled."""
    wishes = any(disk.max_free is not None for disk in disks.values())
    for name, disk in disks.items():
        given = [move.frees for move in moves if move.source == name]
        if not given or wishes or disk.drain or disk.free < disk.min_free:
            continue
        came = sum(move.bytes for move in moves if move.target == name)
        if disk.free - came + sum(given) - min(given) >= disk.min_free:
            yield f"{name} is within its limit and gives without need"


def _wanted(disk: Disk, items: tuple[Item, ...]) -> tuple[int, int | None]:
    least = disk.min_free
    if disk.free < disk.min_free:
        least = max(disk.min_free, disk.settle_free or 0)
    if disk.drain:
        leaving = sum(item.freed for item in items if item.disk == disk.name and item.movable)
        return max(least, disk.free + leaving), None
    return least, None if disk.max_free is None else max(disk.max_free, least)


def _harm(disks: dict[str, Disk], wants: dict[str, tuple[int, int | None]], free: dict[str, int]) -> int:
    """Bytes beyond limits in all: as `_missing`, but a disk is not harmed for being short of where it settles."""
    return sum(
        _missing(free[name], least if disks[name].drain else disks[name].min_free, most)
        for name, (least, most) in wants.items()
    )


def _missing(free: int, least: int, most: int | None) -> int:
    if free < least:
        return least - free
    return free - most if most is not None and free > most else 0
