"""The HTTP side of a simulated server: routes, keys, URL base, error shapes, compression, the raw socket.

`Site` is one application's routes and manners; `Server` listens for it on loopback. A request runs through interceptors
(faults, start-up), then key, URL base, route and media types, then the handler. What a handler returns or raises becomes
the answer exactly as the recorded servers shape it: 406 only after the work is done, no version header on what an
exception wrote, an empty body on 401, 404, 405 and 415.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import sys
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.binding import Many, Model, Query, bind, load
from sandbox.errors import Answer, Empty, Failed, Invalid, NetError, Problem

JSON_UTF8 = "application/json; charset=utf-8"
PROBLEM = "application/problem+json; charset=utf-8"
_NO_CHARACTER = re.compile("[\ud800-\udfff]")
_COMPACT_FROM = 100_000  # bytes from which indentation would cost more than it tells


@dataclass
class Request:
    """One request: the path is without URL base and query; `params` holds the ids of the route."""

    method: str
    path: str
    query: Query
    headers: dict[str, str]
    raw: bytes
    target: str = ""
    params: dict[str, int] = field(default_factory=dict)
    origin: str = ""

    def bind(self, model: Model | Many) -> Any:
        """The body as the model reads it (see `binding.bind`)."""
        return bind(self.raw, model)

    def json(self) -> Any:
        """The body as plain JSON."""
        return load(self.raw)


@dataclass
class Response:
    """An answer. `body` is a JSON value, rendered bytes, or None for no body at all."""

    status: int = 200
    body: Any = None
    media: str = JSON_UTF8
    headers: dict[str, str] = field(default_factory=dict)
    versioned: bool = True
    negotiated: bool = True


Handler = Callable[[Request], Response]
Interceptor = Callable[[Request, "Connection"], "Response | bool | None"]


@dataclass
class Route:
    """A method and a path pattern; `plain` says that its problem details go out as application/json.

    `shape` is the pattern with anything in the place of an id: a path that has the shape alone is unknown, not forbidden.
    """

    method: str
    pattern: re.Pattern[str]
    shape: re.Pattern[str]
    handler: Handler
    plain: bool
    takes_body: bool


def dumps(value: Any) -> bytes:
    """JSON as the servers print it: indented, unless it is so large that this would only cost time.

    What is no character, as a byte of a file's name that is not UTF-8, goes out as U+FFFD.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if len(text) <= _COMPACT_FROM:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    return _NO_CHARACTER.sub("\ufffd", text).encode()


class Site:
    """What one application answers. Subclasses or their controllers add routes; `lock` guards the application's state."""

    def __init__(self, version: str, api_key: str, url_base: str = "") -> None:
        self.version, self.api_key, self.url_base = version, api_key, url_base
        self.plain_problems = False
        self.routes: list[Route] = []
        self.interceptors: list[Interceptor] = []
        self.lock = threading.RLock()
        self.port = 0

    def route(
        self, method: str, path: str, handler: Handler, *, plain: bool | None = None, body: bool | None = None
    ) -> None:
        """Adds a route; `{id}` in the path stands for an integer, negative ones included.

        `plain`: problem details as application/json (default: the site's `plain_problems`).
        `body`: whether a JSON body is bound, and so 415 is possible (default: for POST and PUT).
        """
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>-?\\d+)", path) + r"/?", re.IGNORECASE)
        shape = re.compile(re.sub(r"\{\w+\}", "[^/]+", path) + r"/?", re.IGNORECASE)
        is_plain = self.plain_problems if plain is None else plain
        self.routes.append(
            Route(method, pattern, shape, handler, is_plain, method in ("POST", "PUT") if body is None else body)
        )

    def unrouted(self, request: Request) -> Response:
        """What a path outside the API answers: no web interface is installed here."""
        if request.method not in ("GET", "HEAD"):
            raise Empty(405, {"Allow": "GET"})
        return Response(404, Problem(404).body(), PROBLEM, versioned=False, negotiated=False)

    def handle(self, request: Request) -> Response:
        """The answer to a request, whatever happens in its handler."""
        api = self._strip_base(request)
        lowered = request.path.lower()
        is_api = lowered == "/api" or lowered.startswith("/api/")
        if is_api and not self._authorised(request):
            return Response(401, versioned=False)
        if not api:
            return Response(307, headers={"Location": self.url_base + request.target}, versioned=is_api)
        plain, versioned = self.plain_problems, is_api
        try:
            found = self._find(request, is_api)
            plain = found.plain if found else plain
            if found is None:
                response = self.unrouted(request)
            else:
                with self.lock:
                    response = found.handler(request)
                response.versioned = response.versioned and is_api
        except Answer as answer:
            response = self._answer(answer, plain)
            response.versioned = response.versioned and versioned
        except NetError as error:
            response = self._answer(Failed(500, error.message, error.kind), plain)
        return self._negotiate(request, response)

    def _strip_base(self, request: Request) -> bool:
        base = self.url_base.lower()
        if not base:
            return True
        lowered = request.path.lower()
        if lowered != base and not lowered.startswith(base + "/"):
            return False
        request.path = request.path[len(base) :] or "/"
        return True

    def _authorised(self, request: Request) -> bool:
        if "apikey" in request.query:
            return request.query.text("apikey") == self.api_key
        header = request.headers.get("x-api-key")
        if header is not None:
            return header == self.api_key
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return scheme.lower() == "bearer" and token.strip() == self.api_key

    def _find(self, request: Request, is_api: bool) -> Route | None:
        allowed = []
        for route in self.routes:
            match = route.pattern.fullmatch(request.path)
            if match is None:
                continue
            if route.method == request.method:
                request.params = {k: int(v) for k, v in match.groupdict().items()}
                if route.takes_body:
                    _require_json(request)
                return route
            allowed.append(route.method)
        if allowed:
            raise Empty(405, {"Allow": ", ".join(sorted(set(allowed)))})
        if is_api:
            shaped = any(r.method == request.method and r.shape.fullmatch(request.path) for r in self.routes)
            if request.method not in ("GET", "HEAD") and not shaped:
                raise Empty(405, {"Allow": "GET"})
            raise Empty(404)
        return None

    def _answer(self, answer: Answer, plain: bool) -> Response:
        if isinstance(answer, Empty):
            return Response(answer.status, headers=answer.headers, negotiated=False)
        if isinstance(answer, Problem):
            return Response(answer.status, answer.body(), JSON_UTF8 if plain else PROBLEM)
        if isinstance(answer, Invalid):
            return Response(400, answer.failures, "application/json", versioned=False, negotiated=False)
        if isinstance(answer, Failed):
            return Response(answer.status, answer.body(), "application/json", versioned=False, negotiated=False)
        raise answer

    def _negotiate(self, request: Request, response: Response) -> Response:
        accept = request.headers.get("accept", "*/*").lower()
        takes = any(kind in accept for kind in ("*/*", "application/*", "json"))
        if response.body is not None and response.negotiated and "json" in response.media and not takes:
            return Response(406, versioned=response.versioned)
        return response


