"""Titles, folder names and file names: how Sonarr derives them and what it reads out of them."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from sandbox.values import Json

_ILLEGAL = {"\\": "+", "/": "+", "<": "", ">": "", "?": "!", "*": "-", "|": "", '"': ""}
_ARTICLE = re.compile(r"^(?:the|a|an) ", re.IGNORECASE)
_PUNCTUATION = re.compile(r"[^\w\s]")
_NOISE = re.compile(r"((?:\b|_)(?<!^)(?:a(?!$)|an|the|and|or|of)(?!$)(?:\b|_))|\W|_", re.IGNORECASE)
_EPISODE = re.compile(r"(?<![a-z0-9])s(\d{1,4})[ ._-]?((?:[ ._-]?e\d{1,3}(?:-e?\d{1,3})?)+)", re.IGNORECASE)
_CROSS = re.compile(r"(?<!\d)(\d{1,2})x(\d{2,3})(?!\d)")
_GROUP = re.compile(r"-([A-Za-z0-9]+)$")
_RESOLUTIONS = (2160, 1080, 720, 576, 480)

# name, id, source, resolution
QUALITIES = (
    ("Unknown", 0, "unknown", 0),
    ("SDTV", 1, "television", 480),
    ("DVD", 2, "dvd", 480),
    ("WEBDL-1080p", 3, "web", 1080),
    ("HDTV-720p", 4, "television", 720),
    ("WEBDL-720p", 5, "web", 720),
    ("Bluray-720p", 6, "bluray", 720),
    ("Bluray-1080p", 7, "bluray", 1080),
    ("WEBDL-480p", 8, "web", 480),
    ("HDTV-1080p", 9, "television", 1080),
    ("Bluray-480p", 13, "bluray", 480),
    ("HDTV-2160p", 16, "television", 2160),
    ("WEBDL-2160p", 18, "web", 2160),
    ("Bluray-2160p", 19, "bluray", 2160),
)
_BY_KIND = {(source, resolution): (name, ident) for name, ident, source, resolution in QUALITIES}
_SOURCES = (
    ("web", re.compile(r"web[ ._-]?(?:dl|rip)?(?![a-z])", re.IGNORECASE)),
    ("bluray", re.compile(r"blu-?ray|b[dr]rip", re.IGNORECASE)),
    ("dvd", re.compile(r"dvd", re.IGNORECASE)),
    ("television", re.compile(r"hdtv|sdtv|tvrip", re.IGNORECASE)),
)


class Parsed(NamedTuple):
    """What a file's name says: its season and its episode numbers."""

    season: int
    episodes: tuple[int, ...]


def parse_name(name: str) -> Parsed | None:
    """Season and episodes of a file name (`S01E02`, `S01E01E02`, `S01E01-E03`, `1x02`), or None."""
    stem = name.rsplit(".", 1)[0]
    match = _EPISODE.search(stem)
    if match:
        return Parsed(int(match[1]), _episodes(match[2]))
    cross = _CROSS.search(stem)
    return Parsed(int(cross[1]), (int(cross[2]),)) if cross else None


def release_title(name: str) -> str:
    """What stands before the season and episode in a release's name, in words."""
    stem = name.rsplit(".", 1)[0]
    match = _EPISODE.search(stem) or _CROSS.search(stem)
    return re.sub(r"[._]", " ", stem[: match.start()] if match else stem).strip(" -")


def _episodes(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for first, last in re.findall(r"e(\d{1,3})(?:-e?(\d{1,3}))?", text, re.IGNORECASE):
        found += range(int(first), int(last or first) + 1)
    return tuple(dict.fromkeys(found))


def quality_of(name: str, seen: int | None = None) -> Json:
    """The quality a file name tells, as the API shows it; `seen`: the picture's own resolution, which counts more."""
    resolution = seen or next((r for r in _RESOLUTIONS if f"{r}p" in name.lower()), 0)
    source = next((s for s, rx in _SOURCES if rx.search(name)), "television" if resolution else "unknown")
    if not resolution:
        resolution = 720 if "hdtv" in name.lower() else 480 if source != "unknown" else 0
    label, ident = _BY_KIND.get((source, resolution), ("Unknown", 0))
    version = 2 if re.search(r"\b(?:proper|repack)\b", name, re.IGNORECASE) else 1
    return {
        "quality": {"id": ident, "name": label, "source": source if ident else "unknown", "resolution": resolution},
        "revision": {"version": version, "real": 0, "isRepack": "repack" in name.lower()},
    }


def release_group(name: str) -> str | None:
    """The release group at the end of a scene name; a quality there is none."""
    stem = name.rsplit(".", 1)[0]
    match = _GROUP.search(stem)
    if match is None or " " in stem.rsplit("-", 1)[0][-1:] or re.fullmatch(r"\d+p", match[1]):
        return None
    return match[1]


def folder_name(title: str, replacement: bool = True) -> str:
    """The folder of a series: its title without what file systems dislike."""
    text = title.replace(": ", " - ").replace(":", "-") if replacement else title.replace(":", "")
    for bad, good in _ILLEGAL.items():
        text = text.replace(bad, good if replacement else "")
    return re.sub(r"([- ._])\1+", r"\1", text).strip(" .") or "_"


def sort_title(title: str) -> str:
    """Lower case, without punctuation and without the article in front."""
    plain = _ARTICLE.sub("", _PUNCTUATION.sub("", title))
    return re.sub(r"\s{2,}", " ", plain).strip().lower()


def clean_title(title: str) -> str:
    """Letters and digits alone, without little words inside."""
    if title.isdigit():
        return title
    text = _NOISE.sub("", re.sub(r"(?<=\d)%", "percent", title)).lower()
    return "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
