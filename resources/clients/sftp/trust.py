"""Whose host key is right: the fingerprint that is declared, or the lines of known_hosts. Nothing is ever added.

A key that does not fit ends the connection before anything was said about us. A server has keys of several types and shows
one of them; which types are asked for follows from what is known, so that a right server is never taken for a changed one.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import paramiko
from paramiko.pkey import PKey, UnknownKeyType

from reconciler.facts import ReadFailed
from resources.clients.sftp.app import SftpSpec

FAMILIES = (
    ("ssh-ed25519",),
    ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521"),
    ("rsa-sha2-512", "rsa-sha2-256"),
)


def fingerprint(key: paramiko.PKey) -> str:
    """`SHA256:…`, as ssh-keygen prints it."""
    digest = hashlib.sha256(key.asbytes()).digest()
    return "SHA256:" + base64.b64encode(digest).decode("ascii").rstrip("=")


def _algorithms(name: str) -> tuple[str, ...]:
    """The signature algorithms by which a key of a known_hosts line may be shown."""
    return FAMILIES[2] if name == "ssh-rsa" else (name,)


def _fields(line: str) -> tuple[str, list[str]]:
    """The marker of a line of known_hosts (`@revoked`, `@cert-authority`) or "", and its fields; no fields for a comment."""
    fields = [] if line.lstrip().startswith("#") else line.split()
    return (fields[0], fields[1:]) if fields and fields[0].startswith("@") else ("", fields)


def _is(name: str, entry: str) -> bool:
    """Whether a name of a line is the host's: as it stands, or hashed with a salt of its own."""
    if not name.startswith("|1|"):
        return name == entry
    try:
        _, _, salt, digest = name.split("|")
        hashed = hmac.digest(base64.b64decode(salt), entry.encode(), "sha1")
        return hmac.compare_digest(hashed, base64.b64decode(digest))
    except ValueError:
        return False


class Trust:
    """What is known of one server's keys. ReadFailed("certificate") when nothing is, or when the file cannot be read."""

    def __init__(self, name: str, spec: SftpSpec) -> None:
        self.field = f"connections.{name}"
        self.where = spec.host if spec.port == 22 else f"{spec.host}:{spec.port}"
        self.declared = spec.host_key
        self.source = f"{self.field}.host_key"
        self.known: dict[str, str] = {}  # type → fingerprint, from known_hosts
        if self.declared is None:
            self._look_up(spec)

    def _look_up(self, spec: SftpSpec) -> None:
        path = Path(spec.known_hosts).expanduser()
        self.source = str(path)
        entry = spec.host if spec.port == 22 else f"[{spec.host}]:{spec.port}"
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return
        except (OSError, ValueError) as e:
            raise ReadFailed(
                "certificate", f"{path} cannot be read ({e})", f"mend it, or give {self.field}.host_key"
            ) from None
        revoked = set()
        for number, line in enumerate(text.split("\n"), 1):
            marker, fields = _fields(line)
            if len(fields) < 3 or not any(_is(name, entry) for name in fields[0].split(",")):
                continue
            try:
                key = PKey.from_type_string(fields[1], base64.b64decode(fields[2]))
            except UnknownKeyType:
                continue
            except (ValueError, IndexError, paramiko.SSHException):
                remedy = f"mend or remove the line, or give {self.field}.host_key"
                raise ReadFailed("certificate", f"line {number} of {path} holds no key", remedy) from None
            if marker == "@revoked":
                revoked.add(fingerprint(key))
            elif not marker:
                self.known.setdefault(key.get_name(), fingerprint(key))
        self.known = {name: told for name, told in self.known.items() if told not in revoked}

    def rounds(self) -> tuple[tuple[str, ...], ...]:
        """The algorithms to ask for, attempt by attempt; empty: any."""
        if self.declared is not None:
            return ((), *FAMILIES)
        if self.known:
            return (tuple(a for name in self.known for a in _algorithms(name)),)
        return ((),)

    def agrees(self, key: paramiko.PKey) -> bool:
        if self.declared is not None:
            return fingerprint(key) == self.declared
        return self.known.get(key.get_name()) == fingerprint(key)

    def refusal(self, shown: list[paramiko.PKey]) -> ReadFailed:
        """What to say of keys that do not fit."""
        told = ", ".join(dict.fromkeys(f"{fingerprint(k)} ({k.get_name()})" for k in shown)) or "none of a known type"
        if self.declared is None and not self.known:
            return ReadFailed(
                "certificate",
                f"the host key of {self.where} is not known: it shows {told}",
                f"compare it with the server's own, then write it into {self.field}.host_key",
            )
        expected = self.declared or ", ".join(f"{v} ({k})" for k, v in self.known.items())
        return ReadFailed(
            "certificate",
            f"the host key of {self.where} has changed: {expected} is known from {self.source}, it shows {told}",
            f"somebody else may be answering. If the server was set up anew, correct {self.source}",
        )