def _require_json(request: Request) -> None:
    media = request.headers.get("content-type", "").split(";")[0].strip().lower()
    unsaid = not media and not request.raw and request.method != "DELETE"
    if media.endswith(("/json", "+json")) or unsaid:
        return
    if request.method == "DELETE":
        raise Problem(415)
    raise Empty(415)


class Connection(BaseHTTPRequestHandler):
    """One connection of a client; `connection` is its raw socket, which interceptors may use or cut."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server

    def handle_one_request(self) -> None:
        """Reads and answers one request; a client that goes away ends the connection quietly."""
        try:
            super().handle_one_request()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        raw = self.rfile.read(length) if length else b""
        path, _, query = self.path.partition("?")
        request = Request(
            self.command,
            urllib.parse.unquote(path),
            Query(urllib.parse.parse_qsl(query, keep_blank_values=True)),
            {k.lower(): v for k, v in self.headers.items()},
            raw,
            self.path,
            origin=f"http://{self.headers.get('Host', '127.0.0.1')}",
        )
        for interceptor in self.server.site.interceptors:
            taken = interceptor(request, self)
            if isinstance(taken, Response):
                self.send(request, taken)
                return
            if taken:
                return
        response = self.server.site.handle(request)
        if not any(hook(request, response, self) for hook in self.server.after):
            self.send(request, response)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = _serve

    def send(self, request: Request, response: Response) -> None:
        """Writes an answer, compressed when the client asked for it and it is worth it."""
        head, body = self.render(request, response)
        self.wfile.write(head + body)

    def render(self, request: Request, response: Response) -> tuple[bytes, bytes]:
        """The head and the body of an answer, as they go over the wire."""
        body = b"" if response.body is None else response.body
        if not isinstance(body, bytes):
            body = dumps(body)
        headers = dict(response.headers)
        if response.body is not None:
            headers["Content-Type"] = response.media
        if len(body) > 1024 and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["Content-Encoding"] = gzip.compress(body, 1), "gzip"
        if response.versioned:
            headers["X-Application-Version"] = self.server.site.version
        headers["Content-Length"] = str(len(body))
        headers["Date"] = self.date_time_string()
        lines = [f"HTTP/1.1 {response.status} {self.responses.get(response.status, ('',))[0]}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        return head, b"" if request.method == "HEAD" else body

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed; whoever wants a log of accesses adds an interceptor."""


class Server(ThreadingHTTPServer):
    """Listens on loopback for one site, on a port or on the socket that `held` it.

    `after` holds hooks that see an answer before it is sent and may take it over.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, site: Site, port: int = 0, held: socket.socket | None = None) -> None:
        self.site = site
        self.after: list[Callable[[Request, Response, Connection], bool]] = []
        super().__init__(("127.0.0.1", port), Connection, bind_and_activate=held is None)
        if held is not None:
            self._take(held)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        site.port = self.server_address[1]

    def _take(self, held: socket.socket) -> None:
        self.socket.close()
        self.socket, self.server_address = held, held.getsockname()
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.server_activate()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A cut connection is no news; anything else is printed as the fault of the sandbox that it is."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)
