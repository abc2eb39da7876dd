"""A .torrent file over data that lies on disk, and its info-hash. For the scene, and for tests of the whole path."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

PIECE = 64 * 1024

Value = int | str | bytes | Sequence["Value"] | Mapping[str, "Value"]


@dataclass(frozen=True)
class Metainfo:
    """`hash` in lower case; `content` is the .torrent file."""

    name: str
    hash: str
    content: bytes


def encode(value: Value) -> bytes:
    """The value as bencoding has it: numbers, strings, lists, and mappings in the order of their keys."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%s" % (len(value), value)
    if isinstance(value, Mapping):
        pairs = sorted((key.encode(), told) for key, told in value.items())
        return b"d" + b"".join(encode(key) + encode(told) for key, told in pairs) + b"e"
    return b"l" + b"".join(map(encode, value)) + b"e"


def metainfo(payload: Path, *trackers: str, private: bool = True, source: str = "", piece: int = PIECE) -> Metainfo:
    """A torrent of a file or a folder. Another `source` makes another torrent of the same data: a cross-seed."""
    files = [payload] if payload.is_file() else sorted(p for p in payload.rglob("*") if p.is_file())
    info: dict[str, Value] = {"name": payload.name, "piece length": piece, "pieces": b"".join(_pieces(files, piece))}
    if payload.is_file():
        info["length"] = payload.stat().st_size
    else:
        info["files"] = [{"length": f.stat().st_size, "path": list(f.relative_to(payload).parts)} for f in files]
    info |= {"private": 1} if private else {}
    info |= {"source": source} if source else {}
    digest = hashlib.sha1(encode(info), usedforsecurity=False).hexdigest()
    more: dict[str, Value] = {"announce-list": [[t] for t in trackers]} if len(trackers) > 1 else {}
    return Metainfo(payload.name, digest, encode({"announce": trackers[0], **more, "info": info}))


def _pieces(files: Sequence[Path], piece: int) -> Iterator[bytes]:
    """The digest of each piece; a piece may reach over the end of a file."""
    rest = b""
    for file in files:
        with file.open("rb") as opened:
            while read := opened.read(piece - len(rest)):
                rest += read
                if len(rest) == piece:
                    yield hashlib.sha1(rest, usedforsecurity=False).digest()
                    rest = b""
    if rest:
        yield hashlib.sha1(rest, usedforsecurity=False).digest()
