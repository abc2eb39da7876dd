"""Balance: the targets that make all disks equally full, within a tolerance, as ordinary targets of disks.

Called by the planner of `disk_fill` for `balance: true` before `solve`. The level is where the movable bytes would
stand if they could flow freely: no disk above its own limit, none below what cannot leave it. So one disk with a
strict limit, or one full of pinned items, does not make a wish that nothing can fulfil.
"""

from __future__ import annotations

from dataclasses import replace

from resources.disk_fill.solver.model import Disk, Problem

SETTLE = 0.95
"""A disk outside the tolerance is brought to this part of it, so that the next look does not find it outside again."""


def balanced(problem: Problem, tolerance: float) -> Problem:
    """The same problem with every disk of known capacity wanted within `tolerance` (0.01 = 1 % of its size) of the level.

    Limits that the disks have stay; a disk above its own limit still goes down to where it settles, a drained one
    still empties. Disks of unknown capacity keep their wishes and may receive.
    """
    leaving: dict[str, int] = {}
    for item in problem.items:
        if item.movable and item.eligible:
            leaving[item.disk] = leaving.get(item.disk, 0) + item.freed
    known = [disk for disk in problem.disks if disk.capacity and not disk.drain]
    used = {disk.name: (disk.capacity or 0) - disk.free for disk in known}
    coming = sum(leaving.get(disk.name, 0) for disk in problem.disks if disk.drain)
    stuck = {disk.name: used[disk.name] - leaving.get(disk.name, 0) for disk in known}
    level = _level(known, stuck, sum(used.values()) + coming, tolerance)
    disks = tuple(_band(disk, level, tolerance) if disk in known else disk for disk in problem.disks)
    return replace(problem, disks=disks)


def _level(known: list[Disk], stuck: dict[str, int], total: int, tolerance: float) -> float:
    """The fill at which the disks hold `total` bytes together.

    A disk that holds more than the tolerance above it in things that can't leave is left out with what it holds. Below
    that it counts as any other, so that what a balance has moved, and rests now, does not change the level.
    """
    over: set[str] = set()
    while True:
        parts = [
            ((disk.capacity or 0), (disk.capacity or 0) - disk.min_free) for disk in known if disk.name not in over
        ]
        level = _poured(parts, total - sum(stuck[name] for name in over))
        more = {disk.name for disk in known if stuck[disk.name] > (level + tolerance) * (disk.capacity or 0)} - over
        if not more:
            return level
        over |= more


def _poured(parts: list[tuple[int, int]], total: int) -> float:
    """The fill at which parts (size, most) hold `total` bytes together."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        held = sum(min(middle * size, most) for size, most in parts)
        low, high = (middle, high) if held < total else (low, middle)
    return (low + high) / 2


def _band(disk: Disk, level: float, tolerance: float) -> Disk:
    size = disk.capacity or 0
    least_free = max(disk.min_free, size - int((level + tolerance) * size))
    most_free = max(least_free, size - round((level - tolerance) * size))
    settle_free = max(least_free, size - round((level + SETTLE * tolerance) * size))
    if disk.free < disk.min_free:
        settle_free = max(settle_free, disk.settle_free or 0)
    if disk.free > most_free:
        most_free = max(least_free, size - round((level - SETTLE * tolerance) * size))
    most_free = max(most_free, settle_free, disk.settle_free or 0)
    return replace(disk, min_free=least_free, settle_free=settle_free, max_free=most_free)
