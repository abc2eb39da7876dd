"""HTTP for every client: the only module that imports httpx. Kinds never see it; clients hold one `Http` per connection.

Reads go through a transport that lets only the listed reads pass (law 3), are tried again a little, and end in a complete
answer or in `ReadFailed` (law 4). Writes are sent once, over a connection of their own: nothing sent is `WriteRefused`, a
refusal too, and sent without a whole answer is `ReplyLost` (law 7). Redirects are never followed, keys travel in headers
only, certificates are always checked.
"""

from __future__ import annotations

import json
import logging
import re
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpcore
import httpx

from reconciler.clock import Clock
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import failures
from resources.clients.deadline import DeadlineBackend
from resources.clients.failures import Where
from resources.clients.jsonstream import Broken, elements, whole

log = logging.getLogger(__name__)

V = TypeVar("V")
Params = Mapping[str, str | int | bool]
Reads = Sequence[tuple[str, re.Pattern[str]]]

CAP = 512 * 1024**2  # bytes of one answer, unpacked
CONNECT = 10.0  # seconds
WAITS = (0.25, 1.0)  # seconds between the tries of a read
PATIENCE = 10.0  # seconds; a longer Retry-After is not waited for
_ERROR_CAP = 64 * 1024
_NETWORK = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, httpx.DecodingError)


