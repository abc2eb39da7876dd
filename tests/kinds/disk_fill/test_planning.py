"""The proposal as a pure function of facts and ledger: what moves, in which words, and what is held or blocked and why."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.action import Action, Effects
from reconciler.facts import Facts, Known, Unknown
from reconciler.kind import Ledger, Pending, Verdict
from reconciler.plan.undo import reverse
from reconciler.units import size_text
from resources.clients.localfs import Linked, Space
from resources.clients.servarr import (
    Command,
    DiskSpace,
    DiskSpaces,
    FileRows,
    Items,
    Listing,
    Queue,
    QueueRecord,
    Roots,
)
from resources.disk_fill import KIND
from tests.kinds.disk_fill.made import (
    GB,
    NOW,
    TB,
    Made,
    Server,
    days,
    film,
    move_command,
    past_move,
    show,
    three_disks,
)


def said(action: Action) -> str:
    """An action in one line."""
    return f"{action.subject.title}: {action.before['path']} → {action.after['path']}, {size_text(action.effects.bytes_moved)}"


def test_the_example_of_the_documentation() -> None:
    """Which moves, why, what they do to each disk, and how it adds up."""
    proposal = three_disks().plan()
    assert [said(a) for a in proposal.actions] == [
        "The Expanse: /tv1/The Expanse → /tv3/The Expanse, 488 GB",
        "Fargo: /tv1/Fargo → /tv3/Fargo, 318 GB",
    ]
    assert {a.reason for a in proposal.actions} == {"d1 is 92% full; wanted: at most 85%, settles at 82%"}
    assert {a.details for a in proposal.actions} == {("nothing at the target", "every file is there", "idle")}
    expanse = next(a for a in proposal.actions if a.subject.title == "The Expanse")
    assert expanse.effects.files == 62
    assert expanse.effects.seconds == 4880
    assert expanse.effects.disks["d1"] == -488 * GB
    assert expanse.rests_on["destination"] == "absent"
    assert expanse.undo is not None and expanse.undo.data["destination"] == "/tv1/The Expanse"
    assert proposal.summary == (
        "2 moves, 806 GB (any plan needs at least 806 GB). Nothing is deleted.",
        "sonarr: its imports wait while a move runs. Times assume 100 MB/s.",
    )
    bars = {bar.name: bar for bar in proposal.bars}
    assert bars["d1"].used == 7360 * GB and bars["d1"].used_after == 6554 * GB
    assert bars["d1"].wanted == "at most 85%, settles at 82%" and bars["d1"].ok
    assert sum(bar.free for bar in proposal.bars) == sum(bar.free_after for bar in proposal.bars)
    assert proposal.population == {"sonarr": 5}
    assert "seeding (no torrent client is declared)" in proposal.not_checked


def test_a_client_that_is_declared_and_not_asked_is_not_called_missing() -> None:
    made = three_disks()
    made.clients = ("rt",)
    assert "seeding (no move asks a torrent client)" in made.plan().not_checked


def test_times_come_from_earlier_moves_where_there_are_any() -> None:
    item = show(9, "Old", 100 * GB, "/tv3")
    past = past_move(item, "/tv1/Old", "/tv3/Old", NOW - days(40))
    moved = past.action.model_copy(update={"effects": Effects(bytes_moved=100 * GB, moves=1)})
    ledger = Ledger(history=(replace(past, action=moved, seconds=500.0),))
    proposal = three_disks(ledger=ledger).plan()
    assert "Times are from 1 earlier move: 200 MB/s." in proposal.summary[1]
    assert next(a for a in proposal.actions if a.subject.title == "The Expanse").effects.seconds == 2440


def test_the_ledger_has_to_reach_back_as_far_as_the_cool_down() -> None:
    assert KIND.memory(three_disks().resource()) == days(90)
    assert KIND.memory(three_disks(spec="{disks: [d1, d2], moves: {cooldown: 1d}}").resource()) >= days(30)


def test_whether_an_item_is_among_what_was_read() -> None:
    made = three_disks()
    facts = made.facts()
    assert KIND.sees(made.resource(), facts, "tvdb:1001") is True
    assert KIND.sees(made.resource(), facts, "tvdb:77") is False
    made.broken[Items("sonarr")] = Unknown("down", "refused")
    assert KIND.sees(made.resource(), made.facts(), "tvdb:77") is None


def test_mounts_that_were_not_told_block_and_are_no_error() -> None:
    made = untold()
    made.broken[DiskSpaces("sonarr")] = Unknown("slow", "no answer in 60 s")
    proposal = made.plan()
    assert proposal.errors == ()
    assert [b.what for b in proposal.blocked] == ["how full d1 is", "how full d2 is", "how full d3 is"]


def test_planning_is_pure_and_the_order_of_items_does_not_matter() -> None:
    made = three_disks()
    facts = made.facts()
    first = KIND.plan(made.resource(), facts, Ledger(), NOW)
    again = KIND.plan(made.resource(), facts, Ledger(), NOW)
    assert first.model_dump_json() == again.model_dump_json()
    shuffled = three_disks()
    random.Random(4).shuffle(shuffled.servers["sonarr"].items)
    assert shuffled.plan().actions == first.actions
    assert shuffled.plan().bars == first.bars


def test_once_done_nothing_is_left_to_do() -> None:
    made = three_disks()
    after = made.after(made.plan().actions)
    assert after.plan().actions == ()
    assert all(bar.ok for bar in after.plan().bars)


def test_requests_are_few() -> None:
    """Five questions a connection (its status and tags are the client's), and three an item that is to move."""
    made = three_disks()
    proposal = made.plan()
    assert len(made.asked) <= 6 + 3 * len(proposal.actions)
    assert len(made.asked) == len(set(made.asked))


def test_what_is_beyond_the_pace_is_later() -> None:
    made = three_disks(spec="{disks: [d1, d2, d3], moves: {per_run: 1}}")
    proposal = made.plan()
    assert len(proposal.actions) == len(proposal.later) == 1
    assert not next(bar for bar in proposal.bars if bar.name == "d1").ok
    assert "1 move later" in proposal.summary[0]
    ids = [a.id for a in (*proposal.actions, *proposal.later)]
    assert ids == ["disk_fill.media/1", "disk_fill.media/2"]
    second = made.after(proposal.actions).plan()
    assert [a.subject for a in second.actions] == [a.subject for a in proposal.later]


def test_a_day_has_a_pace_over_all_runs() -> None:
    item = show(9, "Old", 1 * GB, "/tv3")
    ledger = Ledger(history=(past_move(item, "/tv1/Old", "/tv3/Old", NOW - days(0.5)),))
    spec = "{disks: [d1, d2, d3], moves: {per_day: {count: 2}}}"
    proposal = three_disks(spec=spec, ledger=ledger).plan()
    assert len(proposal.actions) == 1
    older = replace(ledger.history[0], at=NOW - days(1.5))
    assert len(three_disks(spec=spec, ledger=replace(ledger, history=(older,))).plan().actions) == 2
    small = three_disks(spec="{disks: [d1, d2, d3], moves: {per_day: {bytes: 400 GB}}}").plan()
    assert {h.reason for h in small.held if h.subject.title == "The Expanse"} == {
        "bigger than what may move in a day (400 GB)"
    }
    by_bytes = three_disks(spec="{disks: [d1, d2, d3], moves: {per_day: {bytes: 500 GB}}}").plan()
    assert sum(a.effects.bytes_moved for a in by_bytes.actions) <= 500 * GB
    assert len(by_bytes.later) >= 1


@pytest.mark.parametrize(
    ("exclude", "reason"),
    [("{ids: ['tvdb:1001']}", "excluded by its id"), ("{tags: [pinned]}", "excluded by its tag pinned")],
)
def test_what_is_excluded_is_held_and_named(exclude: str, reason: str) -> None:
    made = three_disks(spec=f"{{disks: [d1, d2, d3], exclude: {exclude}}}")
    made.servers["sonarr"].items[0] = replace(made.servers["sonarr"].items[0], tags=("pinned",))
    proposal = made.plan()
    assert "The Expanse" not in {a.subject.title for a in proposal.actions}
    (held,) = [h for h in proposal.held if h.subject.title == "The Expanse"]
    assert held.reason == reason
    assert held.bytes == 488 * GB
    assert any(reason in line for line in made.why("the expanse"))


def test_an_excluded_id_that_is_nobodys_is_an_error() -> None:
    proposal = three_disks(spec="{disks: [d1, d2, d3], exclude: {ids: ['tvdb:77']}}").plan()
    assert proposal.errors == ("exclude.ids: no item has the id tvdb:77; correct it or remove it",)


def test_the_protecting_tag_does_not_hold_a_move() -> None:
    """A move destroys nothing."""
    made = three_disks()
    made.servers["sonarr"].items[0] = replace(made.servers["sonarr"].items[0], tags=("arr-protect",))
    assert "The Expanse" in {a.subject.title for a in made.plan().actions}


def test_an_item_rests_after_it_was_moved() -> None:
    item = three_disks().servers["sonarr"].items[0]
    ledger = Ledger(history=(past_move(item, "/tv2/The Expanse", "/tv1/The Expanse", NOW - days(12)),))
    proposal = three_disks(ledger=ledger).plan()
    reasons = [h.reason for h in proposal.held if h.subject.title == "The Expanse"]
    assert reasons == ["moved 12 days ago (run r000007); the cool-down is 90 days"]
    rested = replace(ledger.history[0], at=NOW - days(91))
    again = three_disks(ledger=replace(ledger, history=(rested,))).plan()
    assert "The Expanse" in {a.subject.title for a in again.actions}


def test_two_attempts_that_came_to_nothing_are_enough_for_a_day() -> None:
    item = three_disks().servers["sonarr"].items[0]
    tries = tuple(past_move(item, "/tv1/The Expanse", "/tv3/The Expanse", NOW - days(x), "failed") for x in (0.2, 0.1))
    proposal = three_disks(ledger=Ledger(history=tries)).plan()
    assert "The Expanse" not in {a.subject.title for a in proposal.actions}
    once = three_disks(ledger=Ledger(history=tries[:1])).plan()
    assert "The Expanse" in {a.subject.title for a in once.actions}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("RefreshSeries", {"seriesIds": [1]}),
        ("RefreshSeries", {}),
        ("RescanSeries", {"seriesId": 1}),
        ("RenameFiles", {"seriesId": 1}),
    ],
)
def test_a_busy_item_is_held(name: str, body: dict[str, object]) -> None:
    made = three_disks()
    made.servers["sonarr"].commands = [Command(5, name, "started", "unknown", "", "", dict(body))]
    (held,) = [h for h in made.plan().held if h.subject.title == "The Expanse"]
    assert held.reason == f"busy: {name} is started"
    made.servers["sonarr"].commands = [Command(5, name, "completed", "successful", "", "", dict(body))]
    assert "The Expanse" in {a.subject.title for a in made.plan().actions}


