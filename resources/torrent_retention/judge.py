"""The rules over one torrent: may it go, is every obligation met, does anything keep it. Three-valued, with the reasons.

What a rule asks and the client does not know is unknown, and an unknown never lets a torrent go: not by `may_go`, not by an
obligation, and not past a `keep`. Pure; called for planning and once more, with fresh facts, at the moment of doing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import lru_cache

from reconciler.units import age_text, size_text
from resources.clients.torrents import Torrent
from resources.imports import Taken
from resources.torrent_retention.comparisons import Comparison
from resources.torrent_retention.spec import Condition, Group, RetentionSpec, Text, Trackers

GO, STAY, UNKNOWN = "go", "stay", "unknown"


@dataclass(frozen=True)
class Known:
    """A torrent with what is known beyond its client: `imported` (None: not known, `imported_says` why; `taken`: the files
    that it rests on), and seeding time as it was observed over earlier plans."""

    torrent: Torrent
    now: datetime
    imported: bool | None = None
    imported_says: str = ""
    seeded_s: int | None = None
    taken: tuple[Taken, ...] = ()


@dataclass(frozen=True)
class Answer:
    """True, False or None (unknown), in words."""

    value: bool | None
    says: str


@dataclass(frozen=True)
class Judgement:
    """`verdict`: go, stay or unknown; `reasons` for it, the deciding one first; `delete` what is done when it goes."""

    verdict: str
    reasons: tuple[str, ...]
    delete: str = "data"
    code: str = ""  # which rule decided: state, obligation, unlisted, keep, may_go


def judge(spec: RetentionSpec, it: Known) -> Judgement:
    """The verdict of the rules of `spec`. Sharing of data, protections and guards are not its business."""
    group = group_of(spec, it)
    if isinstance(group, str):
        return Judgement(UNKNOWN, (group,), spec.delete, "group")
    delete = spec.deletes(group)
    busy = _busy(it.torrent, delete)
    if busy is not None:
        return Judgement(UNKNOWN if busy.value is None else STAY, (busy.says,), delete, "state")
    met = []
    for answer in obligations(spec.trackers, it):
        if answer.value is not True:
            return Judgement(STAY if answer.value is False else UNKNOWN, (answer.says,), delete, "obligation")
        met.append(answer)
    for rule in (*(group.keep if group else ()), *spec.keep):
        kept = holds(rule, it)
        if kept.value is not False:
            says = f"kept: {kept.says}" if kept.value else f"it may have to be kept: {kept.says}"
            return Judgement(STAY if kept.value else UNKNOWN, (says,), delete, "keep")
    may = holds(group.may_go if group and group.may_go else spec.may_go, it)
    if may.value is not True:
        return Judgement(STAY if may.value is False else UNKNOWN, (may.says,), delete, "may_go")
    return Judgement(GO, (may.says, *(a.says for a in met if a.says)), delete)


KEEPS = ("state", "keep", "group")  # codes of what keeps a torrent that its tracker disowns


def without_trackers(spec: RetentionSpec, it: Known) -> Judgement:
    """The verdict of the rules that a torrent is under which no tracker knows any more: it owes nobody anything, and its import
    is not looked at, so that a rule which asks for it keeps it."""
    free = spec.model_copy(update={"trackers": type(spec.trackers)({"unlisted": "allow"})})
    says = "whether it was imported is not looked at, as its tracker disowns it"
    return judge(free, replace(it, imported=None, imported_says=says))


def group_of(spec: RetentionSpec, it: Known) -> Group | str | None:
    """The first group that matches; a text when that cannot be told."""
    for group in spec.groups:
        answer = holds(group.match, it)
        if answer.value is None:
            return f"which group it is in is not known: {answer.says}"
        if answer.value:
            return group
    return None


def _busy(torrent: Torrent, delete: str) -> Answer | None:
    """Why a torrent in this state is not judged at all. A client whose disk is offline calls its data missing: taking the
    torrent out with it would leave the data behind."""
    if torrent.state == "checking":
        return Answer(None, "its data is being checked")
    if torrent.state == "moving":
        return Answer(None, "its data is being moved")
    if torrent.state == "unknown":
        return Answer(None, "the client does not tell its state")
    if torrent.state == "error" and delete == "data":
        return Answer(None, "its client cannot read its data")
    if not torrent.complete:
        return Answer(False, "it is not complete")
    return None


def obligations(trackers: Trackers, it: Known) -> Iterable[Answer]:
    """One answer for each tracker that the torrent has; all must be True."""
    if it.torrent.trackers is None:
        yield Answer(None, "its trackers are not known")
        return
    hosts = sorted({t.host for t in it.torrent.trackers if t.host})
    if not hosts and trackers.unlisted == "hold":
        yield Answer(False, "it has no tracker, and what is not listed is held")
    if any(not t.url for t in it.torrent.trackers):
        yield Answer(None, "the address of one of its trackers cannot be understood")
    seen: set[str] = set()
    for host in hosts:
        names = [n for n, o in trackers.named.items() if _fits(host, o.match)]
        if not names and trackers.unlisted == "hold":
            yield Answer(False, f"its tracker {host} is not listed, and what is not listed is held")
        for name in names:
            if name not in seen:
                seen.add(name)
                met = holds(trackers.named[name].keep_until, it)
                yield Answer(met.value, f"{name}: {met.says}" if met.value else f"{name} wants more: {met.says}")


def _matches(text: str, pattern: str) -> bool:
    return fnmatchcase(text.lower(), pattern.lower())


@lru_cache(maxsize=4096)
def _fits(text: str, patterns: tuple[str, ...]) -> bool:
    return any(_matches(text, pattern) for pattern in patterns)


def _among(value: str, wanted: Text) -> bool:
    return any(_matches(value, p) for p in ((wanted,) if isinstance(wanted, str) else wanted))


def holds(rule: Condition, it: Known) -> Answer:
    """Whether a condition holds; False beats unknown, unknown beats True."""
    answers = [_ASK[name](rule, it) for name in rule.asked]
    if rule.all is not None:
        answers += [holds(inner, it) for inner in rule.all]
    if rule.any is not None:
        answers.append(_any([holds(inner, it) for inner in rule.any]))
    for value in (False, None):
        deciding = [a.says for a in answers if a.value is value]
        if deciding:
            return Answer(value, "; ".join(deciding))
    return Answer(True, ", ".join(a.says for a in answers if a.says))


def _any(answers: list[Answer]) -> Answer:
    for value in (True, None):
        found = [a.says for a in answers if a.value is value]
        if found:
            return Answer(value, found[0] if value else "; ".join(found))
    return Answer(False, " and ".join(a.says for a in answers))


def _imported(rule: Condition, it: Known) -> Answer:
    return Answer(None if it.imported is None else it.imported is rule.imported, it.imported_says)


def _seeded(rule: Condition, it: Known) -> Answer:
    known = [s for s in (it.torrent.seeded_s, it.seeded_s) if s is not None]
    return _compared("seeded", rule.seeded, max(known, default=None), age_text)


def _aged(rule: Condition, it: Known) -> Answer:
    t = it.torrent
    later = max((m for m in (t.added, t.finished) if m is not None), default=None) if t.finished else None
    return _compared("age", rule.age, None if later is None else (it.now - later).total_seconds(), age_text)


def _tracked(rule: Condition, it: Known) -> Answer:
    trackers = it.torrent.trackers
    return _listed("tracker", rule.tracker, None if trackers is None else tuple(t.host for t in trackers))


def _secret(rule: Condition, it: Known) -> Answer:
    private = it.torrent.private
    value = None if private is None else private is rule.private
    return Answer(value, "not known whether it is private" if value is None else _private(private))


_ASK: Mapping[str, Callable[[Condition, Known], Answer]] = {
    "imported": _imported,
    "ratio": lambda rule, it: _compared("ratio", rule.ratio, it.torrent.ratio, _ratio),
    "seeded": _seeded,
    "age": _aged,
    "size": lambda rule, it: _compared("size", rule.size, it.torrent.size, _size),
    "seeders": lambda rule, it: _compared("seeders", rule.seeders, it.torrent.seeders, _whole),
    "label": lambda rule, it: _listed("label", rule.label, (it.torrent.label,)),
    "tag": lambda rule, it: _listed("tag", rule.tag, it.torrent.tags),
    "name": lambda rule, it: _listed("name", rule.name, (it.torrent.name,)),
    "tracker": _tracked,
    "private": _secret,
}


def _private(private: bool | None) -> str:
    return "it is private" if private else "it is not private"


def _listed(word: str, wanted: Text | None, values: tuple[str, ...] | None) -> Answer:
    assert wanted is not None  # noqa: S101  # only what a condition says is asked
    asked = wanted if isinstance(wanted, str) else " or ".join(wanted)
    if values is None:
        return Answer(None, f"its {word} is not known")
    found = next((v for v in values if _among(v, wanted)), None)
    return Answer(found is not None, f"{word} {found}" if found is not None else f"its {word} is not {asked}")


def _compared(word: str, limit: Comparison | None, number: float | None, text: Callable[[float], str]) -> Answer:
    assert limit is not None  # noqa: S101  # only what a condition says is asked
    if number is None:
        return Answer(None, f"its {word} is not known")
    told = f"{word} {text(number)}"
    return Answer(True, f"{told} ({limit.text})") if limit.holds(number) else Answer(False, f"{told}, not {limit.text}")


def _ratio(value: float) -> str:
    return f"{int(value * 100) / 100:g}"  # never rounded up: 1.999 is not 2


def _size(value: float) -> str:
    return size_text(int(value))


def _whole(value: float) -> str:
    return str(int(value))
