"""The search: first plans in several styles, chains where those fall short, local search, and a look at everything
when the problem is small.

Called by `solve`. It stops as soon as a plan is near its bound, so easy problems cost one pass; every plan that comes
out has an order in which it can be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from resources.disk_fill.solver import exact
from resources.disk_fill.solver.board import Board, Cost, State
from resources.disk_fill.solver.bound import bound_of, fewest_moves
from resources.disk_fill.solver.build import by_choice, by_need, serve_all
from resources.disk_fill.solver.chains import make_way
from resources.disk_fill.solver.even import even_out
from resources.disk_fill.solver.flow import least_short
from resources.disk_fill.solver.follow import follow
from resources.disk_fill.solver.improve import drop_unneeded, refine
from resources.disk_fill.solver.order import doable, ordered

NEAR = 2_000
"""A plan within 1/2,000 of the bound is not searched further."""

CROWD = 3
"""A plan with more than three times the moves that any plan needs makes the search try its other styles too."""

_STYLES: tuple[tuple[Callable[[State], list[int]], bool, bool], ...] = (
    (by_need, False, False),
    (by_choice, False, False),
    (by_choice, True, True),
    (by_choice, True, False),
    (by_need, True, False),
)


def search(board: Board) -> list[tuple[int, int]]:
    """The moves of the best plan found, as (item, disk) in the order to do them."""
    best = State(board)
    mark = Mark(board)
    for plan in _plans(board, mark):
        candidate = _finished(plan)
        if candidate.cost() < best.cost():
            best = candidate
        if mark.near(best):
            break
    if not mark.reached(best):
        around = _finished(exact.look_around(best))
        best = around if around.cost() < best.cost() else best
    if exact.small(board):
        found = exact.best_of_all(board, _within_limits(board, best))
        best = State(board, found) if found is not None else best
    order = ordered(board, best.chosen) or []
    return [(item, best.chosen[item]) for item in order]


class Mark:
    """What a plan is measured by: the bytes and moves that any plan needs, and the bytes that any plan misses."""

    def __init__(self, board: Board) -> None:
        self.bound = bound_of(board)
        self.short = least_short(board)
        self.moves = fewest_moves(board)
        self.start = State(board).short()

    def reached(self, state: State) -> bool:
        """Whether hardly any plan could come closer to the targets."""
        missed = state.short() - self.short
        return missed <= 0 or (self.short > 0 and missed <= self.start // NEAR)

    def near(self, state: State) -> bool:
        """Whether looking further is not worth the time."""
        if not self.reached(state):
            return False
        moved = sum(state.board.size[item] for item in state.chosen)
        return self.short > 0 or (moved - self.bound <= self.bound // NEAR and len(state.chosen) <= CROWD * self.moves)


def _plans(board: Board, mark: Mark) -> Iterator[State]:
    for sources_of, tight, guided in _STYLES:
        state = State(board)
        if guided:
            follow(state)
        if any(board.wants()):
            even_out(state)
        serve_all(state, sources_of(state), tight)
        if not mark.reached(state):
            make_way(state, by_need(state))
        yield state


def _within_limits(board: Board, state: State) -> Cost:
    """The cost to beat: none when the plan breaks a limit, so that any plan within it does."""
    limits = board.limits
    moved = sum(board.size[item] for item in state.chosen)
    over = (limits.max_moves is not None and len(state.chosen) > limits.max_moves) or (
        limits.max_bytes is not None and moved > limits.max_bytes
    )
    return State(board).cost() if over else state.cost()


def _finished(state: State) -> State:
    """The plan, cheaper where that is easy, and without moves that no order makes possible."""
    refine(state)
    lean = State(state.board, state.chosen)
    drop_unneeded(lean)
    if ordered(state.board, lean.chosen) is not None:
        return lean if lean.lawful() else State(state.board)
    possible = doable(state.board, state.chosen)
    kept = State(state.board, {item: state.chosen[item] for item in possible})
    drop_unneeded(kept)
    if kept.lawful() and ordered(state.board, kept.chosen) is not None:
        return kept
    return State(state.board)
