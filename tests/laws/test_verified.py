"""Law 8: an action is done when the world shows it, not when a server says so."""

from __future__ import annotations

from pathlib import Path

from tests.laws.bench import Bench, bench
from tests.laws.worlds import Case


def test_a_word_is_no_deed(case: Case, laws: Bench, over_http: None, tmp_path: Path) -> None:
    """Each write in turn is answered as if it had been done, and is not done. Where the world is not as desired then,
    nobody says that it is; once the server tells the truth again, the wish is reached."""
    with laws.proxied() as between:
        laws.declare()
        laws.apply(laws.plan())
        honest = between.writes
    assert bool(honest) != case.on_disk
    for number, answer in enumerate(honest):
        (folder := tmp_path / str(number)).mkdir()
        with bench(case, folder) as told, told.proxied() as between:
            told.declare()
            plan = told.plan()
            between.swallow[number] = answer
            report = told.session.apply(plan, approve=plan.id)
            assert len(between.writes) > number, "the lie was not told"
            kept = told.journalled(report.run)
            assert all((o.state == "done") == (kept.get(o.action.id) == "done") for o in report.outcomes), kept
            if all(o.state == "done" for o in report.outcomes):
                told.assert_reached()
                assert told.steps(told.plan()) == []
            between.swallow.clear()
            told.converge()
            told.assert_reached()