def test_what_is_being_downloaded_is_held() -> None:
    made = three_disks()
    record = QueueRecord(1, 1, "The.Expanse.S01", "downloading", "downloading", "AB", 10, 5)
    made.servers["sonarr"].queue = [record]
    (held,) = [h for h in made.plan().held if h.subject.title == "The Expanse"]
    assert held.reason == "busy: The.Expanse.S01 is being downloaded or imported"
    made.servers["sonarr"].queue = [replace(record, state="imported")]
    assert "The Expanse" in {a.subject.title for a in made.plan().actions}


def test_files_missing_at_the_source_hold_the_item_and_another_takes_its_place() -> None:
    made = three_disks()
    server = made.servers["sonarr"]
    server.items.append(show(6, "Spare", 500 * GB, "/tv1", 20))
    server.roots["/tv1"] = (140 * GB, 8 * TB)
    chosen = {a.subject.title for a in made.plan().actions}
    assert chosen
    gone = next(i for i in server.items if i.title in chosen)
    files = server.files_of(gone)
    server.trees[gone.path] = {"Season 1/01.mkv": files["Season 1/01.mkv"]}
    proposal = made.plan()
    assert gone.title not in {a.subject.title for a in proposal.actions}
    (held,) = [h for h in proposal.held if h.subject.title == gone.title]
    assert "files are missing: Season 1/02.mkv" in held.reason
    server.trees[gone.path] = {**files, "Season 1/02.mkv": 5}
    proposal = made.plan()
    assert gone.title not in {a.subject.title for a in proposal.actions}
    (held,) = [h for h in proposal.held if h.subject.title == gone.title]
    assert "is of another size than sonarr knows: Season 1/02.mkv" in held.reason


