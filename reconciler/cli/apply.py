"""`arr apply`: does what a plan says, and nothing else; shows how it goes on, and what came of it."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.cli.frame import Call, command
from reconciler.errors import Exit, RefusedError, UsageError, worst

if TYPE_CHECKING:
    from reconciler.apply.report import Listener, Report
    from reconciler.plan.model import Plan


@command(
    examples="""
    arr apply 7k3f                      the plan that arr plan showed
    arr apply 7k3f --approve 7k3f       and what a guard wants approved in it
    arr apply media.json                the plan in a file
    arr apply                           make a plan, show it, ask, do it
    arr apply --yes                     the same without asking, for scripts
    """
)
def apply(
    call: Call,
    plan: Annotated[
        str | None, typer.Argument(metavar="[PLAN]", help="Id of a plan (a unique beginning will do), or its file.")
    ] = None,
    approve: Annotated[
        str | None,
        typer.Option(
            "--approve",
            metavar="ID",
            help="Approve this very plan: what its guards ask for is done once.",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask. This approves nothing that a guard asks for.")
    ] = False,
) -> Exit:
    """Do what a plan says, and nothing else.

    Before each action its subject is read again: what changed since the plan is not touched. Afterwards the world is
    looked at: an action is done when its effect is there. Ctrl-C stops at the next safe place, a second one at once;
    nothing is lost either way. Without PLAN a plan is made and shown, and you type yes to have it done.
    """  # fmt: skip
    if plan is None:
        return _made_now(call, approve, yes=yes)
    value = call.session.load_plan(plan)
    approved = approve is not None and call.session.approves(value, approve)
    return _done(call, value, approve=approve if approved else None, confirmed=False)


def _made_now(call: Call, approve: str | None, *, yes: bool) -> Exit:
    from reconciler.apply.report import Report
    from reconciler.cli.planning import made
    from reconciler.plan.outcome import exit_code
    from reconciler.views import console
    from reconciler.views.plan import plan_page

    if approve is not None:
        raise UsageError("--approve speaks of one plan: name it", f"arr apply {approve} --approve {approve}")
    asks = sys.stdin.isatty() and sys.stderr.isatty()
    if not yes and not asks:
        raise UsageError(
            "nobody is there to confirm", "name a plan that you have seen: arr apply PLAN; or say --yes in a script"
        )
    value = made(call, [])
    stream = sys.stderr if call.format == "json" else sys.stdout
    console.show(plan_page(value, call.session.short(value.id), call.look()), stream)
    if not any(True for _ in value.actions()):
        code = exit_code(value, detailed=False)
        if call.format == "json":
            _report(call, Report(run="", plan=value.id), "", code)
        return code
    if not yes and not _confirmed(value):
        sys.stderr.write("Nothing was done.\n")
        return Exit.ERROR
    return _done(call, value, approve=None, confirmed=not yes)


def _only_first_time(plan: Plan) -> bool:
    """Whether a typed yes is all that is asked for: it approves first changes, never what is beyond a limit."""
    return all(hit.guard == "first-time" for hit in plan.hits() if hit.approvable)


def _confirmed(plan: Plan) -> bool:
    """Ask at the terminal. Only the whole word counts."""
    means = " and to approve these first changes" if any(h.guard == "first-time" for h in plan.hits()) else ""
    if not _only_first_time(plan):
        means = "; what is REFUSED stays refused"
    sys.stderr.write(f"\nType yes to have it done{means}: ")
    sys.stderr.flush()
    return sys.stdin.readline().strip() == "yes"


def _done(call: Call, plan: Plan, *, approve: str | None, confirmed: bool) -> Exit:
    """Apply `plan`, unless a guard leaves nothing of it: then it stays unused."""
    from reconciler.plan.outcome import exit_code

    short = call.session.short(plan.id)
    refused = plan.refused(approved=approve is not None, confirmed=confirmed)
    actions = list(plan.actions())
    if actions and all(a.id in refused for a in actions):
        hit = refused[actions[0].id]
        way = f"if this list is what you mean: arr apply {short} --approve {short}" if hit.approvable else "arr plan"
        error = RefusedError(f"a guard stops all of it: {hit.says}", way)
        error.exit = worst([error.exit, exit_code(plan, detailed=False)])  # what could not be planned weighs more
        raise error
    from reconciler.apply.interrupt import Stop

    stop = Stop()
    with ExitStack() as stack:
        listener = _listener(call, stack, stop)
        report = call.session.apply(plan, approve=approve, confirmed=confirmed, listener=listener, stop=stop)
    code = ended(plan, report)
    _report(call, report, short, code)
    return code


def _listener(call: Call, stack: ExitStack, stop: object) -> Listener:
    from reconciler.apply.interrupt import Stop
    from reconciler.apply.report import Silent
    from reconciler.views.progress import BarListener, PlainListener

    assert isinstance(stop, Stop)  # noqa: S101
    if call.quiet:
        return Silent()
    clock = call.session.clock
    if sys.stderr.isatty():
        return stack.enter_context(BarListener(sys.stderr, clock, stopping=lambda: stop.requested))
    return PlainListener(sys.stderr, clock, stopping=lambda: stop.requested)


def _report(call: Call, report: Report, short: str, code: Exit) -> None:
    from reconciler.views.documents import ReportDocument
    from reconciler.views.report import report_page

    call.tell(lambda: report_page(report, short, code), lambda: ReportDocument(exit=int(code), report=report))


def ended(plan: Plan, report: Report) -> Exit:
    """The exit code: the report's, and what of the plan could not even become an action."""
    codes = [report.exit]
    if plan.conflicts or any(part.proposal.errors for part in plan.resources):
        codes.append(Exit.ERROR)
    if any(part.proposal.blocked for part in plan.resources):
        codes.append(Exit.PARTLY if any(o.state == "done" for o in report.outcomes) else Exit.BLOCKED)
    return worst(codes)
