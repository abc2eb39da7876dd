"""What the connections of servers say alike: no secret as it is, a patience, a certificate, an address without secrets in it.

Base of the specs of every app that is reached over a network.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from reconciler.connection import ConnectionSpec, SecretRef
from reconciler.units import Age


class ServerSpec(ConnectionSpec):
    """A server: its secrets are named, not written, and it is not waited for without end."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    timeout: Age = Field(
        default=60,
        description="How long one answer may take, from first to last byte.",
        json_schema_extra={"default": "1m"},
    )

    @field_validator("password", "passphrase", "api_key", mode="before", check_fields=False)
    @classmethod
    def _no_literal(cls, value: Any) -> Any:
        if isinstance(value, str):
            raise ValueError("a secret does not stand in the desired state: write {env: NAME} or {file: PATH}")
        return value

    @field_validator("timeout")
    @classmethod
    def _some_time(cls, value: int) -> int:
        if value < 1:
            raise ValueError("no server answers in no time: write 1s or more")
        return value


class HttpSpec(ServerSpec):
    """A server behind HTTP or HTTPS."""

    ca_file: str | None = Field(
        default=None, description="PEM file with the issuer of its certificate, or with a self-signed one."
    )


class WebSpec(HttpSpec):
    """A program with a web interface."""

    url: str = Field(description="Where its web interface answers, with its path if it has one.")
    user: str | None = Field(default=None, description="Its user name.")
    password: SecretRef | None = Field(default=None, description="Where the password is: {env: NAME} or {file: PATH}.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        return web_url(value, "they go into user and password")


def web_url(value: str, secrets: str) -> str:
    """An address of a web server, without a slash at its end. `secrets`: where those go that somebody wrote into it.

    ValueError for what is none, and for one that holds a user, a password, a query or a fragment.
    """
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError("this is no URL: write http://host:port") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(c.isspace() for c in value):
        raise ValueError("this is no URL of a server: write http://host:port or https://host/path")
    if "@" in parts.netloc:
        raise ValueError(f"the URL holds a user or password: remove it; {secrets}")
    if parts.query or parts.fragment:
        raise ValueError(f"the URL ends in ? or #: write it without; {secrets}")
    return value.rstrip("/")
