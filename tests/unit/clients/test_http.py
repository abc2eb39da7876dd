"""HTTP under faults: a read is complete or unknown with a remedy; a write has happened, has not, or may have."""

from __future__ import annotations

import datetime as dt
import gzip
import ipaddress
import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpcore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from reconciler.clock import Clock, FakeClock, SystemClock
from reconciler.connection import remember_secret
from reconciler.facts import NotThere, ReadFailed
from reconciler.kind import ReplyLost, WriteRefused
from resources.clients import http as module
from resources.clients.failures import Where
from resources.clients.http import Http
from tests.unit.clients.raw import Asked, Raw, Respond, cut, reply

HTML = b"<!DOCTYPE html><html><body>Please sign in</body></html>"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def to(
    url: str, *, clock: Clock | None = None, timeout: float = 5.0, writable: bool = True, **more: Any
) -> Iterator[Http]:
    found = Http(
        Where("tv", url, "check the key of tv", timeout),
        headers={"x-api-key": "k" * 32},
        reads=[("GET", re.compile(r"/(list|thing)"))],
        writable=writable,
        clock=clock or FakeClock(),
        parallel=more.pop("parallel", 4),
        **more,
    )
    try:
        yield found
    finally:
        found.close()


def failure(respond: Respond, *, path: str = "/thing", **more: Any) -> tuple[ReadFailed, Raw]:
    """What a read ends in when a server answers so."""
    with Raw(respond) as server, to(server.url, **more) as http, pytest.raises(ReadFailed) as caught:
        http.get(path) if path == "/thing" else http.each(path, dict)
    assert caught.value.remedy
    return caught.value, server


# reads ----------------------------------------------------------------------------------------------------------------


def test_nobody_listens() -> None:
    clock = FakeClock()
    with to(f"http://127.0.0.1:{free_port()}", clock=clock) as http, pytest.raises(ReadFailed) as caught:
        http.get("/thing")
    assert caught.value.code == "down"
    assert "cannot be reached (connection refused)" in caught.value.reason
    assert caught.value.remedy == "start it, or correct connections.tv.url"
    assert clock.monotonic() == pytest.approx(sum(module.WAITS)), "it was tried again, a little"


def test_a_host_that_nobody_knows() -> None:
    with to("http://nowhere.invalid:8989") as http, pytest.raises(ReadFailed) as caught:
        http.get("/thing")
    assert caught.value.code == "down"
    assert "nobody knows the host" in caught.value.reason


def test_starting_up_says_what_the_server_says() -> None:
    told = {"errorMessage": "Sonarr is starting up, please try again later"}
    found, server = failure(lambda _: reply(told, 503))
    assert found.code == "starting"
    assert "Sonarr is starting up" in found.reason
    assert len(server.asked) == 3


def test_a_server_that_comes_up_meanwhile_is_read() -> None:
    answers = iter([reply({}, 503), reply({}, 502), reply({"fine": True})])
    with Raw(lambda _: next(answers)) as server, to(server.url) as http:
        assert http.get("/thing") == {"fine": True}


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_with_an_empty_body(status: int) -> None:
    found, server = failure(lambda _: reply(b"", status, kind=""))
    assert (found.code, found.remedy) == ("unauthorised", "check the key of tv")
    assert len(server.asked) == 1


@pytest.mark.parametrize(("status", "location"), [(302, "/login?returnUrl=x"), (307, "/sonarr/thing")])
def test_redirects_are_not_followed(status: int, location: str) -> None:
    found, server = failure(lambda _: reply(b"", status, kind="", location=location))
    assert found.code == "not-json"
    assert location.partition("?")[0] in found.reason
    assert "returnUrl" not in found.reason
    assert "URL base" in found.remedy
    assert len(server.asked) == 1


def test_a_login_page_is_no_answer() -> None:
    found, _ = failure(lambda _: reply(HTML, kind="text/html; charset=utf-8"))
    assert found.code == "not-json"
    assert "a web page instead of data" in found.reason
    assert "login page or a wrong URL base" in found.remedy


def test_a_path_that_nobody_knows_is_the_wrong_program() -> None:
    found, _ = failure(lambda _: reply(b"", 404, kind=""))
    assert found.code == "wrong-app"


def test_proven_absence_is_the_apps_own_404_alone() -> None:
    with Raw(lambda _: reply({"title": "Not Found", "status": 404}, 404)) as server, to(server.url) as http:
        with pytest.raises(NotThere):
            http.get("/thing", may_miss=True)
        with pytest.raises(ReadFailed):
            http.get("/thing")
    with Raw(lambda _: reply(HTML, 404, kind="text/html")) as server, to(server.url) as http, pytest.raises(ReadFailed):
        http.get("/thing", may_miss=True)


