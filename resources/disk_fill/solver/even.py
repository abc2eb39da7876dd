"""First plan of a balance: what the full disks give and the empty ones get, as quotas, then as items.

Called by the search when a disk wants to be filled. The total is the larger side of the closed-form bound; the other
side has a window to be flexible in. Quotas are joined giver by giver and receiver by receiver, so there are few pairs,
and each pair's items are chosen to add up to its share.
"""

from __future__ import annotations

from resources.disk_fill.solver.board import State
from resources.disk_fill.solver.subsets import covers, fill


def even_out(state: State) -> None:
    """Choose moves until no disk is too full or too empty, or no pair of disks gets any further."""
    gives, gets = _quotas(state)
    dead: set[tuple[int, int]] = set()
    while pair := _next_pair(state, gives, gets, dead):
        giver, receiver = pair
        want = state.board.short(receiver, state.free[receiver]) if state.room(receiver) > 0 else 0
        room, spare = state.room(receiver), state.spare(giver)
        amount = min(max(gives[giver], state.need(giver)), max(gets[receiver], want))
        amount = min(amount if amount > 0 else max(state.need(giver), want), room)
        pool = state.pool(giver, [receiver])
        found = covers(pool, amount, state.board.price, spare, room)
        picks = found[0] if found else fill(pool, amount, spare)
        for item in picks:
            state.put(item, receiver)
            gives[giver] -= state.board.frees[item]
            gets[receiver] -= state.board.size[item]
        dead.add(pair)


def _quotas(state: State) -> tuple[list[int], list[int]]:
    """Bytes to give and bytes to get, disk by disk; both add up to the same total where the windows allow it."""
    board = state.board
    gives, gets = board.needs(), board.wants()
    slack = sum(gives) - sum(gets)
    if slack < 0:
        spares = [state.spare(at) or 0 for at in range(len(gives))]
        free = [spare - give for spare, give in zip(spares, gives, strict=True)]
        _spread(gives, [max(0, more) if give else 0 for more, give in zip(free, gives, strict=True)], -slack)
        _spread(
            gives, [0 if need else more for more, need in zip(free, board.needs(), strict=True)], sum(gets) - sum(gives)
        )
    elif slack > 0:
        rooms = [max(0, state.room(at)) - get for at, get in enumerate(gets)]
        _spread(gets, [max(0, more) if get else 0 for more, get in zip(rooms, gets, strict=True)], slack)
        wants = board.wants()
        _spread(
            gets, [0 if want else max(0, more) for more, want in zip(rooms, wants, strict=True)], sum(gives) - sum(gets)
        )
    return gives, gets


def _spread(quotas: list[int], windows: list[int], amount: int) -> None:
    """Add `amount` to the quotas in proportion to what each window still takes."""
    total = sum(windows)
    if amount <= 0 or not total:
        return
    part = min(amount, total)
    for at, window in enumerate(windows):
        quotas[at] += window * part // total


def _next_pair(state: State, gives: list[int], gets: list[int], dead: set[tuple[int, int]]) -> tuple[int, int] | None:
    """The pair with the largest quotas among those of which one side still misses its target."""
    board = state.board
    disks = range(len(gives))
    needs = [state.need(at) for at in disks]
    wants = [0 if needs[at] else board.short(at, state.free[at]) for at in disks]
    best: tuple[bool, int, int, int, int] | None = None
    for giver in disks:
        if not board.entries[giver] or state.spare(giver) == 0:
            continue
        for receiver in disks:
            if giver == receiver or (giver, receiver) in dead or state.room(receiver) <= 0:
                continue
            if not needs[giver] and not wants[receiver]:
                continue
            rank = (
                gives[giver] > 0 and gets[receiver] > 0,
                max(gives[giver], needs[giver]) + max(gets[receiver], wants[receiver]),
                min(gives[giver], gets[receiver]),
                -giver,
                -receiver,
            )
            best = rank if best is None or rank > best else best
    return None if best is None else (-best[3], -best[4])
