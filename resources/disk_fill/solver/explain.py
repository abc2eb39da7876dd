"""Why a target is missed, and what would be needed: read off the board and the final state.

Called by `solve` for disks that stay short. The causes are tried from the plainest to the subtlest, and each names the
bytes that would remove it.
"""

from __future__ import annotations

from resources.disk_fill.solver.board import Board, State
from resources.disk_fill.solver.model import Shortfall


def shortfalls(board: Board, state: State, limited: frozenset[int]) -> tuple[Shortfall, ...]:
    """One entry for each disk that misses its target, by name. `limited`: the disks that only the limits hold back."""
    return tuple(
        _why(board, state, disk, limited) for disk in range(len(board.names)) if board.short(disk, state.free[disk])
    )


def _why(board: Board, state: State, disk: int, limited: frozenset[int]) -> Shortfall:
    name, missing = board.names[disk], board.short(disk, state.free[disk])
    if disk in limited:
        return Shortfall(name, missing, "limits", missing)
    if state.free[disk] >= board.target[disk]:
        return Shortfall(name, missing, "supply", missing)
    left = [entry for entry in board.entries[disk] if entry[2] not in state.chosen]
    could_leave = sum(entry[0] for entry in left)
    rooms = {at: max(0, state.room(at)) for at in range(len(board.names)) if at != disk and not board.drain[at]}
    if sum(rooms.values()) < missing:
        return Shortfall(name, missing, "room", missing - sum(rooms.values()), _names(board, rooms))
    if could_leave < missing:
        return _held(board, state, disk, missing - could_leave)
    places = {at for entry in left for at in board.reach[entry[2]]}
    reachable = sum(rooms[at] for at in places)
    if reachable < missing:
        return Shortfall(name, missing, "eligibility", missing - reachable, _names(board, places))
    short_by = min((entry[1] - max(rooms[at] for at in board.reach[entry[2]]) for entry in left), default=0)
    return Shortfall(name, missing, "size", max(1, short_by), _names(board, places))


def _held(board: Board, state: State, disk: int, needed: int) -> Shortfall:
    """Too little may leave: because of pins, or because what may leave has nowhere it may go."""
    missing = board.short(disk, state.free[disk])
    stuck = sum(
        board.frees[item]
        for item, home in enumerate(board.home)
        if home == disk and board.movable[item] and not board.reach[item]
    )
    reason = "eligibility" if stuck >= needed else "pinned"
    return Shortfall(board.names[disk], missing, reason, needed)


def _names(board: Board, disks: set[int] | dict[int, int]) -> tuple[str, ...]:
    return tuple(board.names[at] for at in sorted(disks))
