"""Sabotages as data, and a copy of the code in which they are carried out: the real code is what is sabotaged, no mock.

    with Workshop(folder) as workshop, workshop.sabotaged(sabotage):
        workshop.run(sabotage.tests)

A sabotage is a few lines of `sabotages.toml`: its name, the accident that it would cause, texts to be replaced, and the tests
that must notice. A text that does not stand in its file exactly once is an error: the code has moved on, so has to the list.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]
CODE = ("reconciler", "resources", "sandbox", "tests", "pyproject.toml")
KEYS = {"name", "accident", "patches", "tests", "error"}
ASSERTED = ("AssertionError", "Failed")  # `Failed`: what was to be raised was not


@dataclass(frozen=True)
class Patch:
    """A text of a file, and what stands there instead."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Sabotage:
    """`accident`: one sentence, what it would do to somebody. `errors`: by which exceptions a test may notice."""

    name: str
    accident: str
    patches: tuple[Patch, ...]
    tests: tuple[str, ...]
    errors: tuple[str, ...]

    def __str__(self) -> str:
        return self.name.replace(" ", "-")


def sabotages() -> list[Sabotage]:
    """All of the list."""
    found = []
    for told in tomllib.loads((HERE / "sabotages.toml").read_text())["sabotage"]:
        assert told.keys() <= KEYS, f"{told['name']}: {told.keys() - KEYS} means nothing"
        patches = tuple(Patch(**patch) for patch in told["patches"])
        errors = (told["error"],) if "error" in told else ASSERTED
        found.append(Sabotage(told["name"], told["accident"], patches, tuple(told["tests"]), errors))
    return found


@dataclass(frozen=True)
class Ended:
    """How a test ended. `when`: setup, call or teardown. `error`: the name of the exception, `says` its words."""

    outcome: str
    when: str
    error: str
    says: str


class Workshop:
    """A copy of the code under `folder`, and a process that runs tests in it."""

    def __init__(self, folder: Path) -> None:
        self.copy = folder / "copy"
        self.copy.mkdir(parents=True)
        for name in CODE:
            place = PROJECT / name
            if place.is_dir():
                shutil.copytree(place, self.copy / name)  # with what is compiled already
            else:
                shutil.copy2(place, self.copy / name)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "ARR_", "COV"))}
        env |= {"PYTHONPATH": str(self.copy), "PYTHONDONTWRITEBYTECODE": "1"}
        self._process = subprocess.Popen(
            [sys.executable, str(self.copy / "tests" / "sabotage" / "bench.py")],
            cwd=self.copy, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, tests: Sequence[str]) -> dict[str, Ended]:
        """Test id → how it ended. What is missing could not even be found."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps(list(tests)) + "\n")
        self._process.stdin.flush()
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return {test: Ended(**ended) for test, ended in told.items()}

    @property
    def output(self) -> str:
        """What the last run printed."""
        return (self.copy / "out.txt").read_text(errors="replace")

    @contextmanager
    def sabotaged(self, sabotage: Sabotage) -> Iterator[None]:
        """The copy with the texts replaced, for a block."""
        before: dict[Path, tuple[str, os.stat_result]] = {}
        try:
            for patch in sabotage.patches:
                path = self.copy / patch.file
                text = path.read_text()
                before.setdefault(path, (text, path.stat()))
                count = text.count(patch.old)
                assert count == 1, f"{sabotage.name}: this stands {count} times in {patch.file}: {patch.old}"
                assert patch.new != patch.old, f"{sabotage.name}: {patch.file} stays as it is"
                path.write_text(text.replace(patch.old, patch.new))
                was = before[path][1]
                os.utime(path, (was.st_atime, was.st_mtime + 60))  # never the time that a compiled file knows
            yield
        finally:
            for path, (text, told) in before.items():
                path.write_text(text)
                os.utime(path, ns=(told.st_atime_ns, told.st_mtime_ns))

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def __enter__(self) -> Workshop:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
