"""Every view reads as its golden text does, fits 80 cells, and is the same text with colour as without.

The texts stand in `golden/`. After a meant change, write them anew with ARR_WRITE_GOLDEN=1 and read the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.cells import cell_len

from reconciler.action import Proposal
from reconciler.desired.explain import Explained
from reconciler.errors import UsageError
from reconciler.plan.model import ResourcePlan
from reconciler.views.diagnostics import diagnostics_page, error_page
from reconciler.views.doctor import doctor_page
from reconciler.views.explain import explain_page
from reconciler.views.journal import history_page, run_page
from reconciler.views.look import Look
from reconciler.views.markdown import plan_markdown
from reconciler.views.plan import drift_page, plan_page
from reconciler.views.report import report_page
from reconciler.views.settle import entries_page, entry_page, settled_page
from reconciler.views.status import status_page, validation_page, version_page, why_page
from reconciler.views.text import Page
from reconciler.views.written import init_page, schema_page
from tests.unit.views import examples as e

GOLDEN = Path(__file__).parent / "golden"
MEDIA_HELP = Explained(
    "disk_fill", "disk_fill", "mapping of name to what is wanted", False, None, "Keeps disks at their fill targets.",
    (
        Explained("disk_fill.settle", "settle", "percent, as 85%", False, "3%", "How far below its max a disk goes."),
        Explained("disk_fill.disks", "disks", "list of text", True, None, "The disks to keep."),
    ),
)  # fmt: skip


def _plan(*parts: ResourcePlan, look: Look = e.LOOK, **more: object) -> Callable[[], Page]:
    return lambda: plan_page(e.plan(*parts, **more), "7k3f", look)


PAGES: dict[str, Callable[[], Page]] = {
    "plan": _plan(e.MEDIA),
    "plan_ascii": _plan(e.MEDIA, look=Look(now=e.NOW, blocks=False)),
    "plan_refused": _plan(e.REFUSED),
    "plan_blocked": _plan(e.BLOCKED),
    "plan_broken": _plan(e.BROKEN),
    "plan_first_time": _plan(e.FIRST, e.TAG, e.CALM),
    "plan_busy": _plan(e.BUSY, conflicts=(e.CONFLICT,)),
    "plan_nothing": _plan(e.CALM),
    "plan_hostile": _plan(e.HOSTILE_PART),
    "plan_many_held": _plan(e.MANY_HELD),
    "plan_nested": _plan(e.TAG.model_copy(update={"proposal": Proposal(actions=(e.NESTED,))})),
    "drift": lambda: drift_page(e.plan(e.BROKEN, e.CALM)),
    "drift_none": lambda: drift_page(e.plan(e.CALM)),
    "report": lambda: report_page(e.REPORT, "7k3f", e.REPORT.exit),
    "report_done": lambda: report_page(e.ALL_DONE, "7k3f", e.ALL_DONE.exit),
    "history": lambda: history_page(e.RUNS, e.LOOK),
    "history_none": lambda: history_page((), e.LOOK),
    "run": lambda: run_page(e.RUNS[1], e.ENTRIES, e.LOOK),
    "status": lambda: status_page(
        e.RESOURCES, {"disk_fill.media"}, (e.outcome(e.EXPANSE, "running", "copying"),), e.RUNS, Path("state"), e.LOOK
    ),
    "settle": lambda: entries_page((e.OPEN, e.STUCK), e.LOOK),
    "settle_entry": lambda: entry_page(e.STUCK, e.LOOK),
    "settled": lambda: settled_page(e.STUCK, "not-done", "r000014"),
    "why": lambda: why_page(
        "Severance", [("disk_fill.media", ["Severance (tvdb:371980): 410 GB", "  held: all 19 files still seed"])], 2
    ),
    "why_nobody": lambda: why_page("Sverance", [], 2),
    "doctor": lambda: doctor_page(e.FINDINGS, e.DISK_FINDINGS),
    "diagnostics": lambda: diagnostics_page(e.DIAGNOSTICS),
    "error": lambda: error_page(UsageError("no connection is called sonar", "declared: radarr, sonarr")),
    "explain": lambda: explain_page(MEDIA_HELP),
    "validation": lambda: validation_page(e.RESOURCES, ["disks.yaml", "tags.yaml"], 2),
    "version": lambda: version_page("0.1.0", "3.11.7", ["disk_fill", "tag"], ["radarr", "sonarr"]),
    "init": lambda: init_page(["desired/stack.yaml"], [], ["SONARR_API_KEY"]),
    "schema": lambda: schema_page(".arr/schema.json", "../.arr/schema.json"),
}


def check(name: str, text: str) -> None:
    file = GOLDEN / name
    if os.environ.get("ARR_WRITE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert text == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", PAGES)
def test_text(name: str) -> None:
    """The page is its golden text."""
    check(f"{name}.txt", PAGES[name]().plain())


@pytest.mark.parametrize("name", PAGES)
def test_fits(name: str) -> None:
    """No line is wider than 80 cells."""
    assert [line for line in PAGES[name]().plain().splitlines() if cell_len(line) > 80] == []


@pytest.mark.parametrize("name", PAGES)
def test_same_with_colour(name: str) -> None:
    """Colour adds no character and takes none away."""
    page = PAGES[name]()
    assert page.styled().plain + "\n" == page.plain()


def test_markdown() -> None:
    """The Markdown of a plan is its golden text."""
    text = plan_markdown(e.plan(e.FIRST, e.TAG, e.CALM, e.BLOCKED, conflicts=(e.CONFLICT,)), "7k3f", e.LOOK)
    check("plan.md", text)


def test_every_golden_text_is_used() -> None:
    """No text is left behind by a test that went away."""
    assert {file.name for file in GOLDEN.iterdir()} == {f"{name}.txt" for name in PAGES} | {"plan.md"}
