"""A login by Digest: what it is made of is told to nobody, also when a server repeats the request in its refusal."""

from __future__ import annotations

import re
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from reconciler.clock import SystemClock
from reconciler.connection import SecretRef, redact
from reconciler.facts import ReadFailed
from resources.clients.rtorrent.app import APP, RtorrentSpec
from resources.clients.torrents import Torrents
from tests.unit.clients.raw import Asked, Raw, reply

CHALLENGE = 'Digest realm="rt", nonce="5f1cad9e0a7b4c2d8e6f", qop="auth", opaque="0123456789abcdef0123", algorithm=MD5'
FAULT = (
    "<?xml version='1.0'?><methodResponse><fault><value><struct><member><name>faultCode</name><value><i4>-500</i4></value>"
    "</member><member><name>faultString</name><value><string>{}</string></value></member></struct></value></fault>"
    "</methodResponse>"
)


@pytest.mark.parametrize("kind", ["text/xml", "text/plain"])
def test_a_refusal_that_repeats_the_login_is_told_without_it(tmp_path: Path, kind: str) -> None:
    def respond(asked: Asked) -> bytes:
        login = asked.headers.get("authorization", "")
        if not login:
            return reply(status=401, www_authenticate=CHALLENGE)
        if kind == "text/xml":
            return reply(FAULT.format(escape(login)).encode(), kind=kind)
        return reply(login.encode(), status=500, kind=kind)

    (tmp_path / "password").write_text("open sesame")
    with Raw(respond) as server:
        spec = RtorrentSpec(
            app="rtorrent", url=f"{server.url}/RPC2", user="me", password=SecretRef(file=str(tmp_path / "password"))
        )
        client = APP.open("rt", spec, access="read", clock=SystemClock())
        with pytest.raises(ReadFailed) as failed:
            client.read(Torrents("rt"))
        client.close()
    logins = [asked.headers["authorization"] for asked in server.asked if "authorization" in asked.headers]
    parts = [value for login in logins for value in re.findall(r'(?:nonce|response|opaque)="?(\w+)', login)]
    assert len(parts) >= 4 and "Digest username" in failed.value.reason
    assert [part for part in parts if part in redact(failed.value.reason)] == []


def test_plain_words_stay() -> None:
    text = 'no response=yes to "nonce=1"; opaque = glass'
    assert redact(text) == text
