"""Transmission as an app of a stack: what its connection says, and how it is opened. Found through `arr.apps`."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client, Finding
from reconciler.facts import ReadFailed
from resources.clients.weburl import WebSpec


class TransmissionSpec(WebSpec):
    """A Transmission. `url` is its web address; without a path its usual one, /transmission/rpc, is taken."""

    @model_validator(mode="after")
    def _both(self) -> TransmissionSpec:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together: give both, or none")
        return self


class TransmissionApp(App):
    """Transmission 3 and newer."""

    name = "transmission"
    Spec = TransmissionSpec
    parallel = 1

    def open(self, name: str, spec: TransmissionSpec, *, access: Access, clock: Clock) -> Client:
        # Imported here, so that commands that open nothing stay quick.
        from resources.clients.exchange import Exchange  # noqa: PLC0415
        from resources.clients.failures import Where  # noqa: PLC0415
        from resources.clients.transmission.client import TransmissionClient  # noqa: PLC0415

        url = spec.url if spec.url.count("/") > 2 else f"{spec.url}/transmission/rpc"
        where = Where(name, url, f"check connections.{name}.user and .password", float(spec.timeout))
        user = (spec.user, spec.password.resolve()) if spec.user is not None and spec.password is not None else None
        exchange = Exchange(where, clock=clock, user=user, ca_file=spec.ca_file)
        return TransmissionClient(exchange, writable=access == "write" and spec.access == "write")

    def examine(self, client: Any, spec: TransmissionSpec, clock: Clock) -> list[Finding]:
        from resources.clients.torrents import Torrents  # noqa: PLC0415

        try:
            count = len(client.read(Torrents("")))
        except ReadFailed as e:
            return [Finding("answers", False, e.reason, e.remedy)]
        return [Finding("answers", True, f"Transmission, {count} torrents")]


APP = TransmissionApp()
