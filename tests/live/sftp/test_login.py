"""Who answers, and how we get in: host keys are strict, keys of every sort work, and what is wrong is said with its remedy."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from reconciler.facts import ReadFailed
from resources.clients.sftp import RemoteStat, RemoteTree
from resources.clients.sftp.client import SftpClient
from tests.live.sftp.server import Sshd, keygen


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    with Sshd(tmp_path_factory.mktemp("sshd"), host_keys=("ed25519", "ecdsa", "rsa")) as found:
        (found.home / "a file").write_text("hello")
        yield found


def names(client: SftpClient, server: Sshd) -> list[str]:
    try:
        return [f.path for f in client.read(RemoteTree("seedbox", str(server.home)))]
    finally:
        client.close()


def refusal(server: Sshd, **more: object) -> ReadFailed:
    with pytest.raises(ReadFailed) as caught:
        names(server.client(**more), server)
    return caught.value


@pytest.mark.parametrize("number", range(3), ids=["ed25519", "ecdsa", "rsa"])
def test_a_declared_fingerprint_of_any_of_its_keys_is_right(server: Sshd, number: int) -> None:
    assert names(server.client(host_key=server.fingerprint(number)), server) == ["a file"]


def test_a_changed_host_key_names_both(server: Sshd) -> None:
    other = "SHA256:" + "A" * 43
    said = refusal(server, host_key=other)
    assert said.code == "certificate"
    assert "has changed" in said.reason
    assert other in said.reason
    assert server.fingerprint() in said.reason


def test_a_host_that_known_hosts_does_not_have_is_refused_and_not_added(server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    said = refusal(server, host_key=None, known_hosts=str(known))
    assert (said.code, "is not known" in said.reason) == ("certificate", True)
    assert re.search(r"SHA256:[A-Za-z0-9+/]{43}", said.reason)
    assert not known.exists()


def test_known_hosts_is_believed_whatever_type_it_has(server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    public = server.host_keys[2].with_suffix(".pub").read_text()
    known.write_text(f"[127.0.0.1]:{server.port} {public}")
    assert names(server.client(host_key=None, known_hosts=str(known)), server) == ["a file"]
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True, capture_output=True, timeout=60)
    assert "127.0.0.1" not in known.read_text()
    assert names(server.client(host_key=None, known_hosts=str(known)), server) == ["a file"]


def test_lines_of_known_hosts_that_are_another_matter_are_passed_over(server: Sshd, tmp_path: Path) -> None:
    """Authorities, types that nobody here knows, what is no line at all: ssh reads on, and so do we."""
    known, entry = tmp_path / "known_hosts", f"[127.0.0.1]:{server.port}"
    authority = keygen(tmp_path / "authority").with_suffix(".pub").read_text()
    odd = f"@cert-authority * {authority}\n{entry} ssh-new AAAA\nbox\n\xff\xfe \x00\n# {entry}\n".encode("latin-1")
    public = server.host_keys[0].with_suffix(".pub").read_bytes()
    known.write_bytes(odd + f"other,{entry}\t".encode() + public)
    assert names(server.client(host_key=None, known_hosts=str(known)), server) == ["a file"]
    known.write_bytes(odd + f"{entry} ssh-ed25519 !broken\n".encode())
    said = refusal(server, host_key=None, known_hosts=str(known))
    assert (said.code, "line 7 of" in said.reason) == ("certificate", True)


def test_a_key_that_known_hosts_revokes_is_refused(server: Sshd, tmp_path: Path) -> None:
    known, entry = tmp_path / "known_hosts", f"[127.0.0.1]:{server.port}"
    public = server.host_keys[0].with_suffix(".pub").read_text()
    known.write_text(f"{entry} {public}@revoked {entry} {public}")
    assert refusal(server, host_key=None, known_hosts=str(known)).code == "certificate"


def test_a_key_that_known_hosts_has_otherwise_is_refused(server: Sshd, tmp_path: Path) -> None:
    known = tmp_path / "known_hosts"
    other = keygen(tmp_path / "other").with_suffix(".pub").read_text()
    known.write_text(f"[127.0.0.1]:{server.port} {other}")
    said = refusal(server, host_key=None, known_hosts=str(known))
    assert "has changed" in said.reason
    assert server.fingerprint() in said.reason
    assert str(known) in said.remedy


@pytest.mark.parametrize(("sort", "more"), [("ed25519", ()), ("ecdsa", ("-b", "384")), ("rsa", ("-b", "2048"))])
def test_keys_of_every_sort_let_us_in(server: Sshd, tmp_path: Path, sort: str, more: tuple[str, ...]) -> None:
    key = keygen(tmp_path / "mine", sort, "a passphrase", *more)
    server.authorise(key)
    (tmp_path / "passphrase").write_text("a passphrase\n")
    client = server.client(key=str(key), passphrase={"file": str(tmp_path / "passphrase")})
    assert names(client, server) == ["a file"]


def test_the_agent_lets_us_in(server: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sock = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(sock)], stdout=subprocess.DEVNULL)
    try:
        env = {**os.environ, "SSH_AUTH_SOCK": str(sock)}
        add = ["ssh-add", "-q", str(server.key)]
        for _ in range(500):
            if subprocess.run(add, check=False, env=env, capture_output=True, timeout=60).returncode == 0:
                break
        monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
        assert names(server.client(key=None, agent=True), server) == ["a file"]
    finally:
        agent.kill()
        agent.wait(timeout=20)


def test_a_wrong_key_is_named(server: Sshd, tmp_path: Path) -> None:
    wrong = keygen(tmp_path / "wrong")
    said = refusal(server, key=str(wrong))
    assert said.code == "unauthorised"
    assert str(wrong) in said.reason


def test_a_wrong_passphrase_and_a_missing_one(server: Sshd, tmp_path: Path) -> None:
    key = keygen(tmp_path / "locked", passphrase="right one")
    (tmp_path / "passphrase").write_text("wrong one")
    assert "is locked" in refusal(server, key=str(key)).reason
    said = refusal(server, key=str(key), passphrase={"file": str(tmp_path / "passphrase")})
    assert (said.code, "does not open" in said.reason) == ("secret", True)
    assert "wrong one" not in str(said) + said.remedy


def test_a_file_that_is_no_key(server: Sshd, tmp_path: Path) -> None:
    (tmp_path / "none").write_bytes(bytes(range(256)))
    assert refusal(server, key=str(tmp_path / "none")).code == "secret"
    assert refusal(server, key=str(tmp_path / "absent")).code == "secret"


def test_nobody_listens(server: Sshd) -> None:
    said = refusal(server, port=1)
    assert said.code == "down"
    assert "127.0.0.1:1" in said.reason


@pytest.mark.parametrize("first", [b"", b"SSH-2.0-Silent\r\n"])
def test_a_server_that_takes_the_call_and_says_nothing(tmp_path: Path, first: bytes) -> None:
    """It is called unreachable once the time is up, and is no fault of ours."""
    with Sshd(tmp_path / "sshd") as server, socket.create_server(("127.0.0.1", 0)) as silent:
        kept = []

        def serve() -> None:
            with suppress(OSError):
                while True:
                    kept.append(silent.accept()[0])
                    kept[-1].sendall(first)

        threading.Thread(target=serve, daemon=True).start()
        client = server.client(port=silent.getsockname()[1], timeout="1s")
        for _ in range(3):
            with pytest.raises(ReadFailed) as error:
                client.read(RemoteStat("seedbox", "/"))
            assert error.value.code == "down" and "No existing session" not in error.value.reason
        client.close()
        for line in kept:
            line.close()
