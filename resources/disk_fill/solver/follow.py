"""First plan where room is scarce and items may go to some disks only: items chosen to match the streams of a flow.

Called by the search when the simpler styles fell short. The flow knows which disks are to be kept for those that may
go nowhere else; here every stream is filled with items from below, and what remains is left to the other styles.
"""

from __future__ import annotations

from resources.disk_fill.solver.board import State
from resources.disk_fill.solver.flow import streams
from resources.disk_fill.solver.subsets import fill


def follow(state: State) -> None:
    """Choose moves along every stream, as much as fits."""
    board = state.board
    for disk, reach, to, amount in streams(board):
        limit = min(amount, state.room(to))
        pool = [
            entry
            for entry in board.entries[disk]
            if board.reach[entry[2]] == reach and entry[1] <= limit and entry[2] not in state.chosen
        ]
        for item in fill(pool, limit, state.spare(disk)):
            state.put(item, to)
