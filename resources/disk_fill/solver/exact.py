"""The best plan of a small problem, by trying everything that could be better.

Called by the search when there are so few movable items that this is cheap; it also finds chains and swaps that the
heuristics miss. The number of steps is bounded: what was found by then is a plan like any other.
"""

from __future__ import annotations

from bisect import bisect_left

from resources.disk_fill.solver.board import Board, Cost, Entry, State
from resources.disk_fill.solver.order import ordered

SMALL = 16
"""The most movable items with which a problem is small."""

ITEMS = 12
"""The most items decided anew round one disk of a larger problem."""

STEPS = 40_000
"""The most decisions looked at; an eighth of it round a disk of a larger problem."""

TANGLE = 100
"""Steps that a choice without an order counts for: finding that out is what takes the time."""

AROUND = 3
"""The disks of a larger problem round which everything is tried."""


def small(board: Board) -> bool:
    """Whether trying everything is cheap."""
    return sum(len(entries) for entries in board.entries) <= SMALL


def best_of_all(board: Board, known: Cost) -> dict[int, int] | None:
    """The cheapest orderable choice within the limits that beats `known`; None when there is none."""
    items = [entry[2] for entries in board.entries for entry in entries]
    search = _Search(State(board), items, known, STEPS)
    search.decide(0)
    return search.found


def look_around(state: State) -> State:
    """The plan with a few items round each disk that misses its target decided anew; the same plan if none is better."""
    board = state.board
    for disk in [at for at, free in enumerate(state.free) if board.short(at, free)][:AROUND]:
        items = _neighbours(state, disk)
        base = State(board, {item: to for item, to in state.chosen.items() if item not in items})
        search = _Search(base, items, state.cost(), STEPS // 8)
        search.decide(0)
        if search.found is not None:
            state = State(board, search.found)
    return state


def _neighbours(state: State, disk: int) -> list[int]:
    """Items whose moves bear on this disk: its own near what it lacks, what moves, and what lives where those may go."""
    board = state.board
    lack = board.short(disk, state.free[disk])
    own = _nearest(board.entries[disk], lack, ITEMS // 3)
    places = sorted({to for item in own for to in board.reach[item]} | {board.home[i] for i in state.moved_to(disk)})
    found = dict.fromkeys([*own, *state.moved_from(disk)[:3], *state.moved_to(disk)[:3]])
    for at in places:
        found.update(dict.fromkeys(state.moved_to(at)[:2]))
        found.update(dict.fromkeys(_nearest(board.entries[at], lack, 2)))
    for entries in board.entries:
        movers = [entry for entry in entries if disk in board.reach[entry[2]]]
        found.update(dict.fromkeys(_nearest(movers, lack, 1)))
    return list(found)[:ITEMS]


def _nearest(entries: list[Entry], size: int, count: int) -> list[int]:
    cut = bisect_left(entries, (size, 0, 0))
    near = sorted(entries[max(0, cut - count) : cut + count], key=lambda entry: (abs(entry[0] - size), entry[2]))
    return [entry[2] for entry in near[:count]]


class _Search:
    """Depth first over the items given; the moves that `state` has already stay."""

    def __init__(self, state: State, items: list[int], known: Cost, steps: int) -> None:
        board = state.board
        self.board = board
        self.best = known
        self.found: dict[int, int] | None = None
        self.steps = steps
        self.state = state
        self.bytes = sum(board.size[item] for item in state.chosen)
        self.spent = self.bytes + board.price * len(state.chosen)
        self.items = sorted(items, key=lambda item: (-board.size[item], item))
        self.later = [[0] * len(board.names) for _ in range(len(self.items) + 1)]
        self.coming = [[0] * len(board.names) for _ in range(len(self.items) + 1)]
        for at in range(len(self.items) - 1, -1, -1):
            item = self.items[at]
            self.later[at] = list(self.later[at + 1])
            self.later[at][board.home[item]] += board.frees[item]
            self.coming[at] = list(self.coming[at + 1])
            for to in board.reach[item]:
                self.coming[at][to] += board.size[item]

    def decide(self, at: int) -> None:
        """Stay, or go to each disk in turn, for the item at this position and all after it."""
        self.steps -= 1
        if self.steps < 0 or not self._promising(at):
            return
        if at == len(self.items):
            self._offer()
            return
        board, item = self.board, self.items[at]
        limits = board.limits
        self.decide(at + 1)
        if limits.max_moves is not None and len(self.state.chosen) >= limits.max_moves:
            return
        if limits.max_bytes is not None and self.bytes + board.size[item] > limits.max_bytes:
            return
        for to in board.reach[item]:
            self.state.put(item, to)
            self.spent += board.size[item] + board.price
            self.bytes += board.size[item]
            self.decide(at + 1)
            self.spent -= board.size[item] + board.price
            self.bytes -= board.size[item]
            self.state.take(item)

    def _promising(self, at: int) -> bool:
        """Whether the best that could still come of this beats what is known, and no disk is past saving."""
        board, free = self.board, self.state.free
        harm = missing = 0
        for disk, now in enumerate(free):
            most = now + self.later[at][disk]
            if most < board.floor[disk] and now < board.free[disk]:
                return False
            missing += max(0, board.target[disk] - most)
            harm += max(0, (board.target[disk] if board.drain[disk] else board.floor[disk]) - most)
            ceiling = board.ceiling[disk]
            if ceiling is not None:
                beyond = max(0, now - self.coming[at][disk] - ceiling)
                missing, harm = missing + beyond, harm + beyond
        return (harm, missing, self.spent) < self.best

    def _offer(self) -> None:
        state = self.state
        cost = state.cost()
        self.steps -= len(state.chosen) // 4
        if cost >= self.best or not state.lawful():
            return
        if ordered(self.board, state.chosen) is not None:
            self.best, self.found = cost, dict(state.chosen)
        else:
            self.steps -= TANGLE
