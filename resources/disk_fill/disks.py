"""The disks of a resource as the planner needs them: size, free space, and what is wanted, all in bytes.

Pure; called by `planning` and `reads`. Roots on one file system are one disk, declared so or found so. The size comes
from this machine, else from the app, else from the declaration; where nobody knows it, percentages are an error that
says what to declare, and `keep_free` works without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reconciler.action import Blocked
from reconciler.facts import Facts, Known, Unknown
from reconciler.kind import Resource
from reconciler.stack import Disk
from reconciler.units import percent_text, size_text
from resources.clients.localfs import HERE, FsSize
from resources.clients.servarr import Root
from resources.disk_fill.proof import one_filesystem
from resources.disk_fill.spec import DiskFillSpec
from resources.disk_fill.world import View

ROUNDED = 0.02  # how much smaller than the disk a declared size may be: people write 8 TB for 8.001
WRONG = 0.1  # how far a declared size may be from the measured one: file systems take a part for themselves
UNLIMITED_KEEPS = 100 * 1024**2  # bytes that stay free on a disk without a limit: below, the apps refuse imports


@dataclass(frozen=True)
class Fill:
    """One disk. `name` is the declared one, or several joined by "=" when they were found to be one file system.

    `min_free` is the limit, `settle_free` where a disk above it comes to rest. `size` None: nobody tells.
    """

    name: str
    members: tuple[str, ...]
    free: int
    size: int | None
    min_free: int
    settle_free: int
    drain: bool
    vouched: bool
    max: float | None
    keep_free: int | None

    @property
    def over(self) -> bool:
        return self.free < self.min_free

    def wanted(self, settle: float) -> str:
        """As people say it: `at most 85%, settles at 82%`."""
        if self.drain:
            return "empty"
        said = []
        if self.max is not None:
            said.append(f"at most {percent_text(self.max)}")
            if self.over and settle:
                said.append(f"settles at {percent_text(self.max - settle)}")
        if self.keep_free is not None:
            said.append(f"{size_text(self.keep_free)} free")
        return ", ".join(said)


@dataclass
class Disks:
    """All of them by name; `of` maps declared names to the name used here. Notes are for the plan's summary."""

    fills: dict[str, Fill]
    of: dict[str, str]
    errors: list[str]
    blocked: list[Blocked]
    notes: list[str]


def disks(resource: Resource[DiskFillSpec], view: View, facts: Facts) -> Disks:
    """The disks whose free space is known. The others are in `view.blocked` already, or come here."""
    out = Disks({}, {}, [], [], [])
    roots = _roots(view)
    seen = [name for name in dict.fromkeys(resource.spec.disks) if roots.get(name)]
    seen = [name for name in seen if _agrees(out, name, roots[name])]
    for group in _groups(resource, seen, roots):
        name = "=".join(group)
        out.of |= dict.fromkeys(group, name)
        if len(group) > 1:
            out.notes.append(
                f"{' and '.join(group)} have the same free space to the byte, so they count as one disk; "
                "if they are two, say distinct: true at one of them."
            )
        fill = _fill(resource, out, view, facts, group, roots)
        if fill is not None:
            out.fills[name] = fill
    return out


def disk_at(view: View, disks: Disks, connection: str, path: str) -> str | None:
    """The disk of an item's folder; None for a place that is none of ours."""
    return disks.of.get(view.disk_of.get((connection, path.rpartition("/")[0]), ""))


def _roots(view: View) -> dict[str, list[tuple[str, Root]]]:
    """Declared disk → (connection, root) that can be used."""
    out: dict[str, list[tuple[str, Root]]] = {}
    for (connection, path), disk in view.disk_of.items():
        out.setdefault(disk, []).append((connection, view.servers[connection].roots[path]))
    return out