def test_a_hidden_folder_name_is_held() -> None:
    made = three_disks()
    made.servers["sonarr"].items[0] = show(1, "Recovery", 488 * GB, "/tv1", 62)
    (held,) = [h for h in made.plan().held if h.subject.title == "Recovery"]
    assert "listings hide folders called 'Recovery'" in held.reason


def test_an_item_with_another_item_inside_is_held() -> None:
    made = three_disks()
    made.servers["sonarr"].items.append(show(8, "Belter", GB, "/tv1/The Expanse"))
    (held,) = [h for h in made.plan().held if h.subject.title == "The Expanse"]
    assert held.reason == "/tv1/The Expanse/Belter of sonarr lies in its folder and would move with it"


def with_films(path: str, *, disk: str = "", paths: tuple[dict[str, str], ...] = ()) -> list[str]:
    """Why The Expanse stays when Radarr has a film in this folder."""
    root, _, title = path.rpartition("/")
    radarr = Server("radarr", [film(1, title, GB, root)], {root: (640 * GB, 8 * TB)})
    made = three_disks(paths=paths)
    made.servers["radarr"] = radarr
    if disk:
        made.disks = made.disks.replace(f"{disk}: {{roots: {{", f"{disk}: {{roots: {{radarr: {root}, ")
    return [
        h.reason for h in made.plan().held if h.subject.ident.startswith("sonarr:") and h.subject.title == "The Expanse"
    ]


