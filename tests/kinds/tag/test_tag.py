"""`tag` against real servers: made where it is missing, found by its label, deleted only where it is ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.apply.report import Report
from reconciler.errors import Exit, UsageError
from reconciler.plan.outcome import exit_code
from tests.kinds.tag.house import House, fresh, running
from tests.stacks import Lab

EVERYWHERE = "  kids: {connections: [sonarr, next, radarr]}\n"
HERE_WITH_PRUNE = "  kids: {connections: [sonarr], prune: true}\n"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running(tmp_path_factory.mktemp("stack")) as found:
        yield found


@pytest.fixture
def house(stack: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    return fresh(stack, tmp_path, monkeypatch)


def states(report: Report) -> list[str]:
    return [o.state for o in report.outcomes]


# making ---------------------------------------------------------------------------------------------------------------


def test_a_tag_is_made_where_it_is_missing_and_then_nothing_is_left(house: House) -> None:
    """Law 1."""
    house.make("next", "kids")
    house.declare(EVERYWHERE)
    assert house.steps() == ["create radarr:tag/kids", "create sonarr:tag/kids"]
    report = house.apply()
    assert states(report) == ["done", "done"]
    assert report.exit is Exit.OK
    assert [list(house.tags(n)) for n in ("sonarr", "next", "radarr")] == [["kids"]] * 3
    plan = house.plan()
    assert not list(plan.actions())
    assert exit_code(plan, detailed=True) is Exit.OK


def test_a_label_of_its_own(house: House) -> None:
    house.declare("  uhd: {connections: [radarr], label: 4k-uhd}\n")
    house.apply()
    assert list(house.tags("radarr")) == ["4k-uhd"]


def test_planning_reads_little_and_writes_nothing(house: House) -> None:
    """Law 3: who is there, and one list, for each connection, however many tags are declared."""
    house.declare("".join(f"  t{n}: {{connections: [sonarr, radarr]}}\n" for n in range(20)))
    assert len(house.steps()) == 40
    asked = sorted(f"{r['server']} {r['method']} {r['path']}" for r in house.control.requests())
    assert asked == [f"{n} GET /api/v3/{p}" for n in ("radarr", "sonarr") for p in ("system/status", "tag")]


def test_a_tag_that_was_purged_is_drift(house: House) -> None:
    house.declare("  kids: {connections: [radarr]}\n")
    house.apply()
    assert house.plan().resources[0].cause == "drift"
    house.ask("radarr", "DELETE", f"/tag/{house.tags('radarr')['kids']}")
    plan = house.plan()
    assert [(a.verb, a.cause) for a in plan.actions()] == [("create", "drift")]
    assert states(house.session.apply(plan)) == ["done"]
    assert list(house.tags("radarr")) == ["kids"]


def test_a_tag_made_by_hand_meanwhile_is_left_as_it_is(house: House) -> None:
    """Law 5."""
    house.declare("  kids: {connections: [sonarr]}\n")
    session = house.session
    plan = session.plan()
    house.make("sonarr", "kids")
    house.control.clear()
    report = session.apply(plan)
    assert states(report) == ["stale"]
    assert "expected label nothing, found kids" in report.outcomes[0].says
    assert not house.writes()


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_lost_reply_is_looked_up(house: House, when: str) -> None:
    """Law 7: done when the world shows it, and not done twice."""
    house.declare("  kids: {connections: [sonarr]}\n")
    house.control.break_("reset", server="sonarr", method="POST", path="/api/v3/tag", times=1, when=when)
    report = house.apply()
    assert states(report) == ["done" if when == "after" else "failed"]
    assert house.writes() == ["POST /api/v3/tag"]
    assert list(house.tags("sonarr")) == (["kids"] if when == "after" else [])
    house.apply()
    assert list(house.tags("sonarr")) == ["kids"]
    assert house.plan().resources[0].proposal.actions == ()


def test_what_was_made_before_a_silence_is_ours_once_it_is_settled(house: House) -> None:
    """The reply is lost and nobody can look: the next run settles it, and the tag is owned as any other that we made."""
    house.declare("  kids: {connections: [radarr, sonarr], prune: true}\n")
    house.control.break_("reset", server="radarr", method="POST", path="/api/v3/tag", times=1, when="after")
    house.control.break_("unauthorised", server="radarr", method="GET", path="/api/v3/tag", skip=3)
    assert states(house.apply()) == ["unknown", "done"]
    house.control.heal()
    assert not house.steps()
    house.declare(HERE_WITH_PRUNE)
    assert house.steps() == ["delete radarr:tag/kids"]


def test_a_read_only_connection_is_sent_nothing(house: House) -> None:
    """Law 3, by the user's own word: the plan holds what it would write there, and does the rest."""
    house.declare("  kids: {connections: [sonarr, radarr]}\n")
    wish = house.folder / "stack.yaml"
    wish.write_text(wish.read_text().replace("{app: sonarr,", "{app: sonarr, access: read,"))
    (held,) = house.plan().resources[0].proposal.held
    assert (held.subject.connection, held.reason) == ("sonarr", "sonarr is declared access: read")
    assert states(house.apply()) == ["done"]
    assert {r["server"] for r in house.control.requests() if r["method"] != "GET"} == {"radarr"}


