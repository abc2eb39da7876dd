"""Hand-made values that the texts of the views are checked on: plans, an apply's report, and hostile names.

The figures are those of a small believable library; no kind is involved, so a view shows here what it does with values
of any kind.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from reconciler.action import Action, Bar, Blocked, Compensation, Effects, Held, Proposal, UnderWay
from reconciler.address import Address, Subject
from reconciler.apply.by_hand import Entry
from reconciler.apply.report import Outcome, Report, State
from reconciler.connection import Finding
from reconciler.errors import Diagnostic, Mark
from reconciler.kind import Resource, Spec, Verdict
from reconciler.plan.model import Change, Conflict, GuardHit, Plan, ResourcePlan
from reconciler.stack import Stack
from reconciler.store import EntryRow, RunRow
from reconciler.views.look import Look

NOW = datetime(2026, 11, 3, 14, 2, tzinfo=UTC)
LOOK = Look(now=NOW)
GB, TB = 1000**3, 1000**4
CHECKED = ("nothing at the target", "no hardlinks", "idle", "nobody watches it")


def show(title: str, tvdb: int, connection: str = "sonarr") -> Subject:
    return Subject(connection=connection, type="series", key=f"tvdb:{tvdb}", title=title)


def move(number: int, title: str, tvdb: int, gb: int, files: int, source: str, target: str, **more: Any) -> Action:
    """A move of `gb` GB from disk d<source> to d<target>; 100 MB/s."""
    return Action(
        id=f"disk_fill.media/{number}",
        address="disk_fill.media",
        verb="move",
        subject=show(title, tvdb),
        reason="d1 is 92.0% full and may be 85% full",
        before={"path": f"/tv{source}/{title}"},
        after={"path": f"/tv{target}/{title}"},
        details=CHECKED,
        effects=Effects(
            bytes_moved=gb * GB,
            moves=1,
            files=files,
            seconds=gb * 10,
            disks={f"d{source}": -gb * GB, f"d{target}": gb * GB},
        ),
        **more,
    )


def bar(name: str, size: int, used: int, after: int, wanted: str, *, ok: bool = True) -> Bar:
    """Sizes in GB."""
    free, free_after = size - used, size - after
    return Bar(
        name=name, size=size * GB, used=used * GB, used_after=after * GB, free=free * GB, free_after=free_after * GB,
        wanted=wanted, ok=ok,
    )  # fmt: skip


def plan(*parts: ResourcePlan, **more: Any) -> Plan:
    return Plan(
        id="7k3fq2zv5mtd3ahx", lineage="l1", serial=12, desired="d1", created=NOW,
        valid_until=NOW + timedelta(hours=6), resources=parts, **more,
    )  # fmt: skip


EXPANSE = move(1, "The Expanse", 280619, 488, 62, "1", "3")
FARGO = move(2, "Fargo", 269613, 318, 51, "1", "2")

DISKS = (
    bar("d1", 8000, 7360, 6554, "at most 85%, settles at 82%"),
    bar("d2", 8000, 6000, 6318, "at most 85%"),
    bar("d3", 12000, 7200, 7688, "at most 85%"),
)

SEVERANCE = Held(
    subject=show("Severance", 371980),
    bytes=410 * GB,
    reason="all 19 files still seed (9F3C…A1, rtorrent)",
    way_forward="moving it would free nothing; it can move once that torrent has gone",
)

MEDIA = ResourcePlan(
    address="disk_fill.media",
    source="disks.yaml:20",
    cause="wish",
    changes=(Change(where="disks.yaml:12", field="disks.d1.max", before="93%", after="85%"),),
    proposal=Proposal(
        actions=(EXPANSE, FARGO),
        held=(SEVERANCE,),
        bars=DISKS,
        not_checked=("who watches it",),
        summary=(
            "2 moves, 806 GB (any plan needs at least 800 GB). Nothing is deleted. 1 held.",
            "Sonarr imports wait while a move runs.",
        ),
    ),
)


def torrent(number: int) -> Action:
    return Action(
        id=f"torrent_retention.default/{number}",
        address="torrent_retention.default",
        verb="delete",
        subject=Subject(
            connection="rtorrent", type="torrent", key=f"9f3c{number:04}", title=f"Some.Show.S01E{number:02}"
        ),
        reason="imported, seeded 5.1 days of 4",
        effects=Effects(destroys=1, bytes_destroyed=3 * GB, bytes_freed=3 * GB, files=1),
    )


REFUSED = ResourcePlan(
    address="torrent_retention.default",
    source="seedbox.yaml:20",
    cause="wish",
    changes=(Change(where="seedbox.yaml:31", field="keep_until", before="14d", after="4d"),),
    proposal=Proposal(actions=tuple(torrent(n) for n in range(1, 4)), population={"rtorrent": 20}),
    guards=(
        GuardHit(
            guard="destroy-percent",
            address="torrent_retention.default",
            blocks=tuple(f"torrent_retention.default/{n}" for n in range(1, 4)),
            says="3 of 20 would be destroyed: 15%, limit 5% (1)",
            details=("yesterday 0; 3 are new since seedbox.yaml:31 (keep_until 14d → 4d)",),
        ),
    ),
)

BLOCKED = ResourcePlan(
    address="torrent_retention.default",
    source="seedbox.yaml:20",
    cause="drift",
    proposal=Proposal(
        blocked=(
            Blocked(
                what="27 torrents",
                reason="history of sonarr-4k (page 3 of 9 timed out, 3 tries)",
                remedy="look at it: arr doctor sonarr-4k",
                subjects=27,
                bytes=1100 * GB,
                code="slow",
            ),
        ),
        summary=("What is said of the other 285 does not depend on it.",),
    ),
)

HEAL = Action(
    id="disk_fill.media/1",
    address="disk_fill.media",
    verb="heal",
    subject=show("Alpha Station", 900123),
    reason="a move to d3 stopped half-way (disk full, 03:12, not ours)",
    before={"path": "/tv3/Alpha Station"},
    after={"path": "/tv1/Alpha Station"},
    details=(
        "1 file is on d3, 1 on d1; Sonarr will forget the one on d3 at its next rescan and download it again",
        "path there and back, nothing is overwritten",
    ),
    effects=Effects(bytes_moved=9_400_000, files=1, seconds=4),
    cause="repair",
)

BROKEN = ResourcePlan(
    address="disk_fill.media", source="disks.yaml:20", cause="drift", proposal=Proposal(actions=(HEAL,))
)

FIRST = MEDIA.model_copy(
    update={
        "cause": "start",
        "changes": (),
        "guards": (
            GuardHit(
                guard="first-time",
                address="disk_fill.media",
                blocks=("disk_fill.media/1", "disk_fill.media/2"),
                says="it is the first change that disk_fill.media makes",
            ),
        ),
    }
)

TAG = ResourcePlan(
    address="tag.kids",
    source="tags.yaml:3",
    cause="start",
    proposal=Proposal(
        actions=(
            Action(
                id="tag.kids/1",
                address="tag.kids",
                verb="create",
                subject=Subject(connection="sonarr", type="tag", key="kids"),
                reason="sonarr has no tag of that label",
                after={"label": "kids"},
                cause="start",
            ),
        )
    ),
)

CALM = ResourcePlan(address="tag.pinned", source="tags.yaml:7", cause="drift")

BUSY = MEDIA.model_copy(
    update={
        "cause": "drift",
        "changes": (),
        "proposal": Proposal(
            bars=(
                bar("d1", 8000, 7360, 6994, "at most 85%, settles at 82%", ok=False).model_copy(
                    update={"reserved": -366 * GB}
                ),
                DISKS[1],
            ),
            later=(FARGO.model_copy(update={"id": "disk_fill.media/2"}),),
            under_way=(
                UnderWay(action=EXPANSE, says="begun 13:20 in run r000011", done_bytes=122 * GB, total_bytes=488 * GB),
            ),
            errors=("sonarr has no root folder /tv9: declare one of /tv1, /tv2, /tv3",),
        ),
    }
)

CONFLICT = Conflict(
    subject="sonarr:series/tvdb:280619",
    title="The Expanse",
    addresses=("disk_fill.media", "disk_fill.archive"),
    says="disk_fill.media moves it to /tv3, disk_fill.archive to /tv9",
)

WITH_MENDING = EXPANSE.model_copy(
    update={"compensation": Compensation(verb="heal", says="files are brought back to /tv1 by Sonarr itself")}
)

HOSTILE = move(1, "[group] \x1b[31mRed\x07 \u202eevil [/mnt/tv] 進撃の巨人 " + "x" * 120, 1, 5, 1, "1", "3")


def outcome(action: Action, state: State, says: str = "", remedy: str = "", seconds: float | None = None) -> Outcome:
    return Outcome(action=action, state=state, says=says, remedy=remedy, seconds=seconds)


THIRD = move(3, "Dark", 334824, 90, 26, "1", "2")
FOURTH = move(4, "Patriot", 307483, 60, 18, "1", "2")

REPORT = Report(
    run="r000012",
    plan="7k3fq2zv5mtd3ahx",
    settled=(outcome(move(1, "Lost", 73739, 300, 120, "1", "2"), "done", "all 120 files are there"),),
    outcomes=(
        outcome(EXPANSE, "done", "all 62 files are there", seconds=4740),
        outcome(
            FARGO, "broken", "the disk of /tv2 is full: 31 of 51 files are there", "make room on d2, then arr plan"
        ),
        outcome(THIRD, "skipped", "it needs action disk_fill.media/2, which was not done"),
        outcome(FOURTH, "left", "not begun: you stopped the run"),
    ),
    interrupted=True,
)

ALL_DONE = Report(run="r000013", plan="7k3fq2zv5mtd3ahx", outcomes=(outcome(EXPANSE, "done", seconds=4740),))

BEGAN = NOW - timedelta(hours=3)
RUNS = (
    RunRow("r000013", "apply", "7k3fq2zv5mtd3ahx", BEGAN, None, None, "", {"pending": 1}),
    RunRow("r000012", "apply", "aaaaq2zv5mtd3ahx", BEGAN, NOW, 3, "1 of 4 done", {"done": 1, "broken": 1, "left": 2}),
    RunRow("r000011", "apply", "bbbbq2zv5mtd3ahx", BEGAN, NOW, 0, "2 of 2 done", {"done": 2}),
)

BACK = Compensation(verb="move", says="move it back to /tv1")
ENTRIES = (
    EntryRow("r000012", EXPANSE.model_copy(update={"undo": BACK}), BEGAN, BEGAN, NOW, "done", "", {}, {"id": 7}),
    EntryRow("r000012", FARGO, BEGAN, BEGAN, NOW, "broken", "the disk of /tv2 is full", {}, {"id": 8}),
    EntryRow("r000012", THIRD, BEGAN, None, None, None, "", {}, None),
)

OPEN = Entry(
    "r000012/disk_fill.media/3", "r000012", BEGAN, THIRD, True, Verdict("running", "12 of 26 files"), False, ""
)
STUCK = Entry(
    "r000012/disk_fill.media/1", "r000012", BEGAN, EXPANSE, False,
    Verdict("unknown", "no connection is called sonarr"), False, "no connection is called sonarr",
)  # fmt: skip

RESOURCES = (
    Resource(Address("disk_fill", "media"), Spec(), Stack(), {"": Mark("disks.yaml", 20, 5)}),
    Resource(Address("tag", "kids"), Spec(paused=True), Stack(), {"": Mark("tags.yaml", 3, 3)}),
)

FINDINGS = (
    (
        "sonarr",
        (
            Finding("reachable", True, "http://sonarr:8989 answers in 12 ms"),
            Finding("key", False, "401: the API key is not the server's", "see Settings, General in Sonarr"),
            Finding("clock", None, "the server does not tell its time"),
        ),
    ),
    ("radarr", (Finding("reachable", True, "http://radarr:7878 answers in 9 ms"),)),
)

DISK_FINDINGS = (
    (
        "disk d1",
        (
            Finding("sonarr /tv1", True, "640 GB free of 8.0 TB"),
            Finding("radarr /movies1", False, "radarr has no such root folder", "correct disks.d1.roots.radarr"),
        ),
    ),
)

DIAGNOSTICS = (
    Diagnostic(
        "there is no field settel", Mark("desired/disks.yaml", 22, 5), "disk_fill.media.settel", "    settel: 3%",
        "did you mean settle?",
    ),
    Diagnostic(
        "'930%' is more than 100%", Mark("desired/disks.yaml", 12, 36), "disks.d1.max",
        "  d1: {roots: {sonarr: /tv1}, max: 930%}", "write it as 85%",
    ),
    Diagnostic("two resources are called tag.kids", Mark("desired/tags.yaml", 9, 3), "", "\tkids: {label: \x1b[31mkids}"),
)  # fmt: skip

HOSTILE_PART = MEDIA.model_copy(update={"proposal": Proposal(actions=(HOSTILE, WITH_MENDING))})

MANY_HELD = MEDIA.model_copy(
    update={
        "proposal": Proposal(
            held=tuple(
                Held(subject=show(f"Show {n}", n), bytes=10 * GB, reason="moved 3 days ago, rests for 90")
                for n in range(1, 41)
            )
        )
    }
)

NESTED = Action(
    id="delay_profile.usenet/1",
    address="delay_profile.usenet",
    verb="update",
    subject=Subject(connection="sonarr", type="delay_profile", key="usenet"),
    reason="two fields differ",
    before={"order": 1, "fields": [{"name": "a", "value": 1}, {"name": "b", "value": 2}], "tags": ["x"], "old": True},
    after={"order": 1, "fields": [{"name": "a", "value": 1}, {"name": "b", "value": 3}], "tags": ["x", "y"]},
)
