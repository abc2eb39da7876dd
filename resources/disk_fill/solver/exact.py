"""The best plan of a small problem, by trying everything that could be better.

Called by the search when there are so few movable items that this is cheap; it also finds chains and swaps that the
heuristics miss. The number of steps is bounded: what was found by then is a plan like any other.
"""

from __future__ import annotations

from resources.disk_fill.solver.board import Board, Cost, State
from resources.disk_fill.solver.order import ordered

ITEMS = 12
"""The most movable items for which it is tried."""

STEPS = 40_000
"""The most decisions looked at."""


def small(board: Board) -> bool:
    """Whether trying everything is cheap."""
    return sum(len(entries) for entries in board.entries) <= ITEMS


def best_of_all(board: Board, known: Cost) -> dict[int, int] | None:
    """The cheapest orderable choice within the limits that beats `known`; None when there is none."""
    search = _Search(board, known)
    search.decide(0)
    return search.found


class _Search:
    def __init__(self, board: Board, known: Cost) -> None:
        self.board = board
        self.best = known
        self.found: dict[int, int] | None = None
        self.steps = 0
        self.state = State(board)
        self.spent = 0
        self.bytes = 0
        ranked = sorted((entry for entries in board.entries for entry in entries), key=lambda e: (-e[1], e[2]))
        self.items = [entry[2] for entry in ranked]
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
        self.steps += 1
        if self.steps > STEPS or not self._promising(at):
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
        if cost < self.best and state.lawful() and ordered(self.board, state.chosen) is not None:
            self.best, self.found = cost, dict(state.chosen)
