"""First plans: which items leave the disks that are too full, and where each goes.

Called by the search, several times in different styles. A source is served either "loose" (choose the best subset,
then find a place for each of its items) or "tight" (fill one receiver after the other nearly to its brim), which finds
a way where room is scarce.
"""

from __future__ import annotations

from collections.abc import Iterable

from resources.disk_fill.solver.board import Entry, State
from resources.disk_fill.solver.subsets import Picks, covers, fill


def serve_all(state: State, sources: Iterable[int], tight: bool) -> None:
    """Serve every source in turn; what finds no way stays needed."""
    for disk in sources:
        if state.board.drain[disk]:
            _empty(state, disk)
        else:
            serve(state, disk, tight)


def by_need(state: State) -> list[int]:
    """Disks that have to get rid of something: those to be emptied first, then the largest need."""
    drain = state.board.drain
    needs = {disk: state.need(disk) for disk in range(len(drain))}
    return sorted((at for at, need in needs.items() if need), key=lambda at: (not drain[at], -needs[at], at))


def by_choice(state: State) -> list[int]:
    """The same disks, those first whose items have the least room to go to for what has to leave."""
    board = state.board

    def choice(disk: int) -> float:
        pool = state.pool(disk, range(len(board.names)))
        places = {to for entry in pool for to in board.reach[entry[2]]}
        return sum(max(0, state.room(to)) for to in places) / state.need(disk)

    return sorted(by_need(state), key=lambda at: (choice(at), at))


def serve(state: State, disk: int, tight: bool) -> None:
    """Choose moves off one disk until it has what it needs, or nothing more fits."""
    need = state.need(disk)
    if not need:
        return
    everywhere = range(len(state.free))
    if not tight:
        pool = state.pool(disk, everywhere)
        room = sum(max(0, state.room(at)) for at in everywhere)
        for picks in covers(pool, need, state.board.price, state.spare(disk), room):
            if place(state, picks):
                return
    _brim(state, disk)


def _empty(state: State, disk: int) -> None:
    """Everything that may leave a disk does: what has the fewest places first, then the largest."""
    board = state.board
    pool = state.pool(disk, range(len(state.free)))
    for _, size, item in sorted(pool, key=lambda entry: (len(board.reach[entry[2]]), -entry[1], entry[2])):
        places = [(state.room(at), -at) for at in board.reach[item] if state.room(at) >= size]
        if places:
            state.put(item, -max(places)[1])


def place(state: State, picks: Picks) -> bool:
    """Find a disk for every item, or leave the state as it was: first the roomiest disk each, then the tightest."""
    board = state.board
    ranked = sorted(picks, key=lambda item: (len(board.reach[item]), -board.size[item], item))
    for roomiest in (True, False):
        done: list[int] = []
        for item in ranked:
            fits = [(state.room(at), -at) for at in board.reach[item] if state.room(at) >= board.size[item]]
            if not fits:
                break
            state.put(item, -(max(fits) if roomiest else min(fits))[1])
            done.append(item)
        if len(done) == len(ranked):
            return True
        for item in done:
            state.take(item)
    return False


def _brim(state: State, disk: int) -> None:
    """Fill receivers one by one, the roomiest first, until the disk is served."""
    closed: set[int] = {disk}
    while need := state.need(disk):
        open_rooms = [(state.room(at), -at) for at in range(len(state.free)) if at not in closed and state.room(at) > 0]
        if not open_rooms:
            return
        room, to = max(open_rooms)[0], -max(open_rooms)[1]
        picks = _share(state, state.pool(disk, [to]), need, room, state.spare(disk))
        for item in picks:
            state.put(item, to)
        closed.add(to)


def _share(state: State, pool: list[Entry], need: int, room: int, spare: int | None) -> Picks:
    """What one receiver takes: enough when it has the room for that, else as much as goes in."""
    if room >= need:
        enough = covers(pool, need, state.board.price, spare, room)
        if enough:
            return enough[0]
    return fill(pool, min(room, need) if pool and pool[0][1] <= need else room, spare)
