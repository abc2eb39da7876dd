"""Sonarr and Radarr as apps of a stack: what their connection says in the desired state, and how it is opened.

Found through the entry point group `arr.apps`. Imports nothing of HTTP until a connection is opened, so that `arr validate`
and `arr --help` stay quick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from pydantic import Field, field_validator, model_validator

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client, Finding, Place, SecretRef
from reconciler.facts import ReadFailed
from resources.clients.servarr import flavour
from resources.clients.servarr.flavour import Flavour
from resources.clients.servarr.key import key_from_config
from resources.clients.weburl import HttpSpec, web_url


class ServarrSpec(HttpSpec):
    """A Sonarr or a Radarr."""

    url: str = Field(
        description="Where it answers, with its URL base if it has one.",
        examples=["http://sonarr:8989", "https://nas/tv"],
    )
    api_key: SecretRef | None = Field(
        default=None, description="Where its API key is: {env: NAME} or {file: PATH}. Settings → General → Security."
    )
    config_xml: str | None = Field(
        default=None, description="Its own config.xml, to read the key from; instead of api_key."
    )

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        url = web_url(value, "the key goes into api_key")
        if url.endswith(("/api", "/api/v3")):
            raise ValueError("write the URL without /api: only up to the URL base")
        return url

    @model_validator(mode="after")
    def _one_key(self) -> ServarrSpec:
        if (self.api_key is None) == (self.config_xml is None):
            raise ValueError("give one of api_key and config_xml, as api_key: {env: SONARR_API_KEY}")
        return self


class ServarrApp(App):
    """What both apps share."""

    Spec = ServarrSpec
    flavour: ClassVar[Flavour]

    def open(self, name: str, spec: ServarrSpec, *, access: Access, clock: Clock) -> Client:
        # Imported here: see the module's docstring.
        from resources.clients.failures import Where  # noqa: PLC0415
        from resources.clients.http import Http  # noqa: PLC0415
        from resources.clients.servarr.client import ServarrClient, reads  # noqa: PLC0415

        key = spec.api_key.resolve() if spec.api_key else key_from_config(spec.config_xml or "")
        if not key.isascii() or not key.isprintable():
            raise ReadFailed("secret", f"the key of {name} has characters that no key has", "copy it again")
        where = Where(name, spec.url, self._key_remedy(name, spec), float(spec.timeout))
        http = Http(
            where,
            headers={"x-api-key": key},
            reads=reads(self.flavour),
            writable=access == "write" and spec.access == "write",
            clock=clock,
            parallel=self.parallel,
            ca_file=spec.ca_file,
        )
        return ServarrClient(self.flavour, http)

    def _key_remedy(self, name: str, spec: ServarrSpec) -> str:
        if spec.config_xml:
            variable = f"{self.flavour.app.upper()}__AUTH__APIKEY"
            return (
                f"where the app runs, {variable} may override the key in {spec.config_xml}: then give api_key instead"
            )
        return f"check connections.{name}.api_key against {self.flavour.name}, Settings → General → Security"

    def examine(self, client: Any, spec: ServarrSpec, clock: Clock) -> list[Finding]:
        from resources.clients.servarr.examine import examine  # noqa: PLC0415  # it needs the client

        return examine(client, spec.url, clock)

    def places(self, client: Any, paths: Sequence[str]) -> dict[str, Place]:
        from resources.clients.servarr.examine import places  # noqa: PLC0415  # it needs the client

        return places(client, paths)


class Sonarr(ServarrApp):
    """Sonarr 4 and 5."""

    name = "sonarr"
    flavour = flavour.SONARR


class Radarr(ServarrApp):
    """Radarr 5 and 6."""

    name = "radarr"
    flavour = flavour.RADARR


SONARR = Sonarr()
RADARR = Radarr()
