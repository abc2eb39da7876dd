"""What seems broken is looked at twice before anybody says so: one wrong answer begins no repair."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.settle import pending, settle
from reconciler.facts import Query
from tests.toy import FolderClient, Note, notes
from tests.unit.apply.test_executor import Bench, states

MIXED = "half of it"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    found = Bench(tmp_path)
    with found.store:
        yield found


def lying(patch: pytest.MonkeyPatch, times: int) -> None:
    """Once a note is there, so many looks at it show something else."""
    read, left = FolderClient.read, [times]

    def lie(client: FolderClient, query: Query[Any]) -> Any:
        found = read(client, query)
        if isinstance(query, Note) and left[0]:
            left[0] -= 1
            return MIXED
        return found

    patch.setattr(FolderClient, "read", lie)


@pytest.mark.parametrize(("times", "state"), [(1, "done"), (2, "broken")])
def test_an_apply_looks_again(bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int, state: str) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    lying(monkeypatch, times)
    report = bench.apply(plan)
    assert (states(report), bench.world.notes()) == ([state], {"a": "1"})


@pytest.mark.parametrize(("times", "state"), [(1, "done"), (2, "broken")])
def test_settling_looks_again(bench: Bench, monkeypatch: pytest.MonkeyPatch, times: int, state: str) -> None:
    plan = bench.plan(notes(bench.world, notes={"a": "1"}))
    (action,) = plan.actions()
    bench.store.intend(bench.store.begin_run("apply", plan.id), action)
    (bench.world.path / "a").write_text("1")
    lying(monkeypatch, times)
    (outcome,) = settle(bench.store, pending(bench.world.kinds, bench.opener, bench.store))
    assert outcome.state == state
