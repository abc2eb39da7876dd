"""Every test that takes `case` or `laws` is run over every registered kind, in each of its worlds, under each app.

Outside of the proof a world of torrents has one app for each law, another one for the next, and some faults at each; so
has it in the proof where `sampled`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
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


def chosen(law: str, *, over_http: bool, sampled: bool) -> list[Case]:
    """The cases that a law is tried on."""
    found = [c for c in cases() if BENCHES[c.about].HTTP or not over_http]
    turn = zlib.crc32(law.encode())
    if sampled and not PROOF:
        kinds = sorted({c.kind for c in found})[turn % 2 :: 2]
        return [next(c for c in found if c.kind == kind) for kind in kinds]
    if PROOF and not sampled:
        return found
    worlds: dict[tuple[str, str], list[Case]] = {}
    for case in found:
        worlds.setdefault((case.kind, case.name), []).append(case)
    one = {world: same[(turn + n) % len(same)] for n, (world, same) in enumerate(worlds.items())}
    return [case for case in found if case.about == "items" or case == one[case.kind, case.name]]


def points(case: Case, place: int) -> Iterable[int]:
    """After how many calls an outage begins. Clients of torrents and SFTP servers fail at every call in `tests/faults`."""
    return range(0, 24, 2) if PROOF and case.about == "items" else [place % 12]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.fixturenames
    if not {"case", "laws"} & {*asked}:
        return
    found = chosen(metafunc.function.__name__, over_http="over_http" in asked, sampled="sampled" in asked)
    if "ripening" in asked:
        found = [case for case in found if "ripens" in case.told]
    if "outage" in metafunc.fixturenames:  # every outage at some point and every point of some outage; all in the proof
        all_of_them = [
            (case, outage, after)
            for n, case in enumerate(found)
            for m, outage in enumerate(BENCHES[case.about].OUTAGES)
            for after in points(case, 5 * m + n)
            if PROOF or (n + m) % 3 == 0
        ]
        metafunc.parametrize(("case", "outage", "after"), all_of_them, ids=str)
    elif "fault" in metafunc.fixturenames:
        every = [
            (case, name)
            for n, case in enumerate(found)
            for m, name in enumerate((*BENCHES[case.about].OUTAGES, BENCHES[case.about].SLOW))
            if PROOF or case.about == "items" or (n + m) % 3 == 0
        ]
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
def ripening() -> None:
    """Asked for by a test of worlds in which there is more to do later."""


@pytest.fixture
def over_http() -> None:
    """Asked for by tests in which a proxy lies: only cases whose server is spoken to over HTTP."""


@pytest.fixture
def sampled() -> None:
    """Asked for by tests that need one case of each kind only; all of them in the proof."""
