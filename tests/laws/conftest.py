"""Every test that takes `case` or `laws` is run over every registered kind, in each of its worlds, under each app."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import figures
from tests.effort import PROOF
from tests.laws.bench import SECRET_VARIABLE, Bench, bench
from tests.laws.releases import Seedbox
from tests.laws.servarr import Servarr
from tests.laws.torrents import TorrentClient
from tests.laws.worlds import CANARY, COUNTED, Case, cases

BENCHES: dict[str, type[Bench]] = {"items": Servarr, "torrents": TorrentClient, "releases": Seedbox}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = [c for c in cases() if BENCHES[c.about].HTTP or "over_http" not in metafunc.fixturenames]
    if "sampled" in metafunc.fixturenames and not PROOF:
        found = [next(c for c in found if c.kind == kind) for kind in sorted({c.kind for c in found})]
    if "outage" in metafunc.fixturenames:  # every outage at some point and every point of some outage; all in the proof
        all_of_them = [
            (case, outage, after)
            for n, case in enumerate(found)
            for m, outage in enumerate(BENCHES[case.about].OUTAGES)
            for after in (range(0, 24, 2) if PROOF else [(5 * m + n) % 12])
            if PROOF or (n + m) % 3 == 0
        ]
        metafunc.parametrize(("case", "outage", "after"), all_of_them, ids=str)
    elif "fault" in metafunc.fixturenames:
        every = [(case, name) for case in found for name in (*BENCHES[case.about].OUTAGES, BENCHES[case.about].SLOW)]
        metafunc.parametrize(("case", "fault"), every, ids=str)
    elif "lie" in metafunc.fixturenames:
        metafunc.parametrize(("case", "lie"), [(c, lie) for c in found for lie in BENCHES[c.about].LIES], ids=str)
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", found, ids=str)


@pytest.fixture
def laws(case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv(SECRET_VARIABLE, CANARY)
    with bench(case, tmp_path) as found:
        yield found


@pytest.fixture(autouse=True)
def counted() -> Iterator[None]:
    yield
    figures.add("laws", COUNTED, tries=1)


@pytest.fixture
def over_http() -> None:
    """Asked for by tests in which a proxy lies: only cases whose server is spoken to over HTTP."""


@pytest.fixture
def sampled() -> None:
    """Asked for by tests that need one case of each kind only; all of them in the proof."""
