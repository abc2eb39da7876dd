"""What a plan means for its caller: the exit code of `arr plan`, and whether there is anything to do."""

from __future__ import annotations

from reconciler.errors import Exit, worst
from reconciler.plan.model import Plan


def changes_pending(plan: Plan) -> bool:
    return any(True for _ in plan.actions())


def exit_code(plan: Plan, *, detailed: bool) -> Exit:
    """1 for errors and conflicts, 4 when a guard blocks something, 7 when something is blocked by what is not known.

    `detailed` adds 2 for "changes pending". A first-time guard alone is no refusal of a plan: it asks for an approval.
    """
    codes = [Exit.OK]
    if plan.conflicts or any(r.proposal.errors for r in plan.resources):
        codes.append(Exit.ERROR)
    if any(hit.guard != "first-time" for hit in plan.hits()):
        codes.append(Exit.REFUSED)
    if any(r.proposal.blocked for r in plan.resources):
        codes.append(Exit.BLOCKED)
    if detailed and changes_pending(plan):
        codes.append(Exit.CHANGES)
    return worst(codes)
