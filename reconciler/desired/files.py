"""Which files are the desired state, and their text.

A folder gives its `*.yaml` and `*.yml`, however deep, in a fixed order; hidden names (`.arr`, editors' swap files) are
left out. Whatever cannot be read is an error, never an empty file: a missing mount must not read as "nothing is wanted".
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from reconciler.desired.nodes import Source
from reconciler.errors import Diagnostic, Mark

MAX_BYTES = 5_000_000
MAX_FILES = 5_000
_ENDINGS = (".yaml", ".yml")


def read_sources(paths: Sequence[Path]) -> tuple[list[Source], list[Diagnostic]]:
    """The files under `paths`, each once, sorted by name; and a diagnostic for each that cannot be used."""
    problems: list[Diagnostic] = []
    sources = [source for path in _files(paths, problems) if (source := _read(path, problems)) is not None]
    return sources, problems


def _problem(path: Path, message: str, hint: str) -> Diagnostic:
    return Diagnostic(message, Mark(str(path), 1, 1), "", "", hint)


def _files(paths: Sequence[Path], problems: list[Diagnostic]) -> list[Path]:
    found: dict[str, Path] = {}  # real path → the name it is shown by
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(path.stat().st_mode)
        except OSError as e:
            problems.append(_unreadable(path, e))
            continue
        if not is_folder:
            found.setdefault(os.path.realpath(path), path)
            continue
        before = len(problems)
        inside = list(_walk(path, problems, set()))
        if not inside and len(problems) == before:
            hint = "is it the right one, and mounted? arr init writes a first file"
            problems.append(_problem(path, "no .yaml or .yml file in this folder", hint))
        for file in inside:
            found.setdefault(os.path.realpath(file), file)
    if len(found) > MAX_FILES:
        problems.append(
            _problem(paths[0], f"more than {MAX_FILES:,} YAML files", "name the folder of the desired state alone")
        )
        return []
    return sorted(found.values(), key=str)


def _walk(folder: Path, problems: list[Diagnostic], seen: set[str]) -> Iterator[Path]:
    real = os.path.realpath(folder)
    if real in seen or len(seen) > MAX_FILES:  # a symlink that leads back up, or a whole file system
        return
    seen.add(real)
    try:
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError as e:
        problems.append(_unreadable(folder, e))
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        path = folder / entry.name
        try:
            is_folder = entry.is_dir()
        except OSError:  # a symlink to itself: reading it says so
            is_folder = False
        if is_folder:
            yield from _walk(path, problems, seen)
        elif path.suffix.lower() in _ENDINGS:
            yield path


def _unreadable(path: Path, e: OSError) -> Diagnostic:
    if isinstance(e, FileNotFoundError):
        return _problem(
            path, "there is no such file or folder", "write a first one: arr init; or say where it is: --desired PATH"
        )
    return _problem(path, f"cannot be read ({e.strerror})", "check its owner and permissions")


def _read(path: Path, problems: list[Diagnostic]) -> Source | None:
    """The text of one file. None, and a problem, when it is not a text file of a sensible size."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a named pipe must not hang
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                problems.append(_problem(path, "not an ordinary file", "name a file or a folder"))
                return None
            raw = file.read(MAX_BYTES + 1)
    except OSError as e:
        problems.append(_unreadable(path, e))
        return None
    if len(raw) > MAX_BYTES:
        problems.append(_problem(path, "larger than 5 MB", "split it; all files of a folder are merged"))
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        problems.append(_undecodable(path, raw, e.start))
        return None
    if "\0" in text:
        problems.append(_undecodable(path, raw, raw.index(b"\0")))
        return None
    return Source(str(path), text)


def _undecodable(path: Path, raw: bytes, at: int) -> Diagnostic:
    line = raw.count(b"\n", 0, at)
    column = len(raw[raw.rfind(b"\n", 0, at) + 1 : at].decode("utf-8", "replace"))
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        message, hint = "this file is UTF-16", "save it as UTF-8"
    elif b"\0" in raw:
        message, hint = f"a binary file, not text (byte {raw.index(0)} is zero)", "remove it, or give it another ending"
    else:
        message, hint = f"not UTF-8: byte {at} is 0x{raw[at]:02X}", "save it as UTF-8"
    return Diagnostic(message, Mark(str(path), line + 1, column + 1), "", "", hint)
