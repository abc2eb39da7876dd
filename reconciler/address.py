"""Names: of a resource (`disk_fill.media`) and of a thing in the world (`sonarr:series/tvdb:280619`).

An address names a wish; a subject names what a wish is about. Two resources may not want different things of one
subject, and the journal, the cool-downs and `arr why` find things by subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

NAME = re.compile(r"^[a-z0-9]([a-z0-9_-]*[a-z0-9])?$")


@dataclass(frozen=True, order=True)
class Address:
    """A resource: its kind and its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.name}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """From `kind.name`; ValueError when it is not of that form."""
        kind, dot, name = text.partition(".")
        if not dot or not NAME.match(kind) or not NAME.match(name):
            raise ValueError(f"'{text}' is not an address: write kind.name, as disk_fill.media")
        return cls(kind, name)


class Subject(BaseModel):
    """One thing in the world: where it lives, what it is, and its lasting name there.

    `key` never is a number that a server could give to something else tomorrow: an outside id (`tvdb:280619`), a label
    (`kids`), a hash. `title` is for people only and takes no part in comparison of identity (`ident`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    connection: str
    type: str
    key: str
    title: str = ""

    @property
    def ident(self) -> str:
        return f"{self.connection}:{self.type}/{self.key}"
