"""What a person writes under `seedbox_transfer:`, and what can be wrong with it before any server is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from reconciler.errors import Diagnostic
from reconciler.kind import Resource, Spec
from reconciler.units import Age, Size, parse_size
from resources.clients.sftp import SftpSpec
from resources.clients.torrents import APPS

IMPORTERS = ("sonarr", "radarr")  # the apps whose history proves an import
_RATE = re.compile(r"^(.+)/s$")
_WINDOW = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Source(_Part):
    """Where releases lie on the server."""

    sftp: str = Field(description="Name of the SFTP connection.")
    path: str = Field(
        description="Folder there; every file and folder directly in it is a release.", examples=["/downloads/tv"]
    )

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return _folder(value)


class When(_Part):
    """When a release is complete.

    With `client`: when every torrent that lies in it is. Without: when it was seen unchanged for `settled`. With both
    written, `settled` counts for what no torrent claims.
    """

    client: str | None = Field(default=None, description="Torrent client that knows what is complete.")
    complete: Literal[True] = Field(default=True, description="Every torrent of the release is complete there.")
    settled: Age = Field(default=300, description="How long it has to be seen unchanged where no client tells.")


class Parallel(_Part):
    """How much is fetched at a time. A server that answers within 5 ms is asked over one connection."""

    files: int = Field(default=6, ge=1, le=64, description="Large files at a time; small ones go many at a time.")
    segments: int = Field(default=8, ge=1, le=64, description="Segments of one file at a time.")
    connections: int = Field(default=4, ge=1, le=16, description="SSH connections.")


class Limit(_Part):
    """When, and how fast."""

    rate: str | None = Field(default=None, description="At most this much a second.", examples=["80 MB/s"])
    window: str | None = Field(
        default=None,
        description="Hours of the day in which it fetches, from and to, in this machine's time zone.",
        examples=["01:00-07:00"],
        json_schema_extra={"pattern": _WINDOW.pattern},
    )

    @field_validator("rate")
    @classmethod
    def _rate(cls, value: str | None) -> str | None:
        if value is not None:
            match = _RATE.match(value)
            if not match:
                raise ValueError("this is no rate: write a size a second, as 80 MB/s")
            if parse_size(match[1]) < 64_000:
                raise ValueError("a rate below 64 KB/s fetches nothing in useful time")
        return value

    @field_validator("window")
    @classmethod
    def _window(cls, value: str | None) -> str | None:
        if value is not None and (not _WINDOW.match(value) or value[:5] == value[6:]):
            raise ValueError("these are no hours: write from and to, as 01:00-07:00")
        return value

    @property
    def bytes_per_second(self) -> int | None:
        return parse_size(self.rate.removesuffix("/s")) if self.rate else None


class SeedboxTransferSpec(Spec):
    """What finished on the seedbox is here, whole: every release in the remote folder is fetched into a local one.

    Files arrive in a hidden folder `.arr-partial` beside their target; a release appears under its name in one step, once
    all of it is here and verified. A fetch that was cut off carries on where it stopped; what it left is cleared a week after
    nobody wants it any more. What was fetched once and tidied away here is not fetched again. Nothing leaves the server
    unless `remote` says so.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, serialize_by_alias=True, validate_by_name=True)

    source: Source = Field(alias="from", description="Where releases lie on the server.")
    to: str = Field(description="Folder on this machine that they shall lie in.", examples=["/mnt/media/incoming/tv"])
    when: When = Field(default=When(), description="When a release is complete.")
    exclude: tuple[str, ...] = Field(
        default=(),
        description="Names within releases that stay there: `*.nfo`; `proof/` is a folder and all in it. Letter case does not "
        "count.",
    )
    parallel: Parallel = Field(default=Parallel(), description="How much is fetched at a time.")
    limit: Limit = Field(default=Limit(), description="When, and how fast.")
    verify: Literal["checksum", "reread", "size"] = Field(
        default="checksum",
        description="checksum: by the server's `sha256sum`, where it runs one for us, else as size. reread: every byte is "
        "read there a second time. size: every file ends where the server said.",
    )
    remote: Literal["keep", "remove_when_imported"] = Field(
        default="keep",
        description="remove_when_imported: what was fetched whole, was imported since and is needed by no torrent is deleted "
        "on the server.",
    )
    imported_by: tuple[str, ...] = Field(
        default=(),
        description="Connections of the apps that import what comes; all of them are asked.",
        examples=[["sonarr"]],
    )
    keep_free: Size = Field(default=0, description="This much stays free on this machine's disk.")
    tombstones: Age = Field(
        default=180 * 86400, description="How long what was fetched and tidied away here is not fetched again."
    )

    @field_validator("to")
    @classmethod
    def _absolute(cls, value: str) -> str:
        return _folder(value)

    @field_validator("exclude")
    @classmethod
    def _patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            if pattern.strip("*/ ") == "":
                raise ValueError(f"'{pattern}' would exclude everything")
        return value

    @model_validator(mode="after")
    def _long_enough(self) -> SeedboxTransferSpec:
        if self.when.client is None and self.when.settled < 1:
            raise ValueError("settled: 0s would fetch what is still being written: write 1m or more")
        return self

    @model_validator(mode="after")
    def _proof(self) -> SeedboxTransferSpec:
        if self.remote == "keep":
            if self.imported_by:
                raise ValueError("imported_by does nothing beside remote: keep")
            return self
        if not self.imported_by:
            raise ValueError("remote: remove_when_imported needs imported_by: who can say that it was imported?")
        if self.when.client is None:
            raise ValueError("remote: remove_when_imported needs when.client: imports are known by their torrents")
        if self.when.settled < 60:
            raise ValueError("settled below 1m is no time to see that no torrent claims it any more")
        return self


