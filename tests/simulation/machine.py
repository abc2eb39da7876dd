"""What is drawn: a world to begin with, then any operations. One rule a sort; all numbers are small, so that they shrink.

`run` runs so many examples of one seed, and tells of a failure as the operations that lead to it, shrunk.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from sandbox.values import Json
from tests.simulation.drift import DRIFTS
from tests.simulation.simulation import Simulation
from tests.simulation.stage import CASTS
from tests.simulation.wish import EDITS

STEPS = 50  # operations of an example
READS = (
    "*", "Items", "Roots", "DiskSpaces", "Commands", "Queue", "Tags", "TagUsers", "Listing", "Tree", "FileRows",
    "OneItem",
)  # fmt: skip
UNREAD = ("down", "truncated", "slow", "unauthorised")
UNSENT = ("refused", "lost-before", "lost-after", "late")

small = st.integers(0, 11)
few = st.integers(0, 2)
soon = st.sampled_from((0, 0, 0, 1, 2, 5))  # calls of one question, or of one sort of write, that get through first


def op(name: str, **drawn: st.SearchStrategy[Any] | str) -> st.SearchStrategy[Json]:
    """Operations of one name; what is not drawn is said."""
    given = {key: st.just(value) if isinstance(value, str) else value for key, value in drawn.items()}
    return st.fixed_dictionaries({"op": st.just(name), **given})


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


@dataclass
class Told:
    """What a run has come to. `failing`: the operations that broke a law, shrunk, and how."""

    counts: Counter[str] = field(default_factory=Counter)
    most_rounds: int = 0
    failing: list[Json] | None = None
    says: str = ""


class Machine(RuleBasedStateMachine):
    """See the module. `told` is shared by the examples of a run."""

    told = Told()

    def __init__(self) -> None:
        super().__init__()
        self.simulation = Simulation()
        self.broke = False

    def do(self, op: Json) -> None:
        try:
            self.simulation.do(op)
        except BaseException as e:
            self.broke = True
            if isinstance(e, Exception):  # the last one that is seen is the smallest
                self.told.failing, self.told.says = list(self.simulation.done), f"{type(e).__name__}: {e}"
            raise

    def teardown(self) -> None:
        """Every example ends at rest."""
        try:
            if self.simulation.done and not self.broke:
                self.do({"op": "settle"})
                self.told.counts.update(self.simulation.witness.counts)
            self.told.counts.update(self.simulation.counts)
            self.told.most_rounds = max(self.told.most_rounds, self.simulation.most_rounds)
        finally:
            self.simulation.__exit__()

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
        for op in ops:
            self.do(op)

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


def run(number: int, examples: int, keep: Path) -> Told:
    """`number`: the seed. A failure becomes the file `seed-<number>.json` in `keep`, and is told."""
    told = Told()
    machine = seed(number)(type("Drawn", (Machine,), {"told": told}))
    chosen = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, verbosity=Verbosity.quiet,
        derandomize=False, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    try:
        run_state_machine_as_test(machine, settings=chosen)
    except Exception:
        if told.failing is None:
            raise
        keep.mkdir(parents=True, exist_ok=True)
        kept = json.dumps({"says": told.says, "operations": told.failing}, indent=1)
        (keep / f"seed-{number}.json").write_text(kept + "\n")
    return told
