"""What a person writes under `disk_fill:`, and what can be wrong with it before any server is asked.

Used by the loader (validation, `arr explain`, the editor's schema) and by every other module of this kind. Limits of a
disk stand at the disk (`disks:`), because several resources and apps look at the same one.
"""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, field_validator

from reconciler.action import Json
from reconciler.errors import Diagnostic
from reconciler.kind import Resource, Spec
from reconciler.units import Age, Percent, Size

APPS = ("sonarr", "radarr")  # the apps whose moves are known


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class DayPace(_Part):
    """The most that may move within 24 hours, counted over all runs."""

    count: int | None = Field(default=None, ge=1, description="Moves within 24 hours.")
    bytes: Size | None = Field(default=None, description="Bytes within 24 hours.")


class Moves(_Part):
    """The pace of moving. What is beyond it is planned, shown as later, and left for another run."""

    per_run: int | None = Field(default=None, ge=1, description="Moves that one run may begin.")
    per_day: DayPace = Field(default=DayPace(), description="Moves and bytes within 24 hours.")
    cooldown: Age = Field(
        default=90 * 86400, description="How long an item stays where it was moved to before it may move again."
    )


class Exclude(_Part):
    """Items that never move."""

    tags: tuple[str, ...] = Field(default=(), description="Labels of tags in the apps; items that carry one stay.")
    ids: tuple[str, ...] = Field(default=(), description="Outside ids, as `tvdb:280619` or `tmdb:603`.")

    @field_validator("ids")
    @classmethod
    def _ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for ident in value:
            source, colon, number = ident.partition(":")
            if source not in ("tvdb", "tmdb") or not colon or not number.isdigit():
                raise ValueError(f"'{ident}' is no id of an item: write tvdb:280619 or tmdb:603")
        return value

    @field_validator("tags")
    @classmethod
    def _tags(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(label.lower() for label in value)  # the apps store labels in lower case


class DiskFillSpec(Spec):
    """Keep disks at their fill targets by moving whole shows or movies between root folders.

    An item may go to any of the disks where its own app has a root folder. Where an app has several roots on a disk, an
    item keeps its place in the list: from the second root of one disk to the second root of the other.
    A move destroys nothing, so `protect` and the tag `arr-protect` do not hold it; `exclude` does.
    """

    disks: tuple[str, ...] = Field(min_length=1, description="Names of the disks to keep, as declared under `disks`.")
    settle: Percent = Field(
        default=0.03, description="A disk that is above its max is brought down to max minus this, so it rests a while."
    )
    moves: Moves = Field(default=Moves(), description="The pace of moving.")
    exclude: Exclude = Field(default=Exclude(), description="Items that never move.")
    balance: bool = Field(default=False, description="True: the disks are also made equally full, within 1 %.")


def check(resource: Resource[DiskFillSpec]) -> Iterator[Diagnostic]:
    """What one resource gets wrong, with where it is written. No network."""
    spec, stack = resource.spec, resource.stack
    known = [name for name in spec.disks if name in stack.disks]
    for at, name in enumerate(spec.disks):
        if name not in stack.disks:
            hint = f"declared disks: {', '.join(sorted(stack.disks)) or 'none'}"
            yield _wrong(resource, f"disks.{at}", f"there is no disk '{name}'", hint)
        elif name in spec.disks[:at]:
            yield _wrong(resource, f"disks.{at}", f"disk '{name}' is named twice", "name it once")
    yield from _limits(resource, known)
    for name in known:
        yield from _connections(resource, name)


def _wrong(resource: Resource[DiskFillSpec], field: str, message: str, hint: str = "") -> Diagnostic:
    """A diagnostic at the field, or at the nearest part of the resource whose place is known."""
    name = field
    while name and name not in resource.marks:
        name = name.rpartition(".")[0]
    return Diagnostic(message, resource.marks.get(name), field, hint=hint)


def _at_disk(resource: Resource[DiskFillSpec], field: str, message: str, hint: str = "") -> Diagnostic:
    """The same for something written in the shared section `disks`."""
    name = field
    while name and name not in resource.stack.marks:
        name = name.rpartition(".")[0]
    return Diagnostic(message, resource.stack.marks.get(name), field, hint=hint)


def _limits(resource: Resource[DiskFillSpec], names: list[str]) -> Iterator[Diagnostic]:
    disks = [resource.stack.disks[name] for name in names]
    if not disks:
        return
    wanting = [d for d in disks if d.drain or d.max is not None or d.keep_free is not None]
    if not wanting and not resource.spec.balance:
        yield _wrong(
            resource,
            "disks",
            "none of these disks has a target, so there is nothing to keep",
            "give one of them max: 85%, keep_free: 200 GB or drain: true, or say balance: true",
        )
    if len(names) > 1 and all(d.drain for d in disks):
        yield _wrong(resource, "disks", "all of these disks are to be drained, so nothing can go anywhere")
    for name in names:
        disk, settle = resource.stack.disks[name], resource.spec.settle
        if disk.max is not None and settle >= disk.max:
            text = f"settle ({settle:.0%}) is not smaller than the max of disk '{name}' ({disk.max:.0%})"
            yield _wrong(resource, "settle", text, "settle is what a disk goes below its max, as 3%")


def _connections(resource: Resource[DiskFillSpec], name: str) -> Iterator[Diagnostic]:
    """The loader has seen that the connections exist; here, that they are of an app whose moves are known."""
    for connection in resource.stack.disks[name].roots:
        spec = resource.stack.connections.get(connection)
        if spec is not None and spec.app not in APPS:
            text = f"'{connection}' is of app {spec.app}: only {' and '.join(APPS)} can move items"
            yield _at_disk(resource, f"disks.{name}.roots.{connection}", text)


def refers_to(resource: Resource[DiskFillSpec]) -> dict[str, Json]:
    """The disks named, as they are declared: an edit of one of them is an edit of this wish."""
    return {"disks": {name: resource.stack.wish("disks", name) for name in sorted(set(resource.spec.disks))}}


def claims(resource: Resource[DiskFillSpec]) -> Iterator[str]:
    """A disk is kept by one resource, and so is every root on it."""
    for name in dict.fromkeys(resource.spec.disks):
        yield f"disk {name}"
        if name in resource.stack.disks:
            disk = resource.stack.disks[name]
            yield from (
                f"root {root} of {connection}" for connection in disk.roots for root in disk.roots_of(connection)
            )
