"""Drawn courses: examples of one seed, run on a simulation; a failure is told as the operations that lead to it, shrunk."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from sandbox.values import Json
from tests import effort
from tests.simulation.course import Course

SEEDS = Path(__file__).parent / "seeds"
STEPS = 50  # operations of an example


def op(name: str, **drawn: st.SearchStrategy[Any] | str) -> st.SearchStrategy[Json]:
    """Operations of one name; what is not drawn is said."""
    given = {key: st.just(value) if isinstance(value, str) else value for key, value in drawn.items()}
    return st.fixed_dictionaries({"op": st.just(name), **given})


@dataclass
class Told:
    """What a run has come to. `failing`: the operations that broke a law, shrunk, and how."""

    counts: Counter[str] = field(default_factory=Counter)
    most_rounds: int = 0
    failing: list[Json] | None = None
    says: str = ""


class Drawn(RuleBasedStateMachine):
    """What every machine does with its operations. `told` is shared by the examples of a run; `made` simulates."""

    told = Told()
    made: ClassVar[type[Course]]

    def __init__(self) -> None:
        super().__init__()
        self.simulation = self.made()
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


def run(machine: type[Drawn], number: int, examples: int, keep: Path) -> Told:
    """`number`: the seed. A failure becomes the file `seed-<number>.json` in `keep`, and is told."""
    told = Told()
    seeded = seed(number)(type("Seeded", (machine,), {"told": told}))
    chosen = settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, database=None, verbosity=Verbosity.quiet,
        derandomize=False, phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    try:
        run_state_machine_as_test(seeded, settings=chosen)
    except Exception:
        if told.failing is None:
            raise
        keep.mkdir(parents=True, exist_ok=True)
        kept = json.dumps({"says": told.says, "operations": told.failing}, indent=1)
        (keep / f"seed-{number}.json").write_text(kept + "\n")
    return told


def draw(machine: type[Drawn], names: tuple[object, ...], operations: int, examples: int) -> Iterator[Told]:
    """Runs of so many examples, until there were so many operations; where each begins, `names` and `effort.SEED` say."""
    done = 0
    while done < operations:
        number = effort.seed(*names, done)
        print(f"seed {number}")
        told = run(machine, number, examples, SEEDS)
        told.says = told.says and f"{told.says}: see {SEEDS / f'seed-{number}.json'}"
        yield told
        done += told.counts["operations"]
