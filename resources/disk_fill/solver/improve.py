"""Local search on a plan: drop what is not needed, and replace one or two moves of a source by a cheaper set.

Called by the search after a first plan stands. Only accepts what lowers the cost and leaves no disk worse; the number
of attempts is bounded, so the time is.
"""

from __future__ import annotations

from itertools import combinations

from resources.disk_fill.solver.board import State
from resources.disk_fill.solver.build import place
from resources.disk_fill.solver.subsets import covers

FINE = 4_000
"""A source that ends within 1/4,000 of its need above its target is good enough."""

ATTEMPTS = 40
"""Replacements tried for one source."""


def drop_unneeded(state: State) -> None:
    """Take back moves without which every disk still gets what it wants, the largest first."""
    board = state.board
    for item in sorted(state.chosen, key=lambda item: (-board.size[item], item)):
        if state.free[board.home[item]] - board.frees[item] < board.target[board.home[item]]:
            continue
        before = state.short()
        to = state.take(item)
        if state.short() > before or not state.lawful():
            state.put(item, to)


def refine(state: State) -> None:
    """Shrink what sources give beyond their need."""
    board = state.board
    for disk in range(len(board.names)):
        need = board.target[disk] - board.free[disk]
        if need <= 0 or board.drain[disk]:
            continue
        moves = state.moved_from(disk)
        attempts = [*((item,) for item in moves), *combinations(moves[:12], 2)][:ATTEMPTS]
        for out in attempts:
            if state.free[disk] - board.target[disk] <= max(need // FINE, 0):
                break
            if all(item in state.chosen for item in out):
                _replace(state, disk, out)


def _replace(state: State, disk: int, out: tuple[int, ...]) -> None:
    """Exchange these moves of the disk for the cheapest set that does their work, if that is cheaper."""
    before = state.cost()
    places = {item: state.take(item) for item in out}
    everywhere = range(len(state.free))
    need = state.need(disk)
    room = sum(max(0, state.room(at)) for at in everywhere)
    if need:
        for picks in covers(state.pool(disk, everywhere), need, state.board.price, state.spare(disk), room):
            if not place(state, picks):
                continue
            if state.cost() < before and state.lawful():
                return
            for item in picks:
                state.take(item)
    for item, to in places.items():
        state.put(item, to)
