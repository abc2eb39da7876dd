"""Planted bugs: each sabotage of the list is carried out on a copy of the code, and the tests it names must notice.

A test that notices nothing when a safeguard is taken out does not guard it. Noticed means: an assertion of the test fails, not
an import and not a fixture; and the same test passes on the code as it is.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import figures
from tests.effort import PROOF
from tests.sabotage.workshop import Ended, Sabotage, Workshop, sabotages

ALL = sabotages()
WHAT = "safeguards taken out of a copy of the code, one at a time; caught: a named test fails by an assertion"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    with Workshop(tmp_path_factory.mktemp("workshop")) as found:
        yield found


def test_the_list() -> None:
    assert len(ALL) >= 20
    assert len({s.name for s in ALL}) == len(ALL), "two of one name"
    rooms = {patch.file.partition("/")[0] for s in ALL for patch in s.patches}
    assert rooms == {"reconciler", "resources"}, "of the engine and of the kinds, and of nothing else"
    assert not [s.name for s in ALL if not s.tests], "who is to notice?"


def of(ended: dict[str, Ended], test: str) -> list[Ended]:
    """How the variants of a test ended: it may be named without one."""
    return [end for name, end in ended.items() if name == test or name.startswith(f"{test}[")]


def test_on_the_code_as_it_is_they_pass(workshop: Workshop) -> None:
    """All of them in the proof; else the suite itself has run them, and one shows that the copy is a whole one."""
    tests = sorted({test for s in ALL for test in s.tests}) if PROOF else ALL[0].tests
    ended = workshop.run(tests)
    wrong = {test: of(ended, test) for test in tests if {end.outcome for end in of(ended, test)} != {"passed"}}
    assert not wrong, f"{wrong} {workshop.output}"


@pytest.mark.parametrize("sabotage", ALL, ids=str)
def test_it_is_caught(workshop: Workshop, sabotage: Sabotage) -> None:
    with workshop.sabotaged(sabotage):
        ended = workshop.run(sabotage.tests)
    for test in sabotage.tests:
        found = of(ended, test)
        assert found, f"{test} was not run: {workshop.output}"
        failed = [end for end in found if end.outcome == "failed"]
        assert failed, f"nobody noticed. {sabotage.accident} {test}: {found}"
        other = [end for end in failed if end.when != "call" or end.error not in sabotage.errors]
        assert not other, f"not by an assertion: {other}"
    figures.add("sabotages", WHAT, caught=1)
