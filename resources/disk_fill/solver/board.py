"""A problem in the form the search works on: numbers instead of names, in one order whatever the input's order was.

Used by every module of the solver but the checker, which has to stay independent. `Board` is the fixed part, `State`
a set of chosen moves with the free bytes they would end at. Disks and items are sorted by name and id, which is what
makes the solver deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable

from resources.disk_fill.solver.model import Disk, Item, Problem

Entry = tuple[int, int, int]
"""(bytes freed, bytes moved, index of the item): what the subset search sorts."""

Cost = tuple[int, int, int]
"""(bytes beyond the limits, bytes short of the targets, bytes moved + price per move): smaller is better, in this
order. A disk between its limit and where it settles is not reached, but no harm."""


class Board:
    """The compiled problem. Disk and item indexes are positions in the lists held here."""

    def __init__(self, problem: Problem) -> None:
        """Compile; `ValueError` names what contradicts itself."""
        disks = sorted(problem.disks, key=lambda disk: disk.name)
        index = {disk.name: at for at, disk in enumerate(disks)}
        _validate(problem, index)
        self.limits = problem.limits
        self.price = problem.limits.price
        self.names = [disk.name for disk in disks]
        self.free = [disk.free for disk in disks]
        self.floor = [disk.min_free for disk in disks]
        self.drain = [disk.drain for disk in disks]
        self.source = [disk.drain or disk.free < disk.min_free for disk in disks]
        receives = [not disk.drain for disk in disks]
        items = sorted(problem.items, key=lambda item: item.id)
        self.ids = [item.id for item in items]
        self.size = [item.bytes for item in items]
        self.frees = [item.freed for item in items]
        self.home = [index[item.disk] for item in items]
        reaches: dict[tuple[str, tuple[str, ...]], tuple[int, ...]] = {}
        self.reach = [_reach(item, index, receives, reaches) for item in items]
        self.movable = [item.movable and item.freed > 0 for item in items]
        self.entries: list[list[Entry]] = [[] for _ in disks]
        leaving = [0] * len(disks)
        for at in range(len(items)):
            if self.movable[at]:
                leaving[self.home[at]] += self.frees[at]
                if self.reach[at]:
                    self.entries[self.home[at]].append((self.frees[at], self.size[at], at))
        for entries in self.entries:
            entries.sort()
        self.target = [_target(disk, leaving[at]) for at, disk in enumerate(disks)]
        self.ceiling = [
            None if disk.max_free is None or disk.drain else max(disk.max_free, self.target[at])
            for at, disk in enumerate(disks)
        ]

    def short(self, disk: int, free: int) -> int:
        """Bytes by which this much free space misses what the disk wants."""
        ceiling = self.ceiling[disk]
        if free < self.target[disk]:
            return self.target[disk] - free
        return free - ceiling if ceiling is not None and free > ceiling else 0

    def harm(self, disk: int, free: int) -> int:
        """Bytes by which this much free space breaks a limit of the disk; where it settles is not one."""
        ceiling = self.ceiling[disk]
        limit = self.target[disk] if self.drain[disk] else self.floor[disk]
        if free < limit:
            return limit - free
        return free - ceiling if ceiling is not None and free > ceiling else 0

    def needs(self) -> list[int]:
        """Bytes each disk has to get rid of."""
        return [max(0, self.target[at] - free) for at, free in enumerate(self.free)]

    def wants(self) -> list[int]:
        """Bytes each disk has to be given (balance)."""
        return [
            0 if ceiling is None else max(0, free - ceiling)
            for free, ceiling in zip(self.free, self.ceiling, strict=True)
        ]


def _reach(
    item: Item,
    index: dict[str, int],
    receives: list[bool],
    known: dict[tuple[str, tuple[str, ...]], tuple[int, ...]],
) -> tuple[int, ...]:
    key = (item.disk, item.eligible)
    if key not in known:
        try:
            places = sorted({index[name] for name in item.eligible if name != item.disk})
        except KeyError as missing:
            raise ValueError(f"item {item.id!r} may go to {missing}, which is not a disk of the problem") from None
        known[key] = tuple(at for at in places if receives[at])
    return known[key]


def _target(disk: Disk, leaving: int) -> int:
    if disk.free < disk.min_free:
        wanted = disk.min_free if disk.settle_free is None else max(disk.min_free, disk.settle_free)
    else:
        wanted = disk.min_free
    return max(wanted, disk.free + leaving) if disk.drain else wanted


def _validate(problem: Problem, index: dict[str, int]) -> None:
    if len(index) != len(problem.disks):
        raise ValueError("two disks have the same name")
    for disk in problem.disks:
        if disk.free < 0 or disk.min_free < 0:
            raise ValueError(f"disk {disk.name!r}: free and min_free are at least 0")
    if len({item.id for item in problem.items}) != len(problem.items):
        raise ValueError("two items have the same id")
    for item in problem.items:
        if item.disk not in index:
            raise ValueError(f"item {item.id!r} is on {item.disk!r}, which is not a disk of the problem")
        if item.bytes < 0 or not 0 <= item.freed <= item.bytes:
            raise ValueError(f"item {item.id!r}: 0 <= frees <= bytes does not hold")


class State:
    """Chosen moves (`chosen`: item → disk, each item at most once) and where they end."""

    def __init__(self, board: Board, chosen: dict[int, int] | None = None) -> None:
        self.board = board
        self.free = list(board.free)
        self.chosen: dict[int, int] = {}
        for item, disk in (chosen or {}).items():
            self.put(item, disk)

    def put(self, item: int, disk: int) -> None:
        """Choose the move of an item that has none."""
        board = self.board
        self.chosen[item] = disk
        self.free[board.home[item]] += board.frees[item]
        self.free[disk] -= board.size[item]

    def take(self, item: int) -> int:
        """Undo the move of an item; returns where it was to go."""
        board = self.board
        disk = self.chosen.pop(item)
        self.free[board.home[item]] -= board.frees[item]
        self.free[disk] += board.size[item]
        return disk

    def room(self, disk: int) -> int:
        """Bytes the disk may still take: negative for one that is itself too full, none for one to be emptied."""
        return -1 if self.board.drain[disk] else self.free[disk] - self.board.target[disk]

    def rooms(self) -> list[int]:
        """`room` of every disk."""
        return [self.room(disk) for disk in range(len(self.free))]

    def need(self, disk: int) -> int:
        """Bytes the disk still has to get rid of."""
        return max(0, self.board.target[disk] - self.free[disk])

    def spare(self, disk: int) -> int | None:
        """Bytes that may leave the disk before it is too empty; None for any."""
        ceiling = self.board.ceiling[disk]
        return None if ceiling is None else max(0, ceiling - self.free[disk])

    def pool(self, disk: int, receivers: Iterable[int]) -> list[Entry]:
        """Items of the disk that have no move yet and fit at least one of the receivers, smallest first."""
        board = self.board
        rooms = {at: self.room(at) for at in receivers}
        best: dict[tuple[int, ...], int] = {}
        found = []
        for entry in board.entries[disk]:
            reach = board.reach[entry[2]]
            if reach not in best:
                best[reach] = max((rooms.get(at, -1) for at in reach), default=-1)
            if entry[1] <= best[reach] and entry[2] not in self.chosen:
                found.append(entry)
        return found

    def moved_from(self, disk: int) -> list[int]:
        """Items with a move away from this disk, in the order of their ids."""
        return sorted(item for item in self.chosen if self.board.home[item] == disk)

    def moved_to(self, disk: int) -> list[int]:
        """Items with a move to this disk, in the order of their ids."""
        return sorted(item for item, to in self.chosen.items() if to == disk)

    def short(self) -> int:
        """Bytes missing to the targets of all disks together."""
        return sum(self.board.short(disk, free) for disk, free in enumerate(self.free))

    def cost(self) -> Cost:
        """What the search minimises."""
        board = self.board
        harm = sum(board.harm(disk, free) for disk, free in enumerate(self.free))
        return harm, self.short(), sum(board.size[item] for item in self.chosen) + board.price * len(self.chosen)

    def lawful(self) -> bool:
        """Whether no disk ends in a state that is worse than the one it is in."""
        board = self.board
        return all(board.short(at, free) <= board.short(at, board.free[at]) for at, free in enumerate(self.free))
