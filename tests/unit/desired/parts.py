"""A small stack to load: two kinds and two apps that need no other package, and a way to write files and to read faults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reconciler.connection import App, ConnectionSpec, SecretRef
from reconciler.desired import Desired, load
from reconciler.errors import Diagnostic, UsageError
from reconciler.kind import Kind, Resource, Spec
from reconciler.units import Age, Percent, Size


class BoxSpec(ConnectionSpec):
    """A box."""

    url: str = Field(description="Where it answers.")
    api_key: SecretRef | None = Field(default=None, description="Its key.")


class ShelfSpec(ConnectionSpec):
    """A shelf."""

    host: str
    port: int = Field(default=22, ge=1, le=65535, description="Where it listens.")


class Pace(BaseModel):
    """How fast."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    per_run: int = Field(default=2, ge=1, description="In one run.")
    cooldown: Age = Field(default=7776000, description="How long a thing rests.")


class KeepSpec(Spec):
    """Keeps disks."""

    disks: tuple[str, ...] = Field(min_length=1, description="The disks to keep.")
    settle: Percent = Field(default=0.03, description="How far below.")
    most: Size | None = Field(default=None, description="The most at once.")
    pace: Pace = Field(default=Pace(), description="The pace.")
    how: Literal["gently", "quickly"] = Field(default="gently", description="In which manner.")
    balance: bool = False
    any_of: list[str | int] = Field(default=[], description="Words or numbers.", alias="any")
    grid: dict[str, frozenset[str]] = Field(default={}, description="Sets by name.")

    @model_validator(mode="after")
    def _sensible(self) -> KeepSpec:
        if self.balance and self.how == "quickly":
            raise ValueError("balance takes its time: say how: gently, or leave balance out")
        return self


class LabelSpec(Spec):
    on_connections: tuple[str, ...] = Field(description="Where.")
    text: Annotated[str | None, Field(pattern="^[a-z]+$")] = None


class _Kind(Kind[Any]):
    verbs: ClassVar[dict[str, Any]] = {}

    def reads(self, *args: Any) -> Iterable[Any]:
        return ()

    def plan(self, *args: Any) -> Any:
        raise NotImplementedError


class Keep(_Kind):
    """Disks stay below their limits.

    Second paragraph, not for summaries.
    """

    name = "keep"
    Spec = KeepSpec

    def check(self, resource: Resource[Any]) -> Iterable[Diagnostic]:
        for n, disk in enumerate(resource.spec.disks):
            if disk not in resource.stack.disks:
                mark = resource.marks[f"disks.{n}"]
                yield Diagnostic(f"there is no disk {disk}", mark, f"disks.{n}", hint="declare it")

    def claims(self, resource: Resource[Any]) -> Iterable[str]:
        return [f"disk {d}" for d in resource.spec.disks]


class Label(_Kind):
    name = "label"
    Spec = LabelSpec


class _App(App):
    def open(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError

    def examine(self, *args: Any) -> Any:
        raise NotImplementedError


class Box(_App):
    name = "box"
    Spec = BoxSpec


class Shelf(_App):
    name = "shelf"
    Spec = ShelfSpec


KINDS: dict[str, Kind[Any]] = {"keep": Keep(), "label": Label()}
APPS: dict[str, App] = {"box": Box(), "shelf": Shelf()}

GOOD = """\
connections:
  tv: {app: box, url: "http://tv:1", api_key: {env: TV_KEY}}
  attic: {app: shelf, host: attic}
disks:
  d1: {roots: {tv: /tv1}, max: 85%}
  d2: {roots: {tv: [/tv2, /tv3]}, keep_free: 200 GB}
keep:
  media:
    disks: [d1, d2]
    settle: 3%
"""


@dataclass
class Folder:
    """A desired folder under test."""

    path: Path

    def write(self, name: str, text: str | bytes) -> Path:
        file = self.path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else dedent(text).encode())
        return file

    def load(self, *paths: Path) -> Desired:
        return load(paths or [self.path], kinds=KINDS, apps=APPS)

    def faults(self, *paths: Path) -> list[Diagnostic]:
        """What is wrong with it; a test that expects a fault and gets a stack fails here."""
        try:
            loaded = self.load(*paths)
        except UsageError as e:
            assert e.diagnostics, e.message
            return list(e.diagnostics)
        raise AssertionError(f"loaded without complaint: {loaded}")

    def of(self, text: str | bytes) -> list[Diagnostic]:
        self.write("a.yaml", text)
        return self.faults()

    def only(self, text: str | bytes) -> Diagnostic:
        found = self.of(text)
        assert len(found) == 1, found
        return found[0]


def place(one: Diagnostic) -> str:
    """`a.yaml:2:7` of a diagnostic."""
    assert one.mark is not None
    return f"{Path(one.mark.file).name}:{one.mark.line}:{one.mark.column}"