# what is not known ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("starting", "starting"),
        ("unauthorised", "unauthorised"),
        ("login-page", "not-json"),
        ("server-error", "server-error"),
        ("locked", "server-error"),
        ("wrong-app", "wrong-app"),
        ("truncated", "truncated"),
        ("reset", "truncated"),
        ("down", "down"),
    ],
)
def test_what_is_not_answered_is_blocked_and_the_rest_goes_on(house: House, fault: str, code: str) -> None:
    """Law 4."""
    house.make("sonarr", "kids")
    house.declare("  kids: {connections: [sonarr, radarr]}\n")
    house.control.break_(fault, server="sonarr")
    plan = house.plan()
    (part,) = plan.resources
    assert [a.subject.ident for a in part.proposal.actions] == ["radarr:tag/kids"]
    (blocked,) = part.proposal.blocked
    assert (blocked.what, blocked.code) == ("tag in sonarr", code)
    assert blocked.reason
    assert blocked.remedy
    assert exit_code(plan, detailed=True) is Exit.BLOCKED


def test_a_server_that_goes_away_between_plan_and_apply_blocks(house: House) -> None:
    house.declare("  kids: {connections: [sonarr]}\n")
    session = house.session
    plan = session.plan()
    house.control.break_("unauthorised", server="sonarr")
    report = session.apply(plan)
    assert states(report) == ["blocked"]
    assert report.exit is Exit.BLOCKED


# deleting -------------------------------------------------------------------------------------------------------------


def test_what_we_made_and_no_longer_declare_is_deleted_with_prune(house: House) -> None:
    house.make("radarr", "other")
    house.declare("  kids: {connections: [sonarr, radarr], prune: true}\n")
    house.apply()
    house.declare(HERE_WITH_PRUNE)
    plan = house.plan()
    assert [(a.verb, a.subject.ident, a.effects.destroys) for a in plan.actions()] == [("delete", "radarr:tag/kids", 1)]
    assert states(house.apply()) == ["done"]
    assert (list(house.tags("sonarr")), list(house.tags("radarr"))) == (["kids"], ["other"])
    assert not house.steps()


def test_what_another_resource_declares_is_not_pruned(house: House) -> None:
    """Both are named with their places, whichever of the two is looked at; the tag stays."""
    house.declare("  kids: {connections: [sonarr], prune: true}\n")
    house.apply()
    house.declare(
        "  kids: {connections: [sonarr], label: children, prune: true}\n"
        "  other: {connections: [sonarr], label: kids}\n"
    )  # fmt: skip
    for targets in ((), ("tag.kids",)):
        plan = house.session.plan(targets)
        assert [(a.verb, a.subject.key) for a in plan.actions()] == [("create", "children")]
        (error,) = plan.resources[0].proposal.errors
        for told in ("tag kids of sonarr", "tag.kids", "tags.yaml:2", "tag.other", "tags.yaml:3"):
            assert told in error
        assert exit_code(plan, detailed=False) is Exit.ERROR
    house.apply()
    assert sorted(house.tags("sonarr")) == ["children", "kids"]


def test_without_prune_it_stays_and_the_plan_says_so(house: House) -> None:
    house.declare("  kids: {connections: [sonarr]}\n")
    house.apply()
    house.declare("  kids: {connections: [sonarr], label: children}\n")
    (part,) = house.plan().resources
    assert [a.subject.key for a in part.proposal.actions] == ["children"]
    (held,) = part.proposal.held
    assert (held.subject.key, held.way_forward) == ("kids", "prune: true deletes it")


def test_what_somebody_else_made_is_never_deleted(house: House) -> None:
    """Law 9."""
    house.make("radarr", "kids")
    house.declare("  kids: {connections: [sonarr, radarr], prune: true}\n")
    house.apply()
    house.declare(HERE_WITH_PRUNE)
    assert not house.steps()
    assert list(house.tags("radarr")) == ["kids"]


def used(house: House, how: str) -> None:
    """Put the tag on a movie, or take it off."""
    change = {"movieIds": [1], "tags": [house.tags("radarr")["kids"]], "applyTags": how}
    house.ask("radarr", "PUT", "/movie/editor", change)