class _Again(Exception):
    """A read that may be tried again."""

    def __init__(self, failure: ReadFailed, after: float = 0.0) -> None:
        self.failure = failure
        self.after = after


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class Wire(httpx.BaseTransport):
    """A pool of connections whose sockets keep to the deadline."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
        answer = self._pool.handle_request(
            httpcore.Request(
                request.method,
                target,
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=answer.extensions)

    def close(self) -> None:
        self._pool.close()


class _ReadsOnly(httpx.BaseTransport):
    """Lets the listed reads pass and nothing else, whoever asks. Paths are counted from the base URL."""

    def __init__(self, inner: httpx.BaseTransport, reads: Reads, base: str, name: str) -> None:
        self._inner, self._reads, self._base, self._name = inner, reads, base, name

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix(self._base)
        if not any(request.method == method and pattern.fullmatch(path) for method, pattern in self._reads):
            raise WriteRefused(f"{request.method} {path} is none of the reads of {self._name}: it was not sent")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


@dataclass(frozen=True)
class Answer:
    """The outside of an answer, for examinations: its headers in lower case, and its JSON."""

    headers: Mapping[str, str]
    data: Any


class Http:
    """One connection. Thread-safe. Without `writable` there is no way to send anything but the `reads`."""

    def __init__(
        self,
        where: Where,
        *,
        headers: Mapping[str, str],
        reads: Reads,
        writable: bool,
        clock: Clock,
        parallel: int,
        ca_file: str | None = None,
        network: httpcore.NetworkBackend | None = None,
    ) -> None:
        """`network` is where faults are injected under everything else. ReadFailed when `ca_file` cannot be used."""
        self.where = where
        self._clock = clock
        self._backend = DeadlineBackend(clock, network)
        self._slots = threading.BoundedSemaphore(parallel)
        base = httpx.URL(where.url.rstrip("/") + "/")
        trust = trusted(ca_file, where) if base.scheme == "https" else None

        def wire(keep: int) -> httpx.BaseTransport:
            pool = httpcore.ConnectionPool(
                ssl_context=trust,
                max_connections=parallel,
                max_keepalive_connections=keep,
                keepalive_expiry=30.0,
                network_backend=self._backend,
            )
            return Wire(pool)

        def client(transport: httpx.BaseTransport) -> httpx.Client:
            return httpx.Client(
                base_url=base,
                transport=transport,
                headers={"accept": "application/json", "accept-encoding": "gzip", **headers},
                timeout=httpx.Timeout(where.timeout, connect=CONNECT),
                follow_redirects=False,
                trust_env=False,
            )

        self._reader = client(_ReadsOnly(wire(parallel), reads, base.path.rstrip("/"), where.name))
        # A write over a connection that the server is about to close would be lost: each opens its own.
        self._writer = client(wire(0)) if writable else None

    def close(self) -> None:
        self._reader.close()
        if self._writer:
            self._writer.close()

    def get(self, path: str, params: Params | None = None, *, may_miss: bool = False) -> Any:
        """The JSON at `path` (which begins with "/"). With `may_miss` the app's own 404 is NotThere."""
        return self._read(path, params, lambda r: whole(_chunks(r, self.where)), may_miss)

    def each(
        self, path: str, keep: Callable[[dict[str, Any]], V], params: Params | None = None, *, may_miss: bool = False
    ) -> list[V]:
        """What `keep` makes of each object of the list at `path`. The list is never in memory as a whole."""
        return self._read(path, params, lambda r: [keep(o) for o in elements(_chunks(r, self.where))], may_miss)

    def answer(self, path: str) -> Answer:
        """The JSON at `path` with the headers that came with it."""

        def take(response: httpx.Response) -> Answer:
            return Answer(dict(response.headers), whole(_chunks(response, self.where)))

        return self._read(path, None, take, may_miss=False)

    def write(self, method: str, path: str, *, params: Params | None = None, body: Any = None) -> Any:
        """Send once. The answer's JSON, or None when it has no body.

        WriteRefused: it has not happened. ReplyLost: it was sent, and may have happened; a failure of the server counts
        as that, because it can fail after the effect.
        """
        if self._writer is None:
            raise WriteRefused(
                f"{self.where.name} is opened for reading only: {method} {path} was not sent",
                f"remove `access: read` from {self.where.field} if it may be changed",
            )
        # Escaped, so that a text which is no Unicode goes back exactly as it came.
        json_type = {"content-type": "application/json"}
        sent: dict[str, Any] = {} if body is None else {"content": json.dumps(body), "headers": json_type}
        with self._slots, self._backend.attempt(self.where.timeout) as attempt:
            try:
                with self._writer.stream(method, path.lstrip("/"), params=params, **sent) as response:
                    log.info("%s: %s %s: %d", self.where.name, method, path, response.status_code)
                    return self._written(response)
            except _NETWORK as e:
                failure = failures.of_network(e, self.where)
                if not attempt.sent:
                    raise WriteRefused(f"not sent: {failure.reason}", failure.remedy) from None
                raise ReplyLost(failure.reason, late=failure.code == "slow") from None

    def _written(self, response: httpx.Response) -> Any:
        kind, status = response.headers.get("content-type", ""), response.status_code
        if not response.is_success:
            failure = self._failure(response)
            # 406: the effect is there and only the answer could not be written in the form asked for.
            if status >= 500 or status in (406, 408):
                raise ReplyLost(failure.reason)
            remedy = failure.remedy if failure.code != "refused" else ""
            raise WriteRefused(failure.reason, remedy)
        try:
            body = b"".join(_chunks(response, self.where))
            if not body.strip():
                return None
            if "json" not in kind:
                raise failures.not_json(kind, self.where)
            return whole([body])
        except (Broken, ReadFailed) as e:
            raise ReplyLost(f"{self.where.url}: {e}") from None

    def _read(self, path: str, params: Params | None, take: Callable[[httpx.Response], V], may_miss: bool) -> V:
        for wait in (*WAITS, None):
            start = self._clock.monotonic()
            try:
                found = self._once(path, params, take, may_miss)
                log.debug("%s: GET %s: read in %.3f s", self.where.name, path, self._clock.monotonic() - start)
                return found
            except ReadFailed as failure:
                log.debug("%s: GET %s: %s: %s", self.where.name, path, failure.code, failure.reason)
                raise
            except _Again as again:
                log.debug("%s: GET %s: %s", self.where.name, path, again.failure.reason)
                if wait is None or again.after > PATIENCE:
                    raise again.failure from None
                self._clock.sleep(max(wait, again.after))
        raise AssertionError("the last try returns or raises")

    def _once(self, path: str, params: Params | None, take: Callable[[httpx.Response], V], may_miss: bool) -> V:
        begun = False
        with self._slots, self._backend.attempt(self.where.timeout):
            try:
                with self._reader.stream("GET", path.lstrip("/"), params=params) as response:
                    begun = True
                    self._judge(response, may_miss)
                    return take(response)
            except _NETWORK as e:
                failure = failures.of_network(e, self.where)
                # A kept connection may be closed by the server just as we use it: that is no answer, and no news.
                unheard = failure.code == "truncated" and not begun
                if unheard or (failure.code == "down" and not isinstance(e, httpcore.ConnectTimeout)):
                    raise _Again(failure) from None
                raise failure from None
            except Broken as e:
                code = "truncated" if e.cut else "malformed"
                raise ReadFailed(code, f"{self.where.url}: {e}", "try again; if it stays so, see arr doctor") from None

    def _judge(self, response: httpx.Response, may_miss: bool) -> None:
        kind, status = response.headers.get("content-type", ""), response.status_code
        if response.is_success:
            if "json" not in kind:
                raise failures.not_json(kind, self.where)
            return
        if status == 404 and may_miss and "json" in kind:
            raise NotThere
        failure = self._failure(response)
        if status in (429, 502, 503, 504):
            after = response.headers.get("retry-after", "")
            raise _Again(failure, float(after) if after.isascii() and after.isdigit() else 0.0)
        raise failure

    def _failure(self, response: httpx.Response) -> ReadFailed:
        body = b""
        for chunk in response.iter_bytes():
            body += chunk
            if len(body) > _ERROR_CAP:
                break
        headers = response.headers
        kind, location = headers.get("content-type", ""), headers.get("location", "")
        return failures.of_status(response.status_code, body, kind, location, self.where)


def _chunks(response: httpx.Response, where: Where) -> Iterator[bytes]:
    """The body as it comes, unpacked. More than CAP is an answer we do not take."""
    taken = 0
    for chunk in response.iter_bytes():
        taken += len(chunk)
        if taken > CAP:
            raise ReadFailed("malformed", f"{where.url} answered with more than {CAP >> 20} MiB", "see arr doctor")
        yield chunk


def trusted(ca_file: str | None, where: Where) -> Any:
    """The usual authorities, and those of `ca_file`."""
    context = httpx.create_ssl_context()
    if ca_file:
        try:
            context.load_verify_locations(cafile=ca_file)
        except OSError as e:
            why = "no certificate in PEM form" if isinstance(e, ssl.SSLError) else e.strerror or "it cannot be read"
            remedy = f"correct {where.field}.ca_file"
            raise ReadFailed("certificate", f"{ca_file} cannot be used ({why})", remedy) from None
    return context
