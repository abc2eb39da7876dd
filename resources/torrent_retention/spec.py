"""What a person writes under `torrent_retention:`, and what can be wrong with it before any server is asked.

Used by the loader and by every other module of this kind. The rules are data, and travel with an action (as JSON), so that
a torrent is judged by the very same rules once more at the moment of doing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel, model_validator

from reconciler.action import Json
from reconciler.errors import Diagnostic
from reconciler.kind import Resource, Spec
from reconciler.units import Age, Percent
from resources.clients.torrents import APPS, DELETES_DATA
from resources.references.places import HERE, seen, sights
from resources.torrent_retention.comparisons import Amount, Number, Span

ARRS = ("sonarr", "radarr")
Text = str | tuple[str, ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Condition(_Part):
    """What has to be so. Several fields in one condition must all hold."""

    any: tuple[Condition, ...] | None = Field(default=None, min_length=1, description="At least one of these holds.")
    all: tuple[Condition, ...] | None = Field(default=None, min_length=1, description="Every one of these holds.")
    imported: bool | None = Field(
        default=None, description="An app of imported_by has imported it, and the file is there or was superseded."
    )
    ratio: Number | None = Field(default=None, description="Uploaded by downloaded.", examples=[">= 2.0"])
    seeded: Span | None = Field(
        default=None, description="Time of seeding, as the client counts it or as it was observed.", examples=[">= 14d"]
    )
    age: Span | None = Field(default=None, description="Since it was added, or finished, whichever is later.")
    size: Amount | None = Field(default=None, description="Size of all of it.", examples=["> 50 GB"])
    seeders: Number | None = Field(default=None, description="Complete peers that the client sees.", examples=["< 3"])
    label: Text | None = Field(default=None, description="Its label or category is one of these (with * and ?).")
    tag: Text | None = Field(default=None, description="It has one of these tags (with * and ?).")
    name: Text | None = Field(default=None, description="Its name is one of these (with * and ?).")
    tracker: Text | None = Field(default=None, description="The host of one of its trackers is one of these.")
    private: bool | None = Field(default=None, description="Whether it is marked private.")

    @cached_property
    def asked(self) -> tuple[str, ...]:
        """The fields that it says, but for any and all, in their order."""
        names = (n for n in type(self).model_fields if n not in ("any", "all"))
        return tuple(n for n in names if getattr(self, n) is not None)

    @model_validator(mode="after")
    def _something(self) -> Condition:
        if not self.model_dump(exclude_none=True):
            raise ValueError(
                "this condition says nothing, so everything would meet it: name a field, as ratio: '>= 2.0'"
            )
        return self


class Obligation(_Part):
    """What a tracker demands. Until it is met nothing goes, whatever else is said."""

    match: tuple[str, ...] = Field(min_length=1, description="Hosts of the tracker, as `*.blu.example`.")
    keep_until: Condition = Field(description="When its torrents may go.")


class Trackers(RootModel[dict[str, Obligation | Literal["hold", "allow"]]]):
    """Obligations by name; `unlisted` says what is done about trackers that none of them matches: `hold` (or `allow`)."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _words(self) -> Trackers:
        for name, value in self.root.items():
            if (name == "unlisted") != isinstance(value, str):
                raise ValueError(
                    f"{name}: " + ("write hold or allow" if name == "unlisted" else "needs match and keep_until")
                )
        return self

    @cached_property
    def unlisted(self) -> str:
        return str(self.root.get("unlisted", "hold"))

    @cached_property
    def named(self) -> Mapping[str, Obligation]:
        return {name: value for name, value in self.root.items() if isinstance(value, Obligation)}


class Group(_Part):
    """Other rules for some torrents. The first group whose `match` holds is the one; what it leaves out is as above it."""

    match: Condition = Field(description="Which torrents: by label, tag, tracker, size, private, name.")
    may_go: Condition | None = Field(default=None, description="In place of the resource's may_go.")
    keep: tuple[Condition, ...] = Field(default=(), description="Kept, besides what the resource keeps.")
    delete: Literal["data", "torrent", "pause"] | None = Field(default=None, description="In place of the resource's.")


