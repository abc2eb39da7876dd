"""The first inputs of the targets about torrents, SFTP and what transfers leave on a disk; as `seeds` for the others."""

# ruff: noqa: E501  # tables of inputs, a row a line

from __future__ import annotations

import json
import struct
from typing import Any

from resources.clients.localfs.staging import boot
from resources.clients.sftp import wire
from tests.fuzz.clients import BREAK, HASH
from tests.fuzz.seeds import LARGE, ODD_JSON

# As qBittorrent 4.5 and Transmission 3.0 tell of a torrent, from Debian's packages.
QBITTORRENT: dict[str, Any] = {
    "added_on": 1763700000, "amount_left": 0, "auto_tmm": False, "availability": -1, "category": "tv", "completed": 400, "completion_on": 1763700001,
    "content_path": "/dl/Show.S01", "dl_limit": -1, "dlspeed": 0, "downloaded": 0, "eta": 8640000, "hash": HASH, "infohash_v1": HASH, "infohash_v2": "",
    "max_ratio": -1, "name": "Show.S01", "num_complete": 0, "num_incomplete": 0, "num_leechs": 0, "num_seeds": 0, "priority": 0, "progress": 1,
    "ratio": 1.5, "save_path": "/dl/", "seeding_time": 12, "size": 400, "state": "stalledUP", "tags": "keep, x", "total_size": 400,
    "tracker": "http://tracker.example/announce", "trackers_count": 1, "uploaded": 600, "private": True,
}  # fmt: skip
QBIT_FILES = [
    {
        "index": 0,
        "is_seed": True,
        "name": "Show.S01/a.mkv",
        "piece_range": [0, 0],
        "priority": 1,
        "progress": 0.5,
        "size": 400,
    }
]
QBIT_TRACKERS = [
    {"msg": "", "num_peers": 0, "status": 2, "tier": -1, "url": "** [DHT] **"},
    {"msg": "torrent not registered", "num_peers": 0, "status": 4, "tier": 0, "url": "http://[2001:db8::1]:80/0123456789abcdef0123456789abcdef/announce"},
]  # fmt: skip
TRANSMISSION: dict[str, Any] = {
    "hashString": HASH, "name": "Show.S01", "downloadDir": "/dl", "totalSize": 400, "haveValid": 400, "haveUnchecked": 0, "leftUntilDone": 0,
    "percentDone": 1, "status": 6, "error": 0, "errorString": "", "uploadRatio": 1.5, "uploadedEver": 600, "secondsSeeding": 12,
    "addedDate": 1763700000, "doneDate": 1763700001, "labels": ["tv"], "isPrivate": True, "metadataPercentComplete": 1,
    "files": [{"bytesCompleted": 400, "length": 400, "name": "Show.S01/a.mkv"}],
    "fileStats": [{"bytesCompleted": 400, "priority": 0, "wanted": True}],
    "trackerStats": [{"announce": "https://tracker.example/key/announce", "hasAnnounced": True, "lastAnnounceResult": "Success", "lastAnnounceSucceeded": True, "seederCount": 3, "tier": 0}],
}  # fmt: skip


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


def _odd(names: tuple[bytes, ...]) -> list[bytes]:
    small = [name + b"\n" + odd for name in names for odd in ODD_JSON if len(odd) < LARGE]
    return small + [names[0] + b"\n" + odd for odd in ODD_JSON if len(odd) >= LARGE]


def qbittorrent() -> list[bytes]:
    newer = {**QBITTORRENT, "files": QBIT_FILES, "trackers": QBIT_TRACKERS, "state": "stoppedUP"}
    one = BREAK.join(map(_json, ([QBITTORRENT], QBIT_FILES, QBIT_TRACKERS)))
    page = b"200 text/html\n<!DOCTYPE html><html>"
    return [
        b"Torrents\n" + _json([QBITTORRENT]), b"Torrents\n" + _json([newer, {**newer, "hash": "b" * 40}]), b"OneTorrent\n" + one,
        b"Torrents\n403 text/plain\nForbidden" + BREAK + b"200 text/plain\nOk." + BREAK + _json([QBITTORRENT]),
        b"Torrents\n403 text/plain\n" + BREAK + b"204 text/plain\n" + BREAK + page, b"Torrents\n" + page, b"OneTorrent\n404 text/plain\nx",
        b"Torrents\n403 text/plain\n" + BREAK + b"200 text/plain\nFails.", b"Version\n200 text/plain\n2.11.4", b"Version\nv9", b"Torrents\n[]",
        *_odd((b"Torrents", b"OneTorrent", b"Version")),
    ]  # fmt: skip