def test_another_apps_folder_inside_holds_an_item_in_whatever_spelling() -> None:
    told = ["/tv1/The Expanse/Films/Origin of radarr lies in its folder and would move with it"]
    assert with_films("/tv1/The Expanse/Films/Origin") == told
    assert with_films("/tv1/The Expanse/Films/Origin", disk="d1") == told
    paths = ({"sonarr": "/tv1", "here": "/mnt/one"}, {"radarr": "/movies", "here": "/mnt/one/The Expanse/Films"})
    assert with_films("/movies/Origin", paths=paths) == [
        "/movies/Origin of radarr lies in its folder and would move with it"
    ]
    assert with_films("/movies/Origin") == []


def test_one_folder_that_two_apps_keep_is_held_unless_it_is_proven_to_be_two() -> None:
    told = ["its folder is /tv1/The Expanse of radarr as well, which would be left without it"]
    assert with_films("/tv1/The Expanse") == told
    assert with_films("/tv1/The Expanse", disk="d1") == told
    assert with_films("/tv1/The Expanse", disk="d2") == []
    apart = ({"sonarr": "/tv1", "here": "/mnt/one"}, {"radarr": "/tv1", "here": "/mnt/two"})
    assert with_films("/tv1/The Expanse", paths=apart) == []


def test_a_target_that_exists_bars_that_disk_only() -> None:
    made = three_disks()
    made.servers["sonarr"].extra["/tv3"] = ["the expanse"]
    made.servers["sonarr"].trees["/tv3/The Expanse"] = {}
    move = next((a for a in made.plan().actions if a.subject.title == "The Expanse"), None)
    assert move is None or move.after["path"] == "/tv2/The Expanse"


def test_a_target_that_shows_none_of_its_items_looks_unmounted() -> None:
    """Its free space is that of the disk below the mount point."""
    made = three_disks()
    listing = Listing("sonarr", "/tv3")
    made.broken[listing] = Known((), NOW)  # type: ignore[assignment]
    proposal = made.plan()
    assert not [a for a in proposal.actions if a.after["path"].startswith("/tv3")]
    (told,) = [b for b in proposal.blocked if b.what == "moves to /tv3"]
    assert "looks unmounted: none of the 1 folders that sonarr has there are there" in told.reason


def test_a_connection_that_may_only_be_read_keeps_its_items() -> None:
    proposal = three_disks(read_only=("sonarr",)).plan()
    assert proposal.actions == ()
    assert {h.reason for h in proposal.held} == {"sonarr is declared access: read"}


# ------------------------------------------------------------------------------------------------------- several apps


