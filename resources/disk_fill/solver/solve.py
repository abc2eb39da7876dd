"""From a problem to a solution: search, keep within the limits, look again from where that leads, and explain.

The planner calls `solve` and nothing else. Looking again is what makes the result a fixed point: when a target is
missed, what the moves made possible is searched too, so the next plan finds nothing that this one left.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from resources.disk_fill.solver.board import Board, State
from resources.disk_fill.solver.bound import bound_of
from resources.disk_fill.solver.explain import shortfalls
from resources.disk_fill.solver.limits import within
from resources.disk_fill.solver.model import DiskAfter, Move, Problem, Solution
from resources.disk_fill.solver.order import needed_before
from resources.disk_fill.solver.search import search

ROUNDS = 10
"""How often it is looked again at what the moves so far made possible."""


@lru_cache(maxsize=8)  # reading goes in waves, and each wave and the plan itself ask the same question
def solve(problem: Problem) -> Solution:
    """The moves that reach the targets with the fewest bytes plus `price` a move; the nearest state if none does.

    Deterministic, and independent of the order of disks and items. `ValueError` for a malformed problem.
    """
    board = Board(problem)
    moves = _rounds(problem, board) if any(board.needs()) or any(board.wants()) else []
    state = State(board, dict(moves))
    return Solution(
        moves=_moves(board, moves),
        disks=tuple(
            DiskAfter(name, board.free[at], state.free[at], board.target[at]) for at, name in enumerate(board.names)
        ),
        bound=bound_of(board),
        short=shortfalls(board, state, _only_limited(problem, state)),
    )


def _rounds(problem: Problem, board: Board) -> list[tuple[int, int]]:
    """First with the targets held, until nothing is left to gain; then as the next plan would see the disks."""
    moves: list[tuple[int, int]] = []
    now, held = board, True
    for _ in range(ROUNDS):
        found = search(now)
        if _gained(board, [*moves, *found]) >= _gained(board, moves):
            found = []
        kept = within(board, [*moves, *found])
        if len(kept) < len(moves) + len(found):
            return kept
        moves = kept
        if (not found and not held) or State(board, dict(moves)).short() == 0:
            break
        settled = not found
        if settled and not _between(board, moves):
            break
        held = not settled and held
        now = Board(_moved(problem, board, moves, held))
    return moves


def _between(board: Board, moves: list[tuple[int, int]]) -> bool:
    """Whether a source came within its limit: the next plan takes what it settles below that for room."""
    free = State(board, dict(moves)).free
    return any(
        source and not board.drain[at] and board.floor[at] < board.target[at] and board.floor[at] <= free[at]
        for at, source in enumerate(board.source)
    )


def _gained(board: Board, moves: list[tuple[int, int]]) -> tuple[int, int]:
    """What is still amiss after these moves, as the problem itself counts it."""
    return State(board, dict(moves)).cost()[:2]


def _only_limited(problem: Problem, state: State) -> frozenset[int]:
    """Disks that miss their target here, and would reach it without the limits."""
    limits = problem.limits
    if not state.short() or (limits.max_moves is None and limits.max_bytes is None):
        return frozenset()
    free = replace(problem, limits=replace(limits, max_moves=None, max_bytes=None))
    missed = {short.disk for short in solve(free).short}
    return frozenset(at for at, name in enumerate(state.board.names) if name not in missed)


def _moved(problem: Problem, board: Board, moves: list[tuple[int, int]], held: bool) -> Problem:
    """The problem after these moves, in which what moved stays where it is now.

    `held`: a source still goes for where it settles; else one that is within its limit again is a disk like any other.
    """
    state = State(board, dict(moves))
    gone = {board.ids[item]: to for item, to in moves}
    index = {name: at for at, name in enumerate(board.names)}
    disks = []
    for disk in problem.disks:
        at = index[disk.name]
        now = replace(disk, free=state.free[at])
        if held and board.source[at] and not disk.drain:
            now = replace(now, min_free=board.target[at])
        disks.append(now)
    items = tuple(
        replace(item, disk=board.names[gone[item.id]], movable=False) if item.id in gone else item
        for item in problem.items
    )
    return replace(problem, disks=tuple(disks), items=items)


def _moves(board: Board, moves: list[tuple[int, int]]) -> tuple[Move, ...]:
    chosen = dict(moves)
    needs = needed_before(board, [item for item, _ in moves], chosen)
    return tuple(
        Move(
            item=board.ids[item],
            source=board.names[board.home[item]],
            target=board.names[to],
            bytes=board.size[item],
            frees=board.frees[item],
            needs=tuple(board.ids[other] for other in needs[item]),
        )
        for item, to in moves
    )
