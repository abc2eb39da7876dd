"""The order of the moves: every prefix leaves every receiving disk within its limit.

Called once for each finished plan. Moves that bring a full disk down come first, the largest of them first, so that a
run that is cut short has done the most; a move that only makes room waits until it is needed.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush

from resources.disk_fill.solver.board import Board

SEARCHED = 1_000
"""Steps of the search for an order where the simple rule gets stuck."""

TANGLED = 16
"""With more moves than this between disks that both give and take, only the simple rule is asked."""


def ordered(board: Board, chosen: dict[int, int]) -> list[int] | None:
    """Items in an order in which each move has its room when its turn comes; None when none was found."""
    found = _by_rule(board, chosen)
    if len(found) == len(chosen):
        return found
    busy = {board.home[item] for item in chosen}
    first = [item for item in _ranked(board, chosen) if chosen[item] not in busy]
    rest = [item for item in _ranked(board, chosen) if chosen[item] in busy]
    if len(rest) > TANGLED:
        return None
    free = list(board.free)
    for item in first:
        _do(board, free, item, chosen[item])
    tail = _search(board, chosen, free, rest)
    return None if tail is None else [*first, *tail]


def doable(board: Board, chosen: dict[int, int]) -> list[int]:
    """As many of the moves as the simple rule finds an order for."""
    return _by_rule(board, chosen)


def needed_before(board: Board, order: list[int], chosen: dict[int, int]) -> dict[int, list[int]]:
    """For each item the earlier moves off its target without which it has no room there.

    They grow along the order, so any other order that keeps them is allowed too.
    """
    leaving: dict[int, list[int]] = {}
    for item in order:
        leaving.setdefault(board.home[item], []).append(item)
    free = list(board.free)
    used: dict[int, int] = {}
    needs: dict[int, list[int]] = {}
    for item in order:
        to = chosen[item]
        free[to] -= board.size[item]
        count = used.get(to, 0)
        while free[to] < board.floor[to]:
            free[to] += board.frees[leaving[to][count]]
            count += 1
        used[to] = count
        needs[item] = leaving.get(to, [])[:count]
    return needs


def _key(board: Board, item: int) -> tuple[bool, int, int]:
    return not board.source[board.home[item]], -board.frees[item], item


def _ranked(board: Board, chosen: dict[int, int]) -> list[int]:
    return sorted(chosen, key=lambda item: _key(board, item))


def _fits(board: Board, free: list[int], item: int, to: int) -> bool:
    return free[to] - board.size[item] >= board.floor[to]


def _do(board: Board, free: list[int], item: int, to: int) -> None:
    free[to] -= board.size[item]
    free[board.home[item]] += board.frees[item]


def _by_rule(board: Board, chosen: dict[int, int]) -> list[int]:
    free = list(board.free)
    heap = [_key(board, item) for item in chosen]
    heapify(heap)
    waiting: dict[int, list[int]] = {}
    order = []
    while heap:
        item = heappop(heap)[2]
        to = chosen[item]
        if not _fits(board, free, item, to):
            waiting.setdefault(to, []).append(item)
            continue
        _do(board, free, item, to)
        order.append(item)
        for other in waiting.pop(board.home[item], []):
            heappush(heap, _key(board, other))
    return order


def _search(board: Board, chosen: dict[int, int], free: list[int], rest: list[int]) -> list[int] | None:
    """Depth first over the moves into disks that also give; sets of done moves are looked at once."""
    seen: set[frozenset[int]] = set()
    stack: list[tuple[list[int], list[int]]] = [([], free)]
    for _ in range(SEARCHED):
        if not stack:
            return None
        done, now = stack.pop()
        if len(done) == len(rest):
            return done
        for item in reversed(rest):
            if item in done or not _fits(board, now, item, chosen[item]):
                continue
            key = frozenset((*done, item))
            if key not in seen:
                seen.add(key)
                after = list(now)
                _do(board, after, item, chosen[item])
                stack.append(([*done, item], after))
    return None
