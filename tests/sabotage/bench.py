"""Runs named tests against a copy of the code; the other end of `Workshop` in `workshop.py`.

Reads one JSON list of test ids a line; answers with one JSON object: test id → `{outcome, when, error, says}`. The process has
what is not ours imported, stands in the copy, and forks for each order, so that every run sees the copy as it is then.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import httpx  # noqa: F401  # imported before the forks, like all that follows
import hypothesis.stateful  # noqa: F401
import pydantic  # noqa: F401
import pytest
import rich.console  # noqa: F401
import sqlite_utils  # noqa: F401
import typer  # noqa: F401
import yaml  # noqa: F401

LIMIT = 600  # seconds of one order, on a machine that has much else to do


class Outcomes:
    """A plugin of pytest that keeps how each test ended, and by which exception."""

    def __init__(self) -> None:
        self.found: dict[str, dict[str, str]] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report: pytest.TestReport = yield
        if report.when == "call" or not report.passed:
            error, says = "", ""
            if call.excinfo is not None:
                error, says = call.excinfo.typename, str(call.excinfo.value)
            kept = self.found.setdefault(item.nodeid, {})
            if kept.get("outcome", "passed") == "passed":  # a failed call counts, not the tidying up after it
                kept |= {"outcome": report.outcome, "when": report.when, "error": error, "says": says[:2000]}
        return report


def run(tests: list[str], answer: int) -> None:
    """In the child: the tests, and the answer into the pipe."""
    signal.alarm(LIMIT)
    log = os.open("out.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    outcomes = Outcomes()
    options = [
        "-W",
        "ignore::pytest.PytestAssertRewriteWarning",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(Path.cwd()),
        "-c",
        "pyproject.toml",
    ]
    pytest.main([*options, *tests], plugins=[outcomes])
    with os.fdopen(answer, "w") as pipe:
        json.dump(outcomes.found, pipe)
    sys.stdout.flush()


def main() -> None:
    for line in sys.stdin:
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                run(json.loads(line), writing)
            except Exception:  # noqa: BLE001  # it is told, and the child ends
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(0)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        sys.stdout.write((told or "{}") + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
