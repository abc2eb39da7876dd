"""Sonarr 4, Sonarr 5 and Radarr with a session over them: what the tests of tags, and their accidents, live in."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reconciler.apply.follow import Patience
from reconciler.apply.report import Report
from reconciler.plan.model import Plan
from reconciler.session import Session
from sandbox.control import Control
from sandbox.process import Handle
from sandbox.scenarios import tiny
from sandbox.values import Json
from tests.stacks import Lab, lab


def world() -> Json:
    """The tiny library, and beside its Sonarr a second one of the next version."""
    found = tiny.world()
    second = {"name": "next", "app": "sonarr-v5", "metadata": [], "config": {}}
    return {**found, "servers": [*found["servers"], second]}


class House:
    """The stack of one test. Tags are asked of the servers themselves, past the code under test."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.control = Control(lab.stack.home, lambda: list(lab.stack.handles))

    def declare(self, tags: str) -> None:
        """`tags` is what stands below `tag:`, or the whole file when it has a section of its own."""
        self.folder.mkdir(exist_ok=True)
        (self.folder / "stack.yaml").write_text(self.lab.connections())
        (self.folder / "tags.yaml").write_text(tags if tags.startswith("tag:") else f"tag:\n{tags}")

    @property
    def session(self) -> Session:
        quick = Patience(first=0.05, most=0.1, settle=0.5, silence=1.0)
        return Session([self.folder], self.folder.parent / "state", patience=quick)

    def plan(self) -> Plan:
        return self.session.plan()

    def apply(self) -> Report:
        session = self.session
        plan = session.plan()
        return session.apply(plan, confirmed=True)

    def steps(self) -> list[str]:
        return [f"{a.verb} {a.subject.ident}" for a in self.plan().actions()]

    def ask(self, name: str, method: str, path: str, body: Any = None) -> Any:
        handle: Handle = self.lab.stack[name]
        data = None if body is None else json.dumps(body).encode()
        headers = {"X-Api-Key": handle.api_key, "Content-Type": "application/json"}
        line = http.client.HTTPConnection("127.0.0.1", handle.port, timeout=10)
        try:
            line.request(method, f"/api/v3{path}", data, headers)
            answer = line.getresponse()
            text = answer.read()
        finally:
            line.close()
        assert answer.status < 300, text
        return json.loads(text) if text else None

    def tags(self, name: str) -> dict[str, int]:
        """Label → id."""
        return {t["label"]: t["id"] for t in self.ask(name, "GET", "/tag")}

    def make(self, name: str, label: str) -> int:
        return int(self.ask(name, "POST", "/tag", {"label": label})["id"])

    def writes(self) -> list[str]:
        """Everything but reads that the servers were sent."""
        return [f"{r['method']} {r['path']}" for r in self.control.requests() if r["method"] != "GET"]


@contextmanager
def running(folder: Path) -> Iterator[Lab]:
    with lab(folder, world()) as found:
        yield found


def fresh(lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch) -> House:
    """A house without tags, faults, requests and state in a stack that may have been used before."""
    for variable, key in lab.env.items():
        monkeypatch.setenv(variable, key)
    house = House(lab, folder / "desired")
    house.control.heal()
    house.ask("radarr", "PUT", "/movie/editor", {"movieIds": [1, 2], "tags": [], "applyTags": "replace"})
    for name in lab.stack.handles:
        for number in house.tags(name).values():
            house.ask(name, "DELETE", f"/tag/{number}")
    house.control.clear()
    return house
