"""`arr doctor` for an SFTP server: who answers, are we let in, may we run a checksum there."""

from __future__ import annotations

from reconciler.connection import Finding
from reconciler.facts import ReadFailed
from resources.clients.sftp.app import SftpSpec
from resources.clients.sftp.client import SftpClient
from resources.clients.sftp.line import run
from resources.clients.sftp.trust import fingerprint


def examine(client: SftpClient, spec: SftpSpec) -> list[Finding]:
    """Reads only. The first thing that is wrong ends it: nothing after it can be looked at."""
    try:
        line = client.line()
    except ReadFailed as e:
        return [Finding("log in", False, e.reason, e.remedy)]
    key = line.transport.get_remote_server_key()
    found = [
        Finding("host key", True, f"{fingerprint(key)} ({key.get_name()})"),
        Finding("log in", True, f"as {spec.user}"),
    ]
    try:
        status, _ = run(line.transport, "sha256sum --version", float(spec.timeout))
    except ReadFailed:
        status = 1
    if status == 0:
        return [*found, Finding("checksums", True, "the server makes them")]
    remedy = "`verify: checksum` reads everything a second time there"
    return [*found, Finding("checksums", None, "the server runs no sha256sum for us", remedy)]
