"""Chains: room is made on a disk so that an item can go there which may go nowhere else.

Called by the search for sources that direct moves could not serve. Room comes from sending an incoming item elsewhere
(which costs nothing) or from moving one that is already there on to a third disk, up to `DEPTH` disks deep. An attempt
that leads nowhere leaves no trace.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container, Iterator
from itertools import islice

from resources.disk_fill.solver.board import Entry, State

DEPTH = 3
"""Disks in a row that are asked to make room."""

TRIES = 400
"""Attempts to make room in one call: puts a limit on what a hopeless problem costs."""

FANOUT = 12
"""Items tried on one disk."""


class _Effort:
    def __init__(self, tries: int) -> None:
        self.left = tries

    def spend(self) -> bool:
        self.left -= 1
        return self.left >= 0


def make_way(state: State, sources: list[int]) -> None:
    """Serve sources through disks that have to make room first, as far as that leads."""
    for disk in sources:
        _make_way(state, disk, _Effort(TRIES // len(sources)))


def _make_way(state: State, disk: int, effort: _Effort) -> None:
    while state.need(disk) and effort.left > 0:
        before = state.cost()
        for item in _leavers(state, disk):
            if _admit(state, item, effort) and state.lawful() and state.cost() < before:
                break
        else:
            return


def _leavers(state: State, disk: int) -> list[int]:
    """Items of the disk to try: the smallest that suffice, then the largest of the rest."""
    need = state.need(disk)
    open_items = [entry for entry in state.board.entries[disk] if entry[2] not in state.chosen]
    enough = [entry[2] for entry in open_items if entry[0] >= need]
    rest = [entry[2] for entry in open_items if entry[0] < need]
    return [*enough[:FANOUT], *reversed(rest[-FANOUT:])]


def _admit(state: State, item: int, effort: _Effort) -> bool:
    """Give the item a disk, making room there if need be; False, and nothing changed, when there is no way."""
    board = state.board
    home = board.home[item]
    for to in sorted(board.reach[item], key=lambda at: (-state.room(at), at)):
        if to == home or board.drain[to]:
            continue
        kept = dict(state.chosen)
        state.put(item, to)
        if _settle(state, to, {home}, DEPTH, effort) and state.lawful():
            return True
        _restore(state, kept)
    return False


def _restore(state: State, kept: dict[int, int]) -> None:
    for item in [item for item, to in state.chosen.items() if kept.get(item) != to]:
        state.take(item)
    for item, to in kept.items():
        if item not in state.chosen:
            state.put(item, to)


def _settle(state: State, disk: int, closed: set[int], depth: int, effort: _Effort) -> bool:
    """Bring a disk that was given too much back to its target by sending something on."""
    while (lack := -state.room(disk)) > 0:
        if depth == 0 or not effort.spend():
            return False
        if not any(_send_on(state, item, disk, closed, depth, effort) for item in _movers(state, disk, lack)):
            return False
    return True


def _send_on(state: State, item: int, disk: int, closed: set[int], depth: int, effort: _Effort) -> bool:
    board = state.board
    beyond = closed | {disk}
    for to in sorted(board.reach[item], key=lambda at: (-state.room(at), at)):
        if to in beyond or board.drain[to] or (depth == 1 and state.room(to) < board.size[item]):
            continue
        kept = dict(state.chosen)
        if item in state.chosen:
            state.take(item)
        state.put(item, to)
        if _settle(state, to, beyond, depth - 1, effort):
            return True
        _restore(state, kept)
    return False


def _movers(state: State, disk: int, lack: int) -> Iterator[int]:
    """What could leave the disk: incoming items first (sending them elsewhere is free), then those that live there."""
    board = state.board
    incoming = sorted((board.size[item], board.size[item], item) for item in state.moved_to(disk))
    yield from _closest(incoming, lack, None, set())
    spare = state.spare(disk)
    most = None if spare is None else spare + lack
    yield from _closest(board.entries[disk], lack, most, state.chosen)


def _closest(ranked: list[Entry], lack: int, most: int | None, but: Container[int]) -> Iterator[int]:
    """Items that suffice, the smallest first, then smaller ones, the largest first; as few as `FANOUT` allows."""
    cut = bisect_left(ranked, (lack, 0, 0))
    enough = (entry for entry in islice(ranked, cut, None) if most is None or entry[0] <= most)
    smaller = (ranked[at] for at in range(cut - 1, -1, -1))
    for found, count in ((enough, FANOUT), (smaller, FANOUT // 2)):
        yield from islice((item for _, _, item in found if item not in but), count)
