"""A21: the safety check counted another set than the one that was deleted.

Guards read the final list of the plan and nothing else: three tags would go and two may; with one of the three protected
exactly the other two go. What the guard said is what happens.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.stacks import Lab, lab

MADE = "".join(f"  t{n}: {{connections: [sonarr], prune: true}}\n" for n in range(3))
GONE = "".join(f"  t{n}: {{connections: [radarr], prune: true}}\n" for n in range(3))


@pytest.fixture
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with lab(tmp_path_factory.mktemp("a21"), "tiny") as found:
        found.declare(f"tag:\n{MADE}")
        assert found.arr("apply", "--yes").returncode == 0
        yield found


def labels(tiny: Lab) -> set[str]:
    handle = tiny.stack["sonarr"]
    answer = httpx.get(f"{handle.url}/api/v3/tag", headers={"X-Api-Key": handle.api_key})
    return {t["label"] for t in answer.json()} & {"t0", "t1", "t2"}


def test_a21_more_than_the_limit_deletes_nothing(tiny: Lab) -> None:
    tiny.declare(f"guards: {{destroy: {{max: 2}}}}\ntag:\n{GONE}")
    plan = tiny.json("plan")
    assert {h["guard"] for h in plan["plan"]["guards"]} == {"destroy-count"}
    refused = tiny.arr("apply", plan["short"])
    assert refused.returncode in (3, 4), refused.stdout
    assert labels(tiny) == {"t0", "t1", "t2"}


def test_a21_what_is_protected_is_not_counted_and_not_deleted(tiny: Lab) -> None:
    tiny.declare(f"guards: {{destroy: {{max: 2}}}}\nprotect: ['tag:t1']\ntag:\n{GONE}")
    plan = tiny.json("plan")
    assert plan["plan"]["guards"] == []
    done = tiny.arr("apply", plan["short"], "--approve", plan["short"])
    assert labels(tiny) == {"t1"}, done.stdout
