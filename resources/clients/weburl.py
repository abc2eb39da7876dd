"""What the connections of web interfaces say alike: an address without secrets in it, a user, a certificate, a patience.

Base of the specs of qBittorrent and Transmission.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, field_validator

from reconciler.connection import ConnectionSpec, SecretRef
from reconciler.units import Age


class WebSpec(ConnectionSpec):
    """A program with a web interface."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    url: str = Field(description="Where its web interface answers, with its path if it has one.")
    user: str | None = Field(default=None, description="Its user name.")
    password: SecretRef | None = Field(default=None, description="Where the password is: {env: NAME} or {file: PATH}.")
    ca_file: str | None = Field(
        default=None, description="PEM file with the issuer of its certificate, or with a self-signed one."
    )
    timeout: Age = Field(default=60, description="How long one answer may take, from first to last byte.")

    @field_validator("url")
    @classmethod
    def _url(cls, value: str) -> str:
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError("this is no URL: write http://host:port") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or any(c.isspace() for c in value):
            raise ValueError("this is no URL of a server: write http://host:port or https://host/path")
        if "@" in parts.netloc:
            raise ValueError("the URL holds a user or password: remove it; they go into user and password")
        if parts.query or parts.fragment:
            raise ValueError("the URL ends in ? or #: write it without")
        return value.rstrip("/")

    @field_validator("password", "api_key", mode="before", check_fields=False)
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
