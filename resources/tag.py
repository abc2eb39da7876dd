"""`tag`: a label that Sonarr and Radarr shall have.

    tag:
      kids: {connections: [sonarr, radarr]}
      uhd:  {connections: [radarr], label: 4k-uhd}

Labels are lower case, as the servers store them. Each server has ids of its own, so only labels count (accident A30).
"""

from __future__ import annotations

from typing import Any

from pydantic import Field

from reconciler.facts import Query
from resources.clients.servarr import Tag, Tags, TagUsers
from resources.declared import Declared, DeclaredSpec, Fields

LABEL = r"^[a-z0-9-]+$"


class TagSpec(DeclaredSpec):
    """A label that the connections shall have."""

    label: str | None = Field(
        default=None,
        description="The label, if it is not the resource's name: small letters, digits and hyphens.",
        json_schema_extra={"pattern": LABEL},
    )


class TagKind(Declared[TagSpec, Tag]):
    """A label that Sonarr and Radarr shall have. They purge a tag that nothing carries once a day: the next plan shows it as
    drift and makes it again. One that is in use cannot be deleted there: it is held, and the plan says by how many of what.
    """

    name = "tag"
    Spec = TagSpec
    apps = ("sonarr", "radarr")
    key_field = "label"
    key_form = (LABEL, "small letters, digits and hyphens only")

    def listing(self, connection: str) -> Query[tuple[Tag, ...]]:
        return Tags(connection)

    def users(self, connection: str) -> TagUsers:
        return TagUsers(connection)

    def normal_key(self, key: str) -> str:
        return key.lower()

    def save(self, client: Any, key: str, fields: Fields, found: Tag | None) -> None:
        client.create_tag(key)

    def delete(self, client: Any, found: Tag) -> None:
        client.delete_tag(found.id)


KIND = TagKind()
