"""What `plan`, `apply`, `drift`, `undo` and `show` share: making a plan with a word of progress, and printing one."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from reconciler.cli.frame import Call
from reconciler.errors import Exit
from reconciler.plan.model import Plan
from reconciler.views import console
from reconciler.views.documents import PlanDocument
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan import NOTHING_DECLARED, plan_page
from reconciler.views.progress import Looking


def made(call: Call, targets: Sequence[str], *, retry: Sequence[str] = ()) -> Plan:
    """A plan of everything or of `targets`; `retry`: items that were tried in vain.

    On a terminal, how many questions are answered is shown meanwhile.
    """
    with Looking(sys.stderr, shown=sys.stderr.isatty() and not call.quiet) as looking:
        return call.session.plan(list(targets), told=looking.told, retry=retry)


def shown(call: Call, plan: Plan, code: Exit, *, empty: str = NOTHING_DECLARED) -> None:
    """Print a plan as text, JSON or Markdown. `empty`: what the text says of one without a resource."""
    short = call.session.short(plan.id)
    if call.format == "markdown":
        console.write(plan_markdown(plan, short, call.look()))
        return
    call.tell(
        lambda: plan_page(plan, short, call.look(), empty=empty),
        lambda: PlanDocument(exit=int(code), short=short, plan=plan),
    )
