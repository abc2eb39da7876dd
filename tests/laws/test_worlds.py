"""Who is put through the laws: every registered kind, under every app that it works with."""

from __future__ import annotations

import pytest

from reconciler import registry
from tests import figures
from tests.laws.worlds import COUNTED, HERE, cases


@pytest.mark.parametrize("kind", sorted(registry.kinds()))
def test_every_kind_has_a_world_for_every_app_of_its(kind: str) -> None:
    mine = [case for case in cases() if case.kind == kind]
    covered = {case.app.partition("-")[0] for case in mine}
    assert covered, (
        f"the kind '{kind}' has no world: add tests/laws/worlds/{kind}/<name>.yaml (see the README there), so that the "
        f"laws can be tried on it"
    )
    missing = set(getattr(registry.kinds()[kind], "apps", ())) - covered
    assert not missing, f"no world of '{kind}' is about {', '.join(sorted(missing))}: add it to `apps` of one"
    figures.add("laws", COUNTED, kinds=1, worlds_and_apps=len(mine))


def test_every_world_is_of_a_kind_that_is_there() -> None:
    assert {p.name for p in HERE.iterdir() if p.is_dir()} <= registry.kinds().keys()
