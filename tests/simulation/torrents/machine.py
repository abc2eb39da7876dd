"""What is drawn of the torrents' simulation: clients and torrents to begin with, then any operations."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from sandbox.values import Json
from tests.kinds.torrent_retention.line import STRIKES
from tests.simulation.drawn import Drawn, op
from tests.simulation.torrents.drift import DRIFTS
from tests.simulation.torrents.simulation import TorrentSimulation
from tests.simulation.torrents.wish import EDITS
from tests.simulation.torrents.yard import CASTS

LINES = ("down", "page", "cut", "lost", "dropped", "ignored", "tale", "lost", "dropped", "ignored")

small = st.integers(0, 11)
few = st.integers(0, 2)
approved = st.sampled_from((True, True, True, False))
rich = st.sampled_from((2, 3, 4, 1, 0))
torrent = st.tuples(small, few, few, rich, small, small, st.integers(0, 3)).map(list)
begins = op(
    "begin",
    cast=st.sampled_from(sorted(CASTS)),
    torrents=st.lists(torrent, min_size=1, max_size=8),
    kept=few,
    orphans=st.booleans(),
)
grows = op("drift", what="add", a=small, b=small, c=small)
drifts = op("drift", what=st.sampled_from(sorted(DRIFTS)), a=small, b=small, c=small)
edits = op("edit", what=st.sampled_from((*sorted(EDITS), "protect", "protect")), a=small, b=small)
goes = op("go", approve=approved, die_in=st.none(), stop=st.none() | st.none() | st.integers(0, 3))
dies = op("go", approve=st.just(True), die_in=st.integers(0, 40))
late = op(
    "apply", which=st.integers(0, 4), approve=approved, confirmed=st.booleans(), die_in=st.none() | st.integers(0, 20)
)
looks = op("plan", only=st.none() | small, die_in=st.none() | st.none() | st.integers(0, 3))
breaks = st.one_of(
    op("fault", client=few, how=st.sampled_from(LINES)),
    op("strike", client=few, how=st.sampled_from([s for s in STRIKES if s not in ("slow", "true")]),
       n=st.integers(1, 12), after=st.booleans()),
    op("well"),
)  # fmt: skip
times = op("time", how=st.sampled_from(("minute", "hour", "morning", "day", "day", "day", "week")))
lapses = st.tuples(
    op("go", approve=st.just(True)), op("time", how=st.sampled_from(("day", "week"))), op("go", approve=approved)
)
undoes = op("undo", which=st.integers(0, 3))


class TorrentMachine(Drawn):
    """See the module."""

    made = TorrentSimulation

    @initialize(op=begins)
    def begin(self, op: Json) -> None:
        self.do(op)

    @rule(op=drifts)
    def drift(self, op: Json) -> None:
        """Somebody else does something."""
        self.do(op)

    @rule(op=grows)
    def grow(self, op: Json) -> None:
        """One more torrent."""
        self.do(op)

    @rule(op=edits)
    def edit(self, op: Json) -> None:
        """A person edits the wish."""
        self.do(op)

    @rule(op=goes)
    def go(self, op: Json) -> None:
        """Plan and apply."""
        self.do(op)

    @rule(op=dies)
    def die(self, op: Json) -> None:
        """A process that ends somewhere."""
        self.do(op)

    @rule(op=looks | late)
    def step(self, op: Json) -> None:
        """Plan, or apply a plan of before."""
        self.do(op)

    @rule(op=breaks)
    def break_(self, op: Json) -> None:
        """The line breaks, or is well again."""
        self.do(op)

    @rule(op=times)
    def wait(self, op: Json) -> None:
        """Time passes."""
        self.do(op)

    @rule(ops=lapses)
    def lapse(self, ops: tuple[Json, ...]) -> None:
        """What was moved aside waits, and its time is over."""
        for one in ops:
            self.do(one)

    @rule(op=undoes | op("settle"))
    def rest(self, op: Json) -> None:
        """A run is taken back, or everything comes to rest."""
        self.do(op)