def shared() -> Made:
    """A Sonarr and a Radarr on the same two disks."""
    sonarr = Server(
        "sonarr", [show(1, "Alpha", 400 * GB, "/d1/tv")], {"/d1/tv": (50 * GB, 1 * TB), "/d2/tv": (900 * GB, 1 * TB)}
    )
    radarr = Server(
        "radarr",
        [film(1, "Beta", 60 * GB, "/d1/films"), film(2, "Gamma", 140 * GB, "/d1/films")],
        {"/d1/films": (50 * GB, 1 * TB), "/d2/films": (900 * GB, 1 * TB)},
    )
    disks = """
        d1: {roots: {sonarr: /d1/tv, radarr: /d1/films}, max: 90%}
        d2: {roots: {sonarr: /d2/tv, radarr: /d2/films}, max: 90%}
    """
    return Made({"sonarr": sonarr, "radarr": radarr}, disks, "{disks: [d1, d2], settle: 0%}")


def test_items_of_all_apps_on_a_disk_may_move() -> None:
    """50 GB are too much on d1: the movie of 60 GB is the least that reaches the target."""
    (move,) = shared().plan().actions
    assert said(move) == "Beta: /d1/films/Beta → /d2/films/Beta, 60.0 GB"
    assert move.subject.type == "movie"
    assert move.data["watch"] == ["radarr", "sonarr"]


def test_an_item_goes_only_where_its_own_app_has_a_root() -> None:
    made = shared()
    made.disks = made.disks.replace("{sonarr: /d2/tv, radarr: /d2/films}", "{sonarr: /d2/tv}")
    (move,) = made.plan().actions
    assert move.subject.title == "Alpha"


def test_one_app_down_blocks_its_own_items_and_says_so() -> None:
    made = shared()
    made.broken[Items("radarr")] = Unknown("down", "connection refused", "is it running?")
    made.ledger = Ledger(populations={"disk_fill.media radarr": 2})
    proposal = made.plan()
    (blocked,) = proposal.blocked
    assert (blocked.what, blocked.subjects, blocked.code) == ("the movies of radarr", 2, "down")
    assert blocked.reason == "the list of radarr (connection refused)"
    assert {a.subject.connection for a in proposal.actions} <= {"sonarr"}
    assert "radarr" not in proposal.population


@pytest.mark.parametrize("query", [Items, Roots, Queue])
def test_everything_down_plans_nothing_and_blocks(query: type) -> None:
    made = three_disks()
    made.broken[query("sonarr")] = Unknown("server-error", "it answered 500")
    proposal = made.plan()
    assert proposal.actions == proposal.later == ()
    assert len(proposal.blocked) == 1
    assert proposal.errors == ()


def test_an_answer_that_fails_in_the_second_wave_blocks_that_item() -> None:
    made = three_disks()
    made.broken[FileRows("sonarr", 1)] = Unknown("slow", "no answer in 60 s")
    proposal = made.plan()
    assert "The Expanse" not in {a.subject.title for a in proposal.actions}
    (blocked,) = proposal.blocked
    assert blocked.what == "moving The Expanse"
    assert "no answer in 60 s" in blocked.reason


def test_a_root_that_is_not_there_is_an_error_and_one_that_is_silent_blocks() -> None:
    made = three_disks()
    made.disks = made.disks.replace("/tv3", "/tv9")
    assert made.plan().errors == ("disks.d3.roots.sonarr: sonarr has no root folder /tv9 (it has /tv1, /tv2, /tv3)",)
    silent = three_disks()
    silent.servers["sonarr"].inaccessible.add("/tv3")
    proposal = silent.plan()
    assert [b.code for b in proposal.blocked] == ["slow"]
    assert all(a.after["path"].startswith("/tv2") for a in proposal.actions)


# ------------------------------------------------------------------------------------------------------ disks and sizes


def untold(**more: object) -> Made:
    """Nobody tells how big the disks are."""
    made = three_disks(**more)
    made.servers["sonarr"].roots = {path: (free, None) for path, (free, _) in made.servers["sonarr"].roots.items()}
    return made


def test_a_percentage_of_an_unknown_size_is_an_error_that_says_what_to_declare() -> None:
    proposal = untold().plan()
    assert proposal.actions == ()
    assert len(proposal.errors) == 3
    assert "Declare its size (size: 12 TB)" in proposal.errors[0]


