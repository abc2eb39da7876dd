"""The least bytes that any plan has to move: a proof printed next to what the plan moves, never an estimate.

Called by `solve` and by the tests, which hold it against a brute-force optimum. The closed form is the larger of what
has to leave the full disks and what has to reach the empty ones; each full disk's share is raised where cheap facts
about its own items allow it (what may leave at all, what fits anywhere, the subsets of a few items).
"""

from __future__ import annotations

from itertools import pairwise

from resources.disk_fill.solver.board import Board, Entry
from resources.disk_fill.solver.model import Problem

EXACT_UP_TO = 20
"""With so few items on a disk every subset is looked at: two halves of 2^10."""


def lower_bound(problem: Problem) -> int:
    """Bytes that every set of moves which reaches all targets has to move. `ValueError` for a malformed problem."""
    return bound_of(Board(problem))


def bound_of(board: Board) -> int:
    """`lower_bound` of a compiled problem."""
    most = _most(board)
    leaving = sum(_share(_placeable(board, disk, most), need) for disk, need in enumerate(board.needs()) if need)
    return max(leaving, sum(board.wants()))


def fewest_moves(board: Board) -> int:
    """Moves that every plan needs: as many as the largest items of each full disk would take."""
    return sum(_as_many(board.entries[disk], need) for disk, need in enumerate(board.needs()))


def _as_many(entries: list[Entry], need: int) -> int:
    total = count = 0
    for entry in reversed(entries):
        if total >= need:
            break
        total += entry[0]
        count += 1
    return count


def _share(entries: list[Entry], need: int) -> int:
    if sum(entry[0] for entry in entries) < need:
        return need
    if len(entries) <= EXACT_UP_TO:
        return _least_subset(entries, need)
    covering = min((entry[1] for entry in entries if entry[0] >= need), default=None)
    smaller = [entry for entry in entries if entry[0] < need]
    if covering is not None and sum(entry[0] for entry in smaller) < need:
        return max(need, covering)
    return max(need, _smallest_of_as_many(entries, need))


def _most(board: Board) -> list[int]:
    """What each disk could hold if everything movable had left it."""
    return [
        free + sum(entry[0] for entry in entries) - floor
        for free, entries, floor in zip(board.free, board.entries, board.floor, strict=True)
    ]


def _placeable(board: Board, disk: int, most: list[int]) -> list[Entry]:
    """Items of the disk that fit on some disk they may go to, at its emptiest."""
    reaches = {board.reach[entry[2]] for entry in board.entries[disk]}
    largest = {reach: max(most[at] for at in reach) for reach in reaches}
    return [entry for entry in board.entries[disk] if entry[1] <= largest[board.reach[entry[2]]]]


def _smallest_of_as_many(entries: list[Entry], need: int) -> int:
    """As many items as the largest ones would have to be, counted with the sizes of the smallest."""
    return sum(sorted(entry[1] for entry in entries)[: _as_many(entries, need)])


def _least_subset(entries: list[Entry], need: int) -> int:
    """The fewest bytes of any subset that frees the need, by meeting in the middle."""
    half = len(entries) // 2
    left, right = _subsets(entries[:half]), _subsets(entries[half:])
    best: int | None = None
    at = len(right) - 1
    cheapest = _suffix_minimum(right)
    for frees, size in left:
        while at > 0 and frees + right[at - 1][0] >= need:
            at -= 1
        if frees + right[at][0] >= need:
            total = size + cheapest[at]
            best = total if best is None or total < best else best
    return need if best is None else best


def _subsets(entries: list[Entry]) -> list[tuple[int, int]]:
    sums = [(0, 0)]
    for frees, size, _ in entries:
        sums += [(total + frees, spent + size) for total, spent in sums]
    sums.sort()
    return [sums[0], *(after for before, after in pairwise(sums) if after[0] != before[0])]


def _suffix_minimum(sums: list[tuple[int, int]]) -> list[int]:
    least = [size for _, size in sums]
    for at in range(len(least) - 2, -1, -1):
        least[at] = min(least[at], least[at + 1])
    return least
