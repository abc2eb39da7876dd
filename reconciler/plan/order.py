"""Order and conflicts: which action comes when, and which two cannot both be meant.

`requires` edges are kept; beside them the kind's own order stands, and resources follow each other by address, so that
the order of YAML files does not matter. A cycle of `requires` is a defect of a kind and is reported as one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from reconciler.action import Action, Held
from reconciler.plan.model import Conflict


def ordered(actions: Sequence[Action]) -> list[Action]:
    """`actions` with every action behind those it requires; otherwise in the given order. ValueError on a cycle."""
    by_id = {a.id: a for a in actions}
    rank = {a.id: n for n, a in enumerate(actions)}
    sorter = TopologicalSorter({a.id: [r for r in a.requires if r in by_id] for a in actions})
    try:
        sorter.prepare()
    except CycleError as e:
        raise ValueError(f"actions require each other in a circle: {' → '.join(e.args[1])}") from None
    out: list[Action] = []
    ready: list[str] = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=rank.__getitem__)
        first = ready.pop(0)
        out.append(by_id[first])
        sorter.done(first)
    return out


def conflicts(actions: Iterable[Action]) -> tuple[Conflict, ...]:
    """Subjects of which two resources want different things. Wanting the same twice is no conflict."""
    by_subject: dict[str, list[Action]] = defaultdict(list)
    for action in actions:
        by_subject[action.subject.ident].append(action)
    found = []
    for ident, rivals in sorted(by_subject.items()):
        wants = {(a.verb, str(sorted(a.after.items()))) for a in rivals}
        addresses = tuple(sorted({a.address for a in rivals}))
        if len(addresses) > 1 and len(wants) > 1:
            says = "; ".join(f"{a.address} wants to {a.verb} it: {a.reason}" for a in rivals)
            found.append(Conflict(subject=ident, title=rivals[0].subject.title, addresses=addresses, says=says))
    return tuple(found)


def without(actions: Sequence[Action], dropped: Mapping[str, str]) -> tuple[list[Action], list[Held]]:
    """`actions` less those in `dropped` (id → why) and all that need them; what falls away, as held items."""
    gone = dict(dropped)
    kept: list[Action] = []
    held: list[Held] = []
    for action in actions:
        missing = next((r for r in action.requires if r in gone), None)
        if action.id in gone or missing is not None:
            reason = gone.get(action.id) or "needs another action of this plan, which is not done"
            gone[action.id] = reason
            held.append(Held(subject=action.subject, reason=reason, bytes=action.effects.bytes_moved))
        else:
            kept.append(action)
    return kept, held
