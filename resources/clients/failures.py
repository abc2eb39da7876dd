"""What went wrong between us and a server, in words a user can act on. Used by `http.py` for reads and writes alike.

Every code of `facts.Unknown` that a connection can earn is given here, each with a reason and a remedy. What a server says
of itself passes through `redact` and is cut: it may hold a key, a stack trace, or a page of HTML.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpcore

from reconciler.connection import redact
from reconciler.facts import ReadFailed
from resources.clients.text import mended

_LONGEST = 300


@dataclass(frozen=True)
class Where:
    """A connection as messages name it. `key_remedy` is what helps against a refused key."""

    name: str
    url: str
    key_remedy: str
    timeout: float

    @property
    def field(self) -> str:
        return f"connections.{self.name}"


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _certificate(error: ssl.SSLError, where: Where) -> ReadFailed:
    if isinstance(error, ssl.SSLCertVerificationError):
        return ReadFailed(
            "certificate",
            f"the certificate of {where.url} is not trusted ({error.verify_message})",
            f"name its issuer (or the self-signed certificate itself) in {where.field}.ca_file, or mend the certificate",
        )
    return ReadFailed(
        "certificate",
        f"no secure connection with {where.url} ({error.reason or 'TLS failed'})",
        f"if it speaks plain HTTP there, write http:// in {where.field}.url",
    )


def of_network(error: Exception, where: Where) -> ReadFailed:
    """A request that got no whole answer."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.SSLError) and isinstance(error, httpcore.ConnectError):
            return _certificate(cause, where)
        if isinstance(cause, socket.gaierror):
            remedy = f"check the name in {where.field}.url, and that this machine can resolve it"
            return ReadFailed("down", f"nobody knows the host of {where.url}", remedy)
    if isinstance(error, httpcore.ConnectTimeout | httpcore.ConnectError):
        how = next((c.strerror for c in chain if isinstance(c, OSError) and c.strerror), "no answer")
        remedy = f"start it, or correct {where.field}.url"
        return ReadFailed("down", f"{where.url} cannot be reached ({how.lower()})", remedy)
    if isinstance(error, httpcore.TimeoutException):
        return ReadFailed(
            "slow",
            f"{where.url} did not answer in full within {where.timeout:g} s",
            f"look why it is slow, or raise {where.field}.timeout",
        )
    return ReadFailed("truncated", f"{where.url} broke off its answer", "try again; if it stays so, look at its log")


def words(body: bytes, content_type: str) -> str:
    """What the server says, from any of its four error shapes; "" when that is nothing for people."""
    if "json" not in content_type:
        return "" if "html" in content_type else _cut(body.decode("utf-8", "replace"))
    try:
        found = _spoken(json.loads(body))
    except (ValueError, RecursionError):
        return ""
    return _cut(found)


def _spoken(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_field(v) for v in value if isinstance(v, dict))
    if not isinstance(value, dict):
        return ""
    if isinstance(value.get("errors"), dict):
        return "; ".join(f"{k}: {', '.join(map(str, v))}" for k, v in value["errors"].items() if isinstance(v, list))
    return str(value.get("message") or value.get("errorMessage") or value.get("error") or value.get("title") or "")


def _field(failure: dict[str, Any]) -> str:
    name, message = failure.get("propertyName") or "", failure.get("errorMessage") or ""
    return f"{name}: {message}" if name else str(message)


def _cut(text: str) -> str:
    """One line, bounded, and without anything secret."""
    line = " ".join(redact(mended(text)).split())
    return line if len(line) <= _LONGEST else line[:_LONGEST] + "…"


def of_status(status: int, body: bytes, content_type: str, location: str, where: Where) -> ReadFailed:
    """An answer that is none: any status but 2xx."""
    said = words(body, content_type)
    quoted = f" ('{said}')" if said else ""
    if status in (401, 403):
        return ReadFailed("unauthorised", f"{where.url} refuses the key ({status})", where.key_remedy)
    if 300 <= status < 400:
        target = _cut(location.partition("?")[0])
        return ReadFailed(
            "not-json",
            f"{where.url} sends us elsewhere ({status} to {target or 'nowhere'})",
            f"a login page or another URL base answers: correct {where.field}.url",
        )
    if status == 503:
        return ReadFailed("starting", f"{where.url} is not ready{quoted}", "wait until it has started, and try again")
    if status == 429:
        return ReadFailed("server-error", f"{where.url} wants fewer requests (429)", "try again later")
    if status in (502, 504):
        remedy = "start the server behind the proxy"
        return ReadFailed("down", f"the proxy at {where.url} does not reach its server ({status})", remedy)
    if status >= 500:
        return ReadFailed("server-error", f"{where.url} failed ({status}){quoted}", "look at its log; then try again")
    if status == 404 and "json" not in content_type:
        remedy = f"check {where.field}.url and .app: path and program have to fit"
        return ReadFailed("wrong-app", f"{where.url} does not know what was asked (404)", remedy)
    return ReadFailed("refused", f"{where.url} refused ({status}){quoted}", "see arr doctor; look at the server's log")


def not_json(content_type: str, where: Where) -> ReadFailed:
    """A 200 that is no answer of the app."""
    what = "a web page" if "html" in content_type else f"'{_cut(content_type) or 'nothing that says what it is'}'"
    return ReadFailed(
        "not-json",
        f"{where.url} answered with {what} instead of data",
        f"a login page or a wrong URL base answers: {where.field}.url has to go past the login to the app, base included",
    )
