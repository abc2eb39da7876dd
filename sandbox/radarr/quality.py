"""Qualities of Radarr: the table, the default profiles, and what a file name says about its quality.

Called by the scan when it meets a video file, and by the profile endpoints. A quality is known by its id everywhere;
its weight says which of two is better.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.values import Json


@dataclass(frozen=True)
class Quality:
    """One row of the table; `weight` grows with quality, and the WEB pairs share one."""

    id: int
    name: str
    source: str
    resolution: int
    modifier: str
    weight: int

    def json(self) -> Json:
        """As every resource embeds it."""
        return {
            "id": self.id,
            "name": self.name,
            "source": self.source,
            "resolution": self.resolution,
            "modifier": self.modifier,
        }


def _table() -> list[Quality]:
    rows = """
        0 Unknown unknown 0 none 1|24 WORKPRINT workprint 0 none 2|25 CAM cam 0 none 3|26 TELESYNC telesync 0 none 4
        27 TELECINE telecine 0 none 5|29 REGIONAL dvd 480 regional 6|28 DVDSCR dvd 480 screener 7|1 SDTV tv 480 none 8
        2 DVD dvd 0 none 9|23 DVD-R dvd 480 remux 10|8 WEBDL-480p webdl 480 none 11|12 WEBRip-480p webrip 480 none 11
        20 Bluray-480p bluray 480 none 12|21 Bluray-576p bluray 576 none 13|4 HDTV-720p tv 720 none 14
        5 WEBDL-720p webdl 720 none 15|14 WEBRip-720p webrip 720 none 15|6 Bluray-720p bluray 720 none 16
        9 HDTV-1080p tv 1080 none 17|3 WEBDL-1080p webdl 1080 none 18|15 WEBRip-1080p webrip 1080 none 18
        7 Bluray-1080p bluray 1080 none 19|30 Remux-1080p bluray 1080 remux 20|16 HDTV-2160p tv 2160 none 21
        18 WEBDL-2160p webdl 2160 none 22|17 WEBRip-2160p webrip 2160 none 22|19 Bluray-2160p bluray 2160 none 23
        31 Remux-2160p bluray 2160 remux 24|22 BR-DISK bluray 1080 brdisk 25|10 Raw-HD tv 1080 rawhd 26"""
    made = []
    for row in rows.replace("\n", "|").split("|"):
        if row.strip():
            ident, name, source, resolution, modifier, weight = row.split()
            made.append(Quality(int(ident), name, source, int(resolution), modifier, int(weight)))
    return made


TABLE = _table()
BY_ID = {q.id: q for q in TABLE}
_BY_SHAPE = {(q.source, q.resolution, q.modifier): q for q in TABLE}
UNKNOWN = BY_ID[0]

_SOURCES = [
    ("webdl", r"web[-_. ]?dl|amazonhd|ituneshd|netflixu?hd|webhd|\bweb\b(?=.*(?:480|720|1080|2160))"),
    ("webrip", r"web[-_. ]?rip"),
    ("bluray", r"blu[-_. ]?ray|\bbd(?:rip)?\b|\bbrrip\b|hd[-_. ]?dvd"),
    ("tv", r"hdtv|\bpdtv\b|\bsdtv\b|\bdsr\b|tvrip"),
    ("dvd", r"\bdvd(?:rip|-r|r)?\d?\b|\bscreener\b|\bdvdscr\b|regional"),
    ("telesync", r"\bts\b|telesync|hd[-_. ]?ts"),
    ("telecine", r"\btc\b|telecine|hd[-_. ]?tc"),
    ("cam", r"\bcam(?:rip)?\b|hd[-_. ]?cam"),
    ("workprint", r"workprint|\bwp\b"),
]
_RESOLUTIONS = [
    (2160, r"2160p|\b4k\b|\buhd\b"),
    (1080, r"1080[ip]|1920x1080"),
    (720, r"720p|1280x720"),
    (576, r"576[ip]"),
    (480, r"480[ip]|640x480|848x480"),
]
_MODIFIERS = [("remux", r"\bremux\b|[-_. ]remux"), ("rawhd", r"raw[-_. ]?hd"), ("regional", r"\bregional\b")]
_DISK = r"\bbr[-_. ]?disk\b|complete[-_. ]bluray|\bbdmv\b|\biso\b"
_PROPER = re.compile(r"\bproper\b", re.IGNORECASE)
_REPACK = re.compile(r"\b(?:repack|rerip)\b", re.IGNORECASE)
_VERSION = re.compile(r"\bv(\d)\b", re.IGNORECASE)


def _first(patterns: list[tuple[str, str]], text: str) -> str | None:
    return next((name for name, pattern in patterns if re.search(pattern, text, re.IGNORECASE)), None)


def resolution_of(name: str) -> int:
    """The resolution that a name speaks of, or 0."""
    return next((size for size, pattern in _RESOLUTIONS if re.search(pattern, name, re.IGNORECASE)), 0)


def parse(name: str, measured: int = 0) -> Json:
    """The quality model `{quality, revision}` for a file or release name.

    `measured` is the height that the video itself has, which counts more than what the name says. A name without any
    source is taken for a recording from television, as the extension of a video file suggests.
    """
    resolution = measured or resolution_of(name)
    if re.search(_DISK, name, re.IGNORECASE):
        quality = BY_ID[22]
    else:
        quality = _shape(_first(_SOURCES, name), resolution, _first(_MODIFIERS, name) or "none")
    repack = bool(_REPACK.search(name))
    version = _VERSION.search(name)
    number = int(version[1]) if version else 2 if repack or _PROPER.search(name) else 1
    return {"quality": quality.json(), "revision": {"version": number, "real": 0, "isRepack": repack}}


def _shape(source: str | None, resolution: int, modifier: str) -> Quality:
    if modifier == "rawhd":
        return BY_ID[10]
    if modifier == "remux":
        return BY_ID[31] if resolution == 2160 else BY_ID[30]
    if source == "dvd" and modifier == "regional":
        return BY_ID[29]
    wanted = source or "tv"
    for size in (resolution, 480, 0):
        found = _BY_SHAPE.get((wanted, size, "none"))
        if found is not None and (size == resolution or resolution in (0, 576)):
            return found
    return _BY_SHAPE.get((wanted, 720 if wanted == "bluray" else 0, "none"), UNKNOWN)


def release_group(stem: str) -> str | None:
    """The group at the end of a release name (`…-GRP`), or None."""
    found = re.search(r"-([A-Za-z0-9]+)$", stem.strip())
    if found is None or re.fullmatch(r"\d+[ip]|dl|rip|ray|hd|r|remux|disk", found[1], re.IGNORECASE):
        return None
    return found[1]


def is_release(stem: str) -> bool:
    """Whether a name reads like a scene release: words joined by dots, with a group at the end."""
    return " " not in stem and release_group(stem) is not None and resolution_of(stem) > 0


_WEB = {11: (1000, "WEB 480p"), 15: (1001, "WEB 720p"), 18: (1002, "WEB 1080p"), 22: (1003, "WEB 2160p")}
_PROFILES: list[tuple[str, int, range | tuple[int, ...]]] = [
    ("Any", 20, range(2, 26)),
    ("SD", 20, (2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13)),
    ("HD-720p", 6, (14, 15, 16)),
    ("HD-1080p", 7, (17, 18, 19, 20)),
    ("Ultra-HD", 31, (21, 22, 23, 24)),
    ("HD - 720p/1080p", 6, range(14, 21)),
]


def default_profiles() -> list[Json]:
    """The quality profiles of a fresh database, without ids."""
    return [_profile(name, cutoff, allowed) for name, cutoff, allowed in _PROFILES]


def _profile(name: str, cutoff: int, allowed: range | tuple[int, ...]) -> Json:
    items: list[Json] = []
    for weight in range(1, 27):
        here = [q for q in TABLE if q.weight == weight]
        single = [{"quality": q.json(), "items": [], "allowed": weight in allowed} for q in here]
        if weight in _WEB:
            ident, label = _WEB[weight]
            items.append({"id": ident, "name": label, "items": single, "allowed": weight in allowed})
        else:
            items += single
    return {
        "name": name,
        "upgradeAllowed": False,
        "cutoff": cutoff,
        "items": items,
        "minFormatScore": 0,
        "cutoffFormatScore": 0,
        "minUpgradeFormatScore": 1,
        "formatItems": [],
        "language": {"id": -2, "name": "Original"},
    }