def test_keep_free_needs_no_size() -> None:
    made = untold()
    made.disks = made.disks.replace("max: 85%", "keep_free: 900 GB")
    proposal = made.plan()
    assert proposal.errors == ()
    assert [a.subject.title for a in proposal.actions] == ["Fargo"]
    assert next(b for b in proposal.bars if b.name == "d1").wanted == "900 GB free"


def test_the_size_is_what_this_machine_measures_else_what_the_app_tells_else_what_is_declared() -> None:
    here = untold(here={"/mnt/d1": Space(8 * TB, 640 * GB)})
    here.disks = """
        d1: {roots: {sonarr: /tv1}, max: 85%, here: /mnt/d1, size: 8.7 TB}
        d2: {roots: {sonarr: /tv2}, max: 85%, size: 8 TB}
        d3: {roots: {sonarr: /tv3}, max: 85%}
    """
    here.servers["sonarr"].spaces = [DiskSpace("/", 5 * GB, 50 * GB), DiskSpace("/tv3", 4800 * GB, 12 * TB)]
    proposal = here.plan()
    assert proposal.errors == ()
    assert {bar.name: bar.size for bar in proposal.bars} == {"d1": 8 * TB, "d2": 8 * TB, "d3": 12 * TB}


def test_a_mount_with_other_free_space_is_not_the_disk() -> None:
    """Inside a container `/` is the overlay: it holds every path, and is no one's disk."""
    made = untold()
    made.servers["sonarr"].spaces = [DiskSpace("/", 5 * GB, 50 * GB)]
    assert len(made.plan().errors) == 3


def test_a_folder_of_this_machine_on_another_disk_is_an_error() -> None:
    made = untold(here={"/mnt/d1": Space(8 * TB, 7 * TB)})
    made.disks = made.disks.replace("{sonarr: /tv1}, max: 85%", "{sonarr: /tv1}, max: 85%, here: /mnt/d1, size: 8 TB")
    errors = [e for e in made.plan().errors if e.startswith("disks.d1")]
    assert len(errors) == 1
    assert "it is another disk (or that disk is not mounted there)" in errors[0]


def test_a_declared_size_may_be_rounded_but_not_wrong() -> None:
    """People write 8 TB for a disk of 8.001."""
    made = untold()
    made.disks = made.disks.replace("{sonarr: /tv3}, max: 85%", "{sonarr: /tv3}, max: 85%, size: 4.79 TB")
    made.disks = made.disks.replace("{sonarr: /tv1}, max: 85%", "{sonarr: /tv1}, max: 85%, size: 500 GB")
    proposal = made.plan()
    assert next(bar for bar in proposal.bars if bar.name == "d3").size == 4800 * GB
    (error,) = [e for e in proposal.errors if e.startswith("disks.d1")]
    assert error == "disks.d1.size: it is said to be 500 GB, but has 640 GB free"


def test_two_disks_with_one_free_space_are_one() -> None:
    """Roots on one file system: nothing would be won by moving between them."""
    made = three_disks()
    made.servers["sonarr"].roots["/tv2"] = made.servers["sonarr"].roots["/tv1"]
    proposal = made.plan()
    assert [bar.name for bar in proposal.bars] == ["d1=d2", "d3"]
    assert all(a.after["path"].startswith("/tv3") for a in proposal.actions)
    assert any("d1 and d2 have the same free space to the byte" in line for line in proposal.summary)
    made.disks = made.disks.replace(
        "{roots: {sonarr: /tv2}, max: 85%}", "{roots: {sonarr: /tv2}, max: 85%, distinct: true}"
    )
    assert [bar.name for bar in made.plan().bars] == ["d1", "d2", "d3"]


def test_roots_far_apart_in_free_space_are_not_one_disk() -> None:
    made = shared()
    made.servers["radarr"].roots["/d1/films"] = (700 * GB, 1 * TB)
    (error,) = made.plan().errors
    assert "its roots are not on one disk" in error
    assert "/d1/tv" in error and "/d1/films" in error