class Pressure(_Part):
    """Only act when a disk is full, and only as much as brings it to its target."""

    disk: str = Field(
        description="Any folder on that disk, as this machine or the client sees it; measured here, or over SFTP."
    )
    above: Percent = Field(description="Act when it is fuller than this.")
    to: Percent | None = Field(default=None, description="Stop when it is no fuller than this; `above` when left out.")

    @model_validator(mode="after")
    def _order(self) -> Pressure:
        if self.to is not None and self.to > self.above:
            raise ValueError("to is higher than above: it would stop before it begins")
        return self


class Unregistered(_Part):
    """Torrents that their tracker no longer knows. They may go when it has said so again and again."""

    seen: int = Field(default=3, ge=2, description="Plans, at least an hour apart, that saw it.")
    over: Age = Field(default=3 * 86400, description="From the first of them to the last.")
    per_tracker: int = Field(
        default=5, ge=1, description="More at one tracker at once is taken for the tracker's own trouble: all stay."
    )


class Orphans(_Part):
    """Files below the client's folders that no torrent of any client claims. They go to quarantine."""

    under: tuple[str, ...] = Field(min_length=1, description="Folders, as the client sees them.")
    older: Age = Field(
        default=7 * 86400,
        description="Only what nothing has changed, and no torrent was seen to claim, for this long; seen by two plans at least.",
    )
    ignore: tuple[str, ...] = Field(default=(), description="Names directly in these folders that stay (with * and ?).")


class Quarantine(_Part):
    """Data that we delete, here or over SFTP, is moved aside first, on the same file system."""

    keep: Age = Field(default=7 * 86400, description="How long it can be brought back; pressure ends it earlier.")


class RetentionSpec(Spec):
    """When a torrent may go, and its data with it.

    It goes when it may go, and every tracker's obligation is met, and nothing keeps it, and nobody else needs its data.
    """

    connection: str = Field(description="The torrent client.")
    imported_by: tuple[str, ...] = Field(default=(), description="Sonarr and Radarr connections that import from it.")
    may_go: Condition = Field(description="When a torrent may go.", examples=[{"imported": True, "ratio": ">= 2.0"}])
    trackers: Trackers = Field(default=Trackers({}), description="Obligations, by a name of yours.")
    keep: tuple[Condition, ...] = Field(default=(), description="Torrents that stay: any of these conditions.")
    delete: Literal["data", "torrent", "pause"] = Field(
        default="data",
        description="data: the torrent and its files; torrent: the files stay; pause: it only stops. rtorrent deletes no "
        "files, so we do, where `paths` maps its folder to `here`, or else to an `sftp` connection: "
        "`paths: [{rtorrent: /home/me/downloads, seedbox: /home/me/downloads}]`.",
    )
    groups: tuple[Group, ...] = Field(default=(), description="Other rules for some; the first that matches.")
    pressure: Pressure | None = Field(default=None, description="Only when the disk is full.")
    unregistered: Unregistered | None = Field(default=None, description="What trackers no longer know may go.")
    orphans: Orphans | None = Field(default=None, description="Data that no torrent claims goes to quarantine.")
    quarantine: Quarantine = Field(
        default=Quarantine(),
        description="Data that we delete waits in `.arr-quarantine`, in its folder of `paths`, here or on the SFTP server.",
    )

    def deletes(self, group: Group | None) -> str:
        return group.delete if group is not None and group.delete is not None else self.delete