WHOLE = reply([{"id": n, "path": f"/tv/{n}"} for n in range(50)])
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n20\r\n[{"
PACKED = gzip.compress(json.dumps([{"id": n} for n in range(5000)]).encode())


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(cut(WHOLE[:-200]), id="closed before the promised length"),
        pytest.param(cut(WHOLE[:-200], reset=True), id="reset before the promised length"),
        pytest.param(cut(CHUNKED), id="closed inside a chunk"),
        pytest.param(reply(b'[{"id": 1}, {"id"'), id="JSON that breaks off inside an element"),
        pytest.param(reply(b'[{"id": 1},'), id="JSON that breaks off after an element"),
        pytest.param(reply(b'[{"id": 1}'), id="JSON without its end"),
        pytest.param(reply(b""), id="nothing at all"),
        pytest.param(reply(PACKED[:-100], content_encoding="gzip"), id="gzip that breaks off"),
    ],
)
@pytest.mark.parametrize("path", ["/list", "/thing"])
def test_a_cut_answer_is_never_a_short_one(answer: Any, path: str) -> None:
    """Law 4, accident A01."""
    found, _ = failure(lambda _: answer, path=path)
    assert found.code == "truncated"


DEEP = b"[" * 100_000


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"records": []}', "malformed"),
        (b"[1, 2]", "malformed"),
        (b"[{}] []", "malformed"),
        (b'[{"a": 1} {"b": 2}]', "malformed"),
        (b'[{"a": nope}]', "malformed"),
        (b'[{"a": "\xff"}]', "malformed"),
        (b'[{"a": ' + DEEP + DEEP.replace(b"[", b"]") + b"}]", "malformed"),
        (b"not JSON", "truncated"),
    ],
)
def test_what_is_no_list_of_objects_is_no_answer(body: bytes, code: str) -> None:
    found, _ = failure(lambda _: reply(body), path="/list")
    assert found.code == code


def test_a_kept_connection_that_the_server_closed_is_opened_again() -> None:
    answers: Iterator[Any] = iter([reply({"n": 1}), cut(b""), reply({"n": 2})])
    with Raw(lambda _: next(answers)) as server, to(server.url) as http:
        assert [http.get("/thing"), http.get("/thing")] == [{"n": 1}, {"n": 2}]


def test_a_server_that_never_answers_is_said_to_break_off() -> None:
    found, server = failure(lambda _: cut(b""))
    assert found.code == "truncated"
    assert len(server.asked) == 3


def dripping(server: Callable[[], Raw], head: bytes, data: bytes) -> Callable[[socket.socket], None]:
    """Send `head` at once and then one byte at a time, each well within any timeout of a single read."""

    def send(line: socket.socket) -> None:
        line.sendall(head)
        for n in range(len(data)):
            line.sendall(data[n : n + 1])
            if server().stopped.wait(0.05):
                return

    return send


@pytest.mark.parametrize("head", [0, WHOLE.index(b"\r\n\r\n") + 4], ids=["headers", "body"])
def test_a_byte_at_a_time_ends_at_the_deadline(head: int) -> None:
    held: list[Raw] = []
    respond = dripping(lambda: held[0], WHOLE[:head], WHOLE[head:])
    with Raw(lambda _: respond) as server, to(server.url, clock=SystemClock(), timeout=0.5) as http:
        held.append(server)
        start = time.monotonic()
        with pytest.raises(ReadFailed) as caught:
            http.get("/thing")
        assert time.monotonic() - start < 3
    assert caught.value.code == "slow"
    assert "did not answer in full within 0.5 s" in caught.value.reason
    assert "connections.tv.timeout" in caught.value.remedy


def test_a_failing_server_is_quoted_without_its_stack_or_our_secrets() -> None:
    remember_secret("hunter2-the-key")
    told = {"message": "database is locked at hunter2-the-key", "description": "System.Exception:\n   at Nz.Core"}
    found, server = failure(lambda _: reply(told, 500))
    assert found.code == "server-error"
    assert "database is locked at (secret)" in found.reason
    assert "System.Exception" not in found.reason
    assert len(server.asked) == 1, "a 500 may be our own mistake: it is not tried again"


def test_a_proxy_without_its_server() -> None:
    found, _ = failure(lambda _: reply(HTML, 502, kind="text/html"))
    assert found.code == "down"
    assert "<" not in found.reason


def test_a_wish_for_patience_is_granted_within_reason() -> None:
    clock = FakeClock()
    answers = iter([reply({}, 429, retry_after="7"), reply({"fine": True})])
    with Raw(lambda _: next(answers)) as server, to(server.url, clock=clock) as http:
        assert http.get("/thing") == {"fine": True}
    assert clock.monotonic() == 7
    found, server = failure(lambda _: reply({}, 429, retry_after="3600"))
    assert found.code == "server-error"
    assert len(server.asked) == 1


