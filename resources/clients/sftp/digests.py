"""Checksums by the server's own `sha256sum`, where we may run a command there.

Names go in through NUL-separated arguments of a fixed command line, quoted; only names that may be local ones get here.
"""

from __future__ import annotations

import re
import shlex

import paramiko

from reconciler.facts import ReadFailed
from resources.clients.sftp.line import run
from resources.clients.sftp.names import encode, shown

LONGEST_COMMAND = 60_000  # bytes: below what servers take in one argument list
HOURS = 6 * 3600.0  # a terabyte on a slow disk takes its time
CANARY = "/dev/null"  # asked for besides: what has its checksum and not a file's cannot read that file
_LINE = re.compile(rb"^([0-9a-f]{64}) [ *](.*)$", re.DOTALL)


def digests(transport: paramiko.Transport, paths: tuple[str, ...]) -> dict[str, str]:
    """Path → SHA-256 in hexadecimal. ReadFailed: `refused` when no command may be run, `incomplete` when one file has none."""
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
    command = "sha256sum --zero -- " + " ".join(shlex.quote(path) for path in (*paths, CANARY))
    said = run(transport, command, HOURS)[1]
    found: dict[str, str] = {}
    for line in said.split(b"\0"):
        if match := _LINE.match(line):
            found[match[2].decode("utf-8", "surrogateescape")] = match[1].decode("ascii")
    if found.pop(CANARY, None) is None:
        raise ReadFailed("refused", "the server has no sha256sum for us")
    unread = next((path for path in paths if path not in found), None)
    if unread is not None:
        raise ReadFailed("incomplete", f"the server cannot read {shown(unread)} to its end", "look at its disk")
    return found
