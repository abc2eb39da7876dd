"""Servers that are not there, too slow, somebody else's, or not trusted: said with the server's name and the remedy.

`plan` and `apply` end with 7 and `doctor` with 1; what needs that server is not decided, and nothing is sent but reads.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.badinput.ends import ends
from tests.badinput.gate import gate, self_signed
from tests.stacks import Lab

WISH = """
disks:
  d1: {roots: {sonarr: /data/d1/tv}, max: 80%}
  d2: {roots: {sonarr: /data/d2/tv}, max: 90%}
disk_fill:
  media: {disks: [d1, d2]}
tag:
  kids: {connections: [sonarr]}
"""


@pytest.fixture(autouse=True)
def wish(tiny: Lab) -> None:
    """All of it rests on one server."""
    tiny.declare(WISH)


def declared(tiny: Lab, old: str, new: str) -> None:
    """Change the declaration of sonarr."""
    file = tiny.desired / "stack.yaml"
    text = file.read_text()
    line = next(line for line in text.splitlines() if line.startswith("  sonarr:"))
    assert old in line
    file.write_text(text.replace(line, line.replace(old, new)))


def unused_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def nobody_listens(tiny: Lab) -> None:
    declared(tiny, tiny.stack["sonarr"].url, f"http://127.0.0.1:{unused_port()}")


def unknown_host(tiny: Lab) -> None:
    declared(tiny, tiny.stack["sonarr"].url, "http://no-such-host.invalid:8989")


def radarr_answers(tiny: Lab) -> None:
    declared(tiny, tiny.stack["sonarr"].url, tiny.stack["radarr"].url)
    declared(tiny, "SONARR_API_KEY", "RADARR_API_KEY")


def wrong_base(tiny: Lab) -> None:
    declared(tiny, tiny.stack["sonarr"].url, tiny.stack["sonarr"].url + "/tv")


def https_to_http(tiny: Lab) -> None:
    declared(tiny, "http://", "https://")


def as_it_is(_: Lab) -> None:
    """The declaration is right."""


@dataclass(frozen=True)
class Case:
    change: object
    says: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


OTHER_KEY = "feedfacefeedfacefeedfacefeedface"
CASES = {
    "down": Case(nobody_listens, ("cannot be reached (connection refused)", "correct connections.sonarr.url")),
    "unknown host": Case(unknown_host, ("nobody knows the host of", "no-such-host", "connections.sonarr.url")),
    "wrong app": Case(radarr_answers, ("Radarr", "connections.sonarr")),
    "wrong key": Case(
        as_it_is,
        ("connections.sonarr.api_key", "Settings → General → Security"),
        {"SONARR_API_KEY": OTHER_KEY},
    ),
    "no key": Case(
        as_it_is,
        ("the environment variable SONARR_API_KEY is not set", "export SONARR_API_KEY="),
        {"SONARR_API_KEY": ""},
    ),
    "TLS to plain HTTP": Case(https_to_http, ("no secure connection", "write http://", "connections.sonarr.url")),
}


@pytest.mark.parametrize("name", CASES)
def test_a_server_that_cannot_be_asked(tiny: Lab, name: str) -> None:
    case = CASES[name]
    case.change(tiny)  # type: ignore[operator]
    said = ends(tiny, "apply", "--yes", code=7, says=(*case.says, "not known"), env=case.env, secrets=[OTHER_KEY])
    assert "Borrowed Time" not in said, "nothing of that server is decided"
    ends(tiny, "doctor", code=1, says=case.says, env=case.env, secrets=[OTHER_KEY])


def test_a_byte_a_second_ends_at_the_deadline(tiny: Lab) -> None:
    """Each read on its own would never time out."""
    declared(tiny, "api_key:", "timeout: 1s, api_key:")
    tiny.stack.control.break_("slow", server="sonarr")
    says = ("did not answer in full within 1 s", "raise connections.sonarr.timeout")
    for args, code in ((("plan",), 7), (("doctor",), 1)):
        begin = time.monotonic()
        ends(tiny, *args, code=code, says=says)
        assert time.monotonic() - begin < 25


@pytest.fixture
def trusted(tiny: Lab, tmp_path: Path) -> Iterator[Path]:
    """sonarr is reached over TLS with a self-signed certificate; the certificate's file."""
    context, file = self_signed(tmp_path)
    with gate(context, tiny.stack["sonarr"].port) as port:
        declared(tiny, tiny.stack["sonarr"].url, f"https://127.0.0.1:{port}")
        yield file


def test_a_self_signed_certificate_is_not_trusted_until_it_is_named(tiny: Lab, trusted: Path) -> None:
    says = ("is not trusted (self", "connections.sonarr.ca_file")
    ends(tiny, "plan", code=7, says=says)
    assert not tiny.stack.control.requests("sonarr"), "nothing was told to a stranger, no key above all"
    ends(tiny, "doctor", code=1, says=says)
    declared(tiny, "api_key:", f"ca_file: '{trusted}', api_key:")
    said = ends(tiny, "plan", code=0, says=("Borrowed Time", "Nothing is deleted"))
    assert "not trusted" not in said
    ends(tiny, "doctor", code=0, says=("all is well",))


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_a_ca_file_that_is_none(tiny: Lab, trusted: Path, content: str | None) -> None:
    file = trusted.with_name("other.pem")
    if content is not None:
        file.write_text(content)
    declared(tiny, "api_key:", f"ca_file: '{file}', api_key:")
    why = "no such file" if content is None else "no certificate in pem form"
    done = tiny.json("plan", "--target", "tag.kids")
    (blocked,) = done["plan"]["resources"][0]["proposal"]["blocked"]
    assert "other.pem cannot be used" in blocked["reason"]
    assert why in blocked["reason"].lower()
    ends(tiny, "doctor", code=1, says=("correct connections.sonarr.ca_file",))