def test_the_key_is_in_a_header_and_nowhere_else() -> None:
    with Raw(lambda _: reply({})) as server, to(server.url) as http:
        http.get("/thing", {"page": 1})
    assert server.asked[0].path == "/thing?page=1"
    assert server.asked[0].headers["x-api-key"] == "k" * 32


def test_gzip_is_asked_for_and_unpacked() -> None:
    with Raw(lambda _: reply(PACKED, content_encoding="gzip")) as server, to(server.url) as http:
        assert len(http.each("/list", dict)) == 5000
    assert server.asked[0].headers["accept-encoding"] == "gzip"


def test_an_answer_without_end_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CAP", 1 << 20)
    found, _ = failure(lambda _: reply(gzip.compress(b" " * (2 << 20)), content_encoding="gzip"))
    assert found.code == "malformed"
    assert "more than 1 MiB" in found.reason


def test_a_url_base_stands_before_every_path() -> None:
    with Raw(lambda _: reply({})) as server, to(f"{server.url}/sonarr") as http:
        http.get("/thing")
        http.write("POST", "/thing", body={})
    assert [a.path for a in server.asked] == ["/sonarr/thing", "/sonarr/thing"]


def test_requests_at_a_time_are_limited() -> None:
    guard, at_once, most = threading.Lock(), 0, 0
    full = threading.Event()

    def respond(_: Asked) -> bytes:
        nonlocal at_once, most
        with guard:
            at_once += 1
            most = max(most, at_once)
            if at_once == 2:
                full.set()
        full.wait(5)
        with guard:
            at_once -= 1
        return reply({})

    with Raw(respond) as server, to(server.url, parallel=2) as http:
        threads = [threading.Thread(target=http.get, args=("/thing",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(server.asked) == 8
    assert most == 2
    assert server.lines == 2, "connections are kept"


# certificates ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """A server's context, and its certificate as a file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nas")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("certificate")
    file, secret = folder / "nas.pem", folder / "nas.key"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return context, file


def test_a_self_signed_certificate_is_refused_until_it_is_named(self_signed: tuple[ssl.SSLContext, Path]) -> None:
    context, file = self_signed
    with Raw(lambda _: reply({"fine": True}), context) as server:
        with to(server.url) as http, pytest.raises(ReadFailed) as caught:
            http.get("/thing")
        assert caught.value.code == "certificate"
        assert "not trusted (self" in caught.value.reason
        assert "connections.tv.ca_file" in caught.value.remedy
        assert not server.asked, "nothing was told to a stranger"
        with to(server.url) as http, pytest.raises(WriteRefused, match="not sent"):
            http.write("POST", "/thing", body={})
        with to(server.url, ca_file=str(file)) as http:
            assert http.get("/thing") == {"fine": True}


def test_https_to_a_server_that_speaks_plain_http() -> None:
    with Raw(lambda _: reply({}), greeting=reply(b"", 400)) as server:
        url = server.url.replace("http:", "https:")
        with to(url) as http, pytest.raises(ReadFailed) as caught:
            http.get("/thing")
    assert caught.value.code == "certificate"
    assert "no secure connection" in caught.value.reason
    assert "write http://" in caught.value.remedy


def test_a_host_that_swallows_everything_costs_one_wait() -> None:
    class Void(httpcore.NetworkBackend):
        tries = 0

        def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> httpcore.NetworkStream:
            self.tries += 1
            raise httpcore.ConnectTimeout("timed out")

    network = Void()
    with to("http://10.255.255.1", network=network) as http, pytest.raises(ReadFailed) as caught:
        http.get("/thing")
    assert (caught.value.code, network.tries) == ("down", 1)


@pytest.mark.parametrize("content", [None, b"no certificate"])
def test_a_ca_file_that_cannot_be_used(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ReadFailed) as caught, to("https://127.0.0.1:1", ca_file=str(file)):
        pass
    assert caught.value.code == "certificate"
    assert "ca_file" in caught.value.remedy


# the reads that pass --------------------------------------------------------------------------------------------------


def test_a_connection_for_reading_sends_no_write() -> None:
    """Law 3, proven where it leaves the house."""
    with Raw(lambda _: reply({})) as server, to(server.url, writable=False) as http:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            with pytest.raises(WriteRefused, match="opened for reading only"):
                http.write(method, "/thing", body={})
    assert not server.asked


def test_a_read_that_is_not_listed_does_not_pass() -> None:
    with Raw(lambda _: reply({})) as server, to(server.url, writable=False) as http:
        for path in ("/thing/1", "/other", "/list/../other"):
            with pytest.raises(WriteRefused, match="none of the reads"):
                http.get(path)
    assert not server.asked


# writes ---------------------------------------------------------------------------------------------------------------


def test_a_write_to_nobody_has_not_happened() -> None:
    with to(f"http://127.0.0.1:{free_port()}") as http, pytest.raises(WriteRefused) as caught:
        http.write("POST", "/thing", body={"a": 1})
    assert caught.value.message.startswith("not sent: ")
    assert caught.value.remedy


MESSAGE = {"message": "Tag with ID 1 'keep' cannot be deleted since it's still in use", "description": "at (stack)"}
VALIDATION = [{"propertyName": "Path", "errorMessage": "Invalid Path", "severity": "error", "attemptedValue": ""}]
PROBLEM = {"title": "One or more validation errors occurred.", "errors": {"$.id": ["not an int"]}, "traceId": "00-1"}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (409, MESSAGE, "cannot be deleted since it's still in use"),
        (400, VALIDATION, "Path: Invalid Path"),
        (400, PROBLEM, "$.id: not an int"),
        (404, {"type": "about:blank", "title": "Not Found", "status": 404}, "Not Found"),
        (405, b"", "405"),
    ],
)
def test_a_refusal_has_not_happened_and_is_quoted(status: int, body: Any, words: str) -> None:
    kind = "application/problem+json" if isinstance(body, dict) else "application/json"
    with Raw(lambda _: reply(body, status, kind=kind)) as server, to(server.url) as http:  # noqa: SIM117  # too long
        with pytest.raises(WriteRefused) as caught:
            http.write("DELETE", "/thing")
    assert words in caught.value.message
    assert "(stack)" not in caught.value.message


@pytest.mark.parametrize("status", [302, 307, 401, 403])
def test_a_write_that_met_a_login_has_not_happened(status: int) -> None:
    with Raw(lambda _: reply(b"", status, kind="", location="/login")) as server, to(server.url) as http:
        with pytest.raises(WriteRefused) as caught:
            http.write("PUT", "/thing", body={})
        assert caught.value.remedy
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(cut(b""), id="closed"),
        pytest.param(cut(b"", reset=True), id="reset"),
        pytest.param(cut(WHOLE[:-10]), id="broken off"),
        pytest.param(reply({"message": "database is locked"}, 500), id="500"),
        pytest.param(reply({}, 503), id="503"),
        pytest.param(reply(b"", 406, kind=""), id="406, after the deed"),
        pytest.param(reply(HTML, kind="text/html"), id="HTML"),
        pytest.param(reply(b'{"id": '), id="JSON that breaks off"),
    ],
)
def test_a_write_without_a_whole_answer_may_have_happened_and_is_not_repeated(answer: Any) -> None:
    """Law 7."""
    with Raw(lambda _: answer) as server, to(server.url) as http, pytest.raises(ReplyLost):
        http.write("POST", "/thing", body={"a": 1})
    assert len(server.asked) == 1


