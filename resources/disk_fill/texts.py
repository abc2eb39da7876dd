"""The sentences of a plan: why a move is made, what a broken one means, and what it all adds up to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from reconciler.action import Action, Held
from reconciler.units import percent_text, size_text
from resources.disk_fill.broken import Found
from resources.disk_fill.choose import Choice, Step
from resources.disk_fill.disks import Fill
from resources.disk_fill.ground import Survey
from resources.disk_fill.solver import Shortfall, Solution
from resources.disk_fill.words import count


def reason(step: Step, fills: Mapping[str, Fill], choice: Choice, *, settle: float) -> str:
    """Why this item leaves this disk."""
    fill = fills[step.source]
    if fill.drain:
        return f"{fill.name} is to be emptied"
    if fill.over:
        full = (
            f"{percent_text((fill.size - fill.free) / fill.size)} full"
            if fill.size
            else f"down to {size_text(fill.free)}"
        )
        return f"{fill.name} is {full}; wanted: {fill.wanted(settle)}"
    other = next((s for s in (*choice.near, *choice.later) if step.thing.key in s.needs), None)
    if other is not None:
        return f"makes room on {fill.name} for {other.thing.item.title}"
    return f"evens out {fill.name} and {step.target}"


def broken(found: Found, told: str, *, ours: bool) -> str:
    """What has happened, whose it is, and what the app would do about it by itself."""
    scene, app = found.scene, found.candidate.thing.connection
    here, there = (scene.at_new, scene.at_old) if scene.path == scene.new else (scene.at_old, scene.at_new)
    lost = sum(there.get(name, -1) > here.get(name, -1) for name in scene.expected)
    whose = "" if ours else " (not ours)"
    between = f"from {scene.old} to {scene.new}" if found.candidate.directed else f"between {scene.old} and {scene.new}"
    said = f"a move{whose} {between}: {told}"
    if not lost:
        return said
    again = "it" if lost == 1 else "them"
    return f"{said}; at its next rescan {app} would forget {count(lost, 'file')} and download {again} again"


def summary(
    actions: Sequence[Action],
    later: Sequence[Action],
    held: Sequence[Held],
    solution: Solution | None,
    seen: Survey,
    *,
    rate: tuple[float, int],
) -> tuple[str, ...]:
    """The lines under the list."""
    lines = []
    moves = [a for a in actions if a.verb == "move"]
    if actions or later:
        lines.append(_sum(actions, later, held, solution))
    if moves:
        apps = sorted({a.subject.connection for a in moves})
        wait = "its imports wait" if len(apps) == 1 else "their imports wait"
        speed = f"{size_text(round(rate[0]))}/s"
        times = f"Times are from {count(rate[1], 'earlier move')}: {speed}." if rate[1] else f"Times assume {speed}."
        lines.append(f"{' and '.join(apps)}: {wait} while a move runs. {times}")
    lines += [_short(short) for short in (solution.short if solution else ()) if short.disk not in seen.waiting]
    full = sorted(fill.name for fill in seen.disks.fills.values() if fill.over or fill.drain)
    lines += [f"{disk}: what leaves it is decided once that is mended." for disk in full if disk in seen.waiting]
    lines += seen.disks.notes
    if seen.broken.unseen:
        lines.append(
            f"{seen.broken.unseen} more folders lie in a second root under the name of an item; they were not looked into."
        )
    return tuple(lines)


def _sum(actions: Iterable[Action], later: Sequence[Action], held: Sequence[Held], solution: Solution | None) -> str:
    parts = []
    for verb in ("heal", "move"):
        mine = [a for a in actions if a.verb == verb]
        if mine:
            parts.append(f"{count(len(mine), verb)}, {size_text(sum(a.effects.bytes_moved for a in mine))}")
    if later:
        parts.append(f"{count(len(later), 'move')} later, {size_text(sum(a.effects.bytes_moved for a in later))}")
    bound = ""
    if solution is not None and solution.moves and solution.met:
        bound = f" (any plan needs at least {size_text(solution.bound)})"
    stay = f" {len(held)} held." if held else ""
    halves = sum(a.effects.destroys for a in actions)
    gone = f"Only half copies are overwritten: {count(halves, 'file')}." if halves else "Nothing is deleted."
    return f"{'; '.join(parts)}{bound}. {gone}{stay}"


def _short(short: Shortfall) -> str:
    """Which target is not reached, by how much, and what would be needed."""
    missing, needed = size_text(short.missing), size_text(short.needed)
    said = f"{short.disk} misses its target by {missing}"
    where = " or ".join(short.blocking)
    match short.reason:
        case "pinned":
            return f"{said}: what may move off it is too little by {needed}."
        case "room":
            return f"{said}: the other disks lack {needed} of room. Add space, or allow them to be fuller."
        case "eligibility":
            return f"{said}: there is room, but not where its items may go. {needed} of it on {where} would do."
        case "size":
            return (
                f"{said}: there is room, but not enough in one place for any item. {needed} more on {where} would do."
            )
        case "supply":
            return f"{said}: no disk is full enough to fill it."
        case _:
            return f"{said}: the pace allows no more."
