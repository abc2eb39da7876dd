"""What an apply says of a subject that moved since the plan: sentences, with what was expected and what was found."""

from __future__ import annotations

import pytest

from reconciler.action import Json
from reconciler.apply.stale import stale
from resources.disk_fill.verbs import HEAL, MOVE

PLANNED: dict[str, Json] = {"path": "/tv1/Fargo", "files": 51, "bytes": 318_000_000_000, "list": "a1", "idle": "yes"}


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ({"path": "/tv2/Fargo"}, "its path was /tv1/Fargo, and is /tv2/Fargo now"),
        ({"idle": "RefreshSeries is started"}, "somebody is at work: RefreshSeries is started"),
        (
            {"files": 50, "bytes": 312_000_000_000},
            "it was 318 GB big, and is 312 GB now; it had 51 files, and has 50 now",
        ),
    ],
)
def test_a_move_has_words_of_its_own(found: dict[str, Json], says: str) -> None:
    assert stale(MOVE.words, PLANNED, {**PLANNED, **found}) == f"it changed since the plan: {says}"


def test_every_field_that_a_move_or_heal_rests_on_has_words() -> None:
    """A fingerprint means nothing to anybody: only words of the kind's own can tell."""
    for verb in (MOVE, HEAL):
        assert "list" in verb.words
        assert "{" not in verb.words["list"]
        assert "{" not in HEAL.words["files"]


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (None, "kids", "expected label nothing, found kids"),
        ("kids", None, "expected label kids, found nothing"),
        (True, False, "expected label yes, found no"),
        ({"a": 1, "b": {"c": [1]}}, {"a": 1, "b": {"c": [1, 2]}}, "expected label.b.c 1, found 1, 2"),
        ([{}] * 9, [{}] * 8, "expected label a list of 9, found a list of 8"),
        ({"a": 1}, None, "expected label something, found nothing"),
    ],
)
def test_other_fields_are_told_by_their_names(was: Json, now: Json, says: str) -> None:
    assert stale({}, {"label": was}, {"label": now}) == f"it changed since the plan: {says}"


def test_what_is_as_it_was_is_not_stale() -> None:
    assert stale({}, {"label": "kids"}, {"label": "kids"}) == ""
    assert stale({}, {}, None) == ""


def test_what_is_gone_and_what_differs_in_many_ways() -> None:
    assert stale({}, {"label": "kids"}, None).endswith("it is not there any more")
    many = {f"f{n}": n for n in range(9)}
    assert stale({}, many, {}).count("expected") == 4
    assert stale({}, many, {}).endswith("and 5 more differences")
