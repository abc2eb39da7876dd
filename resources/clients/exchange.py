"""HTTP for the servers whose answers are no plain JSON lists: XML-RPC, forms, cookies, Basic and Digest.

Clients of torrent programs hold one `Exchange`. Their reads are POSTs too, so which of them are reads is said by the
client that sends them; here a read is tried again and ends in `ReadFailed`, a write is sent once and ends in
`WriteRefused` (it has not happened) or `ReplyLost` (law 7). Redirects are never followed.
"""

from __future__ import annotations

import base64
import logging
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass

import httpcore
import httpx

from reconciler.clock import Clock
from reconciler.connection import remember_secret
from reconciler.facts import ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import failures
from resources.clients.deadline import DeadlineBackend
from resources.clients.failures import Where
from resources.clients.http import CAP, CONNECT, WAITS, Wire, trusted

log = logging.getLogger(__name__)

SESSION = 16  # characters from which on a cookie is taken for a session's key: shorter ones are settings
_NETWORK = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.DecodingError)


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer. `headers` in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Its content type."""
        return self.headers.get("content-type", "")

    def failure(self, where: Where) -> ReadFailed:
        """What a status that is no success means."""
        return failures.of_status(self.status, self.body[:65536], self.kind, self.headers.get("location", ""), where)


class _Failed(Exception):
    """A try that gave no whole answer. `sent`: some of it left. `begun`: an answer had begun."""

    def __init__(self, failure: ReadFailed, *, sent: bool, begun: bool) -> None:
        super().__init__(failure.reason)
        self.failure, self.sent, self.begun = failure, sent, begun


class _Strange(Exception):
    """A challenge that cannot be answered. Nothing was done: the server wants to know first who asks."""


class _Digest(httpx.DigestAuth):
    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        try:
            yield from super().auth_flow(request)
        except (httpx.ProtocolError, ValueError, LookupError, NotImplementedError):  # what it raises of a strange one
            raise _Strange from None


class Exchange:
    """One server, one request at a time. `user`: name and password, offered as the server asks (Digest before Basic)."""

    def __init__(
        self,
        where: Where,
        *,
        clock: Clock,
        user: tuple[str, str] | None = None,
        ca_file: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.where = where
        self._clock = clock
        self._user = user
        self._auth: httpx.Auth | None = None
        self._backend = DeadlineBackend(clock)
        self._one = threading.Lock()
        base = httpx.URL(where.url)
        trust = trusted(ca_file, where) if base.scheme == "https" else None
        pool = httpcore.ConnectionPool(
            ssl_context=trust, max_connections=1, keepalive_expiry=30.0, network_backend=self._backend
        )
        self._client = httpx.Client(
            transport=Wire(pool),
            headers={"accept-encoding": "gzip", **(headers or {})},
            timeout=httpx.Timeout(where.timeout, connect=CONNECT),
            follow_redirects=False,
            trust_env=False,
        )

    def close(self) -> None:
        self._client.close()

    def ask(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """A read, tried again where nobody listened or the line broke before an answer. Any status. ReadFailed."""
        for wait in (*WAITS, None):
            try:
                return self._challenged(method, url, body, headers)
            except _Failed as e:
                again = e.failure.code == "down" or (e.failure.code == "truncated" and not e.begun)
                if wait is None or not again:
                    raise e.failure from None
                self._clock.sleep(wait)
        raise AssertionError("the last try returns or raises")

    def send(self, method: str, url: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """A write, sent once. Any status: what it means is the caller's to say."""
        try:
            return self._challenged(method, url, body, headers)
        except _Failed as e:
            if not e.sent:
                raise WriteRefused(f"not sent: {e.failure.reason}", e.failure.remedy) from None
            raise ReplyLost(e.failure.reason, late=e.failure.code == "slow") from None

    def _challenged(self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None) -> Reply:
        """A 401 before anything was done names the scheme; the request then goes out once more, with the user's name."""
        reply = self._once(method, url, body, headers)
        if reply.status != 401 or self._user is None or self._auth is not None:
            return reply
        offered = reply.headers.get("www-authenticate", "").lower()
        if "digest" in offered:
            self._auth = _Digest(*self._user)
        elif "basic" in offered:
            self._auth = httpx.BasicAuth(*self._user)
            remember_secret(base64.b64encode(":".join(self._user).encode()).decode())  # it travels as this
        else:
            return reply
        return self._once(method, url, body, headers)

    def _once(self, method: str, url: str, body: bytes, headers: Mapping[str, str] | None) -> Reply:
        begun = False
        with self._one, self._backend.attempt(self.where.timeout) as attempt:
            try:
                with self._client.stream(method, url, content=body, headers=headers, auth=self._auth) as response:
                    begun = True
                    taken = bytearray()
                    for part in response.iter_bytes():
                        taken += part
                        if len(taken) > CAP:
                            reason = f"{self.where.url} answered with more than {CAP >> 20} MiB"
                            raise _Failed(ReadFailed("malformed", reason, "see arr doctor"), sent=True, begun=True)
                    self._keep_cookies()
                    log.debug("%s: %s: %d", self.where.name, method, response.status_code)
                    return Reply(response.status_code, dict(response.headers), bytes(taken))
            except _Strange:
                reason = f"{self.where.url} asks for user and password in a way that is not understood"
                failure = ReadFailed("unauthorised", reason, "let its web server ask by Basic, or by Digest with MD5")
                raise _Failed(failure, sent=False, begun=True) from None
            except _NETWORK as e:
                raise _Failed(failures.of_network(e, self.where), sent=attempt.sent, begun=begun) from None

    def _keep_cookies(self) -> None:
        """A session's key is a secret. What could not be sent back is not kept."""
        jar = self._client.cookies.jar
        for cookie in list(jar):
            value = cookie.value or ""
            if not (cookie.name + value).isascii():
                jar.clear(cookie.domain, cookie.path, cookie.name)
            elif len(value) >= SESSION:
                remember_secret(value)
