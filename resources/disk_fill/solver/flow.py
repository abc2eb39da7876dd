"""How far the full disks could come down if items were liquid: what no plan can beat when targets can't be met.

Called by the search, which stops looking when a plan is this close to the best that can exist, and which follows the
streams where room is scarce and not every item may go everywhere. A maximum flow from
what has to leave, through the disks that items may go to (and on from there, as chains do), into allowed room.
"""

from __future__ import annotations

from collections import deque

from resources.disk_fill.solver.board import Board

CLASSES = 400
"""With more different sets of eligible disks the flow is not worth its time, and 0 is the answer."""


Stream = tuple[int, tuple[int, ...], int, int]
"""(disk, the disks that its items may go to, the one they flow to, bytes)."""


def least_short(board: Board) -> int:
    """Bytes by which the full disks miss their targets in every plan."""
    return _solved(board)[0]


def streams(board: Board) -> list[Stream]:
    """Where the items would flow if they were liquid: first what only makes room for others, then the largest."""
    found = _solved(board)[1]
    return sorted(found, key=lambda stream: (board.source[stream[0]], -stream[3], stream))


def _solved(board: Board) -> tuple[int, list[Stream]]:
    needs = board.needs()
    classes = sorted(_classes(board).items())
    if len(classes) > CLASSES:
        return 0, []
    count = len(board.names)
    graph = _Graph(count + len(classes) + 2)
    start, end = count + len(classes), count + len(classes) + 1
    for disk, need in enumerate(needs):
        graph.join(start, disk, need)
        graph.join(disk, end, 0 if board.drain[disk] else max(0, board.free[disk] - board.target[disk]))
    for at, ((disk, reach), size) in enumerate(classes):
        graph.join(disk, count + at, size)
        for to in reach:
            graph.join(count + at, to, size)
    short = sum(needs) - graph.flow(start, end)
    return short, [
        (disk, reach, to, graph.left[to][count + at])
        for at, ((disk, reach), _) in enumerate(classes)
        for to in reach
        if graph.left[to].get(count + at, 0) > 0
    ]


def _classes(board: Board) -> dict[tuple[int, tuple[int, ...]], int]:
    """Bytes that may leave each disk, by where they may go."""
    found: dict[tuple[int, tuple[int, ...]], int] = {}
    for disk, entries in enumerate(board.entries):
        for frees, _, item in entries:
            key = (disk, board.reach[item])
            found[key] = found.get(key, 0) + frees
    return found


class _Graph:
    """Residual capacities, and augmenting along shortest paths."""

    def __init__(self, nodes: int) -> None:
        self.left: list[dict[int, int]] = [{} for _ in range(nodes)]

    def join(self, one: int, other: int, size: int) -> None:
        if size > 0:
            self.left[one][other] = self.left[one].get(other, 0) + size
            self.left[other].setdefault(one, 0)

    def flow(self, start: int, end: int) -> int:
        total = 0
        while path := self._path(start, end):
            amount = min(self.left[one][other] for one, other in path)
            for one, other in path:
                self.left[one][other] -= amount
                self.left[other][one] += amount
            total += amount
        return total

    def _path(self, start: int, end: int) -> list[tuple[int, int]]:
        came: dict[int, int] = {start: start}
        queue = deque([start])
        while queue:
            at = queue.popleft()
            for other, left in self.left[at].items():
                if left > 0 and other not in came:
                    came[other] = at
                    queue.append(other)
        if end not in came:
            return []
        path = [(came[end], end)]
        while path[-1][0] != start:
            path.append((came[path[-1][0]], path[-1][0]))
        return path
