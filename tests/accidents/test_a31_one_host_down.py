"""A31: one host was down and the whole run ended; or every instance failed and the exit code was 0.

A server that is down costs what concerns it. The rest is planned and applied, and the exit code never says that all was
well.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.stacks import Lab, lab


@pytest.fixture
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("a31"), "tiny") as found:
        found.declare("tag:\n  kids: {connections: [radarr]}\n  docs: {connections: [sonarr]}\n")
        yield found


def labels(tiny: Lab, app: str) -> set[str]:
    handle = tiny.stack[app]
    answer = httpx.get(f"{handle.url}/api/v3/tag", headers={"X-Api-Key": handle.api_key})
    return {t["label"] for t in answer.json()} & {"kids", "docs"}


def test_a31_the_others_are_done_and_the_exit_code_tells(tiny: Lab) -> None:
    tiny.stack.kill("sonarr")
    done = tiny.arr("apply", "--yes")
    assert done.returncode == 3, done.stdout + done.stderr
    assert labels(tiny, "radarr") == {"kids"}
    assert "sonarr" in done.stdout


def test_a31_when_everything_is_down_it_is_never_0(tiny: Lab) -> None:
    tiny.stack.kill("sonarr", "radarr")
    assert tiny.arr("plan").returncode == 7
    assert tiny.arr("apply", "--yes").returncode == 7
    tiny.stack.start()
    assert tiny.arr("apply", "--yes").returncode == 0
    assert (labels(tiny, "radarr"), labels(tiny, "sonarr")) == ({"kids"}, {"docs"})
