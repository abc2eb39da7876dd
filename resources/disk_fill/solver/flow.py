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
    """Bytes by which the full disks and (balance) the empty ones miss their targets in every plan."""
    return _leaving(board)[0] + _coming(board)


def streams(board: Board) -> list[Stream]:
    """Where the items would flow if they were liquid: first what only makes room for others, then the largest."""
    found = _leaving(board)[1]
    return sorted(found, key=lambda stream: (board.source[stream[0]], -stream[3], stream))


def _leaving(board: Board) -> tuple[int, list[Stream]]:
    """What cannot leave the full disks, and the streams of what can."""
    needs = board.needs()
    rooms = [
        0 if drain else max(0, free - target)
        for drain, free, target in zip(board.drain, board.free, board.target, strict=True)
    ]
    classes = sorted(_classes(board, 0).items())
    if len(classes) > CLASSES:
        return 0, []
    graph, flow = _flowed(classes, needs, rooms)
    count = len(needs)
    return sum(needs) - flow, [
        (disk, reach, to, graph.left[to][count + at])
        for at, ((disk, reach), _) in enumerate(classes)
        for to in reach
        if graph.left[to].get(count + at, 0) > 0
    ]


def _coming(board: Board) -> int:
    """What cannot reach the disks that want to be filled, whatever the others can spare."""
    wants = board.wants()
    classes = sorted(_classes(board, 1).items())
    if not any(wants) or len(classes) > CLASSES:
        return 0
    return sum(wants) - _flowed(classes, [_spare(board, disk) for disk in range(len(wants))], wants)[1]


def _spare(board: Board, disk: int) -> int:
    """Bytes that may leave a disk, at most; a move that frees less than it brings makes them more."""
    ceiling = board.ceiling[disk]
    if ceiling is None or any(frees < size for frees, size, _ in board.entries[disk]):
        return sum(entry[1] for entry in board.entries[disk])
    return max(0, ceiling - board.free[disk])


Classes = list[tuple[tuple[int, tuple[int, ...]], int]]


def _flowed(classes: Classes, inflow: list[int], outflow: list[int]) -> tuple[_Graph, int]:
    """The flow from disks through the classes of their items into disks; classes are the nodes after the disks."""
    count = len(inflow)
    graph = _Graph(count + len(classes) + 2)
    start, end = count + len(classes), count + len(classes) + 1
    for disk in range(count):
        graph.join(start, disk, inflow[disk])
        graph.join(disk, end, outflow[disk])
    for at, ((disk, reach), size) in enumerate(classes):
        graph.join(disk, count + at, size)
        for to in reach:
            graph.join(count + at, to, size)
    return graph, graph.flow(start, end)


def _classes(board: Board, part: int) -> dict[tuple[int, tuple[int, ...]], int]:
    """Bytes that may leave each disk, by where they may go: as freed (part 0) or as moved (part 1)."""
    found: dict[tuple[int, tuple[int, ...]], int] = {}
    for disk, entries in enumerate(board.entries):
        for entry in entries:
            key = (disk, board.reach[entry[2]])
            found[key] = found.get(key, 0) + entry[part]
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
