"""Keep a plan within the limits on moves and bytes, doing the most that they allow.

Called by `solve` on an ordered plan. The plan's order already puts first what helps most, so this takes what fits from
its front, and leaves out moves that only made room for one that does not fit.
"""

from __future__ import annotations

from resources.disk_fill.solver.board import Board, State
from resources.disk_fill.solver.order import needed_before, ordered


def within(board: Board, moves: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The moves that the limits allow, in an order in which they can be done; all of them when nothing limits."""
    limits = board.limits
    total = sum(board.size[item] for item, _ in moves)
    if (limits.max_moves is None or len(moves) <= limits.max_moves) and (
        limits.max_bytes is None or total <= limits.max_bytes
    ):
        return moves
    chosen = dict(moves)
    needs = needed_before(board, [item for item, _ in moves], chosen)
    kept: dict[int, int] = {}
    for item, _ in moves:
        wanted = _with_needs(item, needs, kept)
        spent = sum(board.size[other] for other in (*kept, *wanted))
        if limits.max_moves is not None and len(kept) + len(wanted) > limits.max_moves:
            continue
        if limits.max_bytes is not None and spent > limits.max_bytes:
            continue
        trial = State(board, {**kept, **{other: chosen[other] for other in wanted}})
        if trial.lawful() and trial.cost()[:2] < State(board, kept).cost()[:2]:
            kept = {**kept, **{other: chosen[other] for other in wanted}}
    order = ordered(board, kept) or []
    return [(item, kept[item]) for item in order]


def _with_needs(item: int, needs: dict[int, list[int]], kept: dict[int, int]) -> list[int]:
    """The item and all that has to move before it, as far as it is not kept yet."""
    wanted: list[int] = []
    open_items = [item]
    while open_items:
        at = open_items.pop()
        if at not in kept and at not in wanted:
            wanted.append(at)
            open_items.extend(needs[at])
    return wanted