def test_two_roots_that_hold_the_same_name_may_be_one_folder() -> None:
    """One folder under two paths destroys files: nothing moves between them until somebody vouches."""
    made = three_disks()
    made.servers["sonarr"].extra = {"/tv1": ["@stuff"], "/tv3": ["@stuff"]}
    proposal = made.plan()
    assert not any(a.before["path"].startswith("/tv1") and a.after["path"].startswith("/tv3") for a in proposal.actions)
    made.servers["sonarr"].extra["/tv2"] = ["@stuff"]
    none = made.plan()
    assert none.actions == ()
    assert any("both hold '@stuff'" in h.reason and "distinct: true" in h.reason for h in none.held)
    made.disks = made.disks.replace(
        "{roots: {sonarr: /tv1}, max: 85%}", "{roots: {sonarr: /tv1}, max: 85%, distinct: true}"
    )
    assert made.plan().actions != ()


def test_the_ordinary_folder_of_a_file_system_proves_nothing() -> None:
    made = three_disks()
    made.servers["sonarr"].extra = {root: ["lost+found"] for root in ("/tv1", "/tv2", "/tv3")}
    assert len(made.plan().actions) == 2


def test_a_drained_disk_is_emptied_of_what_may_move() -> None:
    made = three_disks(spec="{disks: [d1, d2, d3], exclude: {ids: ['tvdb:1005']}}")
    made.disks = """
        d1: {roots: {sonarr: /tv1}}
        d2: {roots: {sonarr: /tv2}}
        d3: {roots: {sonarr: /tv3}, drain: true}
    """
    made.servers["sonarr"].items.append(show(6, "Small", 90 * GB, "/tv3"))
    proposal = made.plan()
    assert [a.subject.title for a in proposal.actions] == ["Small"]
    assert proposal.actions[0].reason == "d3 is to be emptied"
    assert [h.subject.title for h in proposal.held] == ["Lost"]


def test_targets_out_of_reach_are_said_so_with_what_would_be_needed() -> None:
    made = three_disks()
    made.servers["sonarr"].roots |= {"/tv2": (1300 * GB, 8 * TB), "/tv3": (1810 * GB, 12 * TB)}
    proposal = made.plan()
    assert any(line.startswith("d1 misses its target by") for line in proposal.summary)
    assert not next(bar for bar in proposal.bars if bar.name == "d1").ok


def test_balance_evens_out() -> None:
    made = three_disks(spec="{disks: [d1, d2, d3], balance: true}")
    made.servers["sonarr"].items = [
        *(show(n, f"Show {n:02d}", 80 * GB, "/tv1") for n in range(1, 40)),
        *(show(n, f"Show {n:02d}", 80 * GB, "/tv2") for n in range(40, 60)),
    ]
    proposal = made.plan()
    before = {b.name: (b.used or 0) / (b.size or 1) for b in proposal.bars}
    after = {b.name: (b.used_after or 0) / (b.size or 1) for b in proposal.bars}
    assert max(after.values()) - min(after.values()) < max(before.values()) - min(before.values()) - 0.2
    assert made.after(proposal.actions).plan().actions == ()


def test_several_roots_of_an_app_on_a_disk_keep_their_places() -> None:
    server = Server(
        "sonarr",
        [show(1, "Akira", 300 * GB, "/d1/anime"), show(2, "Big", 10 * GB, "/d1/tv")],
        {
            p: (free, 1 * TB)
            for p, free in {"/d1/tv": 50 * GB, "/d1/anime": 50 * GB, "/d2/tv": 900 * GB, "/d2/anime": 900 * GB}.items()
        },
    )
    disks = """
        d1: {roots: {sonarr: [/d1/tv, /d1/anime]}, max: 90%}
        d2: {roots: {sonarr: [/d2/tv, /d2/anime]}, max: 90%}
    """
    (move,) = Made({"sonarr": server}, disks, "{disks: [d1, d2]}").plan().actions
    assert move.after == {"path": "/d2/anime/Akira"}


# ------------------------------------------------------------------------------------------------------- under way


