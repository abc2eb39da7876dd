"""Checksums by the server's own `sha256sum`, where we may run a command there.

Names go in through NUL-separated arguments of a fixed command line, quoted; only names that may be local ones get here.
"""

from __future__ import annotations

import re
import shlex

import paramiko

from reconciler.facts import ReadFailed
from resources.clients.sftp.line import run
from resources.clients.sftp.names import encode

LONGEST_COMMAND = 60_000  # bytes: below what servers take in one argument list
HOURS = 6 * 3600.0  # a terabyte on a slow disk takes its time
_LINE = re.compile(rb"^([0-9a-f]{64}) [ *](.*)$", re.DOTALL)


def digests(transport: paramiko.Transport, paths: tuple[str, ...]) -> dict[str, str]:
    """Path → SHA-256 in hexadecimal. ReadFailed("refused") when no command may be run, or one file has none."""
    found: dict[str, str] = {}
    waiting = list(paths)
    while waiting:
        part: list[str] = []
        length = 0
        while waiting and (not part or length + len(encode(waiting[-1])) < LONGEST_COMMAND):
            part.append(waiting.pop())
            length += len(encode(part[-1])) + 8
        found |= _some(transport, part)
    return found


def _some(transport: paramiko.Transport, paths: list[str]) -> dict[str, str]:
    command = "sha256sum --zero -- " + " ".join(shlex.quote(path) for path in paths)
    status, said = run(transport, command, HOURS)
    found: dict[str, str] = {}
    for line in said.split(b"\0"):
        if match := _LINE.match(line):
            found[match[2].decode("utf-8", "surrogateescape")] = match[1].decode("ascii")
    if status != 0 or any(path not in found for path in paths):
        raise ReadFailed("refused", "the server has no sha256sum for us")
    return found
