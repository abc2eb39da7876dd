"""The shared sections of the desired state: disks, paths, protections and guards. Kinds and the engine read them.

A disk is not one app's: several apps fill the same space. Which connection sees which root on it is said once, here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reconciler.connection import ConnectionSpec
from reconciler.errors import Mark
from reconciler.limits import GuardSpec
from reconciler.units import Percent, Size


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Disk(_Section):
    """One space that fills up, and the root folders that lie on it."""

    roots: dict[str, str | tuple[str, ...]] = Field(
        min_length=1, description="Connection name → its root folder(s) on this disk, as that app sees them."
    )
    max: Percent | None = Field(default=None, description="At most this full.")
    keep_free: Size | None = Field(default=None, description="At least this much stays free.")
    size: Size | None = Field(default=None, description="Its size, where neither this machine nor the app can tell.")
    here: str | None = Field(
        default=None, description="Any folder on this disk as this machine sees it; used for its size alone."
    )
    drain: bool = Field(default=False, description="True: everything that may move leaves it.")
    distinct: bool = Field(
        default=False, description="True: you vouch that its roots are no other disk's under another name."
    )

    @model_validator(mode="after")
    def _limits(self) -> Disk:
        if self.drain and (self.max is not None or self.keep_free is not None):
            raise ValueError("drain empties the disk: max and keep_free say nothing beside it; remove one of them")
        return self

    def roots_of(self, connection: str) -> tuple[str, ...]:
        """The roots that `connection` has on this disk, without trailing slashes; empty when it has none."""
        value = self.roots.get(connection, ())
        return tuple(p.rstrip("/") or "/" for p in ((value,) if isinstance(value, str) else value))


class PerDay(_Section):
    """What one day may destroy, all resources together."""

    max: int | None = Field(default=None, ge=0, description="Subjects a day.")
    max_bytes: Size | None = Field(default=None, description="Bytes a day.")


class Guards(_Section):
    """Limits that a plan must pass before it may be applied."""

    destroy: GuardSpec = Field(default=GuardSpec(), description="Per run, for every resource.")
    per_day: PerDay = Field(default=PerDay(), description="Per day, shared by all resources.")


@dataclass(frozen=True)
class Stack:
    """The shared sections, loaded and valid. `marks`: where each was written, by dotted path as `disks.d1.max`.

    `connections` maps names to the app's own spec class; `paths` is a tuple of {connection or "here": folder}.
    """

    connections: Mapping[str, ConnectionSpec] = field(default_factory=dict)
    disks: Mapping[str, Disk] = field(default_factory=dict)
    paths: tuple[Mapping[str, str], ...] = ()
    protect: tuple[str, ...] = ()
    guards: Guards = field(default_factory=Guards)
    marks: Mapping[str, Mark] = field(default_factory=dict)

    def wish(self, section: str, name: str) -> Any:
        """A shared entry as plain JSON, for the digest of a wish that refers to it (secrets are references only)."""
        entry = getattr(self, section)[name]
        return entry.model_dump(mode="json", exclude_unset=True)
