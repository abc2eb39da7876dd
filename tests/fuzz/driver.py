"""The fuzzer: feeds targets in a process of its own, and keeps what it finds. Started by `test_fuzz.py`, or by hand:

    python -m tests.fuzz.driver sonarr --runs 100000 --engine atheris

Each target gets a fork with a bound on memory. Its seeds come first, then mutations: guided by coverage with atheris where that
is installed, else by an engine of ours that mutates in the same way and cannot see coverage. A crash is whatever is no expected
error; a hang is an input over a second of processor time; both become files in `found/<target>/`, and the fuzzer goes on.
Prints one JSON object a target.
"""

# ruff: noqa: PLC0415  # what is fuzzed is imported once atheris watches

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import importlib.util
import json
import mmap
import os
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import Any

HERE = Path(__file__).parent
FOUND = HERE / "found"
HANG = 1.0  # seconds of processor time for one input
STUCK = 20  # seconds until the process is taken for hung
MEMORY = 1 << 30  # bytes that one target may take beyond what its process has at the start
FINDINGS = 12  # of one target; then its run ends
CORPUS = 4000  # inputs that our own engine keeps to mutate
CODE = ("reconciler", "resources", "yaml")  # what atheris watches


@dataclass
class Found:
    """What came of one target. `crashes`: files beside what was raised; `slowest` in seconds, `memory` in MB."""

    target: str
    engine: str
    runs: int = 0
    refused: int = 0
    slowest: float = 0.0
    memory: int = 0
    seconds: float = 0.0
    crashes: dict[str, str] = field(default_factory=dict)


class Fuzzer:
    """One target in one process. `last`: memory that outlives the process, with the input in hand."""

    def __init__(self, name: str, engine: str, runs: int, last: mmap.mmap, out: int) -> None:
        from tests.fuzz.targets import TARGETS

        self.target = TARGETS[name]
        self.found = Found(name, engine)
        self._runs, self._last, self._out = runs, last, out
        self._seen: set[str] = set()
        self._began = time.monotonic()

    def one(self, data: bytes) -> None:
        """Try one input; end the process after the last."""
        self._last[:8] = len(data).to_bytes(8, "little")
        self._last[8 : 8 + min(len(data), len(self._last) - 8)] = data[: len(self._last) - 8]
        before = time.process_time()
        try:
            self.target.feed(data)
        except self.target.expected:
            self.found.refused += 1
        except Exception as e:  # noqa: BLE001  # every other error is what is looked for
            self._keep(data, _signature(e))
        took = time.process_time() - before
        if took > HANG:
            self._keep(data, f"hang: {took:.1f} s")
        self.found.slowest = max(self.found.slowest, took)
        self.found.runs += 1
        if self.found.runs >= self._runs or len(self.found.crashes) >= FINDINGS:
            self.end()

    def _keep(self, data: bytes, what: str) -> None:
        if what.partition(" at ")[2] in self._seen or (what.startswith("hang") and "hang" in self._seen):
            return
        self._seen.add(what.partition(" at ")[2] or "hang")
        self.found.crashes[keep(self.found.target, data)] = what

    def end(self) -> None:
        """Tell what was found, and end the process: atheris would not give it back."""
        self.found.memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        self.found.seconds = round(time.monotonic() - self._began, 1)
        os.write(self._out, json.dumps(asdict(self.found)).encode())
        os._exit(0)


def keep(target: str, data: bytes) -> str:
    """Keep an input that was too much, for the tests to replay; its file, by the content."""
    folder = FOUND / target
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(data).hexdigest()[:16]
    file.write_bytes(data)
    return str(file.relative_to(HERE))


def _signature(error: BaseException) -> str:
    """What was raised, and where: one finding for each place."""
    frames = traceback.extract_tb(error.__traceback__)[-3:]
    where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in reversed(frames))
    return f"{type(error).__name__}: {str(error)[:200]} at {where}"


# --- the engines


