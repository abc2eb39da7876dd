"""`docs/reliability.md` tells the whole track record, and every test that it names is there. Its figures are a proof's own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.reliability import LIMITS, PARTS, ROOT, SAMPLED, page, record, record_table, renewed

MADE = pytest.mark.skipif("ARR_FIGURES" in os.environ, reason="this run is making the page")
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


@MADE
def test_the_track_record_is_told_whole() -> None:
    assert record_table(record()) in PAGE, "run: .venv/bin/python -m tests.reliability --record docs/reliability.md"
    assert LIMITS in PAGE


@MADE
def test_a_page_that_calls_itself_a_proof_has_every_part() -> None:
    missing = [heading for heading in PARTS.values() if f"| {heading} |" not in PAGE]
    assert not missing or f"| depth | {SAMPLED} |" in PAGE, missing


def test_every_bug_is_told_once() -> None:
    told = [bug["was"] for bug in record()]
    assert len(set(told)) == len(told) >= 40
    assert [bug for bug in record() if bug.keys() != {"was", "test"}] == []


def test_every_command_finds_its_test() -> None:
    tests = sorted({bug["test"] for bug in record()})
    asked = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *tests]
    done = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_a_proof_without_a_part_is_none() -> None:
    told = {name: {"what": "it", "runs": 1} for name in PARTS}
    assert "| 1 runs |" in page(told, proof=True)
    del told["laws"]
    assert SAMPLED in page(told, proof=False)
    with pytest.raises(SystemExit, match="laws"):
        page(told, proof=True)


def test_the_record_can_be_renewed_alone() -> None:
    told = page({name: {"what": "it", "runs": 7} for name in PARTS})
    assert renewed(told.replace(record()[0]["was"], "something else")) == told
