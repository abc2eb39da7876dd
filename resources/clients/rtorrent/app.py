"""rtorrent as an app of a stack: what its connection says, and the ways to reach it.

Found through the entry point group `arr.apps`. Imports nothing of HTTP until a connection is opened. Whoever may call
rtorrent may run programs through it: `/RPC2` and its password are worth a shell.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client, Finding, SecretRef
from reconciler.facts import ReadFailed
from resources.clients.weburl import HttpSpec


class RtorrentSpec(HttpSpec):
    """An rtorrent, with or without ruTorrent in front of it."""

    url: str = Field(
        description="Where its XML-RPC answers: scgi://host:port, scgi:///path/to/rpc.socket, or a web server's address.",
        examples=["scgi:///run/rtorrent/rpc.socket", "https://box.example/rutorrent/plugins/httprpc/action.php"],
    )
    user: str | None = Field(default=None, description="User name of the web server (Basic or Digest, as it asks).")
    password: SecretRef | None = Field(default=None, description="Where the password is: {env: NAME} or {file: PATH}.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError("this is no URL: write scgi://host:port, scgi:///path or https://host/RPC2") from None
        if "@" in parts.netloc:
            raise ValueError("the URL holds a user or password: remove it; they go into user and password")
        if parts.query or parts.fragment or any(c.isspace() for c in value):
            raise ValueError("the URL holds a space, a ? or a #: write it without")
        if parts.scheme == "scgi":
            if not (parts.hostname and port) and not (not parts.netloc and len(parts.path) > 1):
                raise ValueError("write scgi://host:port, or scgi:/// and the path of its socket")
        elif parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
            raise ValueError("this is no URL of an rtorrent: write scgi://host:port, scgi:///path or https://host/RPC2")
        return value

    @model_validator(mode="after")
    def _both(self) -> RtorrentSpec:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: give both, or none")
        if self.user is not None and self.url.startswith("scgi:"):
            raise ValueError("SCGI knows no user: remove user and password, or give the address of the web server")
        return self


class RtorrentApp(App):
    """rtorrent 0.9.8 and newer."""

    name = "rtorrent"
    Spec = RtorrentSpec
    parallel = 1  # rtorrent answers one request at a time, and downloads nothing meanwhile

    def open(self, name: str, spec: RtorrentSpec, *, access: Access, clock: Clock) -> Client:
        # Imported here: see the module's docstring.
        from resources.clients.exchange import Exchange  # noqa: PLC0415
        from resources.clients.failures import Where  # noqa: PLC0415
        from resources.clients.rtorrent.client import RtorrentClient  # noqa: PLC0415
        from resources.clients.rtorrent.rpc import Carrier, OverHttp, Rpc  # noqa: PLC0415
        from resources.clients.rtorrent.scgi import Scgi  # noqa: PLC0415

        remedy = f"check connections.{name}.user and .password against the web server in front of rtorrent"
        where, parts = Where(name, spec.url, remedy, float(spec.timeout)), urlsplit(spec.url)
        carrier: Carrier
        if parts.scheme == "scgi":
            path = "" if parts.netloc else parts.path
            carrier = Scgi(where, clock, path=path, host=parts.hostname or "", port=parts.port or 0)
        else:
            user = (spec.user, spec.password.resolve()) if spec.user is not None and spec.password is not None else None
            carrier = OverHttp(Exchange(where, clock=clock, user=user, ca_file=spec.ca_file))
        return RtorrentClient(Rpc(carrier, writable=access == "write" and spec.access == "write"))

    def examine(self, client: Any, spec: RtorrentSpec, clock: Clock) -> list[Finding]:
        from resources.clients.rtorrent.queries import Version  # noqa: PLC0415
        from resources.clients.torrents import Torrents  # noqa: PLC0415

        try:
            version = client.read(Version(""))
            count = len(client.read(Torrents("")))
        except ReadFailed as e:
            return [Finding("answers", False, e.reason, e.remedy)]
        return [Finding("answers", True, f"rtorrent {version}"), Finding("list", True, f"{count} torrents")]


APP = RtorrentApp()
