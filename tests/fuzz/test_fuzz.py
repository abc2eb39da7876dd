"""Whatever bytes come in, what comes out is a value or words for people: no crash, no hang over a second, memory bounded.

`make test` tries the seeds, a few thousand mutations a target (the same at every run), and replays every input that was ever
found to be too much (`found/<target>/`). `make proof` tries a million in all, guided by coverage where atheris is installed;
elsewhere by an engine of ours with the same mutations, and the figures say which.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import figures
from tests.effort import PROOF
from tests.fuzz.driver import FOUND, HANG, MEMORY, engines
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import TARGETS

WHAT = (
    "inputs that the loader, the readers and every client's parser were fed; a crash is whatever is no word for people"
)
TOTAL = 1_000_000 if PROOF else 9_000  # inputs of all targets
PARTS = 6 if PROOF else 2
ROOT = Path(__file__).parents[2]


def runs_of(name: str) -> int:
    return -(-TOTAL * TARGETS[name].share // sum(t.share for t in TARGETS.values()))


def fuzzed(names: list[str]) -> list[dict[str, Any]]:
    """What came of each of these targets, in one process of the fuzzer: to start it costs more than to feed a target a little."""
    engine = engines()[0] if PROOF else "ours"
    seed = random.SystemRandom().randrange(1, 2**31) if PROOF else 1
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.driver", *names, "--engine", engine, "--seed", str(seed),
         "--runs", *(str(runs_of(name)) for name in names)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=3000, check=False,
    )  # fmt: skip
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [one["target"] for one in found] == names, f"{done.stdout[-2000:]} {done.stderr[-4000:]}"
    return found


@pytest.mark.parametrize("part", range(PARTS))
def test_nothing_but_words_comes_out(part: int) -> None:
    told = fuzzed(sorted(TARGETS)[part::PARTS])
    for found in told:
        guided = found["runs"] * (found["engine"] == "atheris")
        figures.add(
            "fuzz", WHAT, inputs=found["runs"], crashes=len(found["crashes"]), guided=guided,
            most_seconds_of_one_input=round(found["slowest"], 3), most_memory_mb=found["memory"], targets=1,
        )  # fmt: skip
    assert {found["target"]: found["crashes"] for found in told if found["crashes"]} == {}, (
        "kept, and replayed from now on"
    )
    assert [found["target"] for found in told if found["runs"] != runs_of(found["target"])] == []
    assert {found["target"]: found["slowest"] for found in told if found["slowest"] >= HANG} == {}
    assert {found["target"]: found["memory"] for found in told if found["memory"] >= (MEMORY >> 20) + 300} == {}


@pytest.mark.parametrize("file", sorted(FOUND.glob("*/*")), ids=lambda file: f"{file.parent.name}-{file.name}")
def test_what_was_once_too_much(file: Path) -> None:
    """Inputs that crashed the program or hung it, each for a fault that was mended."""
    target = TARGETS[file.parent.name]
    try:
        target.feed(file.read_bytes())
    except target.expected as e:
        assert str(e) or e.args == ()


def test_a_crash_and_a_hang_would_be_found(tmp_path: Path) -> None:
    """What the fuzzer is worth: a parser that fails, hangs, takes all memory or ends the process is told of."""
    text = (
        "import os, sys, time\n"
        "from pathlib import Path\n"
        "from tests.fuzz import driver, targets\n"
        "def fail(data):\n    raise KeyError('no word for people')\n"
        "def hang(data):\n    end = time.process_time() + 1.2\n    while time.process_time() < end: pass\n"
        "def eat(data):\n    return bytearray(3 << 30)\n"
        "def die(data):\n    os.abort()\n"
        f"driver.FOUND, driver.HERE = Path({str(tmp_path)!r}) / 'found', Path({str(tmp_path)!r})\n"
        "for name in ('fail', 'hang', 'eat', 'die'):\n"
        "    targets.TARGETS[name] = targets.Target(globals()[name], (ValueError,), 'text', lambda: [b'x'], 1)\n"
        "    print(name, sorted(driver.fuzz(name, 'ours', 2, 1)['crashes'].values()))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=True
    )
    told = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    assert "KeyError" in told["fail"] and "hang: 1." in told["hang"] and "MemoryError" in told["eat"], told
    assert "the process ended (-6)" in told["die"]


def test_mutations_are_the_same_for_the_same_chance() -> None:
    """A failing run can be had again from its seed."""
    for target in TARGETS.values():
        first = [data for data in target.seeds() if len(data) < 5000][:20]
        made = [
            [mutate(data, random.Random(n), target.form, target.words, first[0]) for n, data in enumerate(first)]
            for _ in range(2)
        ]
        assert made[0] == made[1]
        assert made[0] != first
