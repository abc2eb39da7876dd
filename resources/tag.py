"""`tag`: a label that Sonarr and Radarr shall have.

    tag:
      kids: {connections: [sonarr, radarr]}
      uhd:  {connections: [radarr], label: 4k-uhd}

Labels are lower case: the servers store them so, but compare before they lower. Each server has ids of its own, so only
labels count (accident A30).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from reconciler.errors import Diagnostic
from reconciler.facts import Query
from reconciler.kind import Resource
from resources.clients.servarr import Tag, Tags
from resources.declared import Declared, DeclaredSpec, Fields

LABEL = re.compile(r"^[a-z0-9-]+$")


class TagSpec(DeclaredSpec):
    """A label that the connections shall have."""

    label: str | None = Field(
        default=None,
        description="The label, if it is not the resource's name: small letters, digits and hyphens.",
        json_schema_extra={"pattern": LABEL.pattern},
    )


class TagKind(Declared[TagSpec, Tag]):
    """A label that Sonarr and Radarr shall have. They purge a tag that nothing carries once a day: the next plan shows it as
    drift and makes it again. One that is in use cannot be deleted: the action fails with the server's words.
    """

    name = "tag"
    Spec = TagSpec
    apps = ("sonarr", "radarr")
    key_field = "label"

    def check(self, resource: Resource[TagSpec]) -> Iterable[Diagnostic]:
        yield from super().check(resource)
        (label,) = self.wishes(resource)
        if not LABEL.fullmatch(label):
            mark = resource.marks.get("label") or resource.marks.get("")
            hint = f"label: {'-'.join(re.findall('[a-z0-9]+', label.lower())) or 'kids'}"
            yield Diagnostic(f"'{label}' is no label: small letters, digits and hyphens only", mark, "label", hint=hint)

    def wishes(self, resource: Resource[TagSpec]) -> Mapping[str, Fields]:
        label = resource.spec.label
        return {resource.address.name if label is None else label: {}}

    def listing(self, connection: str) -> Query[tuple[Tag, ...]]:
        return Tags(connection)

    def key(self, found: Tag) -> str:
        return found.label

    def normal_key(self, key: str) -> str:
        return key.lower()

    def save(self, client: Any, key: str, fields: Fields, found: Tag | None) -> None:
        client.create_tag(key)

    def delete(self, client: Any, found: Tag) -> None:
        client.delete_tag(found.id)


KIND = TagKind()