def transmission() -> list[bytes]:
    def answer(*torrents: Any) -> bytes:
        return _json({"arguments": {"torrents": torrents}, "result": "success"})

    session = b"409 text/html; X-Transmission-Session-Id: abc\n<h1>409</h1>"
    return [
        b"Torrents\n" + answer(TRANSMISSION), b"Torrents\n" + answer(TRANSMISSION, {**TRANSMISSION, "hashString": "b" * 40}), b"Torrents\n" + answer(),
        b"OneTorrent\n" + session + BREAK + answer(TRANSMISSION), b"OneTorrent\n" + answer(), b"Torrents\n" + session,
        b'Torrents\n{"result": "method name not recognized"}', b'Torrents\n{"result": "success"}', b"Torrents\n401 text/html\n",
        *_odd((b"Torrents", b"OneTorrent")),
    ]  # fmt: skip


CHALLENGE_WORDS = tuple(
    b'Digest |Basic |realm="rt"|nonce="|qop="auth"|qop="auth-int"|qop=auth,auth-int|algorithm=MD5|algorithm=SHA-256|algorithm=x|'
    b'opaque=|stale=true|,|=|"|\\|\n|!sid=0123456789abcdef; |Bearer |\xff|;'.split(b"|")
)


def challenges() -> list[bytes]:
    good = b'Digest realm="rt", nonce="dcd98b", algorithm=MD5, qop="auth"'
    return [
        good, b'Basic realm="rt"', good + b'\nBasic realm="rt"', b'Digest realm="rt", nonce="x"', b'Digest realm="rt", nonce="x", algorithm=SHA-512-256',
        good.replace(b'"auth"', b'"auth-int"'), b"Digest", b"Digest realm", b"Digest ,,,", b"Bearer x", b"", good + b"\n!sid=0123456789abcdef0123; path=/",
        b'Digest realm="\xff", nonce="\xfe"', b'Digest realm="rt", nonce="x", algorithm=md5-sess, qop="auth,auth-int", opaque="o"', b"digestive",
        b"!" + b"a=b; " * 500, b'Digest realm="' + b"r" * 100_000 + b'", nonce="n"',
    ]  # fmt: skip


def scgi() -> list[bytes]:
    head = b"Status: 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 5\r\n\r\n"
    return [
        head + b"hello", head + b"hel", head[:-2], b"", b"x" * 100_000, head.replace(b"5", b"-5") + b"hello", head.replace(b"5", b"9" * 5000),
        b"content-length\r\n\r\n", b"Content-Length: \xb2\r\n\r\nxx", head.replace(b"5", b"5\r\nContent-Length: 3") + b"hello",
    ]  # fmt: skip


