"""qBittorrent as an app of a stack: what its connection says, and how it is opened. Found through `arr.apps`."""

from __future__ import annotations

from typing import Any

from pydantic import Field, model_validator

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client, Finding, SecretRef
from reconciler.facts import ReadFailed
from resources.clients.weburl import WebSpec


class QbittorrentSpec(WebSpec):
    """A qBittorrent: with user and password, with an API key (5.2 and newer), or neither where it asks for none."""

    api_key: SecretRef | None = Field(
        default=None, description="Its API key (5.2 and newer), in place of user and password."
    )

    @model_validator(mode="after")
    def _one_way(self) -> QbittorrentSpec:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: give both, or none")
        if self.user is not None and self.api_key is not None:
            raise ValueError("give api_key, or user and password: not both")
        return self


class QbittorrentApp(App):
    """qBittorrent 4.4 and newer."""

    name = "qbittorrent"
    Spec = QbittorrentSpec
    parallel = 1

    def open(self, name: str, spec: QbittorrentSpec, *, access: Access, clock: Clock) -> Client:
        # Imported here, so that commands that open nothing stay quick.
        from resources.clients.exchange import Exchange  # noqa: PLC0415
        from resources.clients.failures import Where  # noqa: PLC0415
        from resources.clients.qbittorrent.api import Api  # noqa: PLC0415
        from resources.clients.qbittorrent.client import QbittorrentClient  # noqa: PLC0415

        field = "api_key" if spec.api_key else "user and .password"
        where = Where(
            name, spec.url, f"check connections.{name}.{field}; too many tries ban for a while", float(spec.timeout)
        )
        key = spec.api_key.resolve() if spec.api_key else None
        user = (spec.user, spec.password.resolve()) if spec.user is not None and spec.password is not None else None
        headers = {"authorization": f"Bearer {key}"} if key else {}
        exchange = Exchange(where, clock=clock, ca_file=spec.ca_file, headers=headers)
        writable = access == "write" and spec.access == "write"
        return QbittorrentClient(Api(exchange, user=user, by_key=key is not None, writable=writable))

    def examine(self, client: Any, spec: QbittorrentSpec, clock: Clock) -> list[Finding]:
        from resources.clients.qbittorrent.client import Version  # noqa: PLC0415
        from resources.clients.torrents import Torrents  # noqa: PLC0415

        try:
            version = client.read(Version(""))
            count = len(client.read(Torrents("")))
        except ReadFailed as e:
            return [Finding("answers", False, e.reason, e.remedy)]
        return [Finding("answers", True, f"qBittorrent, web API {version}"), Finding("list", True, f"{count} torrents")]


APP = QbittorrentApp()