def check(resource: Resource[RetentionSpec]) -> Iterator[Diagnostic]:
    """What one resource gets wrong, with where it is written. No network."""
    spec, stack = resource.spec, resource.stack
    found = stack.connections.get(spec.connection)
    if found is None or found.app not in APPS:
        clients = sorted(n for n, c in stack.connections.items() if c.app in APPS)
        why = f"'{spec.connection}' is no torrent client" if found else f"no connection is called '{spec.connection}'"
        yield _wrong(resource, "connection", why, f"torrent clients: {', '.join(clients) or 'none'}")
        return
    for at, name in enumerate(spec.imported_by):
        app = stack.connections.get(name)
        if app is None or app.app not in ARRS:
            why = f"'{name}' imports nothing: it is a {app.app}" if app else f"no connection is called '{name}'"
            yield _wrong(resource, f"imported_by.{at}", why, "name Sonarr or Radarr connections")
    if not spec.imported_by and any(_asks(c) for c in _conditions(spec)):
        hint = "add imported_by: [sonarr]"
        yield _wrong(resource, "may_go", "imported is asked for, and nobody is named who imports", hint)
    yield from _unseen(resource, found.app)


def _unseen(resource: Resource[RetentionSpec], app: str) -> Iterator[Diagnostic]:
    """What has to be looked at, or deleted by us, and lies where nobody of us sees it."""
    spec, stack = resource.spec, resource.stack
    told = sights(stack, spec.connection)
    deletes = {spec.deletes(None), *(spec.deletes(g) for g in spec.groups)}
    ours = "data" in deletes and app not in DELETES_DATA
    if ours and not told:
        hint = (
            f"add paths: [{{here: /folder/on/this/machine, {spec.connection}: /the/same/as/it/sees/it}}], with an SFTP "
            "connection in place of here where this machine does not see it; or delete: torrent"
        )
        yield _wrong(resource, "delete", f"{app} deletes no data, and this machine does not see its files", hint)
    for by in sorted({s.by for _, s in told if s.by != HERE}) if ours else ():
        if stack.connections[by].access == "read":
            why = f"{app} deletes no data, and {by}, which sees its files, may only read"
            yield _wrong(resource, "delete", why, f"remove access: read from connections.{by}, or delete: torrent")
    for at, folder in enumerate(spec.orphans.under if spec.orphans is not None else ()):
        sight = seen(stack, spec.connection, folder)
        if sight is None:
            hint = f"map it under paths, for {spec.connection} and {HERE}, or an SFTP connection in place of {HERE}"
            yield _wrong(resource, f"orphans.under.{at}", f"nobody sees {folder}", hint)
        elif sight.by != HERE and stack.connections[sight.by].access == "read":
            why = f"{sight.by}, which sees {folder}, may only read: nothing is moved aside there"
            yield _wrong(resource, f"orphans.under.{at}", why, f"remove access: read from connections.{sight.by}")
    elsewhere = bool(told) and all(s.by != HERE for _, s in told)
    if spec.pressure is not None and elsewhere and seen(stack, spec.connection, spec.pressure.disk) is None:
        hint = f"name a folder that paths maps for {spec.connection}, as {told[0][0]}"
        yield _wrong(resource, "pressure.disk", f"nobody sees {spec.pressure.disk}", hint)


def _wrong(resource: Resource[RetentionSpec], field: str, message: str, hint: str = "") -> Diagnostic:
    """A diagnostic at the field, or at the nearest part of the resource whose place is known."""
    name = field
    while name and name not in resource.marks:
        name = name.rpartition(".")[0]
    return Diagnostic(message, resource.marks.get(name), field, hint=hint)


def _conditions(spec: RetentionSpec) -> Iterator[Condition]:
    yield from (spec.may_go, *spec.keep)
    yield from (o.keep_until for o in spec.trackers.named.values())
    for group in spec.groups:
        yield from (group.match, *group.keep, *((group.may_go,) if group.may_go else ()))


def _asks(condition: Condition) -> bool:
    """Whether it asks about imports anywhere."""
    inner = (*(condition.any or ()), *(condition.all or ()))
    return condition.imported is not None or any(_asks(c) for c in inner)


def asks_imports(spec: RetentionSpec) -> bool:
    return any(_asks(c) for c in _conditions(spec))


def refers_to(resource: Resource[RetentionSpec]) -> dict[str, Json]:
    """The mappings of paths that name its client: an edit of one is an edit of what may be deleted where."""
    mine = resource.spec.connection
    told: list[Any] = [dict(m) for m in resource.stack.paths if mine in m]
    return {"paths": told} if told else {}


Condition.model_rebuild()