def _agrees(out: Disks, name: str, roots: list[tuple[str, Root]]) -> bool:
    """Roots of one disk have one free space; far apart, the declaration is wrong and nothing can be said of the disk."""
    frees = sorted((root.free or 0, connection, root.path) for connection, root in roots)
    (least, *low), (most, *high) = frees[0], frees[-1]
    if most - least <= max(1024**3, most // 50):
        return True
    out.errors.append(
        f"disks.{name}: its roots are not on one disk: {low[0]} tells {size_text(least)} free at {low[1]}, "
        f"{high[0]} {size_text(most)} at {high[1]}"
    )
    return False


def _groups(
    resource: Resource[DiskFillSpec], names: list[str], roots: dict[str, list[tuple[str, Root]]]
) -> list[tuple[str, ...]]:
    """Declared disks, those together that look like one file system in any one app's answer."""
    groups: list[list[str]] = []
    for name in sorted(names):
        home = next((g for g in groups if any(_same(resource, name, other, roots) for other in g)), None)
        if home is None:
            groups.append([name])
        else:
            home.append(name)
    return [tuple(group) for group in groups]


def _same(resource: Resource[DiskFillSpec], one: str, other: str, roots: dict[str, list[tuple[str, Root]]]) -> bool:
    if resource.stack.disks[one].distinct or resource.stack.disks[other].distinct:
        return False
    return any(
        one_filesystem((a.free or 0, a.total), (b.free or 0, b.total))
        for app, a in roots[one]
        for beside, b in roots[other]
        if app == beside
    )


def _fill(
    resource: Resource[DiskFillSpec],
    out: Disks,
    view: View,
    facts: Facts,
    group: tuple[str, ...],
    roots: dict[str, list[tuple[str, Root]]],
) -> Fill | None:
    declared = [resource.stack.disks[name] for name in group]
    usable = [pair for name in group for pair in roots[name]]
    free = min(root.free or 0 for _, root in usable)
    size = _size(out, view, facts, group, declared, free, usable)
    wrong = _wrongly_declared(resource, group, size)
    if wrong:
        out.errors += wrong
        return None
    shares = [d.max for d in declared if d.max is not None]
    if shares and size is None:
        told = [b.what for b in out.blocked] + out.errors
        if not any(f"how full {name} is" in text or f"disks.{name}." in text for text in told for name in group):
            out.errors.append(
                f"disks.{group[0]}.max: nobody tells the size of this disk, so a percentage means nothing. "
                f"Declare its size (size: 12 TB), or a folder of this machine on it (here: /mnt/{group[0]}), "
                "or use keep_free instead of max"
            )
        return None
    share = min(shares, default=None)
    keeps = [d.keep_free for d in declared if d.keep_free is not None]
    drain = all(d.drain for d in declared)
    least = max(
        size - int(size * share) if share is not None and size is not None else 0,
        max(keeps, default=0),
        0 if share is not None or keeps or drain else min(UNLIMITED_KEEPS, (size or UNLIMITED_KEEPS * 100) // 100),
    )
    rest = round(size * resource.spec.settle) if size is not None and share is not None else 0
    return Fill(
        name="=".join(group),
        members=group,
        free=free,
        size=size,
        min_free=least,
        settle_free=min(least + rest, size) if size is not None else least,
        drain=drain,
        vouched=any(d.distinct for d in declared),
        max=share,
        keep_free=max(keeps, default=None),
    )


def _size(
    out: Disks,
    view: View,
    facts: Facts,
    group: tuple[str, ...],
    declared: Iterable[Disk],
    free: int,
    usable: list[tuple[str, Root]],
) -> int | None:
    """What this machine measures, else what an app tells, else what is declared. None: nobody knows."""
    failed: Blocked | None = None
    for name, disk in zip(group, declared, strict=True):
        if disk.here is None:
            continue
        answer = facts.get(FsSize(HERE, disk.here))
        if isinstance(answer, Known):
            if _near(answer.value.free, free, answer.value.total):
                return answer.value.total
            out.errors.append(
                f"disks.{name}.here: {disk.here} has {size_text(answer.value.free)} free, the apps tell "
                f"{size_text(free)}: it is another disk (or that disk is not mounted there)"
            )
        elif isinstance(answer, Unknown):
            failed = Blocked(what=f"how full {name} is", reason=answer.reason, remedy=answer.remedy, code=answer.code)
    told = _told(view, free, usable)
    if told is not None:
        return told
    sizes = [disk.size for disk in declared if disk.size is not None]
    if sizes:
        if free <= min(sizes) * (1 + ROUNDED):
            return max(min(sizes), free)
        out.errors.append(
            f"disks.{group[0]}.size: it is said to be {size_text(min(sizes))}, but has {size_text(free)} free"
        )
    blind = {c: why for c, _ in usable if (why := view.servers[c].unsized) is not None}
    if failed is None and blind:
        first = blind[min(blind)]
        reason = (
            f"the mounts of {' and '.join(sorted(blind))}, which could tell the size of {group[0]} ({first.reason})"
        )
        remedy = "; or ".join(filter(None, (first.remedy, f"declare disks.{group[0]}.size")))
        failed = Blocked(what=f"how full {group[0]} is", reason=reason, remedy=remedy, code=first.code)
    if failed is not None:
        out.blocked.append(failed)
    return None


def _wrongly_declared(resource: Resource[DiskFillSpec], group: tuple[str, ...], size: int | None) -> list[str]:
    """A declared size far from what is measured: either the figure is wrong, or it is another disk."""
    out = []
    for name in group:
        said = resource.stack.disks[name].size
        if size is not None and said is not None and abs(said - size) > size * WRONG:
            mark = resource.stack.marks.get(f"disks.{name}.size")
            out.append(
                f"disks.{name}.size{f' ({mark.file}:{mark.line})' if mark else ''}: it is said to be {size_text(said)}, "
                f"but {size_text(size)} are measured: correct or remove it, or see that the right disk is mounted there"
            )
    return out


def _told(view: View, free: int, usable: list[tuple[str, Root]]) -> int | None:
    """An app's word: the root's own total, else the mount that holds it, if its free space is that of the root."""
    for _, root in usable:
        if root.total is not None:
            return root.total
    for connection, root in usable:
        spaces = view.servers[connection].spaces or ()
        inside = [s for s in spaces if root.path == s.path or root.path.startswith(s.path.rstrip("/") + "/")]
        mount = max(inside, key=lambda s: len(s.path), default=None)
        if mount is not None and _near(mount.free, free, mount.total):
            return mount.total
    return None


def _near(one: int, other: int, total: int) -> bool:
    """Two readings of one disk's free space, taken moments apart."""
    return abs(one - other) <= max(1024**2, total // 1000)
