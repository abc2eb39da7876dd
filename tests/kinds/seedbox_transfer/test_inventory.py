"""What the state keeps of the server's folder, from plan to plan, and what it lets plans say."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reconciler.store import Store
from tests.kinds.seedbox_transfer.lab import Box


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    with Box(tmp_path) as found:
        found.put("Show", {"a": b"one", "b/c": b"two"})
        found.put("Film.mkv", b"film")
        found.declare("verify: size")
        yield found


def known(box: Box) -> dict[str, str]:
    """Title → state, as the state has it."""
    prefix = f"seedbox_transfer.tv there {box.remote}/"
    with Store.open(box.state, box.clock) as store:
        found = store.ledger(box.clock.now()).sightings
    return {k.removeprefix(prefix): state for k, (state, _) in found.items() if k.startswith(prefix)}


def why(box: Box, title: str) -> str:
    return "\n".join(line for _, lines in box.session.why(title) for line in lines)


def summary(box: Box) -> str:
    return " ".join(box.proposal().summary)


def test_every_plan_takes_stock_of_the_whole_folder(box: Box) -> None:
    box.plan()
    first = known(box)
    assert {title: state.split()[1:] for title, state in first.items()} == {"Show": ["2", "6"], "Film.mkv": ["1", "4"]}
    box.put("Show", {"late": b"x"})
    box.put("New", {"n": b"new"})
    box.plan()
    again = known(box)
    assert again["Film.mkv"] == first["Film.mkv"] and again["Show"] != first["Show"]
    assert again.keys() == {"Show", "Film.mkv", "New"}


def test_since_when_a_release_is_as_it_is(box: Box) -> None:
    assert "on seedbox: 6 B in 2 files, seen for the first time" in why(box, "Show")
    box.plan()
    since = f"{box.clock.now():%Y-%m-%d}"
    box.clock.ahead += timedelta(days=2)
    assert f"on seedbox: 6 B in 2 files, as it is since {since}" in why(box, "Show")
    box.put("Show", {"late": b"x"})
    assert "on seedbox: 7 B in 3 files, seen for the first time" in why(box, "Show")


def test_what_left_before_it_was_fetched_is_told_for_a_day(box: Box) -> None:
    box.plan()
    shutil.rmtree(box.remote / "Show")
    assert "Left seedbox before they were fetched: Show." in summary(box)
    assert "Left seedbox" in summary(box), "once more, as somebody may have looked away"
    assert "it left seedbox before it was fetched" in why(box, "Show")
    box.clock.ahead += timedelta(days=2)
    assert "Left seedbox" not in summary(box)
    assert "it left seedbox before it was fetched" in why(box, "Show")
    box.put("Show", {"a": b"one"})
    assert "Left seedbox" not in summary(box) and "it left" not in why(box, "Show")


def test_what_was_fetched_may_leave(box: Box) -> None:
    assert box.bring().exit == 0
    shutil.rmtree(box.remote / "Show")
    (box.remote / "Film.mkv").unlink()
    assert "Left seedbox" not in summary(box)
    assert known(box).get("Show") != "gone"


def test_an_outage_is_no_leaving(box: Box) -> None:
    box.plan()
    before = known(box)
    box.server.stop()
    assert box.proposal().blocked
    assert known(box) == before
    box.server.start()
    assert "Left seedbox" not in summary(box)


def test_another_folder_is_another_inventory(box: Box) -> None:
    """What the wish spoke of before has not left because the wish looks elsewhere now; nor has what is excluded now."""
    box.plan()
    box.declare("verify: size", "exclude: ['*.mkv']")
    assert "Left seedbox" not in summary(box)
    wish = box.desired / "wish.yaml"
    (box.server.home / "other").mkdir()
    wish.write_text(wish.read_text().replace(f"path: {box.remote}", f"path: {box.server.home}/other"))
    assert "Left seedbox" not in summary(box)