def test_a_move_under_way_reserves_its_room_and_its_subject() -> None:
    made = three_disks()
    first = made.plan().actions[0]
    running = Pending(
        "r1", NOW, first, {"command": 3}, Verdict("running", "MoveSeries is started", {}, 100 * GB, 488 * GB)
    )
    item = next(i for i in made.servers["sonarr"].items if i.ident == first.subject.key)
    command = move_command(3, item.id, first.before["path"], first.after["path"])
    made.servers["sonarr"].commands = [command]
    made.ledger = Ledger(pending=(running,))
    proposal = made.plan()
    (going,) = proposal.under_way
    assert (going.done_bytes, going.total_bytes) == (100 * GB, 488 * GB)
    assert first.subject.ident not in {a.subject.ident for a in proposal.actions}
    assert first.subject.ident not in {h.subject.ident for h in proposal.held}
    assert sum(a.effects.bytes_moved for a in proposal.actions) < 806 * GB
    bars = {b.name: b for b in proposal.bars}
    assert (bars["d1"].reserved, bars["d3"].reserved) == (-388 * GB, 388 * GB)
    for bar in bars.values():  # what is under way comes whatever the plan does
        changed = sum(a.effects.disks.get(bar.name, 0) for a in proposal.actions)
        assert bar.free - bar.free_after == changed + bar.reserved


def test_an_undo_shows_the_disks_too() -> None:
    """Taking all of a plan back ends where it began, and says which limits are broken again."""
    made = three_disks()
    first = made.plan()
    back = [undone for n, a in enumerate(first.actions, 1) if (undone := reverse(a, n)) is not None]
    there = made.after(first.actions)
    bars = KIND.bars(there.resource(), there.facts(), there.ledger, NOW, back)
    before = {b.name: b for b in first.bars}
    assert {b.name: b.used_after for b in bars} == {name: b.used for name, b in before.items()}
    assert {b.name for b in bars if not b.ok} == {"d1"}


def test_what_could_not_be_settled_is_blocked() -> None:
    made = three_disks()
    first = made.plan().actions[0]
    made.ledger = Ledger(pending=(Pending("r1", NOW, first, None, Verdict("unknown", "connection refused")),))
    proposal = made.plan()
    assert [b.what for b in proposal.blocked] == [f"what became of {first.subject.title}"]
    assert first.subject.ident not in {a.subject.ident for a in proposal.actions}


# ------------------------------------------------------------------------------------------------------- hard links


def test_hard_links_hold_an_item_where_this_machine_sees_them() -> None:
    paths = ({"here": "/mnt/tv1", "sonarr": "/tv1"},)
    linked = {"/mnt/tv1/The Expanse": Linked(62, 488 * GB, 60, 470 * GB), "/mnt/tv1/Fargo": Linked(51, 318 * GB, 0, 0)}
    proposal = three_disks(paths=paths, linked=linked).plan()
    assert "The Expanse" not in {a.subject.title for a in proposal.actions}
    (held,) = [h for h in proposal.held if h.subject.title == "The Expanse"]
    assert held.reason == "60 of 62 files (470 GB) have other names too (hard links)"
    fargo = next(a for a in proposal.actions if a.subject.title == "Fargo")
    assert "no hard links" in fargo.details


def test_a_mapped_folder_that_does_not_show_the_files_proves_nothing() -> None:
    paths = ({"here": "/mnt/tv1", "sonarr": "/tv1"},)
    linked = {"/mnt/tv1/The Expanse": Linked(0, 0, 0, 0), "/mnt/tv1/Fargo": Linked(51, 318 * GB, 0, 0)}
    proposal = three_disks(paths=paths, linked=linked).plan()
    assert "The Expanse" not in {a.subject.title for a in proposal.actions}


def test_reads_without_answers_asks_the_lists_only() -> None:
    made = three_disks()
    asked = list(KIND.reads(made.resource(), Facts(), Ledger(), datetime.now(UTC)))
    assert {type(x).__name__ for x in asked} == {"Items", "Roots", "DiskSpaces", "Commands", "Queue"}


def test_why_of_a_vague_word_is_short_and_says_how_to_narrow_it() -> None:
    items = [show(n, f"The Show {n}", GB, "/tv1") for n in range(1, 301)]
    made = Made(
        {"sonarr": Server("sonarr", items, {"/tv1": (4 * TB, 8 * TB)})}, "d1: {roots: {sonarr: /tv1}}", "{disks: [d1]}"
    )
    lines = made.why("the")
    assert sum(line.startswith("The Show") for line in lines) == 10
    assert "290 more of 300" in lines[-1]
    assert len(made.why("The Show 300")) == 2