def test_a_write_that_is_not_answered_in_time_may_have_happened() -> None:
    held: list[Raw] = []

    def wait(_: socket.socket) -> None:
        held[0].stopped.wait(10)

    with Raw(lambda _: wait) as server, to(server.url, clock=SystemClock(), timeout=0.3) as http:
        held.append(server)
        with pytest.raises(ReplyLost, match=r"within 0\.3 s"):
            http.write("POST", "/thing", body={})


class _Cutting(httpcore.NetworkBackend):
    """A network that fails with the first byte sent, as a pulled cable does."""

    def connect_tcp(self, host: str, port: int, *more: Any, **options: Any) -> httpcore.NetworkStream:
        return _Cut()


class _Cut(httpcore.NetworkStream):
    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        raise httpcore.WriteError("cut")

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        raise httpcore.ReadError("cut")

    def close(self) -> None: ...

    def get_extra_info(self, info: str) -> Any:
        return None


def test_a_line_cut_while_sending_may_have_sent() -> None:
    with to("http://127.0.0.1:1", network=_Cutting()) as http, pytest.raises(ReplyLost):
        http.write("POST", "/thing", body={})


def test_writes_return_what_the_server_answers() -> None:
    answers = iter([reply({"id": 7}, 201), reply(b"", 200, kind=""), reply({}, 200)])
    with Raw(lambda _: next(answers)) as server, to(server.url) as http:
        assert http.write("POST", "/thing", params={"moveFiles": True}, body={"a": [1]}) == {"id": 7}
        assert http.write("DELETE", "/thing") is None
        assert http.write("DELETE", "/thing", body={"ids": [1]}) == {}
    first, _, last = server.asked
    assert (first.method, first.path, first.json) == ("POST", "/thing?moveFiles=true", {"a": [1]})
    assert first.headers["content-type"] == "application/json"
    assert last.json == {"ids": [1]}
    assert server.lines == 3, "no write goes over a connection that may just be closing"
