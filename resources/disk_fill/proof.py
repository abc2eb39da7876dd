"""Proof that two roots are two folders, and the suspicion that two disks are one.

One folder under two paths destroys the first file that is moved between them, so nothing moves between two roots unless
their contents are disjoint: were they one folder, each would show what the other holds. Device numbers prove nothing on
pooled file systems. Used by planning (on what the apps tell of their roots) and again by the move itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

ORDINARY = frozenset({"lost+found"})  # every file system of its sort has one at its top


def shared_names(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """Names that both hold, less the ordinary ones. Sorted."""
    return sorted((set(one) & set(other)) - ORDINARY)


def unproven(one: AbstractSet[str], other: AbstractSet[str], names: tuple[str, str]) -> str:
    """Why two roots are not proven to be two folders, in words; "" when they are."""
    shared = shared_names(one, other)
    remedy = "if they are two places, say distinct: true at one of the disks"
    if shared:
        return f"{names[0]} and {names[1]} both hold '{shared[0]}', so they may be one folder: {remedy}"
    if not one - ORDINARY and not other - ORDINARY:
        return f"{names[0]} and {names[1]} are both empty, so they may be one folder: {remedy}"
    return ""


def unmounted(expected: Iterable[str], there: Iterable[str], app: str) -> str:
    """Why a root looks like a bare mount point, in words; "" when most of the folders that `app` has there are there."""
    wanted = {name.casefold() for name in expected}
    found = wanted & {name.casefold() for name in there}
    if 2 * len(found) >= len(wanted):
        return ""
    some = f"only {len(found)}" if found else "none"
    return f"looks unmounted: {some} of the {len(wanted)} folders that {app} has there are there"


def one_filesystem(one: tuple[int, int | None], other: tuple[int, int | None]) -> bool:
    """Whether two roots of one answer look like one file system: (free, total) alike to the byte.

    Two disks in use never have the same free space. Two new, equal and empty ones have: then `distinct: true` tells.
    """
    if one[0] != other[0]:
        return False
    return one[1] is None or other[1] is None or one[1] == other[1]
