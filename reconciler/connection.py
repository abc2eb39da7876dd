"""Connections: the servers of a stack, and how an app joins (entry point group `arr.apps`).

An `App` gives the shape of its connection in the desired state and opens clients. A client answers the typed queries of
its app and, when opened for writing, has the app's verbs as methods. Opened with `access="read"` its transport refuses
everything that is not a known read, whoever asks.
"""

from __future__ import annotations

import os
import re
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from reconciler.clock import Clock
from reconciler.facts import Query, ReadFailed

T = TypeVar("T")
Access = Literal["read", "write"]

_resolved: set[str] = set()
_resolving = threading.Lock()
# What a login by Digest is made of; each request has its own, so they are known by their names.
_DIGEST = re.compile(r"""\b((?:c?nonce|response|opaque)\s*=\s*\\?["']?)[^\s"'\\,;&<>]{16,}""", re.IGNORECASE)
_secrets: list[re.Pattern[str]] = []  # one, that finds any of `_resolved` in any letter case; none: to be made


def redact(text: str) -> str:
    """`text` without any secret that was resolved in this process, in whatever letter case: servers may change it; and
    without what a login by Digest is made of.

    Logs, exceptions and answers shown pass through it.
    """
    if "=" in text:
        text = _DIGEST.sub(r"\1(secret)", text)
    if not _resolved:
        return text
    with _resolving:
        if not _secrets:
            longest_first = sorted(_resolved, key=len, reverse=True)
            _secrets.append(re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE))
        pattern = _secrets[0]
    return pattern.sub("(secret)", text)


def remember_secret(value: str) -> str:
    """Make `redact` know `value` (shorter than 4 characters is no secret worth hiding: it would garble every text)."""
    with _resolving:
        if len(value) >= 4 and value not in _resolved:
            _resolved.add(value)
            _secrets.clear()
    return value


class SecretRef(BaseModel):
    """Where a secret is: `{env: NAME}` or `{file: /run/secrets/x}`. The value itself never stands in the desired state."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    env: str | None = Field(default=None, description="Name of the environment variable that holds it.")
    file: str | None = Field(default=None, description="File that holds it; surrounding white space is cut.")

    @model_validator(mode="after")
    def _one(self) -> SecretRef:
        if (self.env is None) == (self.file is None):
            raise ValueError("give one of env or file, as {env: SONARR_API_KEY}")
        return self

    def resolve(self) -> str:
        """The value. `ReadFailed("secret", …)` when it is not there, so that its connection is unknown, with a remedy."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            if not value:
                raise ReadFailed("secret", f"the environment variable {self.env} is not set", f"export {self.env}=…")
            return remember_secret(value)
        path = Path(self.file or "").expanduser()
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as e:
            why = e.strerror if isinstance(e, OSError) else "not UTF-8"
            raise ReadFailed("secret", f"the secret file {path} cannot be read ({why})", "create it") from None
        if not value:
            raise ReadFailed("secret", f"the secret file {path} is empty", "write the secret into it")
        return remember_secret(value)


class ConnectionSpec(BaseModel):
    """What every connection says. Apps subclass it; `app` selects the subclass."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    app: str = Field(description="Which program answers there.")
    access: Access = Field(default="write", description="`read`: no write is ever sent to it, by the transport.")


class Client(Protocol):
    """An open connection. Thread-safe; `close` frees its sockets."""

    def read(self, query: Query[T]) -> T:
        """The complete answer, or ReadFailed, or NotThere."""
        ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Finding:
    """One line of `arr doctor`: what was looked at, what was found, and the remedy when it is not well."""

    what: str
    ok: bool | None  # None: could not be looked at
    says: str
    remedy: str = ""


@dataclass(frozen=True)
class Place:
    """A folder that the desired state says a server has. Bytes; None where the server does not tell.

    `known`: it is one of the server's own; `others`: those that it has.
    """

    known: bool
    accessible: bool = False
    free: int | None = None
    size: int | None = None
    others: tuple[str, ...] = ()


class App(ABC):
    """A program that a connection can speak to."""

    name: ClassVar[str]
    Spec: ClassVar[type[ConnectionSpec]]
    parallel: ClassVar[int] = 4  # requests at a time

    @abstractmethod
    def open(self, name: str, spec: Any, *, access: Access, clock: Clock) -> Client:
        """A client for the connection called `name`. Resolves secrets (ReadFailed); sends nothing yet."""

    @abstractmethod
    def examine(self, client: Any, spec: Any, clock: Clock) -> list[Finding]:
        """`arr doctor`: reachable, right app, version, key, clock, paths. Reads only."""

    def places(self, client: Any, paths: Sequence[str]) -> dict[str, Place]:
        """`arr doctor`: declared folders as the server sees them. ReadFailed; {} where the app has no such thing."""
        return {}
