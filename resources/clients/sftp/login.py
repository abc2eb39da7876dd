"""A transport to the server, logged in: host key first, then ours. What goes wrong becomes a `ReadFailed` with a remedy.

The settings are those that were measured: TCP_NODELAY (without it a 50 ms link gives half), AES-GCM first (one pass instead
of two), windows of 4 MiB (larger ones are slower), and reads of the socket through a buffer.
"""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import Any

import paramiko

from reconciler.connection import redact
from reconciler.facts import ReadFailed
from resources.clients.sftp.app import SftpSpec
from resources.clients.sftp.trust import Trust

logging.getLogger("paramiko").setLevel(logging.CRITICAL)  # what it has to say is raised, and said in our words

WINDOW = 4 << 20
PACKET = 256 << 10
BUFFER = 512 << 10
CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
)


class Buffered:
    """A socket whose small reads come out of a large one: a packet is read in pieces, each would be a system call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._room = memoryview(bytearray(BUFFER))  # one for all reads: new ones each time leave holes in the memory
        self._have = self._room[:0]

    def recv(self, most: int) -> bytes:
        if not self._have:
            if most >= BUFFER:
                return self._sock.recv(most)
            self._have = self._room[: self._sock.recv_into(self._room)]
        part, self._have = self._have[:most], self._have[most:]
        return bytes(part)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class Gate:
    """The way in to one server. `enter` opens a new transport each time; secrets are read when it is first needed."""

    def __init__(self, name: str, spec: SftpSpec) -> None:
        self.name, self.spec = name, spec
        self.trust = Trust(name, spec)
        self._password = spec.password.resolve() if spec.password else None
        self._key = self._load_key() if spec.key else None

    @property
    def where(self) -> str:
        return f"{self.spec.user}@{self.trust.where}"

    def enter(self) -> paramiko.Transport:
        """A transport, logged in. The caller closes it."""
        shown: list[paramiko.PKey] = []
        for algorithms in self.trust.rounds():
            transport = self._shake_hands(algorithms)
            if transport is None:
                continue
            key = transport.get_remote_server_key()
            if self.trust.agrees(key):
                try:
                    self._log_in(transport)
                except BaseException:
                    transport.close()
                    raise
                return transport
            shown.append(key)
            transport.close()
        raise self.trust.refusal(shown)

    def _connect(self) -> socket.socket:
        remedy = f"start it, or correct connections.{self.name}"
        try:
            sock = socket.create_connection((self.spec.host, self.spec.port), timeout=self.spec.timeout)
        except socket.gaierror:
            raise ReadFailed("down", f"nobody knows the host {self.spec.host}", remedy) from None
        except TimeoutError:
            raise ReadFailed("down", f"{self.trust.where} does not answer", remedy) from None
        except OSError as e:
            how = (e.strerror or str(e)).lower()
            raise ReadFailed("down", f"{self.trust.where} cannot be reached ({how})", remedy) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _shake_hands(self, algorithms: tuple[str, ...]) -> paramiko.Transport | None:
        """A transport that knows the server's key; None when the server has no key of these algorithms."""
        sock = self._connect()
        try:
            transport = paramiko.Transport(
                Buffered(sock),  # type: ignore[arg-type]  # socket-like is what it asks for
                default_window_size=WINDOW,
                default_max_packet_size=PACKET,
            )
            options = transport.get_security_options()
            options.ciphers = CIPHERS
            if algorithms:
                options.key_types = algorithms
            transport.banner_timeout = transport.handshake_timeout = float(self.spec.timeout)
        except BaseException:
            sock.close()
            raise
        try:
            transport.start_client(timeout=self.spec.timeout)
            transport.get_remote_server_key()  # without one its time was up: that alone raises nothing
        except paramiko.ssh_exception.IncompatiblePeer:
            transport.close()
            return None
        except (paramiko.SSHException, EOFError, OSError) as e:
            transport.close()
            said = redact(str(e)) or type(e).__name__
            if said == "No existing session":
                said = f"nothing came within {self.spec.timeout:g} s"
            remedy = f"check connections.{self.name}.port; a server that is asked too often answers so for a while"
            raise ReadFailed("down", f"{self.trust.where} broke off before we could log in ({said})", remedy) from None
        return transport

    def _load_key(self) -> paramiko.PKey:
        path = Path(self.spec.key or "").expanduser()
        secret = self.spec.passphrase.resolve() if self.spec.passphrase else None
        field = f"connections.{self.name}"
        failure = ReadFailed(
            "secret", f"the key {path} cannot be read as an ed25519, ECDSA or RSA key", f"check {field}.key"
        )
        try:
            path.open("rb").close()
        except OSError as e:
            raise ReadFailed("secret", f"the key {path} cannot be read ({e.strerror})", f"check {field}.key") from None
        for sort in (paramiko.Ed25519Key, paramiko.ECDSAKey, paramiko.RSAKey):
            try:
                return sort.from_private_key_file(str(path), secret)
            except paramiko.PasswordRequiredException:
                failure = ReadFailed("secret", f"the key {path} is locked", f"give {field}.passphrase")
            except (paramiko.SSHException, ValueError, UnicodeDecodeError):
                if secret:
                    failure = ReadFailed(
                        "secret", f"the key {path} does not open with its passphrase", f"check {field}.passphrase"
                    )
        raise failure from None

    def _log_in(self, transport: paramiko.Transport) -> None:
        transport.auth_timeout = float(self.spec.timeout)
        agent = paramiko.Agent() if self.spec.agent else None
        try:
            refused = self._offer(transport, list(agent.get_keys()) if agent else [])
        except (paramiko.SSHException, EOFError, OSError) as e:
            said = redact(str(e)) or type(e).__name__
            if said == "No existing session":
                said = f"nothing came within {self.spec.timeout:g} s"
            raise ReadFailed("down", f"{self.trust.where} broke off while we logged in ({said})", "try again") from None
        finally:
            if agent is not None:
                agent.close()
        if refused is None:
            return
        raise ReadFailed(
            "unauthorised",
            f"{self.trust.where} does not let {self.spec.user} in with {refused}",
            f"check connections.{self.name}.user and that the server knows the key",
        )

    def _offer(self, transport: paramiko.Transport, agents: list[Any]) -> str | None:
        """None when one of what we have lets us in; else what was refused, for people."""
        user, refused = self.spec.user, []
        offers: list[tuple[str, Any]] = [(f"the key {self.spec.key}", self._key)] if self._key is not None else []
        for what, key in [*offers, *(("a key of the agent", key) for key in agents)]:
            try:
                if not transport.auth_publickey(user, key):
                    return None
            except paramiko.AuthenticationException:
                _hung_up(transport)
            refused.append(what)
        if self._password is not None:
            try:
                if not transport.auth_password(user, self._password):
                    return None
            except paramiko.AuthenticationException:
                _hung_up(transport)
            refused.append("the password")
        return " and ".join(dict.fromkeys(refused)) or "the agent: it has no keys"


def _hung_up(transport: paramiko.Transport) -> None:
    """EOFError when the connection is gone: then nothing was refused, though paramiko calls it so."""
    if not transport.is_active():
        raise EOFError("it hung up") from None
