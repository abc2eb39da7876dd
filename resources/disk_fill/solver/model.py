"""The question and the answer of the solver, as frozen values. Every number is an int of bytes unless said otherwise.

All targets are spoken of as free bytes, so a disk of unknown size takes part as any other: "at most 85 % used" is
`min_free = capacity - 85 %`, "keep 200 GB free" is `min_free = 200 GB`. What no app tracks counts by itself, because
`free` is the server's own figure and only moved items change it.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Disk:
    """One disk. `free < min_free` makes it a source: it must end with `free >= settle_free` (hysteresis).

    min_free     a disk that receives never has less than this, at any moment
    settle_free  where a source stops; None means `min_free`
    max_free     balance: it is to end with at most this much free (it is to be filled); None means no wish
    drain        every movable item is to leave, and nothing may come
    capacity     its size, when known; only `balanced` needs it
    """

    name: str
    free: int
    min_free: int = 0
    settle_free: int | None = None
    max_free: int | None = None
    drain: bool = False
    capacity: int | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One show or movie: `bytes` arrive at the target of a move, `frees` of them are gone from its disk afterwards.

    `frees` is None for "all of it", and 0 when everything is hardlinked from elsewhere: such an item is never moved.
    `eligible` names the disks it may go to; its own disk is ignored there.
    """

    id: str
    bytes: int
    disk: str
    eligible: tuple[str, ...]
    frees: int | None = None
    movable: bool = True

    @property
    def freed(self) -> int:
        """Bytes that a move takes off its disk."""
        return self.bytes if self.frees is None else self.frees


@dataclass(frozen=True, slots=True)
class Limits:
    """The most a solution may do, and `price`: the bytes that saving one move is worth."""

    max_moves: int | None = None
    max_bytes: int | None = None
    price: int = 250_000_000


@dataclass(frozen=True, slots=True)
class Problem:
    """Disks, items and limits. Names are unique; an item's disks exist: `ValueError` from `solve` otherwise."""

    disks: tuple[Disk, ...]
    items: tuple[Item, ...]
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Move:
    """One item from disk to disk. `needs`: the items whose earlier moves make the room for this one.

    Any order of the moves in which each comes after its `needs` is allowed, not only the order of the list.
    """

    item: str
    source: str
    target: str
    bytes: int
    frees: int
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DiskAfter:
    """Free bytes of a disk before and after all moves, and where it was to get (`wanted` free, at least)."""

    disk: str
    before: int
    after: int
    wanted: int


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A disk that does not reach its target: by how many bytes, what stands in the way, and what would be needed.

    reason       pinned       what may move off it is too little by `needed` bytes
                 room         the other disks together lack `needed` bytes of allowed room
                 eligibility  there is room, but not on the disks its items may go to (`blocking`): `needed` bytes there
                 size         there is room, but no item fits any one disk: `needed` more in one of `blocking` would do
                 limits       the limits of the problem allow no more; `needed` is what is missing
                 supply       (balance) too full is no disk, but this one stays too empty by `missing` bytes
    """

    disk: str
    missing: int
    reason: str
    needed: int
    blocking: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Solution:
    """What to do, in order, and how good that is.

    bound  bytes that any plan which reaches every target has to move (a proof, not an estimate)
    met    every target is reached; if not, `short` says where and why, and the moves lead to the best state found
    """

    moves: tuple[Move, ...]
    disks: tuple[DiskAfter, ...]
    bound: int
    short: tuple[Shortfall, ...] = ()

    @property
    def met(self) -> bool:
        """Whether every target is reached."""
        return not self.short

    @property
    def bytes(self) -> int:
        """Bytes moved in all."""
        return sum(move.bytes for move in self.moves)

    @property
    def gap(self) -> int | None:
        """Bytes moved beyond the bound; None when a target is missed, where the bound says nothing."""
        return self.bytes - self.bound if self.met else None