def _folder(value: str) -> str:
    if not value.startswith("/"):
        raise ValueError("write the whole path of the folder, from / on")
    if ".." in value.split("/") or any(ord(c) < 32 for c in value):
        raise ValueError("this is no plain path of a folder: it holds .. or a control character")
    return value.rstrip("/") or "/"


def check(resource: Resource[SeedboxTransferSpec]) -> Iterator[Diagnostic]:
    """References to connections."""
    spec, stack = resource.spec, resource.stack
    servers = sorted(name for name, c in stack.connections.items() if isinstance(c, SftpSpec))
    if spec.source.sftp not in servers:
        hint = f"SFTP connections: {', '.join(servers) or 'none'}"
        yield _wrong(resource, "from.sftp", f"there is no SFTP connection '{spec.source.sftp}'", hint)
    client = spec.when.client
    if client is not None:
        clients = sorted(name for name, c in stack.connections.items() if c.app in APPS)
        if client not in clients:
            hint = f"torrent clients: {', '.join(clients) or 'none'}"
            yield _wrong(resource, "when.client", f"there is no torrent client '{client}'", hint)
    arrs = sorted(name for name, c in stack.connections.items() if c.app in IMPORTERS)
    for name in spec.imported_by:
        if name not in arrs:
            hint = f"apps that import: {', '.join(arrs) or 'none'}"
            yield _wrong(resource, "imported_by", f"there is no app '{name}' that imports", hint)
    told = stack.connections.get(spec.source.sftp)
    if spec.remote != "keep" and told is not None and told.access == "read":
        yield _wrong(
            resource, "remote", f"{spec.source.sftp} has access: read, so nothing is removed there", "remote: keep"
        )


def _wrong(resource: Resource[SeedboxTransferSpec], field: str, message: str, hint: str) -> Diagnostic:
    name = field
    while name and name not in resource.marks:
        name = name.rpartition(".")[0]
    return Diagnostic(message, resource.marks.get(name), field, hint=hint)