def test_a_tag_in_use_is_held_and_the_others_are_deleted(house: House) -> None:
    """The server would refuse it at each run, and a deletion that fails ends those after it: for ever."""
    old = "".join(f"  {name}: {{connections: [radarr, sonarr], prune: true}}\n" for name in ("kids", "zoo"))
    house.declare(old)
    house.apply()
    used(house, "add")
    house.declare(old.replace("[radarr, sonarr]", "[sonarr]"))
    plan = house.plan()
    (held,) = (h for part in plan.resources for h in part.proposal.held)
    assert (held.subject.ident, "in use there" in held.reason) == ("radarr:tag/kids", True)
    assert held.reason.endswith(": 1 movie") and held.way_forward == "take it off them in radarr"
    assert any("1 movie" in line for line in dict(house.session.why("kids"))["tag.kids"])
    house.control.clear()
    assert states(house.apply()) == ["done"]
    assert [w.partition("/tag/")[0] for w in house.writes()] == ["DELETE /api/v3"]
    assert list(house.tags("radarr")) == ["kids"]
    used(house, "remove")
    assert house.steps() == ["delete radarr:tag/kids"]


def test_whose_users_are_not_known_is_not_deleted(house: House) -> None:
    """Law 4."""
    house.declare("  kids: {connections: [radarr, sonarr], prune: true}\n")
    house.apply()
    house.declare(HERE_WITH_PRUNE)
    house.control.break_("login-page", server="radarr", method="GET", path="/api/v3/tag/detail")
    plan = house.plan()
    assert not list(plan.actions())
    (blocked,) = plan.resources[0].proposal.blocked
    assert (blocked.what, blocked.code) == ("tag in radarr", "not-json")


def test_a_tag_that_is_in_use_since_the_plan_is_not_deleted_and_the_server_says_why(house: House) -> None:
    house.declare("  kids: {connections: [radarr, sonarr], prune: true}\n")
    house.apply()
    house.declare(HERE_WITH_PRUNE)
    session = house.session
    plan = session.plan()
    used(house, "add")
    report = session.apply(plan, confirmed=True)
    assert states(report) == ["failed"]
    assert "cannot be deleted since it's still in use" in report.outcomes[0].says
    assert report.exit is Exit.ERROR
    assert list(house.tags("radarr")) == ["kids"]


def test_undo_takes_back_what_was_made_and_makes_again_what_was_deleted(house: House) -> None:
    house.declare("  kids: {connections: [radarr, sonarr], prune: true}\n")
    first = house.apply()
    house.declare(HERE_WITH_PRUNE)
    second = house.apply()
    session = house.session
    assert states(session.apply(session.undo(second.run), confirmed=True)) == ["done"]
    assert list(house.tags("radarr")) == ["kids"]
    assert set(states(session.apply(session.undo(first.run), confirmed=True))) == {"done"}
    assert (house.tags("radarr"), house.tags("sonarr")) == ({}, {})


# wishes that are wrong ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ("  kids: {connections: [sonarr], label: Kids}", "small letters, digits and hyphens only"),
        ("  kids: {connections: [sonarr], label: two words}", "small letters, digits and hyphens only"),
        ('  kids: {connections: [sonarr], label: ""}', "'' is no label"),
        ("  my_kids: {connections: [sonarr]}", "'my_kids' is no label"),
        ("  kids: {connections: [sonar]}", "no connection is called 'sonar'"),
        ("  kids: {connections: [sonarr, sonarr]}", "stands here twice"),
        ("  kids: {connections: []}", "connections"),
        ("  kids: {}", "connections"),
        ("  kids: {connections: [sonarr]}\n  other: {connections: [sonarr], label: kids}", "tag kids of sonarr"),
    ],
)
def test_wrong_wishes_are_named_with_their_place(house: House, wish: str, words: str) -> None:
    house.declare(wish + "\n")
    with pytest.raises(UsageError) as caught:
        house.session.validate()
    told = [d for d in caught.value.diagnostics if words in d.message or words in d.field]
    assert told, caught.value.diagnostics
    assert told[0].mark is not None
    assert told[0].mark.file.endswith("tags.yaml")
    assert not house.control.requests(), "no network is needed to say so"


def test_why_a_tag_is_as_it_is(house: House) -> None:
    house.make("sonarr", "kids")
    house.declare("  kids: {connections: [sonarr, radarr]}\n")
    told = dict(house.session.why("kids"))
    assert told == {"tag.kids": ["radarr: declared, and radarr has none", "sonarr: as declared"]}
    assert not house.session.why("Fargo")
