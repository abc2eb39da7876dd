"""Few items whose sizes add up to just what is needed: the arithmetic core of the solver.

Called while moves are chosen and improved. Nearly all the quality comes from here: the largest items cover most of a
need, and the last one, two or three are searched so that the sum lands just above it (or just under a limit). With n
items on a disk there are n²/2 pairs, so the rest is usually megabytes where greedy leaves gigabytes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from resources.disk_fill.solver.board import Entry

KEPT = 8
"""How many different subsets `covers` returns at most: the later ones serve when the best does not fit anywhere."""

SPREAD = 40
"""How many first items are tried for a triple."""

CAPS: tuple[tuple[int, int] | None, ...] = (None, (1, 1), (2, 3), (1, 2), (1, 3), (1, 5), (1, 8))
"""Parts of the need: items above are left out in turn, as one huge item must not hide a set of small ones."""

SCANS = 160
"""Passes over the pool in one call, at most."""

_FINE = 20_000
"""A pair that is closer to the need than 1/20,000 of it is not searched further."""

Picks = tuple[int, ...]


class _Best:
    """The cheapest few subsets seen so far."""

    def __init__(self, need: int, price: int, most_frees: int | None, most_bytes: int | None) -> None:
        self.need, self.price = need, price
        self.most_frees, self.most_bytes = most_frees, most_bytes
        self.found: dict[Picks, int] = {}
        self.lowest: int | None = None
        self.scans = SCANS

    def offer(self, entries: list[Entry]) -> None:
        frees = sum(entry[0] for entry in entries)
        size = sum(entry[1] for entry in entries)
        if frees < self.need or (self.most_frees is not None and frees > self.most_frees):
            return
        if self.most_bytes is not None and size > self.most_bytes:
            return
        cost = size + self.price * len(entries)
        self.found[tuple(sorted(entry[2] for entry in entries))] = cost
        if self.lowest is None or cost < self.lowest:
            self.lowest = cost

    def can_gain(self, count: int) -> bool:
        """Whether a subset of `count` items could still be noticeably cheaper than the best one."""
        if self.scans <= 0:
            return False
        return self.lowest is None or self.lowest - self.need - self.price * count > self.need // _FINE


def covers(
    pool: list[Entry], need: int, price: int, most_frees: int | None = None, most_bytes: int | None = None
) -> list[Picks]:
    """Subsets that free at least `need` bytes, cheapest first (bytes + price each); empty when there is none.

    `pool` is sorted. `most_frees` and `most_bytes` bound the sums, both inclusive.
    """
    best = _Best(need, price, most_frees, most_bytes)
    if any(most is not None and most < need for most in (most_frees, most_bytes)):
        return []
    for share in CAPS:
        part = pool if not share else pool[: bisect_left(pool, (need * share[0] // share[1], 0, 0))]
        _cover_with(part, best)
    return sorted(best.found, key=lambda picks: (best.found[picks], len(picks), picks))[:KEPT]


def _cover_with(pool: list[Entry], best: _Best) -> None:
    """Offer subsets of a sorted pool: as few items as can do, and up to three more."""
    fewest = _fewest(pool, best.need)
    if fewest is None:
        return
    for count in range(fewest, min(fewest + 3, len(pool)) + 1):
        for last in range(1, min(3, count) + 1):
            if not best.can_gain(count):
                return
            cut = len(pool) - (count - last)
            _finish(pool[:cut], pool[cut:], last, best)


def _fewest(pool: list[Entry], need: int) -> int | None:
    total = 0
    for count, entry in enumerate(reversed(pool), 1):
        total += entry[0]
        if total >= need:
            return count
    return None


def _finish(rest: list[Entry], base: list[Entry], last: int, best: _Best) -> None:
    """Offer subsets of `base` and `last` further items that reach the need."""
    missing = best.need - sum(entry[0] for entry in base)
    if missing <= 0:
        return
    if last == 1:
        at = bisect_left(rest, (missing, 0, 0))
        for entry in rest[at : at + KEPT]:
            best.offer([*base, entry])
        return
    if last == 2:
        pair = _pair_above(rest, missing)
        if pair:
            best.offer([*base, *pair])
        return
    for at in _firsts(rest, missing):
        best.scans -= 1
        pair = _pair_above(rest[:at], missing - rest[at][0])
        if pair:
            best.offer([*base, rest[at], *pair])
            if not best.can_gain(len(base) + 3):
                return


def _firsts(rest: list[Entry], missing: int) -> range:
    """Positions of the largest item of a triple: at least a third of what is missing, at most all of it."""
    low = max(2, bisect_left(rest, (missing // 3, 0, 0)))
    high = bisect_left(rest, (missing, 0, 0))
    return range(high - 1, low - 1, -max(1, (high - low) // SPREAD))


def _pair_above(rest: list[Entry], missing: int) -> tuple[Entry, Entry] | None:
    """The two items whose sum is the least that is not below `missing`."""
    low, high = 0, len(rest) - 1
    least: int | None = None
    found = (0, 0)
    while low < high:
        total = rest[low][0] + rest[high][0]
        if total >= missing:
            if least is None or total < least:
                least, found = total, (low, high)
            high -= 1
        else:
            low += 1
    return None if least is None else (rest[found[0]], rest[found[1]])


def fill(pool: list[Entry], room: int, most_frees: int | None = None) -> Picks:
    """Items that take up as much of `room` as possible, large ones first, and free at most `most_frees`."""
    ranked = sorted((entry[1], entry[0], entry[2]) for entry in pool)
    taken: list[Entry] = []
    left, free_left = room, most_frees
    for entry in reversed(ranked):
        if entry[0] <= left and (free_left is None or entry[1] <= free_left):
            taken.append(entry)
            left -= entry[0]
            free_left = None if free_left is None else free_left - entry[1]
    best = taken
    for keep in range(max(0, len(taken) - 4), len(taken)):
        kept = taken[:keep]
        names = {entry[2] for entry in kept}
        rest = [entry for entry in ranked if entry[2] not in names]
        for more in _below(rest, room - sum(entry[0] for entry in kept)):
            tried = [*kept, *more]
            if most_frees is not None and sum(entry[1] for entry in tried) > most_frees:
                continue
            if _worth(tried) > _worth(best):
                best = tried
    return tuple(sorted(entry[2] for entry in best))


def _worth(entries: list[Entry]) -> tuple[int, int]:
    return sum(entry[0] for entry in entries), -len(entries)


def _below(rest: list[Entry], room: int) -> list[list[Entry]]:
    """The one item and the two items that come closest to `room` from below."""
    found: list[list[Entry]] = []
    at = bisect_right(rest, (room, room, len(rest) + (rest[-1][2] if rest else 0)))
    if at:
        found.append([rest[at - 1]])
    low, high = 0, len(rest) - 1
    most, pair = -1, (0, 0)
    while low < high:
        total = rest[low][0] + rest[high][0]
        if total <= room:
            if total > most:
                most, pair = total, (low, high)
            low += 1
        else:
            high -= 1
    if most >= 0:
        found.append([rest[pair[0]], rest[pair[1]]])
    return found