def listings() -> list[bytes]:
    def text(raw: bytes) -> bytes:
        return struct.pack(">I", len(raw)) + raw

    def page(*entries: tuple[bytes, int]) -> bytes:
        rows = b"".join(text(n) + text(b"-") + struct.pack(">IQIIIII", 0xF, 5, 0, 0, mode, 1, 2) for n, mode in entries)
        return bytes([wire.NAME]) + struct.pack(">I", len(entries)) + rows

    handle, end = bytes([wire.HANDLE]) + text(b"h"), struct.pack(">BI", wire.STATUS, wire.EOF)
    first = page((b".", 0o40755), (b"..", 0o40755), (b"S01", 0o40755), (b"a.mkv", 0o100644), (b"l", 0o120777))
    denied, gone = struct.pack(">BI", wire.STATUS, 3), struct.pack(">BI", wire.STATUS, 2)
    attrs = bytes([wire.ATTRS]) + struct.pack(">IQIIIII", 0xF, 5, 0, 0, 0o100644, 1, 2)
    trees = [
        [handle, first, end], [handle, first, first, end, end, handle, page((b"b\xff\n.mkv", 0o100644)), end], [denied], [gone], [end], [],
        [handle[:3]], [handle, first[:-9]], [handle, bytes([wire.NAME])], [handle, bytes([wire.STATUS])], [bytes([wire.STATUS])], [handle, denied],
        [handle, page((b"../x", 0o40755), (b"", 0o40755))], [b"!\x00\x00\x00\x00"], [b"!\xff\xff\xff\xff"], [handle, b"!\x00\x00"], [handle, attrs],
    ]  # fmt: skip
    return [b"RemoteTree\n" + BREAK.join(one) for one in trees] + [
        b"RemoteStat\n" + one for one in (attrs, attrs[:-3], gone, denied, bytes([wire.STATUS]), b"", handle)
    ]


def segments() -> list[bytes]:
    row, mark = [["a.mkv", 100, 5, 0, 50], ["a.mkv", 100, 5, 50, 50]], {"mark": True, "boot": boot()}
    odd = [
        [["a"], 1, 1, 0, 1], ["a", "1", 1, 0, 1], ["a", 1, 1, "0", 1], ["a", 1, 1, 0, None], ["a", -1, 1, 0, 1], ["a", 9, 1, -5, 9], ["a", 9, 1, 5, -9],
        ["a", 1.5, 1, 0, 1], ["a", True, 1, 0, 1], ["a", 9, 1, 0, 2**70], [{}, 1, 1, 0, 1], ["a", 9, [], 0, 9], ["\ud800", 9, 1, 0, 9],
    ]  # fmt: skip
    whole = b"".join(_json(one) + b"\n" for one in (*row, mark))
    return [
        whole,
        whole[:-4],
        b"",
        *(_json(one) + b"\n" + whole for one in odd),
        *(b + b"\n" + whole for b in ODD_JSON),
    ]


def manifests() -> list[bytes]:
    good = {
        "version": 1, "root": "/dl", "about": {"address": "torrent_retention.tv", "kind": "torrent", "hash": HASH, "title": "x", "path": "/dl/x"},
        "until": "2026-01-01T00:00:00+00:00", "files": [{"path": "x/a.mkv", "size": 5, "mtime_ns": 1, "inode": 2}],
    }  # fmt: skip
    odd: list[dict[str, Any]] = [
        {"until": "2026-01-01"}, {"until": 5}, {"about": 5}, {"about": {"title": "\ud800"}}, {"files": {}}, {"files": [5]}, {"files": [{"path": 5}]},
        {"files": [{"path": "../../../x"}]}, {"files": [{"path": "/etc/passwd"}]}, {"files": [{"path": "\x00"}]}, {"files": [{"path": "\ud800"}]},
    ]  # fmt: skip
    return [_json(good), *(_json({**good, **one}) for one in odd), *ODD_JSON]


HOST_WORDS = tuple(
    b"\nbox |,box|@revoked box |\n|\t| ssh-rsa | ssh-ed25519 | ecdsa-sha2-nistp256 |AAAA|AAAAC3NzaC1lZDI1NTE5AAAAI|=|#|\xff".split(
        b"|"
    )
)


def known_hosts() -> list[bytes]:
    key = b"AAAAC3NzaC1lZDI1NTE5AAAAIGXbYnRvcnJlbnRrZXkAAAAAAAAAAAAAAAAAAAAA"
    return [
        b"box ssh-ed25519 " + key + b"\n", b"|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa " + key, b"# x\n\n", b"",
        b"@cert-authority box ssh-rsa x\n@revoked box ssh-rsa x\n", b"box ssh-rsa AAAA", b"box ssh-ed25519 !", b"box", b"\xff\xfe\x00", b"|1|x|y ssh-rsa AAAA",
        b"box,[box]:22 ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTY=\n", b"|1|=|= ssh-ed25519 " + key, b"box 1024 35 123\n",
    ]  # fmt: skip
