"""What is drawn of the library's simulation: a world to begin with, then any operations. One rule a sort; all numbers are
small, so that they shrink.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from sandbox.values import Json
from tests.simulation.drawn import Drawn, op
from tests.simulation.drift import DRIFTS
from tests.simulation.simulation import Simulation
from tests.simulation.stage import CASTS
from tests.simulation.wish import EDITS

READS = (
    "*", "Items", "Roots", "DiskSpaces", "Commands", "Queue", "Tags", "TagUsers", "Listing", "Tree", "FileRows",
    "OneItem",
)  # fmt: skip
UNREAD = ("down", "truncated", "slow", "unauthorised")
UNSENT = ("refused", "lost-before", "lost-after", "late")

small = st.integers(0, 11)
few = st.integers(0, 2)
soon = st.sampled_from((0, 0, 0, 1, 2, 5))  # calls of one question, or of one sort of write, that get through first


item = st.tuples(small, st.sampled_from((0, 0, 0, 1, 2, 3)), st.integers(5, 150), st.integers(1, 4), small).map(list)
begins = op(
    "begin",
    cast=st.sampled_from(sorted(CASTS)),
    disks=st.integers(2, 4),
    items=st.lists(item, min_size=2, max_size=12),
    most=st.sampled_from(("80%", "60%", "40%")),
    cooldown=st.sampled_from(("90d", "6h", "1s")),
)
drifts = op("drift", what=st.sampled_from(sorted(DRIFTS)), a=small, b=small, c=small)
edits = op("edit", what=st.sampled_from(sorted(EDITS)), a=small, b=small)
looks = op("plan", only=st.none() | small, die_in=st.none())
approved = st.sampled_from((True, True, True, False))
goes = op("go", approve=approved, die_in=st.none(), stop=st.none() | st.none() | st.integers(0, 3))
dies = st.one_of(
    op("go", approve=approved, die_in=st.integers(0, 30)), op("plan", only=st.none(), die_in=st.integers(0, 3))
)
late = op(
    "apply", which=st.integers(0, 4), approve=approved, confirmed=st.booleans(), die_in=st.none() | st.integers(0, 20)
)
happens = st.one_of(
    op(
        "happen",
        what=st.sampled_from(("unmount", "mount", "alias", "download", "remove_item")),
        a=small,
        b=small,
        c=small,
    ),
    op(
        "fault",
        server=few,
        query=st.sampled_from(READS),
        code=st.sampled_from(UNREAD),
        skip=soon,
        times=st.integers(1, 4),
    ),
    op("fault", server=few, query=st.sampled_from(READS), code=st.sampled_from(UNREAD), skip=soon),
    op("fault", server=few, query="write", code=st.sampled_from(UNSENT), skip=soon, times=st.integers(1, 2)),
    op("fault", server=few, query="write", code=st.sampled_from(UNSENT), skip=soon, times=st.integers(1, 2)),
    op("fault", server=few, query="Lists", code="stale"),
    op("well"),
    op("well"),
    op("server", which=few, what=st.sampled_from(("kill", "start", "restart", "restart", "stall", "go on", "go on"))),
    op("server", which=few, what=st.sampled_from(("move-disk-full", "move-denied", "move-killed")), files=few),
    op("server", which=few, what=st.sampled_from(("move-disk-full", "move-denied", "move-killed")), files=few),
)
rests = st.one_of(
    op("settle"),
    op("time", how=st.sampled_from(("minute", "hour", "morning", "day", "day", "week", "back", "far back"))),
    op("undo", which=st.integers(0, 3)),
)
limits = st.sampled_from(("guard_run", "guard_day", "guard_own", "protect", "protect_own", "tag_prune"))
retires = st.tuples(
    op("edit", what="tag_prune", a=small, b=small),
    op("edit", what=limits, a=small, b=small),
    op("go", approve=st.just(True)),
    op("edit", what=st.sampled_from(("tag_label", "tag_connections", "rename_tag")), a=small, b=small),
    op("plan", only=st.none()),
    op("apply", which=st.just(0), approve=approved, confirmed=st.just(True), die_in=st.none()),
)


class Machine(Drawn):
    """See the module."""

    made = Simulation

    @initialize(op=begins)
    def begin(self, op: Json) -> None:
        self.do(op)

    @rule(op=drifts)
    def drift(self, op: Json) -> None:
        """The world moves."""
        self.do(op)

    @rule(op=edits)
    def edit(self, op: Json) -> None:
        """A person edits the wish."""
        self.do(op)

    @rule(op=goes)
    def go(self, op: Json) -> None:
        """Plan and apply."""
        self.do(op)

    @rule(ops=retires)
    def retire(self, ops: tuple[Json, ...]) -> None:
        """A tag is made, and is not wanted any more."""
        for one in ops:
            self.do(one)

    @rule(op=looks | late)
    def step(self, op: Json) -> None:
        """Plan, or apply a plan of before."""
        self.do(op)

    @rule(op=dies)
    def die(self, op: Json) -> None:
        """A process that ends somewhere."""
        self.do(op)

    @rule(op=happens)
    def happen(self, op: Json) -> None:
        """Something breaks, or is well again."""
        self.do(op)

    @rule(op=rests)
    def rest(self, op: Json) -> None:
        """Time passes, a run is taken back, or everything comes to rest."""
        self.do(op)