def ours(fuzzer: Fuzzer, seeds: list[bytes], seed: int) -> None:
    """Mutations without guidance: what a target took, rather than refused, is kept and mutated further."""
    from tests.fuzz.mutate import MOST, mutate

    chance = Random(seed)
    for data in seeds:
        fuzzer.one(data)
    pool = [data for data in seeds if len(data) <= MOST] or [b""]
    first = len(pool)
    while True:
        data = mutate(chance.choice(pool), chance, fuzzer.target.form, fuzzer.target.words, chance.choice(pool))
        refused = fuzzer.found.refused
        fuzzer.one(data)
        if fuzzer.found.refused == refused:
            if len(pool) < CORPUS:
                pool.append(data)
            else:
                pool[chance.randrange(first, len(pool))] = data


def guided(fuzzer: Fuzzer, seeds: list[bytes], seed: int) -> None:
    """atheris: inputs that reach new code are kept and mutated further, by our mutations and by its own."""
    atheris = importlib.import_module("atheris")  # not on every platform

    from tests.fuzz.mutate import MOST, mutate

    for data in seeds:
        fuzzer.one(data)
    small = [data for data in seeds if len(data) <= MOST] or [b""]
    corpus = Path(tempfile.mkdtemp(prefix="corpus"))
    for number, data in enumerate(small):
        (corpus / str(number)).write_bytes(data)

    def change(data: bytes, most: int, number: int) -> bytes:
        chance = Random(number)
        if chance.random() < 0.3:
            return bytes(atheris.Mutate(data, most))
        return mutate(data, chance, fuzzer.target.form, fuzzer.target.words, chance.choice(small))[:most]

    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 2)
    options = [
        f"-seed={seed}",
        f"-max_len={MOST}",
        "-len_control=0",
        f"-timeout={STUCK}",
        "-rss_limit_mb=0",
        "-verbosity=0",
        f"-artifact_prefix={corpus}/",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], fuzzer.one, custom_mutator=change)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(corpus, ignore_errors=True)


def engines() -> list[str]:
    """The best one first."""
    return ["atheris", "ours"] if importlib.util.find_spec("atheris") else ["ours"]


# --- the process of a target


def fuzz(name: str, engine: str, runs: int, seed: int) -> dict[str, Any]:
    """Fuzz one target in a fork; what came of it. A process that dies has found something as well."""
    from tests.fuzz.targets import TARGETS

    last = mmap.mmap(-1, 32 << 20)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            fuzzer = Fuzzer(name, engine, runs, last, writing)
            seeds = TARGETS[name].seeds()
            resource.setrlimit(resource.RLIMIT_AS, (_size() + MEMORY, resource.RLIM_INFINITY))
            (guided if engine == "atheris" else ours)(fuzzer, seeds, seed)
        except BaseException:  # noqa: BLE001  # nothing of the parent may run on in the child
            traceback.print_exc()
        os._exit(70)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    if told:
        found: dict[str, Any] = json.loads(told)
        return found
    data = bytes(last[8 : 8 + int.from_bytes(last[:8], "little")])
    died = f"the process ended ({os.waitstatus_to_exitcode(status)}): a hang, no memory, or a fault"
    return asdict(Found(name, engine, crashes={keep(name, data): died}))


def _size() -> int:
    """The address space of this process, in bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()


@contextlib.contextmanager
def watched(engine: str) -> Iterator[None]:
    """What is imported within is watched by atheris."""
    if engine != "atheris":
        yield
        return
    atheris = importlib.import_module("atheris")  # not on every platform

    with atheris.instrument_imports(include=list(CODE), enable_loader_override=False):
        yield


def main() -> None:
    parser = argparse.ArgumentParser(description="Fuzz targets of tests/fuzz/targets.py")
    parser.add_argument("targets", nargs="+")
    parser.add_argument(
        "--runs", type=int, nargs="+", default=[1000], help="inputs of each target, or one number for all"
    )
    parser.add_argument("--engine", choices=["atheris", "ours"], default=engines()[0])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    runs = given.runs if len(given.runs) > 1 else given.runs * len(given.targets)
    with watched(given.engine):
        from reconciler import registry
        from tests.fuzz import targets

        registry.kinds(), registry.openable()
    for name, most in zip(given.targets, runs, strict=True):
        print(json.dumps(fuzz(name, given.engine, most, given.seed)), flush=True)
    shutil.rmtree(targets.scratch(), ignore_errors=True)


if __name__ == "__main__":
    main()
