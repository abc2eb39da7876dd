"""SFTP as an app of a stack: what its connection says in the desired state, and how it is opened.

Found through the entry point group `arr.apps`. paramiko is imported when a connection is opened, so that `arr validate` and
`arr --help` stay quick.
"""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator, model_validator

from reconciler.clock import Clock
from reconciler.connection import Access, App, Client, Finding, SecretRef
from reconciler.units import Age
from resources.clients.weburl import ServerSpec

FINGERPRINT = re.compile(r"^SHA256:[A-Za-z0-9+/]{43}$")


class SftpSpec(ServerSpec):
    """A server that speaks SFTP, as a seedbox does.

    Who answers has to be known beforehand: by `host_key`, or by a line of `known_hosts`. A key that is in neither is refused,
    and nothing is ever added by itself.
    """

    host: str = Field(min_length=1, description="Name or address.", examples=["box.example"])
    port: int = Field(default=22, ge=1, le=65535, description="Port of its SSH server.")
    user: str = Field(min_length=1, description="Who logs in.")
    key: str | None = Field(
        default=None, description="File with the private key: ed25519, ECDSA or RSA.", examples=["~/.ssh/id_ed25519"]
    )
    passphrase: SecretRef | None = Field(default=None, description="What the private key is locked with.")
    password: SecretRef | None = Field(default=None, description="Password, where no key is allowed.")
    agent: bool = Field(default=False, description="True: the keys of the running ssh-agent are offered.")
    host_key: str | None = Field(
        default=None,
        description="Fingerprint of the server's host key, as `ssh-keygen -lf` prints it.",
        json_schema_extra={"pattern": FINGERPRINT.pattern},
    )
    known_hosts: str = Field(
        default="~/.ssh/known_hosts", description="File that the host key is looked up in when no host_key is given."
    )
    timeout: Age = Field(
        default=30, description="How long the server may be silent.", json_schema_extra={"default": "30s"}
    )

    @field_validator("host_key")
    @classmethod
    def _fingerprint(cls, value: str | None) -> str | None:
        if value is not None and not FINGERPRINT.match(value):
            raise ValueError("this is no fingerprint: write SHA256: and 43 characters, as ssh-keygen -lf prints it")
        return value

    @field_validator("host")
    @classmethod
    def _host(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._:%-]+", value):
            raise ValueError("this is no host: write its name or address alone; user and port are fields of their own")
        return value

    @model_validator(mode="after")
    def _a_way_in(self) -> SftpSpec:
        if not (self.key or self.password or self.agent):
            raise ValueError("nothing to log in with: give key, password or agent: true")
        if self.passphrase and not self.key:
            raise ValueError("passphrase unlocks a key, and no key is given")
        return self


class SftpApp(App):
    """How the engine opens an SFTP connection."""

    name = "sftp"
    Spec = SftpSpec
    parallel = 4

    def open(self, name: str, spec: SftpSpec, *, access: Access, clock: Clock) -> Client:
        from resources.clients.sftp.client import SftpClient  # noqa: PLC0415  # see the module's docstring
        from resources.clients.sftp.login import Gate  # noqa: PLC0415

        return SftpClient(Gate(name, spec), writable=access == "write" and spec.access == "write")

    def examine(self, client: Any, spec: SftpSpec, clock: Clock) -> list[Finding]:
        from resources.clients.sftp.examine import examine  # noqa: PLC0415

        return examine(client, spec)


APP = SftpApp()
